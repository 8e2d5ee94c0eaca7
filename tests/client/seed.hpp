#pragma once

#include <cstdlib>
#include <random>

#include <boost/test/unit_test.hpp>

namespace parley::test {

/// A generator whose seed is printed; PARLEY_SEED repeats a run.
inline std::mt19937_64 seeded_random() {
  auto given = std::getenv("PARLEY_SEED");
  auto seed =
    given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  BOOST_TEST_MESSAGE("PARLEY_SEED=" << seed);
  std::printf("PARLEY_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return std::mt19937_64{seed};
}

} // namespace parley::test
