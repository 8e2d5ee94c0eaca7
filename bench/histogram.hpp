#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace parley::bench {

/// Counts of values (nanoseconds, as a rule) in log-linear buckets: 128 to
/// each power of two, so that a quantile is at most 1/128 above the exact one.
/// 36 KB, whatever is recorded; values of 2^40 and more (18 minutes) count as
/// 2^40 - 1 except in `max`.
class histogram {
public:
  histogram();

  void record(uint64_t value) noexcept;
  void add(const histogram& other) noexcept;
  void clear() noexcept;

  uint64_t count() const noexcept { return x_count; }
  /// Exact; 0 if nothing was recorded.
  uint64_t max() const noexcept { return x_max; }
  /// The smallest bucket's upper end below or at which the part `q` (0 to 1)
  /// of all values lies; never above `max`. 0 if nothing was recorded.
  uint64_t quantile(double q) const noexcept;

private:
  std::vector<uint64_t> x_buckets;
  uint64_t x_count = 0;
  uint64_t x_max = 0;
};

/// The middle one, or the mean of the middle two; 0 of nothing.
double median(std::vector<double> values);

} // namespace parley::bench
