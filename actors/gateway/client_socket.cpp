#include "actors/gateway/client_socket.hpp"

#include <algorithm>

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>

#include <spdlog/spdlog.h>

#include "protocol/connection.hpp"
#include "protocol/defaults.hpp"
#include "protocol/defaults_memory.hpp"
#include "protocol/xmpp/make_stream.hpp"

namespace parley {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::steady_clock;

namespace {

/// Bytes that the kernel takes beyond what it may send (tcp(7)).
using unsent_max =
  asio::detail::socket_option::integer<IPPROTO_TCP, TCP_NOTSENT_LOWAT>;

} // namespace

client_socket::client_socket(std::shared_ptr<connections> home, link_id id,
  std::string peer, connection_places::place place, wire_protocol protocol)
  : x_home(std::move(home)),
    x_id(id),
    x_peer(std::move(peer)),
    x_place(std::move(place)),
    x_connection(make_connection(protocol, *this)),
    x_booked_output(x_home->book(), held_for::outputs),
    x_booked_rest(x_home->book(), held_for::connections) {}

client_socket::~client_socket() = default;

std::unique_ptr<client_connection> client_socket::make_connection(
  wire_protocol protocol, client_connection::owner& o) const {
  const auto& config = x_home->with().protocol;
  const auto now = steady_clock::now();
  switch (protocol) {
  case wire_protocol::xmpp:
    return xmpp::make_stream(config, o, x_peer, now);
  case wire_protocol::xmpp_websocket:
    return xmpp::make_stream(config, o, x_peer, now, xmpp::carrier::websocket);
  case wire_protocol::native:
    break;
  }
  return std::make_unique<connection>(config, o, x_peer, now);
}

// -- the socket

void client_socket::start(int native_socket, bool is_v6) {
  x_is_v6 = is_v6;
  x_socket = std::make_unique<tcp::socket>(x_home->with().home->io());
  error_code ec;
  x_socket->assign(is_v6 ? tcp::v6() : tcp::v4(), native_socket, ec);
  if (!ec)
    x_socket->non_blocking(true, ec);
  if (ec) {
    ::close(native_socket);
    drop();
    return;
  }
  x_socket->set_option(tcp::no_delay(true), ec);
  x_socket->set_option(unsent_max{defaults::unsent_max}, ec);
  x_here = std::make_shared<bool>(true);
  if (!x_connection->output().empty())
    output_ready();
  x_held = held::not_at_all;
  x_connection->reading(true);
  go_on();
  book();
}

void client_socket::turn_away(size_t max) {
  failure why{errc::too_many_connections, "the server is full"};
  why.limit = max;
  why.retry_after = defaults::full_retry_after;
  turn_away(why);
}

void client_socket::turn_away(const failure& why) {
  x_connection->close(why, error_scope::connection);
}

void client_socket::book() {
  auto output = x_connection->output_waiting();
  auto all = x_connection->memory();
  x_booked_output.is(output);
  x_booked_rest.is(all - std::min(all, output));
}

uint64_t client_socket::waits_to_be_written() const noexcept {
  return x_connection->output_waiting();
}

void client_socket::write() {
  if (x_closed && !x_closing)
    x_closing = steady_clock::now();
  while (x_socket && !x_writing) {
    auto bytes = x_connection->output();
    if (bytes.empty())
      break;
    error_code ec;
    auto n = x_socket->write_some(asio::buffer(bytes.data(), bytes.size()), ec);
    if (ec == asio::error::would_block) {
      x_writing = true;
      x_socket->async_wait(tcp::socket::wait_write,
        [self = shared_from_this(), here = x_here](const error_code& e) {
          if (e || !*here)
            return;
          self->x_writing = false;
          self->write_on();
        });
      break;
    }
    if (ec) {
      if (x_closed)
        drop();
      else
        x_connection->disconnected();
      return;
    }
    x_written += n;
    if (x_taken)
      *x_taken += n;
    x_connection->written(n);
  }
  book();
  if (x_held == held::by_connection && takes_input(defaults::output_pause / 2))
    go_on();
  if (x_owes_drained && x_session
    && x_connection->output_waiting() <= defaults::tight_output_pause) {
    x_owes_drained = false;
    caf::anon_send(x_session, client_drained{x_id});
  }
  if (!x_looks && x_connection->asks_what_reached()) {
    x_look_again.begin();
    look_what_reached();
  }
  if (x_closed && x_socket && !x_writing)
    finish();
}

/// Many sockets may take something again at once.
void client_socket::write_on() {
  x_may_wait = x_written >= x_lone_until;
  output_ready();
  x_may_wait = false;
}

void client_socket::look_what_reached() {
  x_looks = false;
  if (!x_socket || x_closed || !x_connection->asks_what_reached())
    return;
  int unsent = 0;
  // Of TCP: bytes that the peer's system has not acknowledged.
  const bool known = ::ioctl(x_socket->native_handle(), SIOCOUTQ, &unsent) == 0;
  const auto left = static_cast<size_t>(std::max(unsent, 0));
  if (known)
    x_connection->reached_all_but(left);
  const auto after =
    x_look_again.looked(x_written - std::min<uint64_t>(left, x_written));
  if (x_connection->asks_what_reached() && !std::exchange(x_looks, true))
    x_home->watch_reached(x_id, after);
}

void client_socket::drained() {
  write();
}

void client_socket::finish() {
  error_code ec;
  x_socket->shutdown(tcp::socket::shutdown_send, ec);
}

void client_socket::drop() {
  auto self = shared_from_this(); // until this function returns
  if (!x_closed)
    x_connection->disconnected();
  if (!x_closed) // it would stay for what waits
    x_connection->close(failure{}, error_scope::connection);
  x_session = nullptr;
  unlink();
  if (x_socket) {
    error_code ec;
    x_socket->close(ec);
    x_socket.reset();
  }
  x_place = {};
  x_home->forget(x_id);
}

void client_socket::tick(steady_time now) {
  if (!x_closed && has_left_unread())
    return x_connection->disconnected();
  if (!x_closed) {
    x_connection->tick(now);
  } else if (x_closing && now - *x_closing >= defaults::last_words_time) {
    drop();
  }
}

// -- to the session

void client_socket::requests_received(std::vector<numbered_request> what) {
  if (!x_session) // what the bytes began with may have ended it
    return;
  ++x_untaken;
  for (const auto& x : what)
    if (const auto* no = std::get_if<invalid_request>(&x.what))
      x_home->with().hits->requests += no->why.limit.has_value();
  caf::anon_send(x_session, client_requests{x_id, std::move(what)});
}

void client_socket::acknowledged(sequence upto) {
  if (!x_session)
    return;
  ++x_untaken;
  caf::anon_send(x_session, client_acknowledged{x_id, upto});
}

void client_socket::window_changed(window what) {
  if (!x_session)
    return;
  ++x_untaken;
  caf::anon_send(x_session, client_window{x_id, what});
}

void client_socket::output_ready() {
  auto* w = x_home->with().home;
  if (w != worker::current())
    return;
  // IMs of others do not wait until what comes in hundreds is written.
  if (x_may_wait)
    return w->mark_behind(*this);
  x_lone_until = x_written + x_connection->output_waiting();
  w->mark(*this);
}

void client_socket::closed(const failure& why) {
  x_closed = true;
  // Its peer mostly cannot be told: it understands no TLS.
  if (why.code == errc::tls_failed)
    x_home->log_failed_handshake(x_peer, why);
  else
    spdlog::debug("{} closed: {} {}", x_peer, to_string(why.code), why.text);
  x_home->count_closed(why.code);
  if (why.code == errc::timed_out && !x_session)
    x_home->count_sign_in_timeout();
  give_up_try();
  give_up_registration();
  if (x_held != held::not_at_all)
    go_on(); // to the end of what comes
  if (x_session) {
    caf::anon_send(x_session, client_lost{x_id, why});
    x_session = nullptr;
  }
  // Many may be closed at once.
  x_may_wait = why.code != errc::server_stopping;
  output_ready(); // the last words, then the end
  x_may_wait = false;
}

// -- from the session

sequence client_socket::accept(const signed_in& what, session_actor session,
  std::unique_ptr<connection_legacy> legacy) {
  if (x_closed) {
    x_legacy = std::move(legacy);
    caf::anon_send(session, client_lost{x_id, failure{errc::timed_out}});
    return {};
  }
  x_session = std::move(session);
  x_place.signed_in();
  x_home->signed_in(x_id);
  return x_connection->accept(what, std::move(legacy));
}

bool client_socket::is_resumable() const noexcept {
  return x_legacy || x_connection->is_resumable();
}

std::unique_ptr<connection_legacy> client_socket::take_legacy() {
  return x_legacy ? std::move(x_legacy) : x_connection->take_legacy();
}

bool client_socket::send(sequence number, const event& what) {
  if (x_closed)
    return false;
  // They have no outcome, and nobody may fill the output of others with them.
  auto* p = std::get_if<passed_on>(&what);
  bool is_fleeting = p ? p->directed != directed::taken_back
                       : std::holds_alternative<typing_notice>(what);
  if (is_fleeting
    && x_connection->output_waiting() > defaults::typing_output_max)
    return true;
  const auto* i = std::get_if<incoming_im>(&what);
  x_may_wait =
    i ? i->of_broadcast : std::holds_alternative<presence_event>(what);
  auto is_safe = x_connection->send(number, what);
  if (x_may_wait)
    book(); // the others are written at once
  // Told of output once, it does not tell again.
  if (!std::exchange(x_may_wait, false))
    output_ready();
  return is_safe;
}

bool client_socket::takes_presence() {
  if (x_closed)
    return false;
  x_owes_drained |=
    x_connection->output_waiting() > defaults::presence_output_max;
  return !x_owes_drained;
}

bool client_socket::takes_events() {
  if (x_closed)
    return false;
  // What is held back until all is told would wait for itself.
  bool takes = x_connection->holds_output_back()
    || x_home->may_fill(x_connection->output_waiting());
  x_owes_drained |= !takes;
  return takes;
}

void client_socket::send_window(const window& requests) {
  if (!x_closed)
    x_connection->send_window(requests);
}

void client_socket::send_going_away(std::chrono::milliseconds come_back_after) {
  if (!x_closed)
    x_connection->send_going_away(come_back_after);
}

last_words client_socket::end_session(
  std::span<const request_number> answered) {
  if (x_legacy)
    return x_legacy->end_session(answered);
  // Also of one that has just closed: its session is not over before.
  return x_connection->end_session(answered);
}

void client_socket::set_heartbeat(std::chrono::milliseconds interval) {
  if (!x_closed)
    x_connection->heartbeat_changed(interval);
}

void client_socket::probe(std::chrono::milliseconds timeout) {
  if (!x_closed)
    x_connection->probe(timeout, steady_clock::now());
}

void client_socket::close(const failure& why, error_scope scope) {
  x_session = nullptr;
  if (!x_closed)
    x_connection->close(why, scope);
}

} // namespace parley
