#pragma once

#include "tests/actors/engine/engine.hpp"

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>
#include <vector>

/// What the cases of this folder have in common.
namespace parley::test {

using texts = std::vector<std::string>;

/// Alice's router is on one worker, the others' on the second.
inline const std::string alice = engine::name_on(0);
inline const std::string bob = engine::name_on(1);
inline const std::string carol = engine::name_on(1, 1);

/// Schedules that each case is run under.
inline constexpr uint64_t seeds = 15;

/// The same case under many schedules.
inline void in_any_order(
  const std::function<void(engine&)>& tell, policy rules = {}) {
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      engine e{seed, rules};
      for (auto& name : {alice, bob, carol})
        e.make_account(name);
      tell(e);
    }
  }
}

/// The first seed and how many: `count` from 1, unless PARLEY_SEEDS=FIRST:COUNT
/// names others.
inline std::pair<uint64_t, uint64_t> seeds_to_run(unsigned long long count) {
  unsigned long long first = 1;
  if (const auto* given = std::getenv("PARLEY_SEEDS"))
    BOOST_REQUIRE_EQUAL(std::sscanf(given, "%llu:%llu", &first, &count), 2);
  return {first, count};
}

} // namespace parley::test
