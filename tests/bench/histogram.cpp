#include "bench/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <boost/test/unit_test.hpp>

using parley::bench::histogram;
using parley::bench::median;

BOOST_AUTO_TEST_SUITE(histograms)

namespace {

/// The exact quantile: the value that `ceil(q n)` values do not exceed.
uint64_t exact(const std::vector<uint64_t>& sorted, double q) {
  const auto n = static_cast<double>(sorted.size());
  const auto rank = static_cast<size_t>(std::ceil(q * n));
  return sorted[std::max<size_t>(rank, 1) - 1];
}

} // namespace

BOOST_AUTO_TEST_CASE(quantiles_are_at_most_a_128th_above_the_exact_ones) {
  const auto seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937_64 random{seed};
  for (const double spread : {1.0, 8.0, 20.0, 39.0}) {
    histogram h;
    std::vector<uint64_t> values;
    std::uniform_real_distribution<double> magnitude{0, spread};
    for (int i = 0; i < 20'000; ++i) {
      values.push_back(static_cast<uint64_t>(std::exp2(magnitude(random))));
      h.record(values.back());
    }
    std::sort(values.begin(), values.end());
    for (const double q : {0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
      const uint64_t right = exact(values, q);
      BOOST_TEST(h.quantile(q) >= right);
      BOOST_TEST(h.quantile(q) <= right + right / 128);
    }
    BOOST_TEST(h.max() == values.back());
    BOOST_TEST(h.count() == values.size());
  }
}

BOOST_AUTO_TEST_CASE(values_below_256_are_exact) {
  for (uint64_t value = 0; value < 256; ++value) {
    histogram h;
    h.record(value);
    h.record(1000);
    BOOST_TEST(h.quantile(0.5) == value);
  }
}

BOOST_AUTO_TEST_CASE(adding_is_as_recording_in_one) {
  histogram one;
  histogram other;
  histogram both;
  for (uint64_t value = 1; value < 100'000; value = value * 3 + 1) {
    (value % 2 == 0 ? one : other).record(value);
    both.record(value);
  }
  one.add(other);
  BOOST_TEST(one.count() == both.count());
  BOOST_TEST(one.max() == both.max());
  for (double q = 0; q <= 1; q += 0.05)
    BOOST_TEST(one.quantile(q) == both.quantile(q));
}

BOOST_AUTO_TEST_CASE(what_is_beyond_all_buckets_shows_in_max) {
  histogram h;
  h.record(UINT64_MAX);
  BOOST_TEST(h.max() == UINT64_MAX);
  BOOST_TEST(h.quantile(0.5) >= (uint64_t{1} << 39));
  h.clear();
  BOOST_TEST(h.max() == 0u);
  BOOST_TEST(h.quantile(0.5) == 0u);
}

BOOST_AUTO_TEST_CASE(a_median_is_the_middle) {
  BOOST_TEST(median({}) == 0);
  BOOST_TEST(median({3}) == 3);
  BOOST_TEST(median({5, 1, 9}) == 5);
  BOOST_TEST(median({4, 1, 2, 9}) == 3);
}

BOOST_AUTO_TEST_SUITE_END()
