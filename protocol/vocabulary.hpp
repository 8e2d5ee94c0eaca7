#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "protocol/address.hpp"
#include "protocol/contacts.hpp"
#include "protocol/documents.hpp"
#include "protocol/errors.hpp"
#include "protocol/presence.hpp"
#include "protocol/shared.hpp"

/// The protocol-neutral vocabulary: what clients ask and what they are told,
/// whatever bytes carry it. Plain structs that name their fields once.
namespace parley {

/// Milliseconds since 1970 UTC.
using wall_time =
  std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

/// The sender's name for an IM, 1 to 128 bytes of UTF-8, chosen by the client;
/// it stays the same when the client retries.
struct message_id {
  std::string value;
  auto operator<=>(const message_id&) const = default;
  auto fields() { return std::tie(value); }
};

/// A client numbers its requests from 1 upwards within a session. 0: none.
struct request_number {
  uint64_t value = 0;
  auto operator<=>(const request_number&) const = default;
  auto fields() { return std::tie(value); }
};

/// The server numbers a session's events from 1 upwards. 0: not numbered.
struct sequence {
  uint64_t value = 0;
  auto operator<=>(const sequence&) const = default;
  auto fields() { return std::tie(value); }
};

/// Lasting content beside the body: a reaction, a marker, a receipt.
struct payload {
  /// What `data` means, 1 to 128 bytes; `read` is Parley's own: `data` is the
  /// id of the last IM that its reader has seen. Those that begin with
  /// `reserved_payload` hold stanzas of XMPP, and no client can make them.
  std::string type;
  std::string data;
  bool operator==(const payload&) const = default;
  auto fields() { return std::tie(type, data); }
};

inline constexpr std::string_view reserved_payload = "xmpp";

/// An instant message as its sender wrote it. To whom it goes is not part of
/// it: a broadcast is one im for all of its recipients.
struct im {
  message_id id;
  /// The sending endpoint; filled in by the server.
  address from;
  /// UTF-8. Empty if the IM is payloads alone; such an IM chooses no endpoint.
  std::string body;
  std::vector<payload> payloads;
  /// When the server took it; filled in by the server.
  wall_time sent_at{};
  /// The sender wants receipts per endpoint.
  bool receipts = false;

  auto fields() {
    return std::tie(id, from, body, payloads, sent_at, receipts);
  }
};

// -- requests -----------------------------------------------------------------

/// Answered by an `outcome`.
struct send_im {
  shared<im> message;
  /// Empty if what the client wrote is no address.
  address to;
  /// A full address means that endpoint and no other: rejected as
  /// `recipient_offline` if it is not there.
  bool strict = false;
  /// Endpoints that want copies may have some.
  bool copies = true;
  auto fields() { return std::tie(message, to, strict, copies); }
};

/// Answered by `broadcast_outcomes`. The parts of one broadcast, if its list
/// is long, are put together by the connection.
struct broadcast {
  shared<im> message;
  /// As the client wrote them, in its order; duplicates are allowed.
  std::vector<std::string> to;
  /// Endpoints of the recipients that want copies may have some.
  bool copies = true;
  auto fields() { return std::tie(message, to, copies); }
};

/// This endpoint wants copies of IMs that others of its user send or get, or no
/// longer: as long as the session lasts. Answered by `done`.
struct set_copies {
  bool wanted = false;
  auto fields() { return std::tie(wanted); }
};

/// Answered by `done`. Never *unknown*.
struct set_availability {
  availability what;
  auto fields() { return std::tie(what); }
};

/// The user is writing to `to`. Not answered, never stored.
struct typing {
  address to;
  auto fields() { return std::tie(to); }
};

/// To whom something goes that is passed on and not kept.
enum class reach : uint8_t {
  /// To whom an IM would be handed.
  targets = 0,
  /// Every available endpoint whose priority is not below 0; of a full address
  /// that endpoint alone, if it is available.
  available = 1,
  /// The endpoint of a full address, available or not.
  endpoint = 2,
};

/// What is passed on may be presence that an endpoint directs to somebody.
enum class directed : uint8_t {
  no = 0,
  /// It shows itself there.
  shown = 1,
  /// It takes back what it has shown. It is small, and no limit of what is
  /// passed on may cost it: who misses it sees the endpoint for good.
  taken_back = 2,
};

/// Something for who is there now and for nobody else: it has no outcome, is
/// never stored and chooses nobody. Not answered, not counted.
struct pass_on {
  shared<im> message;
  address to;
  parley::reach reach = parley::reach::targets;
  /// If it reaches nobody, the sender is told so.
  bool returns = false;
  /// It says that the user is writing.
  bool is_typing = false;
  parley::directed directed = parley::directed::no;
  auto fields() {
    return std::tie(message, to, reach, returns, is_typing, directed);
  }
};

/// Ends the session for good. Answered by `done`, then the connection closes.
struct sign_out {
  auto fields() { return std::tie(); }
};

/// What the connection could not make a request of. Answered by `failure`.
struct invalid_request {
  failure why;
  auto fields() { return std::tie(why); }
};

using request = std::variant<invalid_request, send_im, broadcast,
  set_availability, typing, sign_out, add_contacts, remove_contacts,
  list_contacts, subscribe, unsubscribe, approve, deny, watch, set_privacy,
  pass_on, set_copies, document_request, follow_documents>;

struct numbered_request {
  request_number number;
  request what;
  auto fields() { return std::tie(number, what); }
};

// -- events -------------------------------------------------------------------

/// What became of an IM. Exactly one per IM and sender's request.
struct outcome {
  enum class kind : uint8_t {
    /// An endpoint of the recipient acknowledged it.
    delivered = 0,
    /// On disk, synced.
    stored = 1,
    /// Not taken: `why`.
    rejected = 2,
  };

  outcome::kind what = outcome::kind::rejected;
  /// `code` is none unless rejected.
  failure why;

  bool operator==(const outcome&) const = default;
  auto fields() { return std::tie(what, why); }
};

/// `delivered`, `stored`, `rejected`.
std::string_view to_string(outcome::kind x) noexcept;

struct recipient_outcome {
  /// As the client wrote it.
  std::string to;
  outcome what;
  bool operator==(const recipient_outcome&) const = default;
  auto fields() { return std::tie(to, what); }
};

/// One line a distinct recipient, in the order of the request. The connection
/// cuts it into parts where it does not fit into a frame.
struct broadcast_outcomes {
  std::vector<recipient_outcome> outcomes;
  auto fields() { return std::tie(outcomes); }
};

struct done {
  auto fields() { return std::tie(); }
};

/// An IM for this endpoint; acknowledged when the client has it safe.
struct incoming_im {
  enum class copy : uint8_t {
    /// It is for this endpoint.
    none = 0,
    /// For others of its user, from which this one wants copies.
    received = 1,
    /// Another one of its user has sent it, and it was accepted.
    sent = 2,
  };

  shared<im> message;
  /// As it was addressed.
  address to;
  /// Came out of the store.
  bool offline = false;
  incoming_im::copy copied = copy::none;
  /// One of many: it is written behind what comes alone. Not on the wire.
  bool of_broadcast = false;
  auto fields() { return std::tie(message, to, offline, copied, of_broadcast); }
};

/// For a sender that asked: what an endpoint of the recipient did with an IM.
struct receipt {
  enum class kind : uint8_t { delivered = 0, chosen = 1, read = 2 };
  message_id id;
  address endpoint;
  receipt::kind what = receipt::kind::delivered;
  auto fields() { return std::tie(id, endpoint, what); }
};

/// `delivered`, `chosen`, `read`.
std::string_view to_string(receipt::kind x) noexcept;

/// Not numbered, not resent.
struct typing_notice {
  address from;
  auto fields() { return std::tie(from); }
};

/// What somebody passed on; or, `returned`, what this endpoint passed on and
/// reached nobody. Not numbered, not resent.
struct passed_on {
  shared<im> message;
  /// As it was addressed.
  address to;
  bool is_typing = false;
  bool returned = false;
  parley::directed directed = parley::directed::no;
  auto fields() { return std::tie(message, to, is_typing, returned, directed); }
};

/// Every policy setting with its value, both as text; the last state counts.
/// Not numbered.
struct policy_values {
  std::vector<std::pair<std::string, std::string>> values;
  auto fields() { return std::tie(values); }
};

/// The answer to a request, by its number.
struct answer {
  request_number to;
  std::variant<failure, outcome, broadcast_outcomes, done, contacts_changed,
    contact_list, watching, privacy, documents_found, refused_request>
    what;
  auto fields() { return std::tie(to, what); }
};

/// What goes to a client within a session.
using event = std::variant<answer, incoming_im, receipt, typing_notice,
  policy_values, contact_list, privacy, presence_event, presence_reset,
  watch_ended, passed_on, document_event>;

/// How much the one side may have under way to the other: unanswered requests,
/// or unacknowledged events. Bytes count bodies and payloads.
struct window {
  uint32_t messages = 0;
  uint64_t bytes = 0;
  bool operator==(const window&) const = default;
  auto fields() { return std::tie(messages, bytes); }
};

} // namespace parley

template <>
struct std::hash<parley::message_id> {
  size_t operator()(const parley::message_id& x) const noexcept {
    return std::hash<std::string>{}(x.value);
  }
};
