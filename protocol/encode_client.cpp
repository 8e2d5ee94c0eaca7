#include "protocol/codec.hpp"

#include "protocol/codec_contacts.hpp"
#include "protocol/codec_fields.hpp"

namespace parley::native {

namespace {

using frame_type = wire::ClientFrame;
using send_type = wire::SendIm;
using namespace wire_format;

result<void> encode_send(std::string& out, request_number number,
  const im& message, const address_text& to) {
  if (auto fault = content_fault(message))
    return tl::unexpected{std::move(*fault)};
  auto& id = message.id.value;
  auto before_body = text_size(send_type::kIdFieldNumber, id.size())
    + text_size(send_type::kToFieldNumber, to.size());
  if (auto n = message.body.size())
    before_body += block_size(send_type::kBodyFieldNumber, n) - n;
  auto after_body =
    payloads_size(send_type::kPayloadsFieldNumber, message.payloads)
    + number_size(send_type::kReceiptsFieldNumber, message.receipts);
  auto send_size = before_body + message.body.size() + after_body;
  auto size = number_size(frame_type::kRequestFieldNumber, number.value)
    + block_size(frame_type::kSendFieldNumber, send_size);
  if (size > defaults::frame_max)
    return tl::unexpected{over_limit(
      errc::too_large, "bytes of a frame", defaults::frame_max, size)};
  append_length(out, size);
  auto front = grow(out, size - message.body.size() - after_body);
  front.number(frame_type::kRequestFieldNumber, number.value);
  front.block(frame_type::kSendFieldNumber, send_size);
  front.text(send_type::kIdFieldNumber, id);
  to.write(send_type::kToFieldNumber, front);
  if (!message.body.empty()) {
    front.block(send_type::kBodyFieldNumber, message.body.size());
    out.append(message.body);
  }
  if (after_body != 0) {
    auto back = grow(out, after_body);
    write_payloads(send_type::kPayloadsFieldNumber, message.payloads, back);
    back.number(send_type::kReceiptsFieldNumber, message.receipts);
  }
  return {};
}

void put_content(const im& message, wire::Broadcast& to) {
  to.set_id(message.id.value);
  to.set_body(message.body);
  to_wire(message.payloads, *to.mutable_payloads());
  to.set_receipts(message.receipts);
}

struct encoder {
  std::string& out;
  frame_type& to;

  result<void> finish() {
    append_frame(out, to);
    return {};
  }

  result<void> operator()(const ignored&) { return finish(); }

  result<void> operator()(const hello& x) {
    auto& y = *to.mutable_hello();
    y.set_version_min(x.version_min);
    y.set_version_max(x.version_max);
    y.set_features(x.features);
    y.set_software(x.software);
    return finish();
  }

  result<void> operator()(const authenticate& x) {
    auto& y = *to.mutable_authenticate();
    y.set_mechanism(x.mechanism);
    y.set_initial(x.initial);
    y.set_endpoint(x.endpoint);
    to_wire(x.presence, *y.mutable_presence());
    to_wire(x.wanted, *y.mutable_window());
    return finish();
  }

  result<void> operator()(const sasl_response& x) {
    to.mutable_sasl_response()->set_data(x.data);
    return finish();
  }

  result<void> operator()(const resume_session& x) {
    auto& y = *to.mutable_resume();
    y.set_token(x.token);
    y.set_last_event(x.last_event.value);
    return finish();
  }

  result<void> operator()(const ping& x) {
    to.mutable_ping()->set_nonce(x.nonce);
    return finish();
  }

  result<void> operator()(const pong& x) {
    to.mutable_pong()->set_nonce(x.nonce);
    return finish();
  }

  result<void> operator()(const ack& x) {
    encode_ack(out, x.event);
    return {};
  }

  result<void> operator()(const window& x) {
    to_wire(x, *to.mutable_window());
    return finish();
  }

  result<void> operator()(const request_part& x) {
    to.set_request(x.number.value);
    cutting how{true, x.part, x.more};
    return std::visit([&](auto& y) { return put_part(y, how); }, x.what);
  }

  result<void> put_part(const broadcast& x, const cutting& how) {
    auto& y = *to.mutable_broadcast();
    if (x.message)
      put_content(*x.message, y);
    for (auto& one : x.to)
      y.add_to(one);
    y.mutable_part()->set_number(how.part);
    y.mutable_part()->set_more(how.more);
    return finish();
  }

  template <class T>
  result<void> put_part(const T& x, const cutting& how) {
    return put_request(out, to, x, how);
  }

  result<void> operator()(const numbered_request& x) {
    number = x.number;
    return std::visit(*this, x.what);
  }

  // Requests; `number` is set.

  result<void> operator()(const invalid_request&) {
    to.set_request(number.value);
    return finish();
  }

  result<void> operator()(const send_im& x) {
    return encode_send(out, number, *x.message, address_text{x.to});
  }

  result<void> operator()(const broadcast& x) {
    return encode_broadcast(out, number, *x.message, x.to);
  }

  result<void> operator()(const set_availability& x) {
    to.set_request(number.value);
    to_wire(x.what, *to.mutable_presence());
    return finish();
  }

  result<void> operator()(const typing& x) {
    encode_typing(out, x.to.str());
    return {};
  }

  result<void> operator()(const pass_on&) { return unsayable(); }
  result<void> operator()(const document_request&) { return unsayable(); }
  result<void> operator()(const follow_documents&) { return unsayable(); }

  static result<void> unsayable() {
    return fail(errc::bad_request, "the native protocol cannot say this");
  }

  result<void> operator()(const set_copies&) {
    return fail(errc::bad_request, "the native protocol cannot say this");
  }

  result<void> operator()(const sign_out&) {
    to.set_request(number.value);
    to.mutable_sign_out();
    return finish();
  }

  /// Of contacts and privacy.
  template <class T>
  result<void> operator()(const T& x) {
    to.set_request(number.value);
    return put_request(out, to, x, {});
  }

  request_number number{};
};

} // namespace

result<void> encode_client(std::string& out, const client_frame& what) {
  return std::visit(encoder{out, reused<frame_type>()}, what);
}

result<void> encode_send(std::string& out, request_number number,
  const im& message, std::string_view to) {
  return encode_send(out, number, message, address_text{to});
}

result<void> encode_broadcast(std::string& out, request_number number,
  const im& message, const std::vector<std::string>& to) {
  if (auto fault = content_fault(message))
    return tl::unexpected{std::move(*fault)};
  auto& frame = reused<frame_type>();
  frame.set_request(number.value);
  auto& x = *frame.mutable_broadcast();
  put_content(message, x);
  part_writer parts{out, frame, x, {}};
  for (auto& one : to) {
    auto text = bounded_address(one);
    parts.make_room(wire::Broadcast::kToFieldNumber, text.size());
    x.add_to(text.data(), text.size());
  }
  parts.finish();
  return {};
}

void encode_typing(std::string& out, std::string_view to) {
  auto& frame = reused<frame_type>();
  frame.mutable_typing()->set_to(to.data(), to.size());
  append_frame(out, frame);
}

void encode_ack(std::string& out, sequence event) {
  auto size = number_size(wire::Ack::kEventFieldNumber, event.value);
  auto whole = block_size(frame_type::kAckFieldNumber, size);
  append_length(out, whole);
  auto to = grow(out, whole);
  to.block(frame_type::kAckFieldNumber, size);
  to.number(wire::Ack::kEventFieldNumber, event.value);
}

} // namespace parley::native
