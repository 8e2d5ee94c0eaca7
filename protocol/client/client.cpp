#include "protocol/client/client.hpp"

#include <charconv>

#include <boost/asio/connect.hpp>
#include <boost/asio/write.hpp>

#include "protocol/client/client_impl.hpp"
#include "protocol/defaults.hpp"

namespace parley {

namespace asio = boost::asio;

result<void> parse_server(std::string_view text, client_options& to) {
  auto colon = text.rfind(':');
  auto wrong = fail(errc::bad_request,
    "a server is written HOST:PORT, an IPv6 address in brackets");
  if (colon == std::string_view::npos)
    return wrong;
  auto host = text.substr(0, colon);
  auto port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos)
    return wrong;
  auto end = port.data() + port.size();
  auto read = std::from_chars(port.data(), end, to.port);
  if (host.empty() || read.ec != std::errc{} || read.ptr != end || to.port == 0)
    return wrong;
  to.host = host;
  return {};
}

// -- client_target ------------------------------------------------------------

client_target::client_target(std::unique_ptr<impl> x) : x_impl(std::move(x)) {}

client_target::~client_target() = default;

result<std::shared_ptr<const client_target>> client_target::make(
  client_options options) {
  auto x = std::make_unique<impl>();
  using protection = client_options::protection;
  if (options.transport != protection::plain) {
    auto tls = options.transport == protection::tls_unverified
      ? tls_client_context::trust_anybody()
      : options.ca_file.empty()
      ? tls_client_context::trust_system()
      : tls_client_context::trust_file(options.ca_file);
    if (!tls)
      return tl::unexpected{std::move(tls.error())};
    x->tls = std::move(*tls);
  }
  x->core = std::make_shared<const client_core_config>(options.core);
  x->options = std::move(options);
  return std::shared_ptr<const client_target>(new client_target(std::move(x)));
}

// -- client::impl -------------------------------------------------------------

client::impl::impl(client_loop::impl& loop,
  std::shared_ptr<const client_target> target, client_account account,
  client_events& events, uint64_t seed)
  : core(target->x_impl->core, std::move(account), events, *this, seed),
    x_loop(loop),
    x_target(std::move(target)),
    x_socket(loop.io) {}

template <class F>
auto client::impl::guarded(F f) {
  return [self = shared_from_this(), f, connection = x_connection](
           const error_code& why, auto&&...) {
    if (connection == self->x_connection)
      f(*self, why);
  };
}

void client::impl::start() {
  x_in_loop = true;
  core.start(std::chrono::steady_clock::now());
  if (!core.is_gone())
    x_loop.add(*this);
}

void client::impl::close() {
  drop_socket();
  leave_loop();
}

void client::impl::leave_loop() noexcept {
  if (std::exchange(x_in_loop, false))
    x_loop.remove(*this);
}

void client::impl::drop_socket() noexcept {
  ++x_connection;
  x_resolver.reset();
  x_tls.reset();
  std::string{}.swap(x_cipher);
  x_waits_to_write = false;
  x_announced = false;
  error_code ignored;
  x_socket.shutdown(tcp::socket::shutdown_send, ignored);
  x_socket.close(ignored);
}

void client::impl::connect_wanted() {
  drop_socket();
  error_code not_a_number;
  auto& options = x_target->x_impl->options;
  auto number = asio::ip::make_address(options.host, not_a_number);
  if (not_a_number)
    resolve();
  else
    connect_to({tcp::endpoint(number, options.port)});
}

void client::impl::resolve() {
  auto& options = x_target->x_impl->options;
  x_resolver = std::make_unique<tcp::resolver>(x_loop.io);
  auto found = [self = shared_from_this(), connection = x_connection](
                 const error_code& why, const tcp::resolver::results_type& x) {
    if (connection != self->x_connection)
      return;
    if (why)
      return self->lost("the server's name cannot be resolved", why);
    self->connect_to({x.begin(), x.end()});
  };
  x_resolver->async_resolve(
    options.host, std::to_string(options.port), std::move(found));
}

void client::impl::connect_to(std::vector<tcp::endpoint> where) {
  // Asio keeps no copy of the range, so that it lives in the handler.
  auto range = std::make_shared<std::vector<tcp::endpoint>>(std::move(where));
  asio::async_connect(x_socket, *range,
    [self = shared_from_this(), range, connection = x_connection](
      const error_code& why, const tcp::endpoint&) {
      if (connection == self->x_connection)
        self->connected(why);
    });
}

void client::impl::connected(const error_code& why) {
  if (why)
    return lost("the server cannot be reached", why);
  error_code failed;
  x_socket.set_option(tcp::no_delay(true), failed);
  x_socket.non_blocking(true, failed);
  if (failed)
    return lost("the socket cannot be used", failed);
  x_resolver.reset();
  if (x_target->x_impl->tls)
    begin_tls();
  else
    announce_connection();
  if (x_socket.is_open())
    wait_readable();
}

void client::impl::begin_tls() {
  auto& x = *x_target->x_impl;
  x_tls = std::make_unique<tls_stage>(*x.tls, x.options.host);
  if (take_cipher({}))
    flush();
}

void client::impl::announce_connection() {
  x_announced = true;
  sasl_channel channel;
  if (x_tls) {
    channel.confidential = x_target->x_impl->tls->verifies();
    channel.tls_exporter = x_tls->tls_exporter();
    channel.tls_unique = x_tls->tls_unique();
  }
  core.connected(std::move(channel), std::chrono::steady_clock::now());
}

void client::impl::wait_readable() {
  x_socket.async_wait(
    tcp::socket::wait_read, guarded([](impl& self, const error_code& why) {
      if (why)
        self.lost("the connection failed", why);
      else
        self.read();
    }));
}

void client::impl::read() {
  auto connection = x_connection;
  error_code why;
  auto& buffer = x_loop.buffer;
  auto n = x_socket.read_some(asio::buffer(buffer), why);
  if (why && why != asio::error::would_block)
    return lost(why == asio::error::eof ? "the server closed the connection"
                                        : "the connection failed",
      why);
  // What this makes goes out at once, in one write.
  x_reading = true;
  if (n > 0)
    take({buffer.data(), n});
  x_reading = false;
  if (connection != x_connection)
    return;
  flush();
  if (connection == x_connection)
    wait_readable();
}

bool client::impl::take(std::string_view bytes) {
  if (x_tls)
    return take_cipher(bytes);
  core.receive({bytes.data(), bytes.size()}, std::chrono::steady_clock::now());
  return true;
}

bool client::impl::take_cipher(std::string_view bytes) {
  auto connection = x_connection;
  // A callback may end in here again through another client: each has its own.
  auto plain = std::exchange(x_loop.plain, {});
  auto taken = x_tls->receive(bytes, plain, x_cipher);
  if (taken && !x_announced && x_tls->handshake_done())
    announce_connection();
  if (!plain.empty() && connection == x_connection)
    core.receive(
      {plain.data(), plain.size()}, std::chrono::steady_clock::now());
  plain.clear();
  x_loop.plain = std::move(plain);
  if (connection != x_connection)
    return false;
  if (!taken) {
    flush();
    lost(std::move(taken.error()));
    return false;
  }
  if (x_tls->closed_by_peer()) {
    lost(failure{errc::none, "the server closed the connection"});
    return false;
  }
  return true;
}

void client::impl::output_ready() {
  if (!x_reading)
    x_loop.flush_later(shared_from_this());
}

void client::impl::flush() {
  if (!x_socket.is_open() || x_waits_to_write)
    return;
  if (x_tls && x_tls->handshake_done() && !core.output().empty()) {
    if (auto sent = x_tls->send(core.output(), x_cipher); !sent)
      return lost(std::move(sent.error()));
    core.written(core.output().size());
  }
  auto out = x_tls ? std::string_view{x_cipher} : core.output();
  if (out.empty())
    return;
  error_code why;
  auto n = x_socket.write_some(asio::buffer(out.data(), out.size()), why);
  if (why && why != asio::error::would_block)
    return lost("the connection failed", why);
  auto all = n == out.size();
  if (x_tls)
    x_cipher.erase(0, n);
  else
    core.written(n);
  if (x_tls && all && x_cipher.capacity() > defaults::client_output_kept)
    std::string{}.swap(x_cipher);
  if (!all)
    wait_writable();
}

void client::impl::wait_writable() {
  x_waits_to_write = true;
  x_socket.async_wait(
    tcp::socket::wait_write, guarded([](impl& self, const error_code& why) {
      self.x_waits_to_write = false;
      if (why)
        self.lost("the connection failed", why);
      else
        self.flush();
    }));
}

void client::impl::close_wanted() {
  x_waits_to_write = false;
  error_code ignored;
  if (x_socket.is_open() && x_tls && x_tls->handshake_done()) {
    static_cast<void>(x_tls->send(core.output(), x_cipher));
    x_tls->close(x_cipher);
    x_socket.write_some(asio::buffer(x_cipher), ignored);
  } else if (x_socket.is_open() && !x_tls) {
    auto out = core.output();
    x_socket.write_some(asio::buffer(out.data(), out.size()), ignored);
  }
  drop_socket();
  if (core.is_gone())
    leave_loop();
}

void client::impl::lost(failure why) {
  drop_socket();
  core.disconnected(std::move(why), std::chrono::steady_clock::now());
  if (core.is_gone())
    leave_loop();
}

void client::impl::lost(std::string_view doing, const error_code& why) {
  std::string text{doing};
  if (why != asio::error::eof)
    text.append(": ").append(why.message());
  lost(failure{errc::none, std::move(text)});
}

// -- client -------------------------------------------------------------------

client::client(client_loop& loop, std::shared_ptr<const client_target> target,
  client_account account, client_events& events, uint64_t seed)
  : x_impl(std::make_shared<impl>(
    *loop.x_impl, std::move(target), std::move(account), events, seed)) {}

client::~client() {
  x_impl->close();
}

void client::start() {
  x_impl->start();
}

client_core& client::core() noexcept {
  return x_impl->core;
}

} // namespace parley
