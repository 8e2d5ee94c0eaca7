#include "bench/native_session.hpp"

#include <algorithm>

#include "bench/limits.hpp"
#include "protocol/defaults.hpp"
#include "protocol/parley.pb.h"

namespace parley::bench {

namespace {

constexpr std::string_view magic{"PARLEY\x01\n", 8};
constexpr std::string_view mechanism = "SCRAM-SHA-256";

std::string describe(const wire::Error& error) {
  auto out = error.reason();
  if (!error.text().empty())
    out += " (" + error.text() + ")";
  return out;
}

} // namespace

uint64_t native_session::send(const outgoing_im& im, int64_t sent_at_ms) {
  const uint64_t request = ++x_last_request;
  if (where().relay)
    write_im_event(out(), request, address(), sent_at_ms, im);
  else
    write_send(out(), request, im);
  return request;
}

uint64_t native_session::broadcast(
  std::string_view id, std::span<const std::string> to, std::string_view body) {
  wire::ClientFrame frame;
  frame.set_request(++x_last_request);
  auto& request = *frame.mutable_broadcast();
  request.set_id(id.data(), id.size());
  request.set_body(body.data(), body.size());
  for (const auto& user : to)
    request.add_to(user);
  write_frame(frame);
  return x_last_request;
}

uint64_t native_session::set_presence(uint32_t show, std::string_view status) {
  presence_view what;
  what.from = address();
  what.show = what.composed = show;
  what.status = what.composed_status = status;
  const uint64_t request = ++x_last_request;
  if (where().relay)
    write_presence(out(), what);
  else
    write_set_presence(out(), request, what);
  return request;
}

void native_session::sign_out() {
  wire::ClientFrame frame;
  frame.set_request(++x_last_request);
  frame.mutable_sign_out();
  acknowledge();
  write_frame(frame);
  flush();
}

void native_session::tick(int64_t now) {
  if (!is_open() || x_heartbeat == 0 || now - last_traffic() < x_heartbeat)
    return;
  traffic_at(now);
  wire::ClientFrame frame;
  frame.mutable_ping()->set_nonce(x_last_event);
  write_frame(frame);
  flush();
}

void native_session::begin() {
  if (where().relay) {
    grant(UINT32_MAX, UINT64_MAX);
    return opened(address());
  }
  out() += magic;
  wire::ClientFrame frame;
  auto& hello = *frame.mutable_hello();
  hello.set_version_min(defaults::protocol_version_min);
  hello.set_version_max(defaults::protocol_version);
  hello.set_software("parley-bench");
  write_frame(frame);
  flush();
}

size_t native_session::consume(std::string_view bytes) {
  size_t used = 0;
  if (!is_open() && x_step == step::magic) {
    const size_t known = std::min(bytes.size(), magic.size());
    if (bytes.substr(0, known) != magic.substr(0, known)) {
      fail("the peer does not speak Parley's protocol");
      return bytes.size();
    }
    if (known < magic.size())
      return 0;
    used = magic.size();
    x_step = step::welcome;
  }
  while (bytes.size() - used >= length_size && !is_closed()) {
    const size_t length = read_length(bytes.data() + used);
    if (length > defaults::frame_max) {
      fail("a frame of " + std::to_string(length) + " bytes");
      return bytes.size();
    }
    if (bytes.size() - used - length_size < length)
      break;
    handle(bytes.substr(used + length_size, length));
    used += length_size + length;
  }
  return used;
}

void native_session::handle(std::string_view bytes) {
  frame_view frame;
  if (!read_frame(bytes, frame))
    return fail("a frame that is no protobuf message");
  if (frame.event != 0 && !where().relay) {
    if (frame.event != x_last_event + 1)
      return fail("event " + std::to_string(frame.event) + " came after event "
        + std::to_string(x_last_event));
    x_last_event = frame.event;
  }
  if (is_open() && frame.kind == wire::ServerFrame::kImFieldNumber)
    handle_im(frame);
  else if (is_open() && frame.kind == wire::ServerFrame::kOutcomeFieldNumber)
    handle_outcome(frame);
  else if (is_open() && frame.kind == wire::ServerFrame::kPresenceFieldNumber)
    handle_presence(frame);
  else
    handle_rare(bytes);
}

void native_session::handle_im(const frame_view& frame) {
  im_view im;
  if (!read_im(frame.content, im))
    return fail("an IM that is no protobuf message");
  if (where().relay && is_answering())
    write_delivered(out(), ++x_own_answer, frame.event);
  who_owns().im_arrived(*this, im);
}

void native_session::handle_outcome(const frame_view& frame) {
  outcome_view what;
  if (!read_outcome(frame.content, what))
    return fail("an outcome that is no protobuf message");
  who_owns().outcome_arrived(*this, frame.request, what);
}

void native_session::handle_presence(const frame_view& frame) {
  presence_view what;
  if (!read_presence(frame.content, what))
    return fail("a presence that is no protobuf message");
  who_owns().presence_arrived(*this, what);
}

void native_session::handle_rare(std::string_view bytes) {
  wire::ServerFrame frame;
  if (!frame.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail("a frame that is no protobuf message");
  wire::ClientFrame back;
  switch (frame.kind_case()) {
  case wire::ServerFrame::kWelcome:
    if (is_open() || x_step != step::welcome)
      return fail("a second welcome");
    return authenticate();
  case wire::ServerFrame::kSaslChallenge:
    return challenge(frame.sasl_challenge().data());
  case wire::ServerFrame::kSignedIn: {
    const auto& granted = frame.signed_in();
    if (!x_scram || !x_scram->verify(granted.sasl()))
      return fail("the server does not prove that it knows the user");
    x_scram.reset();
    grant(granted.requests().messages(), granted.requests().bytes());
    x_heartbeat = int64_t{granted.heartbeat_ms()} * 1'000'000;
    return opened(granted.address());
  }
  case wire::ServerFrame::kPing:
    back.mutable_pong()->set_nonce(frame.ping().nonce());
    return write_frame(back);
  case wire::ServerFrame::kWindow:
    return grant(frame.window().messages(), frame.window().bytes());
  case wire::ServerFrame::kDone:
    return who_owns().done_arrived(*this, frame.request());
  case wire::ServerFrame::kBroadcast:
    return who_owns().broadcast_arrived(*this, frame);
  case wire::ServerFrame::kError: {
    const auto why = describe(frame.error());
    if (frame.error().scope() != wire::REQUEST || frame.request() == 0)
      return fail("the server says " + why);
    const auto error = frame.error().SerializeAsString();
    const outcome_view rejected{wire::Outcome::REJECTED, error};
    return who_owns().outcome_arrived(*this, frame.request(), rejected);
  }
  default:
    return;
  }
}

void native_session::authenticate() {
  x_step = step::sasl;
  x_scram = std::make_unique<scram_exchange>(user(), fresh_nonce());
  wire::ClientFrame frame;
  auto& request = *frame.mutable_authenticate();
  request.set_mechanism(mechanism.data(), mechanism.size());
  request.set_initial(x_scram->first());
  request.set_endpoint(endpoint());
  write_frame(frame);
}

void native_session::challenge(std::string_view data) {
  auto answer = x_scram
    ? x_scram->answer(data, where().password, *where().secrets)
    : std::nullopt;
  if (!answer)
    return fail("a challenge that makes no sense");
  wire::ClientFrame frame;
  frame.mutable_sasl_response()->set_data(std::move(*answer));
  write_frame(frame);
}

void native_session::write_frame(const wire::ClientFrame& frame) {
  const size_t size = frame.ByteSizeLong();
  const size_t at = out().size();
  out().resize(at + length_size + size);
  write_length(out().data() + at, size);
  frame.SerializeWithCachedSizesToArray(
    reinterpret_cast<uint8_t*>(out().data() + at + length_size));
}

void native_session::acknowledge() {
  if (x_acknowledged == x_last_event)
    return;
  x_acknowledged = x_last_event;
  write_ack(out(), x_last_event);
}

} // namespace parley::bench
