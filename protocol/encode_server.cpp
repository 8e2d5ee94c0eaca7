#include "protocol/codec.hpp"

#include "protocol/codec_contacts.hpp"
#include "protocol/codec_fields.hpp"

namespace parley::native {

namespace {

using frame_type = wire::ServerFrame;
using im_type = wire::Im;
using outcome_type = wire::Outcome;
using namespace wire_format;

uint64_t milliseconds_of(wall_time x) {
  return static_cast<uint64_t>(x.time_since_epoch().count());
}

void encode_im(std::string& out, sequence number, const incoming_im& x) {
  auto& message = *x.message;
  address_text from{message.from};
  address_text to{x.to};
  auto& id = message.id.value;
  auto sent_at = milliseconds_of(message.sent_at);
  auto before_body = text_size(im_type::kFromFieldNumber, from.size())
    + text_size(im_type::kToFieldNumber, to.size())
    + text_size(im_type::kIdFieldNumber, id.size());
  if (auto n = message.body.size())
    before_body += block_size(im_type::kBodyFieldNumber, n) - n;
  auto after_body =
    payloads_size(im_type::kPayloadsFieldNumber, message.payloads)
    + number_size(im_type::kSentAtMsFieldNumber, sent_at)
    + number_size(im_type::kOfflineFieldNumber, x.offline);
  auto im_size = before_body + message.body.size() + after_body;
  auto size = number_size(frame_type::kEventFieldNumber, number.value)
    + block_size(frame_type::kImFieldNumber, im_size);
  // At once: growing twice would double it.
  out.reserve(out.size() + length_bytes + size);
  append_length(out, size);
  auto front = grow(out, size - message.body.size() - after_body);
  front.number(frame_type::kEventFieldNumber, number.value);
  front.block(frame_type::kImFieldNumber, im_size);
  from.write(im_type::kFromFieldNumber, front);
  to.write(im_type::kToFieldNumber, front);
  front.text(im_type::kIdFieldNumber, id);
  if (!message.body.empty()) {
    front.block(im_type::kBodyFieldNumber, message.body.size());
    out.append(message.body);
  }
  auto back = grow(out, after_body);
  write_payloads(im_type::kPayloadsFieldNumber, message.payloads, back);
  back.number(im_type::kSentAtMsFieldNumber, sent_at);
  back.number(im_type::kOfflineFieldNumber, x.offline);
}

/// Of an outcome that is no rejection.
void encode_plain_outcome(std::string& out, sequence number,
  request_number request, outcome::kind what) {
  auto kind = static_cast<uint64_t>(what);
  auto outcome_size = number_size(outcome_type::kKindFieldNumber, kind);
  auto size = number_size(frame_type::kEventFieldNumber, number.value)
    + number_size(frame_type::kRequestFieldNumber, request.value)
    + block_size(frame_type::kOutcomeFieldNumber, outcome_size);
  append_length(out, size);
  auto to = grow(out, size);
  to.number(frame_type::kEventFieldNumber, number.value);
  to.number(frame_type::kRequestFieldNumber, request.value);
  to.block(frame_type::kOutcomeFieldNumber, outcome_size);
  to.number(outcome_type::kKindFieldNumber, kind);
}

void put(const outcome& x, outcome_type& y) {
  y.set_kind(static_cast<outcome_type::Kind>(x.what));
  if (x.what == outcome::kind::rejected)
    to_wire(error_scope::request, x.why, *y.mutable_error());
}

void put(const recipient_outcome& x, wire::RecipientOutcome& y) {
  y.set_to(x.to);
  put(x.what, *y.mutable_outcome());
}

/// Writes the frames of one server_frame or event.
struct encoder {
  std::string& out;
  frame_type& to;
  sequence number{};
  request_number request{};
  cutting how{};

  void put_numbers() {
    to.set_event(number.value);
    to.set_request(request.value);
  }

  void finish() {
    put_numbers();
    append_frame(out, to);
  }

  void operator()(const unknown_event& x) {
    number = x.number;
    request = x.to;
    finish();
  }

  void operator()(const welcome& x) {
    auto& y = *to.mutable_welcome();
    y.set_version(x.version);
    y.set_features(x.features);
    y.set_software(x.software);
    y.set_domain(x.domain);
    for (auto& one : x.mechanisms)
      y.add_mechanisms(one);
    auto& limits = *y.mutable_limits();
    limits.set_frame_bytes(x.frame_max);
    limits.set_body_bytes(x.body_max);
    limits.set_broadcast_recipients(x.broadcast_max);
    limits.set_id_bytes(x.id_max);
    finish();
  }

  void operator()(const sasl_challenge& x) {
    to.mutable_sasl_challenge()->set_data(x.data);
    finish();
  }

  void operator()(const session_started& x) {
    auto& y = *to.mutable_signed_in();
    auto& what = x.what;
    y.set_address(what.self.str());
    y.set_sasl(x.sasl);
    y.set_token(what.token);
    y.set_resumed(what.resumed);
    y.set_last_request(what.last_request.value);
    to_wire(what.requests, *y.mutable_requests());
    to_wire(what.ims, *y.mutable_ims());
    y.set_heartbeat_ms(static_cast<uint32_t>(what.heartbeat.count()));
    y.set_resume_window_ms(static_cast<uint32_t>(what.resume_window.count()));
    finish();
  }

  void operator()(const refusal& x) {
    to_wire(x.scope, x.why, *to.mutable_error());
    finish();
  }

  void operator()(const going_away& x) {
    to.mutable_going_away()->set_come_back_after_ms(
      static_cast<uint64_t>(x.come_back_after.count()));
    finish();
  }

  void operator()(const ping& x) {
    to.mutable_ping()->set_nonce(x.nonce);
    finish();
  }

  void operator()(const pong& x) {
    to.mutable_pong()->set_nonce(x.nonce);
    finish();
  }

  void operator()(const window& x) {
    to_wire(x, *to.mutable_window());
    finish();
  }

  void operator()(const answer_part& x) {
    number = x.number;
    request = x.to;
    how = {true, x.part, x.more};
    std::visit(*this, x.what);
  }

  void operator()(const numbered_event& x) {
    number = x.number;
    std::visit(*this, x.what);
  }

  // Events; `number` is set.

  void operator()(const answer& x) {
    request = x.to;
    std::visit(*this, x.what);
  }

  void operator()(const incoming_im& x) { encode_im(out, number, x); }

  void operator()(const receipt& x) {
    auto& y = *to.mutable_receipt();
    y.set_id(x.id.value);
    y.set_endpoint(x.endpoint.str());
    y.set_kind(static_cast<wire::Receipt::Kind>(x.what));
    finish();
  }

  void operator()(const typing_notice& x) {
    to.mutable_typing()->set_from(x.from.str());
    finish();
  }

  /// The native protocol knows typing alone; what else has a text comes
  /// numbered, as an IM.
  void operator()(const passed_on& x) {
    if (x.is_typing && !x.returned)
      (*this)(typing_notice{x.message->from});
  }

  /// Its clients cannot ask for documents, and are told of none.
  void operator()(const document_event&) {}
  void operator()(const documents_found&) {
    (*this)(failure{errc::unknown_request});
  }

  void operator()(const policy_values& x) {
    auto& y = *to.mutable_policy();
    for (auto& [name, value] : x.values)
      (*y.mutable_values())[name] = value;
    finish();
  }

  // Answers; `request` is set.

  void operator()(const failure& x) {
    to_wire(error_scope::request, x, *to.mutable_error());
    finish();
  }

  void operator()(const refused_request& x) {
    auto& y = *to.mutable_error();
    to_wire(error_scope::request, x.why, y);
    y.set_whose(x.whose.str());
    finish();
  }

  void operator()(const outcome& x) {
    if (x.what != outcome::kind::rejected) {
      encode_plain_outcome(out, number, request, x.what);
      return;
    }
    put(x, *to.mutable_outcome());
    finish();
  }

  void operator()(const broadcast_outcomes& x) {
    put_numbers();
    auto& y = *to.mutable_broadcast();
    part_writer parts{out, to, y, how};
    for (auto& one : x.outcomes) {
      wire::RecipientOutcome line;
      put(one, line);
      parts.make_room(
        wire::BroadcastOutcomes::kOutcomesFieldNumber, line.ByteSizeLong());
      y.add_outcomes()->Swap(&line);
    }
    parts.finish();
  }

  void operator()(const done&) {
    to.mutable_done();
    finish();
  }

  void operator()(const presence_event& x) { put_presence(out, x); }

  /// Of contacts and privacy.
  template <class T>
  void operator()(const T& x) {
    put_numbers();
    put_event(out, to, x, how);
  }
};

} // namespace

void encode_server(std::string& out, const server_frame& what) {
  std::visit(encoder{out, reused<frame_type>()}, what);
}

void encode_event(std::string& out, sequence number, const event& what) {
  // The hot ones do without a message object.
  if (auto x = std::get_if<incoming_im>(&what)) {
    encode_im(out, number, *x);
    return;
  }
  if (auto x = std::get_if<presence_event>(&what)) {
    put_presence(out, *x);
    return;
  }
  if (auto x = std::get_if<answer>(&what)) {
    auto y = std::get_if<outcome>(&x->what);
    if (y && y->what != outcome::kind::rejected) {
      encode_plain_outcome(out, number, x->to, y->what);
      return;
    }
  }
  std::visit(encoder{out, reused<frame_type>(), number}, what);
}

} // namespace parley::native
