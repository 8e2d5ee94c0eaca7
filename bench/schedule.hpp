#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace parley::bench {

/// When the sends of an open loop are due: `rate` a second in total, evenly
/// spaced, taking turns over `lanes` conversations. A send that has to wait
/// keeps its time, so that its latency includes the waiting; what waits is a
/// number per lane, not a queue.
class open_loop_schedule {
public:
  /// `rate` > 0 a second, `lanes` ≥ 1, times in nanoseconds of one clock.
  open_loop_schedule(double rate, size_t lanes, int64_t start)
    : x_interval(1e9 / rate), x_lanes(lanes), x_start(start) {}

  /// The time of the next send that `advance` has not handed out.
  int64_t next_due() const noexcept { return time_of(x_next); }

  /// The intended time of send `turn` (0, 1, 2, …) of `lane`.
  int64_t intended(size_t lane, uint64_t turn) const noexcept {
    return time_of(turn * x_lanes + lane);
  }

  /// Calls `f(lane)` for each send that became due up to `now`, in order.
  template <class F>
  void advance(int64_t now, F&& f) {
    for (; next_due() <= now; ++x_next)
      f(static_cast<size_t>(x_next % x_lanes));
  }

private:
  int64_t time_of(uint64_t send) const noexcept {
    return x_start
      + static_cast<int64_t>(
        std::llround(x_interval * static_cast<double>(send)));
  }

  double x_interval;
  size_t x_lanes;
  int64_t x_start;
  uint64_t x_next = 0;
};

} // namespace parley::bench
