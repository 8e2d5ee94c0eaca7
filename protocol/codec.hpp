#pragma once

#include "protocol/errors.hpp"
#include "protocol/framing.hpp"
#include "protocol/held_bytes.hpp"
#include "protocol/signing_in.hpp"
#include "protocol/vocabulary.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

/// Frames to meaning and back, both directions: the server decodes
/// `client_frame`s and encodes `server_frame`s, the client library the other
/// way round. Total on any input. README.md says what each frame means.
namespace parley::native {

// -- what a client sends ------------------------------------------------------

struct hello {
  uint32_t version_min = defaults::protocol_version_min;
  uint32_t version_max = defaults::protocol_version;
  uint64_t features = 0;
  std::string software;
  bool operator==(const hello&) const = default;
  auto fields() {
    return std::tie(version_min, version_max, features, software);
  }
};

struct authenticate {
  std::string mechanism;
  /// Octets.
  std::string initial;
  /// As the client wrote it, not prepared; empty: the server makes one.
  std::string endpoint;
  availability presence;
  /// All zero: as much as the server allows.
  window wanted;
  bool operator==(const authenticate&) const = default;
  auto fields() {
    return std::tie(mechanism, initial, endpoint, presence, wanted);
  }
};

struct sasl_response {
  /// Octets.
  std::string data;
  bool operator==(const sasl_response&) const = default;
  auto fields() { return std::tie(data); }
};

struct resume_session {
  /// Octets.
  std::string token;
  sequence last_event;
  bool operator==(const resume_session&) const = default;
  auto fields() { return std::tie(token, last_event); }
};

struct ping {
  uint64_t nonce = 0;
  bool operator==(const ping&) const = default;
  auto fields() { return std::tie(nonce); }
};

struct pong {
  uint64_t nonce = 0;
  bool operator==(const pong&) const = default;
  auto fields() { return std::tie(nonce); }
};

/// All events up to `event` are safe at the client.
struct ack {
  sequence event;
  bool operator==(const ack&) const = default;
  auto fields() { return std::tie(event); }
};

/// One part of a request in several; see request_assembler.
struct request_part {
  request_number number;
  /// 0, 1, 2, …
  uint32_t part = 0;
  bool more = false;
  /// Of a broadcast the message only in part 0.
  std::variant<broadcast, add_contacts, remove_contacts> what;
  /// Code none, or why the request is to be refused.
  failure why;
  auto fields() { return std::tie(number, part, more, what, why); }
};

/// A frame without a kind that is known here and without a number: nothing is
/// due.
struct ignored {
  bool operator==(const ignored&) const = default;
  auto fields() { return std::tie(); }
};

/// In a numbered_request the number is 0 for `typing`, and for an
/// invalid_request whose sender gave none.
using client_frame = std::variant<ignored, hello, authenticate, sasl_response,
  resume_session, ping, pong, ack, window, numbered_request, request_part>;

/// What the server fills into the IMs that it decodes.
struct im_origin {
  address from;
  wall_time sent_at{};
  /// Where the bytes of these IMs count for as long as they live; null:
  /// nowhere.
  byte_count* held = nullptr;
};

/// An IM that counts there as long as anybody holds it.
shared<im> counted(im&& x, byte_count* in);
/// The same for one that is shared already.
shared<im> counted(const shared<im>& x, byte_count* in);

/// Decodes one frame of a client. `bad_frame` if it is no protobuf message
/// (ends the connection). What is well-formed but not allowed (too long, out
/// of range, not UTF-8, no number, an unknown kind) comes out as a
/// numbered_request of an invalid_request with the failure to answer, also
/// before a sign-in.
result<client_frame> decode_client(
  std::string_view frame, const im_origin& origin);

/// Appends one frame, or the parts of a broadcast or of a list of contacts.
/// `too_large` with limit and value, and nothing appended, if an IM, one
/// contact or a set_privacy does not fit into a frame.
result<void> encode_client(std::string& out, const client_frame& what);

/// The same for a send_im with the recipient as text.
result<void> encode_send(std::string& out, request_number number,
  const im& message, std::string_view to);

/// The same for a broadcast; recipients as text.
result<void> encode_broadcast(std::string& out, request_number number,
  const im& message, const std::vector<std::string>& to);

/// The same for a typing notice; the recipient as text.
void encode_typing(std::string& out, std::string_view to);

/// The same for an acknowledgement.
void encode_ack(std::string& out, sequence event);

// -- what a server sends ------------------------------------------------------

struct welcome {
  uint32_t version = defaults::protocol_version;
  uint64_t features = 0;
  std::string software;
  /// The domain that a user name without one belongs to.
  std::string domain;
  std::vector<std::string> mechanisms;
  /// Bytes of a frame, of a body; recipients of a broadcast; bytes of an id.
  uint32_t frame_max = 0;
  uint32_t body_max = 0;
  uint32_t broadcast_max = 0;
  uint32_t id_max = 0;
  bool operator==(const welcome&) const = default;
  auto fields() {
    return std::tie(version, features, software, domain, mechanisms, frame_max,
      body_max, broadcast_max, id_max);
  }
};

struct sasl_challenge {
  /// Octets.
  std::string data;
  bool operator==(const sasl_challenge&) const = default;
  auto fields() { return std::tie(data); }
};

struct session_started {
  signed_in what;
  /// The server's last SASL message; octets.
  std::string sasl;
  auto fields() { return std::tie(what, sasl); }
};

/// An error that answers no numbered request: before the sign-in, or what ends
/// a connection or session. (One that answers a request is an `answer`.)
struct refusal {
  error_scope scope = error_scope::connection;
  failure why;
  bool operator==(const refusal&) const = default;
  auto fields() { return std::tie(scope, why); }
};

struct going_away {
  std::chrono::milliseconds come_back_after{};
  bool operator==(const going_away&) const = default;
  auto fields() { return std::tie(come_back_after); }
};

struct numbered_event {
  sequence number;
  event what;
  auto fields() { return std::tie(number, what); }
};

/// One part of an answer, or of a push, in several; see answer_assembler.
struct answer_part {
  sequence number;
  /// 0: a push.
  request_number to;
  /// 0, 1, 2, …
  uint32_t part = 0;
  bool more = false;
  /// Besides the lists, the fields count only in part 0.
  std::variant<broadcast_outcomes, contacts_changed, contact_list, privacy>
    what;
  auto fields() { return std::tie(number, to, part, more, what); }
};

/// A kind of frame that a newer server sends. If it is numbered it is to be
/// acknowledged; if it answers a request, this is the answer.
struct unknown_event {
  sequence number;
  request_number to;
  bool operator==(const unknown_event&) const = default;
  auto fields() { return std::tie(number, to); }
};

using server_frame =
  std::variant<unknown_event, welcome, sasl_challenge, session_started, refusal,
    going_away, ping, pong, window, numbered_event, answer_part>;

/// Appends one frame, or as many as a list needs.
void encode_server(std::string& out, const server_frame& what);

/// The same for an event; `number` is 0 for what is not numbered. A
/// presence_event is encoded once for all of its watchers on this thread.
void encode_event(std::string& out, sequence number, const event& what);

/// Decodes one frame of a server; addresses are taken as prepared. `bad_frame`
/// if it is no protobuf message. A reason that is not known here becomes
/// errc::none with a text that begins with the reason.
result<server_frame> decode_server(std::string_view frame);

} // namespace parley::native
