#pragma once

#include <algorithm>
#include <chrono>

#include "protocol/defaults.hpp"

namespace parley {

/// How often others are told of an endpoint's changes: a bucket of tokens.
class change_rate {
public:
  using clock = std::chrono::steady_clock;

  /// Takes a token if there is one; always, if `per_second` is 0.
  bool take(clock::time_point now, double per_second) noexcept {
    if (per_second == 0)
      return true;
    std::chrono::duration<double> since = now - x_at;
    x_at = now;
    x_tokens = std::min(
      defaults::presence_changes_burst, x_tokens + since.count() * per_second);
    if (x_tokens < 1)
      return false;
    x_tokens -= 1;
    return true;
  }

  /// When there is one, after `take` found none.
  clock::time_point next(double per_second) const noexcept {
    std::chrono::duration<double> wait{(1 - x_tokens) / per_second};
    // Rounded up, or it would not be whole by then.
    return x_at + std::chrono::duration_cast<clock::duration>(wait)
      + clock::duration{1};
  }

private:
  double x_tokens = defaults::presence_changes_burst;
  clock::time_point x_at{};
};

} // namespace parley
