#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace parley {

/// Lets something that others can cause at will, such as a line of the log,
/// happen once in an interval, and counts the rest.
class seldom {
public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit seldom(std::chrono::milliseconds interval) noexcept
    : x_interval(interval) {}

  /// It may happen now: the value says how often it was held back since the
  /// last time. Nothing: it is held back.
  std::optional<uint64_t> pass(time_point now) noexcept {
    if (now < x_next) {
      ++x_held_back;
      return std::nullopt;
    }
    x_next = now + x_interval;
    return std::exchange(x_held_back, 0);
  }

  /// What was held back, once its interval is over; for a last line. Zero if
  /// there is nothing to say, or not yet.
  uint64_t rest(time_point now) noexcept {
    return now < x_next ? 0 : std::exchange(x_held_back, 0);
  }

private:
  std::chrono::milliseconds x_interval;
  time_point x_next{};
  uint64_t x_held_back = 0;
};

} // namespace parley
