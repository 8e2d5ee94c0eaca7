#pragma once

#include <string>
#include <string_view>

#include "protocol/errors.hpp"
#include "protocol/xmpp/element.hpp"

namespace parley::xmpp {

/// A stanza error: type and condition of RFC 6120, 8.3.
struct stanza_error {
  std::string_view type;
  std::string_view condition;
};

/// What a reason of Parley is called in XMPP; the one table of it.
stanza_error stanza_error_of(errc code) noexcept;

/// The condition of a stream error (RFC 6120, 4.9.3) that ends a connection for
/// this reason; empty if it ends without one.
std::string_view stream_condition_of(errc code) noexcept;

/// Appends `<error>` with a reason's name and text for a person.
void append_error(std::string& out, const failure& why);
void append_error(
  std::string& out, const stanza_error& what, std::string_view text = {});

/// Appends the answer to a stanza that came from this client: the same kind,
/// its id, to and from exchanged.
void append_error_answer(
  std::string& out, const element& to, const failure& why);
void append_error_answer(std::string& out, const element& to,
  const stanza_error& what, std::string_view text = {});

inline constexpr stanza_error service_unavailable{
  "cancel", "service-unavailable"};
inline constexpr stanza_error bad_request{"modify", "bad-request"};
inline constexpr stanza_error jid_malformed{"modify", "jid-malformed"};
inline constexpr stanza_error not_allowed{"cancel", "not-allowed"};
inline constexpr stanza_error no_remote_server{
  "cancel", "remote-server-not-found"};
inline constexpr stanza_error item_not_found{"cancel", "item-not-found"};
inline constexpr stanza_error forbidden{"auth", "forbidden"};
inline constexpr stanza_error not_acceptable{"modify", "not-acceptable"};
inline constexpr stanza_error conflict{"cancel", "conflict"};

} // namespace parley::xmpp
