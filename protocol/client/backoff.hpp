#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "protocol/defaults.hpp"

namespace parley {

/// How long to wait before the next try: exponential, between half and the
/// whole of the current step, so that clients that lost the same server do not
/// come back together.
class backoff {
public:
  /// `random` is any number; counts as a failure.
  std::chrono::milliseconds next(uint64_t random) noexcept {
    auto half = static_cast<uint64_t>(x_step.count()) / 2;
    auto wait = std::chrono::milliseconds(half + random % (half + 1));
    x_step = std::min<std::chrono::milliseconds>(
      x_step * 2, defaults::client_backoff_max);
    return wait;
  }

  /// It works again.
  void reset() noexcept { x_step = defaults::client_backoff_first; }

private:
  std::chrono::milliseconds x_step = defaults::client_backoff_first;
};

} // namespace parley
