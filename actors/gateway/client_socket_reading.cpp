#include "actors/gateway/client_socket.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <span>

#include <boost/asio/buffer.hpp>

#include "protocol/defaults.hpp"

namespace parley {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::steady_clock;

namespace {

/// What one read may take of its worker's time, about: small frames cost many
/// times what large ones do.
constexpr auto turn_max = std::chrono::microseconds{200};

/// Who has filled a read is read behind others for so long after.
constexpr auto says_much_time = std::chrono::seconds{1};

/// After a read of `n` of `most` bytes that took so long.
uint32_t next_read_bytes(
  uint32_t most, uint32_t n, steady_clock::duration took) {
  if (took > turn_max)
    return std::max(n / 2, client_socket::least_read_bytes);
  if (n == most && took < turn_max / 4)
    return std::min(2 * most, client_socket::most_read_bytes);
  return most;
}

} // namespace

bool client_socket::takes_input(size_t output_max) const noexcept {
  return x_connection->takes_input()
    && x_connection->output_waiting() <= output_max;
}

void client_socket::go_on() {
  if (!x_socket)
    return;
  auto was_held = std::exchange(x_held, held::not_at_all);
  if (was_held == held::by_budget)
    x_connection->reading(true);
  if (!x_closed && !takes_input(defaults::output_pause)) {
    x_held = held::by_connection; // until it has room again
  } else if (!x_closed && x_untaken > 0) {
    x_held = held::by_session; // so that its mailbox holds one read at most
  } else if (!x_closed && x_session && !x_home->may_read(held_bytes())) {
    if (was_held != held::by_budget)
      x_held_since = steady_clock::now();
    x_held = held::by_budget;
    x_connection->reading(false);
    x_home->wait_for_budget(x_id, was_held != held::by_budget);
  } else {
    wait_readable();
  }
}

void client_socket::budget_returned() {
  if (x_held == held::by_budget)
    go_on();
}

bool client_socket::is_held_for(
  std::chrono::milliseconds time, steady_time now) const noexcept {
  return x_held == held::by_budget && now - x_held_since >= time;
}

void client_socket::handled(uint64_t session_holds) {
  x_session_holds = session_holds;
  if (x_untaken > 0 && --x_untaken == 0 && x_held == held::by_session)
    go_on();
}

void client_socket::holds(uint64_t session_holds) {
  x_session_holds = session_holds;
  budget_returned();
}

void client_socket::wait_readable() {
  x_socket->async_wait(tcp::socket::wait_read,
    [self = shared_from_this(), here = x_here](const error_code& ec) {
      if (ec || !*here)
        return;
      using line = late_reads::line;
      if (!self->is_signed_in())
        self->x_home->read_later(line::strangers, self->weak_from_this(), here);
      else if (self->says_much())
        self->x_home->read_later(
          line::who_says_much, self->weak_from_this(), here);
      else
        self->read();
    });
}

bool client_socket::says_much() {
  x_says_much =
    x_says_much && steady_clock::now() - x_said_much < says_much_time;
  return x_says_much;
}

void client_socket::read() {
  if (!x_socket)
    return;
  // It may have waited long since it was asked for last.
  if (!x_closed && x_session && !x_home->may_read(held_bytes()))
    return go_on();
  // In its turn it is read a little, as many are that begin at once; where
  // memory is tight a part of a frame might never become whole.
  const uint32_t bytes = x_home->is_tight()       ? defaults::tight_read_bytes
    : (is_signed_in() || x_closed) && x_says_much ? x_read_bytes
                                                  : least_read_bytes;
  // One buffer a thread, none a connection.
  static thread_local std::array<char, most_read_bytes> read_buffer;
  const auto buffer = std::span{read_buffer}.first(bytes);
  const auto began = steady_clock::now();
  error_code ec;
  auto n = x_socket->read_some(asio::buffer(buffer.data(), buffer.size()), ec);
  if (ec && ec != asio::error::would_block) {
    if (x_closed && !x_closing)
      write(); // its last words, which still wait for their turn
    if (x_closed && x_socket)
      drop();
    else if (!x_closed)
      x_connection->disconnected();
    return;
  }
  if (n >= least_read_bytes) {
    x_says_much = true;
    x_said_much = began;
  }
  // After its end the peer's bytes are read and thrown away: closing on unread
  // bytes would take the last words from it.
  if (n > 0 && !x_closed) {
    x_connection->receive(
      buffer.first(n), began, x_home->with().world->wall_clock());
    if (n >= least_read_bytes)
      x_read_bytes = next_read_bytes(
        bytes, static_cast<uint32_t>(n), steady_clock::now() - began);
  }
  book();
  go_on();
}

// XMPP is not read from while it waits for an answer: nobody would know that
// a password need not be hashed any more.
bool client_socket::has_left_unread() const {
  if (!x_socket || x_session || x_held != held::by_connection)
    return false;
  pollfd of{};
  of.fd = x_socket->native_handle();
  of.events = POLLRDHUP; // also behind bytes
  return ::poll(&of, 1, 0) > 0;
}

} // namespace parley
