#include "protocol/codec.hpp"

#include "protocol/codec_contacts.hpp"
#include "protocol/codec_fields.hpp"
#include "protocol/unicode.hpp"

#include <algorithm>

namespace parley::native {

namespace {

using frame_type = wire::ServerFrame;
using im_type = wire::Im;
using outcome_type = wire::Outcome;
using namespace wire_format;

wall_time wall_time_of(int64_t milliseconds) {
  return wall_time{std::chrono::milliseconds{milliseconds}};
}

// The hot frames are built where the caller wants them: moving a variant of
// all frames from hand to hand costs more than decoding one.

/// An Im without payloads or anything unusual; false if it is another one.
bool decode_plain_im(
  sequence number, std::string_view bytes, server_frame& out) {
  reader in{bytes};
  std::string_view from, to, id, body;
  uint64_t sent_at = 0;
  bool offline = false;
  while (auto t = in.next()) {
    switch (t) {
    case tag(im_type::kFromFieldNumber, bytes_type):
      if (!in.once(from))
        return false;
      break;
    case tag(im_type::kToFieldNumber, bytes_type):
      if (!in.once(to))
        return false;
      break;
    case tag(im_type::kIdFieldNumber, bytes_type):
      if (!in.once(id))
        return false;
      break;
    case tag(im_type::kBodyFieldNumber, bytes_type):
      if (!in.once(body))
        return false;
      break;
    case tag(im_type::kSentAtMsFieldNumber, varint_type):
      sent_at = in.varint();
      break;
    case tag(im_type::kOfflineFieldNumber, varint_type):
      offline = in.varint() != 0;
      break;
    default:
      return false;
    }
  }
  if (!in.ok() || !is_utf8(from) || !is_utf8(to) || !is_utf8(id)
    || !is_utf8(body))
    return false;
  im message;
  message.id.value = id;
  message.from = prepared_address(from);
  message.body = body;
  message.sent_at = wall_time_of(static_cast<int64_t>(sent_at));
  auto& event = out.emplace<numbered_event>();
  event.number = number;
  auto& x = event.what.emplace<incoming_im>();
  x.message = shared<im>{std::move(message)};
  x.to = prepared_address(to);
  x.offline = offline;
  return true;
}

/// An outcome that is no rejection; false if it is another one.
bool decode_plain_outcome(sequence number, request_number request,
  std::string_view bytes, server_frame& out) {
  reader in{bytes};
  uint64_t kind = 0;
  while (auto t = in.next()) {
    if (t != tag(outcome_type::kKindFieldNumber, varint_type))
      return false;
    kind = in.varint();
  }
  if (!in.ok() || kind >= static_cast<uint64_t>(outcome::kind::rejected))
    return false;
  auto& event = out.emplace<numbered_event>();
  event.number = number;
  auto& x = event.what.emplace<answer>();
  x.to = request;
  x.what.emplace<outcome>().what = static_cast<outcome::kind>(kind);
  return true;
}

/// The frames of the hot path, read without a message object. False if the
/// frame is another one, or holds anything that is not expected.
bool decode_hot(std::string_view frame, server_frame& out) {
  reader in{frame};
  sequence number;
  request_number request;
  std::string_view bytes;
  uint32_t kind = 0;
  while (auto t = in.next()) {
    switch (t) {
    case tag(frame_type::kEventFieldNumber, varint_type):
      number.value = in.varint();
      break;
    case tag(frame_type::kRequestFieldNumber, varint_type):
      request.value = in.varint();
      break;
    case tag(frame_type::kImFieldNumber, bytes_type):
    case tag(frame_type::kOutcomeFieldNumber, bytes_type):
      // Twice the same kind would have to be merged.
      if (kind != 0)
        return false;
      kind = t;
      bytes = in.bytes();
      break;
    default:
      return false;
    }
  }
  if (!in.ok() || kind == 0)
    return false;
  return kind == tag(frame_type::kImFieldNumber, bytes_type)
    ? decode_plain_im(number, bytes, out)
    : decode_plain_outcome(number, request, bytes, out);
}

welcome take(wire::Welcome& from) {
  welcome x;
  x.version = from.version();
  x.features = from.features();
  x.software = std::move(*from.mutable_software());
  x.domain = std::move(*from.mutable_domain());
  for (auto& one : *from.mutable_mechanisms())
    x.mechanisms.push_back(std::move(one));
  x.frame_max = from.limits().frame_bytes();
  x.body_max = from.limits().body_bytes();
  x.broadcast_max = from.limits().broadcast_recipients();
  x.id_max = from.limits().id_bytes();
  return x;
}

session_started take(wire::SignedIn& from) {
  session_started x;
  x.what.self = prepared_address(from.address());
  x.what.token = std::move(*from.mutable_token());
  x.what.resumed = from.resumed();
  x.what.last_request.value = from.last_request();
  x.what.requests = from_wire(from.requests());
  x.what.ims = from_wire(from.ims());
  x.what.heartbeat = std::chrono::milliseconds{from.heartbeat_ms()};
  x.what.resume_window = std::chrono::milliseconds{from.resume_window_ms()};
  x.sasl = std::move(*from.mutable_sasl());
  return x;
}

server_frame take_error(
  sequence number, request_number request, const wire::Error& from) {
  auto why = from_wire(from);
  auto whose = prepared_address(from.whose()).user;
  if (request.value != 0 && !whose.empty())
    return numbered_event{number,
      answer{request, refused_request{std::move(why), std::move(whose)}}};
  if (request.value != 0)
    return numbered_event{number, answer{request, std::move(why)}};
  // A scope that is not known here is the mildest that ends something.
  auto scope = wire::Scope_IsValid(from.scope())
    ? static_cast<error_scope>(from.scope())
    : error_scope::connection;
  return refusal{scope, std::move(why)};
}

/// What a kind that is not known here promises cannot be relied on.
outcome take(const wire::Outcome& from) {
  outcome x;
  if (from.kind() == outcome_type::DELIVERED)
    x.what = outcome::kind::delivered;
  else if (from.kind() == outcome_type::STORED)
    x.what = outcome::kind::stored;
  else
    x.why = from_wire(from.error());
  return x;
}

server_frame take(
  sequence number, request_number request, wire::BroadcastOutcomes& from) {
  broadcast_outcomes x;
  x.outcomes.reserve(static_cast<size_t>(from.outcomes_size()));
  for (auto& one : *from.mutable_outcomes())
    x.outcomes.push_back({std::move(*one.mutable_to()), take(one.outcome())});
  if (!from.has_part())
    return numbered_event{number, answer{request, std::move(x)}};
  return answer_part{
    number, request, from.part().number(), from.part().more(), std::move(x)};
}

event take(wire::Im& from) {
  im x;
  x.id.value = std::move(*from.mutable_id());
  x.from = prepared_address(from.from());
  x.body = std::move(*from.mutable_body());
  x.payloads = take_payloads(*from.mutable_payloads());
  x.sent_at = wall_time_of(from.sent_at_ms());
  return incoming_im{
    shared<im>{std::move(x)}, prepared_address(from.to()), from.offline()};
}

policy_values take(const wire::Policy& from) {
  policy_values x;
  x.values.assign(from.values().begin(), from.values().end());
  // A protobuf map has no order.
  std::sort(x.values.begin(), x.values.end());
  return x;
}

std::chrono::milliseconds take_milliseconds(uint64_t x) {
  using ms = std::chrono::milliseconds;
  return ms{static_cast<ms::rep>(
    std::min(x, static_cast<uint64_t>(ms::max().count())))};
}

} // namespace

result<server_frame> decode_server(std::string_view frame) {
  result<server_frame> out;
  if (decode_hot(frame, *out))
    return out;
  auto& from = reused<frame_type>();
  if (!from.ParseFromArray(frame.data(), static_cast<int>(frame.size())))
    return fail(errc::bad_frame, "the frame is no message of a server");
  sequence number{from.event()};
  request_number request{from.request()};
  switch (from.kind_case()) {
  case frame_type::kWelcome:
    return take(*from.mutable_welcome());
  case frame_type::kSaslChallenge:
    return sasl_challenge{
      std::move(*from.mutable_sasl_challenge()->mutable_data())};
  case frame_type::kSignedIn:
    return take(*from.mutable_signed_in());
  case frame_type::kError:
    return take_error(number, request, from.error());
  case frame_type::kGoingAway:
    return going_away{
      take_milliseconds(from.going_away().come_back_after_ms())};
  case frame_type::kPing:
    return ping{from.ping().nonce()};
  case frame_type::kPong:
    return pong{from.pong().nonce()};
  case frame_type::kWindow:
    return from_wire(from.window());
  case frame_type::kPolicy:
    return numbered_event{number, take(from.policy())};
  case frame_type::kTyping:
    return numbered_event{
      number, typing_notice{prepared_address(from.typing().from())}};
  case frame_type::kOutcome:
    return numbered_event{number, answer{request, take(from.outcome())}};
  case frame_type::kBroadcast:
    return take(number, request, *from.mutable_broadcast());
  case frame_type::kDone:
    return numbered_event{number, answer{request, done{}}};
  case frame_type::kIm:
    return numbered_event{number, take(*from.mutable_im())};
  case frame_type::kReceipt:
    if (wire::Receipt::Kind_IsValid(from.receipt().kind()))
      return numbered_event{number,
        receipt{{from.receipt().id()},
          prepared_address(from.receipt().endpoint()),
          static_cast<receipt::kind>(from.receipt().kind())}};
    break;
  case frame_type::kContacts:
  case frame_type::kContactsChanged:
  case frame_type::kWatching:
  case frame_type::kPrivacy:
  case frame_type::kPresence:
  case frame_type::kPresenceReset:
  case frame_type::kWatchEnded:
    return decode_contacts_event(from);
  case frame_type::KIND_NOT_SET:
    break;
  }
  return unknown_event{number, request};
}

} // namespace parley::native
