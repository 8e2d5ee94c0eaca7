#include "protocol/codec.hpp"

#include "protocol/codec_contacts.hpp"
#include "protocol/codec_fields.hpp"
#include "protocol/defaults.hpp"
#include "protocol/unicode.hpp"

#include <google/protobuf/unknown_field_set.h>

#include <algorithm>

namespace parley::native {

namespace {

using frame_type = wire::ClientFrame;
using send_type = wire::SendIm;
using namespace wire_format;

numbered_request invalid(request_number number, failure why) {
  return {number, invalid_request{std::move(why)}};
}

/// An address that cannot be prepared is judged where the IM is routed. Those
/// that came lately are kept: mostly the same few are written to.
address parse_or_empty(std::string_view text) {
  struct slot {
    std::string text;
    address prepared;
  };
  static thread_local std::vector<slot> known(defaults::known_addresses);
  auto& x = known[std::hash<std::string_view>{}(text) % known.size()];
  if (x.text != text || text.empty()) {
    auto prepared = address::parse(text);
    if (!prepared)
      return {};
    x.prepared = std::move(*prepared);
    x.text = text;
  }
  return x.prepared;
}

// The hot frames are built where the caller wants them: moving a variant of
// all frames from hand to hand costs more than decoding one.

void put_send(request_number number, im&& message, std::string_view to,
  const im_origin& origin, client_frame& out) {
  auto& request = out.emplace<numbered_request>();
  request.number = number;
  auto& why = std::get<invalid_request>(request.what).why;
  if (number.value == 0) {
    why = failure{errc::bad_request, "a request needs a number"};
    return;
  }
  if (auto fault = content_fault(message)) {
    why = std::move(*fault);
    return;
  }
  message.from = origin.from;
  message.sent_at = origin.sent_at;
  auto& send = request.what.emplace<send_im>();
  send.message = counted(std::move(message), origin.held);
  send.to = parse_or_empty(to);
}

/// A SendIm without payloads or anything unusual; false if it is another one.
bool decode_plain_send(request_number number, std::string_view bytes,
  const im_origin& origin, client_frame& out) {
  reader in{bytes};
  std::string_view id, to, body;
  bool receipts = false;
  while (auto t = in.next()) {
    switch (t) {
    case tag(send_type::kIdFieldNumber, bytes_type):
      if (!in.once(id))
        return false;
      break;
    case tag(send_type::kToFieldNumber, bytes_type):
      if (!in.once(to))
        return false;
      break;
    case tag(send_type::kBodyFieldNumber, bytes_type):
      if (!in.once(body))
        return false;
      break;
    case tag(send_type::kReceiptsFieldNumber, varint_type):
      receipts = in.varint() != 0;
      break;
    default:
      return false;
    }
  }
  if (!in.ok() || !is_utf8(id) || !is_utf8(to) || !is_utf8(body))
    return false;
  im message;
  message.id.value = id;
  message.body = body;
  message.receipts = receipts;
  put_send(number, std::move(message), to, origin, out);
  return true;
}

bool decode_ack(std::string_view bytes, client_frame& out) {
  reader in{bytes};
  ack x;
  while (auto t = in.next()) {
    if (t != tag(wire::Ack::kEventFieldNumber, varint_type))
      return false;
    x.event.value = in.varint();
  }
  if (in.ok())
    out = x;
  return in.ok();
}

/// The frames of the hot path, read without a message object. False if the
/// frame is another one, or holds anything that is not expected.
bool decode_hot(
  std::string_view frame, const im_origin& origin, client_frame& out) {
  reader in{frame};
  request_number number;
  std::string_view bytes;
  uint32_t kind = 0;
  while (auto t = in.next()) {
    switch (t) {
    case tag(frame_type::kRequestFieldNumber, varint_type):
      number.value = in.varint();
      break;
    case tag(frame_type::kSendFieldNumber, bytes_type):
    case tag(frame_type::kAckFieldNumber, bytes_type):
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
  return kind == tag(frame_type::kSendFieldNumber, bytes_type)
    ? decode_plain_send(number, bytes, origin, out)
    : decode_ack(bytes, out);
}

/// The name of the first text field that is not UTF-8; empty if there is none.
/// `bad_frame` if the message is broken otherwise.
result<std::string> text_at_fault(
  const google::protobuf::Descriptor& type, std::string_view bytes) {
  google::protobuf::UnknownFieldSet fields;
  if (!fields.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(errc::bad_frame, "the frame is no protobuf message");
  using field_type = google::protobuf::FieldDescriptor;
  for (int i = 0; i < fields.field_count(); ++i) {
    auto& x = fields.field(i);
    auto known = type.FindFieldByNumber(x.number());
    if (!known
      || x.type() != google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED)
      continue;
    if (known->type() == field_type::TYPE_STRING
      && !is_utf8(x.length_delimited()))
      return known->name();
    if (known->type() == field_type::TYPE_MESSAGE) {
      auto inner = text_at_fault(*known->message_type(), x.length_delimited());
      if (!inner || !inner->empty())
        return inner;
    }
  }
  return std::string{};
}

/// Of what the generated code refused.
request_number find_number(std::string_view frame) {
  google::protobuf::UnknownFieldSet fields;
  fields.ParseFromArray(frame.data(), static_cast<int>(frame.size()));
  request_number x;
  for (int i = 0; i < fields.field_count(); ++i)
    if (auto& y = fields.field(i); y.number() == frame_type::kRequestFieldNumber
        && y.type() == google::protobuf::UnknownField::TYPE_VARINT)
      x.value = y.varint();
  return x;
}

result<client_frame> decode_refused(std::string_view frame) {
  auto name = text_at_fault(*frame_type::descriptor(), frame);
  if (!name)
    return tl::unexpected{std::move(name.error())};
  if (name->empty())
    return fail(errc::bad_frame, "the frame is no message of a client");
  return invalid(find_number(frame),
    failure{errc::bad_request, "the field " + *name + " is not UTF-8"});
}

/// The fields that SendIm and Broadcast have in common.
template <class Message>
im take_im(Message& from) {
  im x;
  x.id.value = std::move(*from.mutable_id());
  x.body = std::move(*from.mutable_body());
  x.payloads = take_payloads(*from.mutable_payloads());
  x.receipts = from.receipts();
  return x;
}

/// What is wrong with a list of recipients that no part of is kept then.
std::optional<failure> recipients_fault(const wire::Broadcast& from) {
  const auto n = static_cast<size_t>(from.to_size());
  if (n > defaults::broadcast_recipients_max)
    return over_limit(errc::too_many_recipients, "recipients of a broadcast",
      defaults::broadcast_recipients_max, n);
  // It costs two bytes in a frame, and many times that in memory.
  if (std::ranges::any_of(
        from.to(), [](const std::string& to) { return to.empty(); }))
    return failure{errc::bad_request, "a recipient of a broadcast is empty"};
  if (n == 0 && !from.has_part())
    return failure{errc::bad_request, "a broadcast needs a recipient"};
  return std::nullopt;
}

client_frame decode_broadcast(
  request_number number, wire::Broadcast& from, const im_origin& origin) {
  if (number.value == 0)
    return invalid(
      number, failure{errc::bad_request, "a request needs a number"});
  request_part x{number, from.part().number(), from.part().more(), {}, {}};
  auto& what = x.what.emplace<broadcast>();
  if (x.part == 0) {
    auto message = take_im(from);
    if (auto fault = content_fault(message))
      x.why = std::move(*fault);
    message.from = origin.from;
    message.sent_at = origin.sent_at;
    what.message = counted(std::move(message), origin.held);
  }
  if (x.why.code == errc::none)
    x.why = recipients_fault(from).value_or(failure{});
  if (x.why.code != errc::none)
    return from.has_part() ? client_frame{std::move(x)}
                           : invalid(number, std::move(x.why));
  what.to.reserve(static_cast<size_t>(from.to_size()));
  for (auto& to : *from.mutable_to()) {
    to.resize(bounded_address(to).size());
    what.to.push_back(std::move(to));
  }
  if (from.has_part())
    return x;
  return numbered_request{number, std::move(what)};
}

client_frame decode_authenticate(
  request_number number, wire::Authenticate& from) {
  if (auto fault = availability_fault(from.presence()))
    return invalid(number, std::move(*fault));
  return authenticate{std::move(*from.mutable_mechanism()),
    std::move(*from.mutable_initial()), std::move(*from.mutable_endpoint()),
    from_wire(from.presence()), from_wire(from.window())};
}

client_frame decode_presence(
  request_number number, const wire::SetPresence& from) {
  if (number.value == 0)
    return invalid(
      number, failure{errc::bad_request, "a request needs a number"});
  if (auto fault = availability_fault(from))
    return invalid(number, std::move(*fault));
  return numbered_request{number, set_availability{from_wire(from)}};
}

client_frame decode_sign_out(request_number number) {
  if (number.value == 0)
    return invalid(
      number, failure{errc::bad_request, "a request needs a number"});
  return numbered_request{number, sign_out{}};
}

client_frame decode_typing(const wire::Typing& from) {
  auto to = parse_or_empty(from.to());
  if (to.empty())
    return ignored{};
  return numbered_request{{}, typing{std::move(to)}};
}

} // namespace

result<client_frame> decode_client(
  std::string_view frame, const im_origin& origin) {
  result<client_frame> out;
  if (decode_hot(frame, origin, *out))
    return out;
  auto& from = reused<frame_type>();
  if (!from.ParseFromArray(frame.data(), static_cast<int>(frame.size())))
    return decode_refused(frame);
  request_number number{from.request()};
  switch (from.kind_case()) {
  case frame_type::kHello:
    return hello{from.hello().version_min(), from.hello().version_max(),
      from.hello().features(),
      std::move(*from.mutable_hello()->mutable_software())};
  case frame_type::kAuthenticate:
    return decode_authenticate(number, *from.mutable_authenticate());
  case frame_type::kSaslResponse:
    return sasl_response{
      std::move(*from.mutable_sasl_response()->mutable_data())};
  case frame_type::kResume:
    return resume_session{std::move(*from.mutable_resume()->mutable_token()),
      sequence{from.resume().last_event()}};
  case frame_type::kPing:
    return ping{from.ping().nonce()};
  case frame_type::kPong:
    return pong{from.pong().nonce()};
  case frame_type::kAck:
    return ack{sequence{from.ack().event()}};
  case frame_type::kWindow:
    return from_wire(from.window());
  case frame_type::kTyping:
    return decode_typing(from.typing());
  case frame_type::kSend:
    put_send(
      number, take_im(*from.mutable_send()), from.send().to(), origin, *out);
    return out;
  case frame_type::kBroadcast:
    return decode_broadcast(number, *from.mutable_broadcast(), origin);
  case frame_type::kPresence:
    return decode_presence(number, from.presence());
  case frame_type::kSignOut:
    return decode_sign_out(number);
  case frame_type::kAddContacts:
  case frame_type::kRemoveContacts:
  case frame_type::kListContacts:
  case frame_type::kSubscribe:
  case frame_type::kUnsubscribe:
  case frame_type::kApprove:
  case frame_type::kDeny:
  case frame_type::kWatch:
  case frame_type::kSetPrivacy:
    return decode_contacts_request(number, from);
  case frame_type::KIND_NOT_SET:
    break;
  }
  if (number.value == 0)
    return ignored{};
  return invalid(number,
    failure{errc::unknown_request, "this server does not know this request"});
}

} // namespace parley::native
