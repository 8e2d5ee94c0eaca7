#include "bench/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace parley::bench {

namespace {

// Values below 2^8 have a bucket each; above, the highest 8 bits count.
constexpr int significant = 8;
constexpr int highest = 40;
constexpr size_t half = size_t{1} << (significant - 1);
constexpr size_t buckets = 2 * half + (highest - significant) * half;

size_t bucket_of(uint64_t value) noexcept {
  value = std::min(value, (uint64_t{1} << highest) - 1);
  const int shift =
    std::max(static_cast<int>(std::bit_width(value)) - significant, 0);
  return static_cast<size_t>(shift) * half + (value >> shift);
}

uint64_t upper_end(size_t bucket) noexcept {
  if (bucket < 2 * half)
    return bucket;
  const size_t shift = bucket / half - 1;
  return ((bucket - shift * half + 1) << shift) - 1;
}

} // namespace

histogram::histogram() : x_buckets(buckets) {}

void histogram::record(uint64_t value) noexcept {
  ++x_buckets[bucket_of(value)];
  ++x_count;
  x_max = std::max(x_max, value);
}

void histogram::add(const histogram& other) noexcept {
  for (size_t i = 0; i < buckets; ++i)
    x_buckets[i] += other.x_buckets[i];
  x_count += other.x_count;
  x_max = std::max(x_max, other.x_max);
}

void histogram::clear() noexcept {
  std::fill(x_buckets.begin(), x_buckets.end(), 0);
  x_count = 0;
  x_max = 0;
}

uint64_t histogram::quantile(double q) const noexcept {
  if (x_count == 0)
    return 0;
  const auto total = static_cast<double>(x_count);
  auto rank = static_cast<uint64_t>(std::ceil(q * total));
  rank = std::clamp<uint64_t>(rank, 1, x_count);
  uint64_t seen = 0;
  for (size_t i = 0; i < buckets; ++i) {
    seen += x_buckets[i];
    if (seen >= rank)
      return std::min(upper_end(i), x_max);
  }
  return x_max;
}

double median(std::vector<double> values) {
  if (values.empty())
    return 0;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  if (values.size() % 2 == 1)
    return values[middle];
  return (values[middle - 1] + values[middle]) / 2;
}

} // namespace parley::bench
