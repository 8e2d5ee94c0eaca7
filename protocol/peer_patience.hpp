#pragma once

#include <chrono>

#include "protocol/client_connection.hpp"

namespace parley {

/// When a peer was heard of last, and how long its silence may last: until it
/// has signed in, between heartbeats, and after a probe.
class peer_patience {
public:
  explicit peer_patience(steady_time now) noexcept;

  void is(steady_time now) noexcept { x_now = now; }
  steady_time now() const noexcept { return x_now; }

  /// It lives.
  void heard() noexcept;
  steady_time last_heard() const noexcept { return x_last_heard; }
  /// Nothing is read from it for a while, or it is again: silence in between is
  /// not the peer's.
  void reading(bool goes_on) noexcept;

  /// It has signed in. Zero: no heartbeat.
  void begin_session(std::chrono::milliseconds heartbeat) noexcept;
  void heartbeat(std::chrono::milliseconds interval) noexcept {
    x_heartbeat = interval;
  }
  std::chrono::milliseconds heartbeat() const noexcept { return x_heartbeat; }
  /// It has to be heard of within `timeout`; false if it has to already.
  bool begin_probe(std::chrono::milliseconds timeout) noexcept;

  /// Why it is given up now; `reads`: it takes what is written to it. Code
  /// none: it is not.
  failure overdue(bool reads) const;

private:
  const char* what_did_not_come() const noexcept;

  steady_time x_now;
  steady_time x_last_heard;
  /// The sign-in has to be done, a probe answered by then.
  steady_time x_deadline;
  std::chrono::milliseconds x_heartbeat{};
  bool x_in_session = false;
  bool x_probing = false;
  bool x_reading = true;
};

} // namespace parley
