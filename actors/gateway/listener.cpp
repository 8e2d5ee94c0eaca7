#include "actors/gateway/listener.hpp"

#include <utility> // Boost 1.74 needs it first

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <charconv>

#include <unistd.h>

#include <spdlog/spdlog.h>

#include "actors/accounts/guessing.hpp"
#include "actors/runtime/seldom.hpp"
#include "protocol/defaults.hpp"

namespace parley {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

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
  impl(worker& w, std::vector<std::shared_ptr<connections>> t, wire_protocol p)
    : on(w), acceptor(w.io()), pause(w.io()), to(std::move(t)), protocol(p) {}

  void pass_on(tcp::socket socket);

  worker& on;
  tcp::acceptor acceptor;
  asio::steady_timer pause;
  std::vector<std::shared_ptr<connections>> to;
  wire_protocol protocol;
  size_t next = 0;
  seldom log{defaults::stranger_log_interval};
  std::string local;
};

listener::listener(std::unique_ptr<impl> x) : x_impl(std::move(x)) {}

listener::~listener() = default;

result<std::shared_ptr<listener>> listener::listen(worker& on, int bound,
  bool is_v6, std::vector<std::shared_ptr<connections>> to,
  wire_protocol protocol) {
  auto x = std::make_unique<impl>(on, std::move(to), protocol);
  error_code ec;
  x->acceptor.assign(is_v6 ? tcp::v6() : tcp::v4(), bound, ec);
  if (ec) {
    ::close(bound);
    return fail(errc::bad_address, "cannot listen: " + ec.message());
  }
  x->local = text_of(x->acceptor.local_endpoint());
  x->acceptor.listen(defaults::accept_backlog, ec);
  if (ec)
    return fail(
      errc::bad_address, "cannot listen on " + x->local + ": " + ec.message());
  return std::shared_ptr<listener>{new listener(std::move(x))};
}

std::string listener::local_address() const {
  return x_impl->local;
}

/// Hands a connected socket to the next worker, if there is room for it.
void listener::impl::pass_on(tcp::socket socket) {
  error_code ec;
  auto peer = socket.remote_endpoint(ec);
  if (ec)
    return; // gone already
  const auto& home = to[next++ % to.size()];
  const auto& places = home->with().places;
  auto place = connection_places::take(places, source_of(text_of(peer)));
  if (!place || place->is_over())
    if (auto others = log.pass(steady_clock::now()))
      spdlog::warn("{} is turned away, and {} before it: there is room for {} "
                   "connections, and where it runs short for {} of one source "
                   "that have not signed in",
        text_of(peer), *others, places->max(), places->strangers_max());
  if (!place)
    return;
  auto fd = socket.release(ec);
  if (ec)
    return;
  asio::post(home->with().home->io(),
    [home, fd, v6 = peer.address().is_v6(), text = text_of(peer),
      place = std::move(*place), protocol = protocol]() mutable {
      home->adopt(fd, v6, std::move(text), std::move(place), protocol);
    });
}

wire_protocol listener::protocol() const noexcept {
  return x_impl->protocol;
}

void listener::start() {
  auto loop = [self = shared_from_this()]() -> asio::awaitable<void> {
    auto& x = *self->x_impl;
    while (x.acceptor.is_open()) {
      error_code ec;
      auto socket = co_await x.acceptor.async_accept(
        asio::redirect_error(asio::use_awaitable, ec));
      if (ec == asio::error::operation_aborted)
        break;
      if (!ec) {
        x.pass_on(std::move(socket));
        continue;
      }
      // Others have taken the last descriptors, of the system perhaps.
      if (auto others = x.log.pass(steady_clock::now()))
        spdlog::warn(
          "cannot accept: {}; {} more before it", ec.message(), *others);
      x.pause.expires_after(defaults::accept_pause);
      co_await x.pause.async_wait(
        asio::redirect_error(asio::use_awaitable, ec));
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
