#pragma once

#include <cstdint>
#include <string>

#include "tests/simulation/plan.hpp"

namespace parley::test {

/// How a run went.
struct run_result {
  /// Which promise did not hold; empty: all did.
  std::string check;
  std::string why;
  /// Of all that happened.
  uint64_t hash = 0;
  /// The same in words, if wanted.
  std::string tale;
};

/// Lets it happen, ends all faults, and looks at everything. `last` is the
/// chance of the end.
run_result run(const plan& xs, uint64_t last, bool in_words = false);

/// The chance of the end of a seed's run.
uint64_t last_of(uint64_t seed);

/// What is left of a plan that fails when everything is dropped without which
/// the same check fails still.
plan shrunk(plan xs, uint64_t last, const std::string& check);

} // namespace parley::test
