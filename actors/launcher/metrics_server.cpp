#include "actors/launcher/metrics_server.hpp"

#include <utility> // Boost 1.74 needs it first

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <list>
#include <thread>

#include <spdlog/spdlog.h>

#include "actors/launcher/metrics_gathering.hpp"
#include "protocol/defaults.hpp"

namespace parley {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

namespace {

using reply = http::response<http::string_body>;

std::string text_of(const tcp::endpoint& x) {
  auto host = x.address().to_string();
  return (x.address().is_v6() ? "[" + host + "]" : host) + ":"
    + std::to_string(x.port());
}

reply plain(http::status status, std::string text) {
  reply x{status, 11};
  x.set(http::field::content_type, "text/plain; charset=utf-8");
  x.body() = std::move(text) + "\n";
  return x;
}

/// A client, and since when what it has to do next is waited for.
struct reader {
  explicit reader(tcp::socket socket) : stream(std::move(socket)) {}

  boost::beast::tcp_stream stream;
  steady_clock::time_point since = steady_clock::now();

  void wait() {
    since = steady_clock::now();
    stream.expires_after(defaults::metrics_request_timeout);
  }
};

} // namespace

struct metrics_server::impl {
  impl(caf::actor_system& system, engine_sources from)
    : gathering(system, std::move(from), stopping) {}

  asio::io_context io{1};
  std::atomic<bool> stopping = false;
  metrics_gathering gathering;
  std::vector<tcp::acceptor> acceptors;
  std::vector<std::string> listening;
  std::list<reader> readers;
  /// The page of the last reading, and when that was.
  std::string page;
  steady_clock::time_point read_at{};
  std::thread thread;

  result<void> listen(bound_socket at) {
    error_code ec;
    auto& x = acceptors.emplace_back(io);
    x.assign(at.is_v6() ? tcp::v6() : tcp::v4(), at.release(), ec);
    if (!ec)
      x.listen(defaults::accept_backlog, ec);
    if (ec)
      return fail(
        errc::bad_address, "cannot listen for metrics: " + ec.message());
    listening.push_back(text_of(x.local_endpoint()));
    return {};
  }

  reply metrics() {
    auto now = steady_clock::now();
    if (page.empty() || now - read_at >= defaults::metrics_interval) {
      page = as_prometheus(gathering.read());
      read_at = now;
    }
    reply x{http::status::ok, 11};
    x.set(http::field::content_type, "text/plain; version=0.0.4");
    x.body() = page;
    return x;
  }

  reply ready() {
    auto x = gathering.ready();
    if (x)
      return plain(http::status::ok, "ready");
    return plain(http::status::service_unavailable,
      std::string{to_string(x.error().code)} + ": " + x.error().text);
  }

  reply reply_to(const http::request<http::empty_body>& what) {
    if (what.method() != http::verb::get && what.method() != http::verb::head) {
      auto x = plain(http::status::method_not_allowed, "only GET");
      x.set(http::field::allow, "GET, HEAD");
      return x;
    }
    auto path = what.target().substr(0, what.target().find('?'));
    if (path == "/metrics")
      return metrics();
    if (path == "/healthz")
      return plain(http::status::ok, "alive");
    if (path == "/readyz")
      return ready();
    return plain(
      http::status::not_found, "there are /metrics, /healthz and /readyz");
  }

  asio::awaitable<void> serve(std::list<reader>::iterator who) {
    auto& stream = who->stream;
    boost::beast::flat_buffer buffer{defaults::metrics_request_max};
    error_code ec;
    auto token = asio::redirect_error(asio::use_awaitable, ec);
    for (bool goes_on = true; goes_on && !ec;) {
      http::request_parser<http::empty_body> request;
      request.header_limit(defaults::metrics_request_max);
      who->wait();
      co_await http::async_read(stream, buffer, request, token);
      if (ec)
        break;
      auto x = reply_to(request.get());
      goes_on = request.get().keep_alive();
      x.version(request.get().version());
      x.keep_alive(goes_on);
      x.prepare_payload();
      // The length is told, as HTTP wants it, without the text.
      if (request.get().method() == http::verb::head)
        x.body().clear();
      who->wait();
      co_await http::async_write(stream, x, token);
    }
    readers.erase(who);
  }

  /// Whoever has been waited for longest goes, but has a moment to ask: else
  /// many that come again at once would drive out everybody.
  asio::awaitable<void> make_room() {
    asio::steady_timer moment{io};
    error_code ec;
    auto is_older = [](const reader& a, const reader& b) {
      return a.since < b.since;
    };
    while (readers.size() >= defaults::metrics_clients_max) {
      auto longest = std::min_element(readers.begin(), readers.end(), is_older);
      const auto until = longest->since + defaults::accept_pause;
      if (until <= steady_clock::now())
        longest->stream.close();
      // Closed, it leaves as soon as this waits.
      moment.expires_at(until);
      co_await moment.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    }
  }

  asio::awaitable<void> accept(tcp::acceptor& from) {
    asio::steady_timer pause{io};
    while (from.is_open()) {
      error_code ec;
      auto token = asio::redirect_error(asio::use_awaitable, ec);
      auto socket = co_await from.async_accept(token);
      if (ec == asio::error::operation_aborted)
        break;
      if (ec) {
        SPDLOG_WARN("cannot accept who reads metrics: {}", ec.message());
        pause.expires_after(defaults::accept_pause);
        co_await pause.async_wait(token);
      } else {
        co_await make_room();
        asio::co_spawn(io,
          serve(readers.emplace(readers.end(), std::move(socket))),
          asio::detached);
      }
    }
  }

  void run() {
    for (auto& x : acceptors)
      asio::co_spawn(io, accept(x), asio::detached);
    io.run();
  }
};

metrics_server::metrics_server(std::unique_ptr<impl> x)
  : x_impl(std::move(x)) {}

const std::vector<std::string>& metrics_server::listening() const noexcept {
  return x_impl->listening;
}

void metrics_server::stop_soon() {
  x_impl->stopping = true;
}

metrics_server::~metrics_server() {
  stop_soon();
  x_impl->io.stop();
  if (x_impl->thread.joinable())
    x_impl->thread.join();
}

result<std::unique_ptr<metrics_server>> metrics_server::start(
  caf::actor_system& system, std::vector<bound_socket> at,
  engine_sources from) {
  auto x = std::make_unique<impl>(system, std::move(from));
  for (auto& one : at)
    if (auto ok = x->listen(std::move(one)); !ok)
      return tl::unexpected{ok.error()};
  x->thread = std::thread{[raw = x.get()] { raw->run(); }};
  return std::unique_ptr<metrics_server>{new metrics_server(std::move(x))};
}

} // namespace parley
