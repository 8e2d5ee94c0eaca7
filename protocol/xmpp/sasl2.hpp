#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/address.hpp"
#include "protocol/xmpp/element.hpp"

/// Sign-in, binding or resumption, and what else a session begins with, asked
/// for at once (XEP-0388, XEP-0386).
namespace parley::xmpp {

namespace ns {
inline constexpr std::string_view sasl2 = "urn:xmpp:sasl:2";
inline constexpr std::string_view bind2 = "urn:xmpp:bind:0";
} // namespace ns

/// What `<authenticate/>` asks for beside the sign-in, and what has become of
/// it so far.
struct whole_sign_in {
  /// `<resume/>`, without what it may hold; it goes before a binding.
  std::optional<element> resume;
  bool binds = false;
  /// What its software calls itself; empty: nothing that a name may hold.
  std::string tag;
  /// Which of the user's clients it is, always the same; empty: it does not
  /// say. Nobody else is to learn it.
  std::string client;
  /// `<enable/>` of stream management, likewise.
  std::optional<element> enable;
  bool wants_copies = false;
  bool is_inactive = false;

  /// In base64: by it the client knows the server.
  std::string proof;
  /// `<failed/>`, if it could not resume.
  std::string failed;

  /// Bytes, about.
  size_t memory() const noexcept;
};

whole_sign_in read_whole(const element& authenticate);

/// The endpoint of a binding: the tag and, for the same client of a user the
/// same, something that says nothing to others. Empty: anything will do.
endpoint_name endpoint_for(const whole_sign_in& x, const user_address& user);

/// What a stream's features say of it; `mechanisms` as in RFC 6120.
void append_authentication(std::string& out, std::string_view mechanisms);

/// `<success/>` up to what comes behind the identity.
void append_success(
  std::string& out, const whole_sign_in& x, std::string_view identity);

} // namespace parley::xmpp
