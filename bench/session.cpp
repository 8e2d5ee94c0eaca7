#include "bench/session.hpp"

#include <algorithm>
#include <random>

#include <sys/epoll.h>

#include "bench/limits.hpp"
#include "protocol/defaults.hpp"
#include "protocol/parley.pb.h"

namespace parley::bench {

namespace {

constexpr std::string_view magic{"PARLEY\x01\n", 8};
constexpr std::string_view mechanism = "SCRAM-SHA-256";

std::string fresh_nonce() {
  static std::mt19937_64 random{std::random_device{}()};
  return std::to_string(random()) + std::to_string(random());
}

std::string describe(const wire::Error& error) {
  auto out = error.reason();
  if (!error.text().empty())
    out += " (" + error.text() + ")";
  return out;
}

} // namespace

void session::owner::broadcast_arrived(session&, const wire::ServerFrame&) {}

session::session(event_loop& loop, owner& o, uint32_t number, std::string user,
  std::string endpoint)
  : x_loop(loop),
    x_owner(o),
    x_number(number),
    x_user(std::move(user)),
    x_endpoint(std::move(endpoint)),
    x_address(x_user + "/" + x_endpoint) {}

session::~session() {
  if (x_link.descriptor() >= 0)
    x_loop.remove(x_link.descriptor());
}

void session::open(const target& to) {
  x_target = &to;
  x_stage = stage::connecting;
  const auto source = x_number / limits::connections_per_source;
  if (auto why = x_link.open(to.address, to.tls, source)) {
    fail(*why);
    return;
  }
  x_loop.add(x_link.descriptor(), EPOLLIN | EPOLLOUT, *this);
  x_output_wanted = true;
}

uint64_t session::send(const outgoing_im& im, int64_t sent_at_ms) {
  const uint64_t request = ++x_last_request;
  if (x_target->relay)
    write_im_event(x_out, request, x_address, sent_at_ms, im);
  else
    write_send(x_out, request, im);
  return request;
}

uint64_t session::broadcast(
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

uint64_t session::set_presence(uint32_t show, std::string_view status) {
  presence_view what;
  what.from = x_address;
  what.show = what.composed = show;
  what.status = what.composed_status = status;
  const uint64_t request = ++x_last_request;
  if (x_target->relay)
    write_presence(x_out, what);
  else
    write_set_presence(x_out, request, what);
  return request;
}

void session::sign_out() {
  wire::ClientFrame frame;
  frame.set_request(++x_last_request);
  frame.mutable_sign_out();
  acknowledge();
  write_frame(frame);
  flush();
}

void session::close() {
  fail("closed by parley-bench");
}

void session::flush() {
  size_t written = 0;
  while (written < x_out.size()) {
    const auto [state, bytes] =
      x_link.write(std::string_view{x_out}.substr(written));
    if (state == link::state::closed)
      return fail("the server closed the connection");
    if (state == link::state::blocked)
      break;
    written += bytes;
  }
  x_out.erase(0, written);
  if (x_out.size() > limits::output_max)
    return fail("the server does not read");
  if (x_output_wanted == x_out.empty())
    wait_for_output(!x_out.empty());
}

void session::tick(int64_t now) {
  if (x_stage != stage::open || x_heartbeat == 0
    || now - x_last_traffic < x_heartbeat)
    return;
  x_last_traffic = now;
  wire::ClientFrame frame;
  frame.mutable_ping()->set_nonce(x_last_event);
  write_frame(frame);
  flush();
}

void session::ready(uint32_t events) {
  if (x_stage == stage::connecting)
    return connect_further();
  if (x_stage == stage::closed)
    return;
  if (events & EPOLLOUT)
    flush();
  if (x_stage != stage::closed && (events & ~uint32_t{EPOLLOUT}))
    read();
}

void session::connect_further() {
  switch (x_link.connect()) {
  case link::progress::done:
    wait_for_output(false);
    begin();
    break;
  case link::progress::wait_read:
    wait_for_output(false);
    break;
  case link::progress::wait_write:
    wait_for_output(true);
    break;
  case link::progress::failed:
    fail(x_link.why());
    break;
  }
}

void session::begin() {
  x_last_traffic = now_ns();
  if (x_target->relay) {
    x_stage = stage::open;
    x_requests_granted = UINT32_MAX;
    x_bytes_granted = UINT64_MAX;
    x_opened_at = now_ns();
    x_owner.opened(*this);
    return;
  }
  x_stage = stage::magic;
  x_out += magic;
  wire::ClientFrame frame;
  auto& hello = *frame.mutable_hello();
  hello.set_version_min(defaults::protocol_version_min);
  hello.set_version_max(defaults::protocol_version);
  hello.set_software("parley-bench");
  write_frame(frame);
  flush();
}

void session::read() {
  const auto buffer = x_loop.buffer();
  do {
    const auto [state, bytes] = x_link.read(buffer);
    if (state == link::state::closed)
      return fail("the server closed the connection");
    if (state == link::state::blocked)
      break;
    std::string_view const fresh{buffer.data(), bytes};
    if (x_in.empty()) {
      x_in.assign(fresh.substr(consume(fresh)));
    } else {
      auto& whole = x_loop.scratch();
      whole.swap(x_in);
      whole += fresh;
      x_in.assign(std::string_view{whole}.substr(consume(whole)));
      whole.clear();
    }
    if (x_stage == stage::closed)
      return;
  } while (x_link.buffered());
  x_last_traffic = now_ns();
  if (x_stage == stage::open) {
    acknowledge();
    x_owner.read_done(*this);
  }
  if (x_stage != stage::closed)
    flush();
}

size_t session::consume(std::string_view bytes) {
  size_t used = 0;
  if (x_stage == stage::magic) {
    const size_t known = std::min(bytes.size(), magic.size());
    if (bytes.substr(0, known) != magic.substr(0, known)) {
      fail("the peer does not speak Parley's protocol");
      return bytes.size();
    }
    if (known < magic.size())
      return 0;
    used = magic.size();
    x_stage = stage::welcome;
  }
  while (bytes.size() - used >= length_size && x_stage != stage::closed) {
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

void session::handle(std::string_view bytes) {
  frame_view frame;
  if (!read_frame(bytes, frame))
    return fail("a frame that is no protobuf message");
  if (frame.event != 0 && !x_target->relay) {
    if (frame.event != x_last_event + 1)
      return fail("event " + std::to_string(frame.event) + " came after event "
        + std::to_string(x_last_event));
    x_last_event = frame.event;
  }
  if (x_stage == stage::open && frame.kind == wire::ServerFrame::kImFieldNumber)
    handle_im(frame);
  else if (x_stage == stage::open
    && frame.kind == wire::ServerFrame::kOutcomeFieldNumber)
    handle_outcome(frame);
  else if (x_stage == stage::open
    && frame.kind == wire::ServerFrame::kPresenceFieldNumber)
    handle_presence(frame);
  else
    handle_rare(bytes);
}

void session::handle_im(const frame_view& frame) {
  im_view im;
  if (!read_im(frame.content, im))
    return fail("an IM that is no protobuf message");
  if (x_target->relay && x_answering)
    write_delivered(x_out, ++x_own_answer, frame.event);
  x_owner.im_arrived(*this, im);
}

void session::handle_outcome(const frame_view& frame) {
  outcome_view what;
  if (!read_outcome(frame.content, what))
    return fail("an outcome that is no protobuf message");
  x_owner.outcome_arrived(*this, frame.request, what);
}

void session::handle_presence(const frame_view& frame) {
  presence_view what;
  if (!read_presence(frame.content, what))
    return fail("a presence that is no protobuf message");
  x_owner.presence_arrived(*this, what);
}

void session::handle_rare(std::string_view bytes) {
  wire::ServerFrame frame;
  if (!frame.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail("a frame that is no protobuf message");
  wire::ClientFrame out;
  switch (frame.kind_case()) {
  case wire::ServerFrame::kWelcome:
    if (x_stage != stage::welcome)
      return fail("a second welcome");
    return authenticate();
  case wire::ServerFrame::kSaslChallenge:
    return challenge(frame.sasl_challenge().data());
  case wire::ServerFrame::kSignedIn: {
    const auto& granted = frame.signed_in();
    if (!x_scram || !x_scram->verify(granted.sasl()))
      return fail("the server does not prove that it knows the user");
    x_scram.reset();
    x_requests_granted = granted.requests().messages();
    x_bytes_granted = granted.requests().bytes();
    x_heartbeat = int64_t{granted.heartbeat_ms()} * 1'000'000;
    x_address = granted.address();
    x_stage = stage::open;
    x_opened_at = now_ns();
    return x_owner.opened(*this);
  }
  case wire::ServerFrame::kPing:
    out.mutable_pong()->set_nonce(frame.ping().nonce());
    return write_frame(out);
  case wire::ServerFrame::kWindow:
    x_requests_granted = frame.window().messages();
    x_bytes_granted = frame.window().bytes();
    return;
  case wire::ServerFrame::kDone:
    return x_owner.done_arrived(*this, frame.request());
  case wire::ServerFrame::kBroadcast:
    return x_owner.broadcast_arrived(*this, frame);
  case wire::ServerFrame::kError: {
    const auto why = describe(frame.error());
    if (frame.error().scope() != wire::REQUEST || frame.request() == 0)
      return fail("the server says " + why);
    const auto error = frame.error().SerializeAsString();
    const outcome_view rejected{wire::Outcome::REJECTED, error};
    return x_owner.outcome_arrived(*this, frame.request(), rejected);
  }
  default:
    return;
  }
}

void session::authenticate() {
  x_stage = stage::sasl;
  x_scram = std::make_unique<scram_exchange>(x_user, fresh_nonce());
  wire::ClientFrame frame;
  auto& request = *frame.mutable_authenticate();
  request.set_mechanism(mechanism.data(), mechanism.size());
  request.set_initial(x_scram->first());
  request.set_endpoint(x_endpoint);
  write_frame(frame);
}

void session::challenge(std::string_view data) {
  auto answer = x_scram
    ? x_scram->answer(data, x_target->password, *x_target->secrets)
    : std::nullopt;
  if (!answer)
    return fail("a challenge that makes no sense");
  wire::ClientFrame frame;
  frame.mutable_sasl_response()->set_data(std::move(*answer));
  write_frame(frame);
}

void session::write_frame(const wire::ClientFrame& frame) {
  const size_t size = frame.ByteSizeLong();
  const size_t at = x_out.size();
  x_out.resize(at + length_size + size);
  write_length(x_out.data() + at, size);
  frame.SerializeWithCachedSizesToArray(
    reinterpret_cast<uint8_t*>(x_out.data() + at + length_size));
}

void session::acknowledge() {
  if (x_acknowledged == x_last_event)
    return;
  x_acknowledged = x_last_event;
  write_ack(x_out, x_last_event);
}

void session::wait_for_output(bool wanted) {
  x_output_wanted = wanted;
  const uint32_t events = wanted ? EPOLLIN | EPOLLOUT : EPOLLIN;
  x_loop.change(x_link.descriptor(), events, *this);
}

void session::fail(const std::string& why) {
  if (x_stage == stage::closed)
    return;
  x_stage = stage::closed;
  if (x_link.descriptor() >= 0)
    x_loop.remove(x_link.descriptor());
  x_link.close();
  x_owner.closed(*this, why);
}

} // namespace parley::bench
