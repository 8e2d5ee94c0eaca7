#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <random>
#include <set>

#include <boost/test/unit_test.hpp>
#include <spdlog/spdlog.h>

#include "tests/simulation/run.hpp"

// The whole system under everything that can happen to it: real actors, rules,
// connections and store; made-up network, disk and time.
namespace parley::test {

namespace {

/// Some 20 seconds of one core: those that are known, and those that nobody has
/// run yet.
constexpr uint64_t few_seeds = 100;
constexpr uint64_t fresh_seeds = 300;

struct seeds {
  unsigned long long first = 1;
  unsigned long long count = few_seeds;
  /// Whether what fails is made short and told; it takes a minute a seed.
  bool told = true;
};

/// The same ones each time, unless PARLEY_SEEDS=FIRST:COUNT names others; of
/// several of these it is only said that they fail.
seeds seeds_to_run() {
  seeds x;
  if (const auto* given = std::getenv("PARLEY_SEEDS")) {
    BOOST_REQUIRE_EQUAL(std::sscanf(given, "%llu:%llu", &x.first, &x.count), 2);
    x.told = x.count == 1;
  }
  return x;
}

void explain(const plan& xs, uint64_t last, const std::string& check) {
  auto least = shrunk(xs, last, check);
  auto result = run(least, last, true);
  std::cout << "what is needed for it, " << least.size() << " happenings of "
            << xs.size() << ":\n"
            << in_words(least) << "what happens then:\n"
            << result.tale << result.why << '\n';
}

void live(uint64_t seed, bool told) {
  auto xs = plan_of(seed);
  auto result = run(xs, last_of(seed));
  BOOST_TEST(result.check.empty(), "seed " << seed << ": " << result.why);
  if (told && !result.check.empty())
    explain(xs, last_of(seed), result.check);
}

/// Seeds that failed, by what they found. Where a happening was added to the
/// plans since, a seed is another run than it was then.
struct known_seed {
  const char* found;
  uint64_t seed;
};
constexpr known_seed known_seeds[]{
  {"a crash amid the removal of an account left one half", 351},
  {"a crash amid the removal of an account left one half", 607},
  {"a crash amid the removal of an account left one half", 2260},
  {"a crash amid the removal of an account left one half", 6248},
  {"a later account began with counts of the earlier one", 2274},
  {"a later account began with counts of the earlier one", 3265},
  {"a later account began with versions that clients knew", 4357},
  {"a later account began with versions that clients knew", 4444},
  {"a later account began with versions that clients knew", 7835},
  {"a removal that the disk refused left watches", 2289},
  {"a removal that the disk refused left watches", 5123},
  {"a removal amid a subscription left watches", 3978},
  {"a removal amid a subscription left watches", 5807},
  {"a watch was granted to an account that went", 700000248},
  {"an endpoint did not see whom its user had subscribed to", 2228},
  {"an IM to oneself came back late", 10130},
  {"an IM that was refused came again", 13964},
  {"somebody did not get in", 2758},
  {"somebody did not get in", 14251},
  {"a setting met a disk that was just mended", 284103439},
  {"an IM came again behind a later one after a kill", 900004093},
  {"a session was taken for safe by a resume that was refused", 950007079},
  {"an account was made again within a microsecond", 950008363},
  {"what a disk refused to remove was waited for", 960002408},
  {"who signed out at the end was not brought in", 960006349},
  {"a session was as old as a later sign-in", 981004512},
  {"a MANIFEST torn by a power cut was taken for damage", 1200005115},
  {"a denial was forgotten, and its wish approved anew", 2100009397},
  {"a setting came into force while a talk was judged by it", 3500015573},
};

void live(const seeds& xs) {
  std::cout << "seeds " << xs.first << " to " << xs.first + xs.count - 1
            << ", by PARLEY_SEEDS=" << xs.first << ':' << xs.count << std::endl;
  for (uint64_t i = 0; i < xs.count; ++i)
    live(xs.first + i, xs.told);
}

BOOST_AUTO_TEST_SUITE(simulation)

BOOST_AUTO_TEST_CASE(every_promise_holds_whatever_happens) {
  spdlog::set_level(spdlog::level::off);
  live(seeds_to_run());
}

BOOST_AUTO_TEST_CASE(what_failed_once_holds) {
  spdlog::set_level(spdlog::level::off);
  for (const auto& x : known_seeds)
    BOOST_TEST_CONTEXT(x.found) {
      live(x.seed, true);
    }
}

BOOST_AUTO_TEST_CASE(every_promise_holds_in_runs_that_nobody_has_seen) {
  spdlog::set_level(spdlog::level::off);
  std::random_device random;
  // Few enough digits to be read out.
  live({1'000'000 + random() % 1'000'000'000ull, fresh_seeds, false});
}

BOOST_AUTO_TEST_CASE(the_same_seed_is_the_same_run_where_the_disk_is_sound) {
  spdlog::set_level(spdlog::level::off);
  std::set<uint64_t> hashes;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    auto xs = plan_of(seed);
    // RocksDB writes and recovers on threads of its own, too.
    std::erase_if(xs, [](const happening& x) {
      return x.what == deed::disk_fails || x.what == deed::power_fails;
    });
    // Nor does the power fail while it starts, see `world::start`.
    auto no_failing_start = [](uint64_t chance) {
      return chance % 8 == 3 ? chance ^ 4 : chance;
    };
    for (auto& x : xs)
      x.chance = no_failing_start(x.chance);
    auto last = no_failing_start(last_of(seed));
    auto once = run(xs, last);
    auto again = run(xs, last);
    BOOST_TEST(once.hash == again.hash, "seed " << seed);
    hashes.insert(once.hash);
  }
  BOOST_TEST(hashes.size() == 20u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
