#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <vector>

#include "bench/clock.hpp"

namespace parley::bench {

/// Somebody wants this run to end; whoever holds children and temporary
/// folders lets go of them on the way out.
struct interrupted : std::exception {
  const char* what() const noexcept override { return "interrupted"; }
};

/// From now on SIGINT and SIGTERM interrupt the event loop.
void watch_signals();

/// epoll with timeouts in nanoseconds: the one thread of the load generator.
class event_loop {
public:
  class handler {
  public:
    virtual ~handler() = default;
    /// `events` as of epoll. Must not destroy any handler.
    virtual void ready(uint32_t events) = 0;
  };

  /// Throws std::system_error if the kernel refuses.
  event_loop();
  ~event_loop();
  event_loop(const event_loop&) = delete;
  event_loop& operator=(const event_loop&) = delete;

  void add(int descriptor, uint32_t events, handler& h);
  void change(int descriptor, uint32_t events, handler& h) noexcept;
  void remove(int descriptor) noexcept;

  /// From now on a turn also handles one event of `other` at most, after all of
  /// its own: what is measured here does not wait for what is read there.
  /// `other` must live as long as this.
  void put_behind(event_loop& other);

  /// Waits until something is ready or `deadline` has come, and handles what
  /// is ready. Throws `interrupted` after SIGINT or SIGTERM.
  void turn(int64_t deadline);

  /// Turns until `deadline`, or until `done()` holds after a turn; returns
  /// whether it does.
  template <class F>
  bool run_until(int64_t deadline, F&& done) {
    while (!done()) {
      if (now_ns() >= deadline)
        return false;
      turn(deadline);
    }
    return true;
  }

  /// For whoever reads; its content is free after each call of `ready`.
  std::span<char> buffer() noexcept { return x_buffer; }
  /// For who joins a frame's pieces, likewise.
  std::string& scratch() noexcept { return x_scratch; }

private:
  /// Handles at most `max` of what is ready.
  void handle_ready(int64_t wait, size_t max);

  int x_epoll;
  bool x_fine = true;
  event_loop* x_behind = nullptr;
  std::vector<char> x_buffer;
  std::string x_scratch;
};

} // namespace parley::bench
