#pragma once

#include <algorithm>
#include <chrono>

namespace parley {

/// So much a second may pass, and so much at once.
class allowance {
public:
  using clock = std::chrono::steady_clock;

  allowance(double per_second, double burst) noexcept
    : x_rate(per_second), x_burst(burst), x_left(burst) {}

  /// Takes so much, if there is as much.
  bool take(clock::time_point now, double what = 1) noexcept {
    std::chrono::duration<double> since = now - x_at;
    x_at = now;
    x_left = std::min(x_burst, x_left + since.count() * x_rate);
    if (x_left < what)
      return false;
    x_left -= what;
    return true;
  }

  /// After `take` did not: how long until it would.
  std::chrono::milliseconds until(double what = 1) const noexcept {
    return std::chrono::ceil<std::chrono::milliseconds>(
      std::chrono::duration<double>{(what - x_left) / x_rate});
  }

private:
  double x_rate;
  double x_burst;
  double x_left;
  clock::time_point x_at{};
};

} // namespace parley
