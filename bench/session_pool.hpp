#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/event_loop.hpp"
#include "bench/session.hpp"

namespace parley::bench {

/// How the users of a run are called: `bench0@example.org` and so on.
struct user_names {
  std::string prefix = "bench";
  std::string domain = "example.org";
  /// The number of the first.
  uint32_t first = 0;

  std::string user(uint32_t number) const {
    return prefix + std::to_string(first + number) + "@" + domain;
  }
};

/// The sessions of a run, opened and kept alive together.
class session_pool {
public:
  explicit session_pool(
    event_loop& loop, client_protocol protocol = client_protocol::native)
    : x_loop(loop), x_protocol(protocol) {}

  /// Not opened yet; its number is its place in the pool.
  session& add(session::owner& o, std::string user, std::string endpoint);

  /// Opens those that are not, in order, a few at a time (behind the relay one
  /// by one: their order makes the groups). False if one fails or not all are
  /// open in time; `owner::closed` said why.
  bool open(const target& to);

  /// Heartbeats, once a second at most.
  void tick(int64_t now);
  /// Signs all out and waits until they are gone; false if they stay.
  bool sign_out();

  size_t size() const noexcept { return x_sessions.size(); }
  session& operator[](size_t i) noexcept { return *x_sessions[i]; }
  /// How long the last `open` took.
  double seconds_to_open() const noexcept { return x_seconds_to_open; }

private:
  event_loop& x_loop;
  client_protocol x_protocol;
  std::vector<std::unique_ptr<session>> x_sessions;
  size_t x_opened = 0;
  int64_t x_last_tick = 0;
  double x_seconds_to_open = 0;
};

} // namespace parley::bench
