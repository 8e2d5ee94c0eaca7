#include "bench/session.hpp"

#include <algorithm>
#include <random>

#include <sys/epoll.h>

#include "bench/limits.hpp"
#include "bench/native_session.hpp"
#include "bench/xmpp_session.hpp"

namespace parley::bench {

std::string fresh_nonce() {
  static std::mt19937_64 random{std::random_device{}()};
  return std::to_string(random()) + std::to_string(random());
}

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
    x_stage = stage::signing_in;
    x_last_traffic = now_ns();
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

void session::opened(std::string address) {
  x_address = std::move(address);
  x_stage = stage::open;
  x_opened_at = now_ns();
  x_owner.opened(*this);
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

std::unique_ptr<session> make_session(client_protocol protocol,
  event_loop& loop, session::owner& o, uint32_t number, std::string user,
  std::string endpoint) {
  if (protocol == client_protocol::xmpp)
    return std::make_unique<xmpp_session>(
      loop, o, number, std::move(user), std::move(endpoint));
  return std::make_unique<native_session>(
    loop, o, number, std::move(user), std::move(endpoint));
}

} // namespace parley::bench
