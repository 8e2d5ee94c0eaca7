#include "actors/gateway/listener.hpp"

#include <utility> // Boost 1.74 needs it first

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <charconv>

#include <spdlog/spdlog.h>

#include "protocol/defaults.hpp"

namespace parley {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

std::string text_of(const tcp::endpoint& x) {
  auto host = x.address().to_string();
  if (x.address().is_v6())
    host = "[" + host + "]";
  return host + ":" + std::to_string(x.port());
}

std::vector<tcp::endpoint> look_up(const listen_address& x, error_code& ec) {
  asio::io_context io;
  tcp::resolver resolver{io};
  std::vector<tcp::endpoint> all;
  auto found = resolver.resolve(x.host, std::to_string(x.port),
    tcp::resolver::passive | tcp::resolver::numeric_service, ec);
  for (const auto& e : found)
    all.push_back(e.endpoint());
  return all;
}

} // namespace

result<listen_address> listen_address::parse(std::string_view text) {
  auto refuse = [text] {
    return fail(errc::bad_address,
      "'" + std::string{text}
        + "' is not HOST:PORT, such as 127.0.0.1:7500 or [::1]:7500");
  };
  auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return refuse();
  listen_address x;
  auto host = text.substr(0, colon);
  auto digits = text.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos)
    return refuse();
  auto [end, ec] =
    std::from_chars(digits.data(), digits.data() + digits.size(), x.port);
  if (host.empty() || ec != std::errc{} || digits.empty()
    || end != digits.data() + digits.size())
    return refuse();
  x.host = host;
  return x;
}

std::string listen_address::str() const {
  auto h = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return h + ":" + std::to_string(port);
}

bool listen_address::is_loopback() const {
  error_code ec;
  auto all = look_up(*this, ec);
  if (ec || all.empty())
    return false;
  for (const auto& e : all)
    if (!e.address().is_loopback())
      return false;
  return true;
}

struct listener::impl {
  impl(worker& w, std::vector<std::shared_ptr<connections>> t)
    : on(w), acceptor(w.io()), pause(w.io()), to(std::move(t)) {}

  worker& on;
  tcp::acceptor acceptor;
  asio::steady_timer pause;
  std::vector<std::shared_ptr<connections>> to;
  std::string local;
};

listener::listener(std::unique_ptr<impl> x) : x_impl(std::move(x)) {}

listener::~listener() = default;

result<std::shared_ptr<listener>> listener::bind(worker& on,
  const listen_address& at, std::vector<std::shared_ptr<connections>> to) {
  auto refuse = [&at](const error_code& ec) {
    return fail(
      errc::bad_address, "cannot listen on " + at.str() + ": " + ec.message());
  };
  error_code ec;
  auto found = look_up(at, ec);
  if (ec || found.empty())
    return refuse(ec);
  auto x = std::make_unique<impl>(on, std::move(to));
  auto endpoint = found.front();
  x->acceptor.open(endpoint.protocol(), ec);
  if (!ec)
    x->acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec && endpoint.address().is_v6())
    x->acceptor.set_option(
      asio::ip::v6_only(!endpoint.address().is_unspecified()), ec);
  if (!ec)
    x->acceptor.bind(endpoint, ec);
  if (!ec)
    x->acceptor.listen(defaults::accept_backlog, ec);
  if (ec)
    return refuse(ec);
  x->local = text_of(x->acceptor.local_endpoint());
  return std::shared_ptr<listener>{new listener(std::move(x))};
}

std::string listener::local_address() const {
  return x_impl->local;
}

void listener::start() {
  auto loop = [self = shared_from_this()]() -> asio::awaitable<void> {
    auto& x = *self->x_impl;
    for (size_t next = 0; x.acceptor.is_open(); ++next) {
      error_code ec;
      auto socket = co_await x.acceptor.async_accept(
        asio::redirect_error(asio::use_awaitable, ec));
      if (ec == asio::error::operation_aborted)
        break;
      if (ec) { // out of descriptors, mostly: others have to go first
        SPDLOG_WARN("cannot accept: {}", ec.message());
        x.pause.expires_after(defaults::accept_pause);
        co_await x.pause.async_wait(
          asio::redirect_error(asio::use_awaitable, ec));
        continue;
      }
      auto peer = socket.remote_endpoint(ec);
      if (ec)
        continue; // gone already
      auto fd = socket.release(ec);
      if (ec)
        continue;
      auto to = x.to[next % x.to.size()];
      asio::post(to->with().home->io(),
        [to, fd, v6 = peer.address().is_v6(), text = text_of(peer)] {
          to->adopt(fd, v6, text);
        });
    }
  };
  asio::co_spawn(x_impl->on.io(), loop, asio::detached);
}

void listener::stop() {
  asio::post(x_impl->on.io(), [self = shared_from_this()] {
    error_code ec;
    self->x_impl->acceptor.close(ec);
    self->x_impl->pause.cancel();
  });
}

} // namespace parley
