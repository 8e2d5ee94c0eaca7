#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/vocabulary.hpp"
#include "protocol/xmpp/element.hpp"

/// Message stanzas to IMs and back. What XMPP says beside the body travels as
/// one payload that other protocols carry and do not read.
namespace parley::xmpp {

/// Types of payloads: a stanza without from, to and body; a stanza with all.
/// No other protocol may send them: what is in them goes out as it is.
inline constexpr std::string_view stanza_payload = "xmpp";
inline constexpr std::string_view whole_stanza_payload = "xmpp-whole";

/// What is to become of a message stanza (RFC 6121, 8.5).
enum class message_class : uint8_t {
  /// An IM: it has an outcome and is stored.
  im,
  /// The same, but for nobody else than the endpoint that is named.
  strict_im,
  /// For whom an IM would go to, if they are there: chat states, and what its
  /// sender wants nowhere stored.
  fleeting,
  /// For every available endpoint.
  headline,
  /// For the endpoint that is named: errors, groupchat.
  endpoint_only,
  /// There is nobody who could take it: groupchat to a bare address.
  impossible,
  /// Silently ignored: an error to nobody in particular.
  ignored,
};

message_class classify(const element& message, const address& to);

/// The content of a stanza; `made_up` is its id if it brings no origin-id
/// (XEP-0359).
im im_of(const element& stanza, const address& from, wall_time sent_at,
  std::string made_up);

/// Appends ` name='user@domain/endpoint'`.
void append_attribute(
  std::string& out, std::string_view name, const address& value);

/// Whether it says that the user is writing (XEP-0085).
bool is_composing(const element& message);

/// How it is handed to a client.
struct delivery_marks {
  /// The server, to say since when it waited (XEP-0203); empty: it did not.
  std::string_view delayed_by;
  /// Clients are to keep no history (XEP-0334).
  bool no_history = false;
  /// It stands within an element of another namespace.
  bool is_within = false;
};

/// Appends a stanza: of a payload, or for an IM of another protocol.
void append_message(std::string& out, const im& message, const address& to,
  const delivery_marks& marks);
/// Appends a copy (XEP-0280) for this endpoint, as a message from its user that
/// has the other in it (XEP-0297).
void append_copy(std::string& out, const incoming_im& what, const address& to,
  const delivery_marks& marks);
/// Appends what was made by `im_of` of any stanza.
void append_passed(std::string& out, const im& stanza, const address& to);
void append_typing(std::string& out, const address& from, const address& to);

/// `2026-11-22T08:00:00.000Z` (XEP-0082).
std::string timestamp(wall_time x);

/// The stanza in a payload; nothing if there is none.
std::optional<element> stanza_of(const im& x);

} // namespace parley::xmpp
