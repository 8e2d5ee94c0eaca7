#include "actors/accounts/throttle.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <optional>
#include <vector>

#include "protocol/defaults.hpp"

namespace parley::test {

namespace {

using namespace std::chrono_literals;
using time_point = throttle::time_point;
using milliseconds = std::chrono::milliseconds;

constexpr time_point start{1h};
constexpr uint32_t at_once = 5;

/// A try that is answered at its turn: when that is.
time_point try_once(throttle& t, const std::string& key, time_point now,
  try_end how = try_end::wrong) {
  milliseconds pause{};
  auto turn = now + t.take(key, now, pause);
  t.end(key, how, turn);
  return turn;
}

milliseconds pause_of_next(
  throttle& t, const std::string& key, time_point now) {
  milliseconds pause{};
  t.take(key, now, pause);
  t.end(key, try_end::undecided, now);
  return pause;
}

BOOST_AUTO_TEST_SUITE(throttling)

BOOST_AUTO_TEST_CASE(
  a_few_failures_are_free_and_then_each_waits_twice_as_long) {
  throttle t{at_once};
  auto now = start;
  for (uint32_t i = 0; i < defaults::free_failures; ++i)
    BOOST_TEST((try_once(t, "bob", now) == start));
  auto expected = defaults::failure_delay_first;
  for (int i = 0; i < 20; ++i) {
    BOOST_TEST((t.wait("bob", now) == expected));
    auto turn = try_once(t, "bob", now);
    BOOST_TEST((turn - now == expected));
    now = turn;
    expected = std::min(2 * expected, defaults::failure_delay_max);
  }
}

BOOST_AUTO_TEST_CASE(who_waits_by_himself_is_not_slowed_further) {
  throttle t{at_once};
  auto now = start;
  for (int i = 0; i < 20; ++i) {
    BOOST_TEST(t.wait("bob", now).count() == 0);
    now = try_once(t, "bob", now) + defaults::failure_delay_max;
  }
}

BOOST_AUTO_TEST_CASE(tries_at_the_same_time_take_turns) {
  throttle t{at_once};
  for (int i = 0; i < 20; ++i)
    try_once(t, "bob", start);
  auto begin = start + 1h; // long since failed: as new
  BOOST_REQUIRE(t.wait("bob", begin).count() == 0);
  std::vector<milliseconds> waits;
  milliseconds pause{};
  for (int i = 0; i < 1'000; ++i)
    waits.push_back(t.take("bob", begin, pause));
  auto within = [&](milliseconds d) {
    return std::count_if(
      waits.begin(), waits.end(), [d](auto w) { return w <= d; });
  };
  // Those that may come at once, two that are free, and then half a second,
  // one, two, four, eight …
  BOOST_TEST(within(0ms) == long{at_once} + 2);
  BOOST_TEST(within(20s) == long{at_once} + 2 + 5);
  BOOST_TEST((waits.back() > 1h));
}

BOOST_AUTO_TEST_CASE(after_failures_each_one_under_way_counts_as_one) {
  for (const auto counts : {true, false}) {
    throttle t{counts ? std::optional{at_once} : std::nullopt};
    auto now = start;
    for (uint32_t i = 0; i < defaults::free_failures; ++i)
      now = try_once(t, "bob", now);
    milliseconds pause{};
    std::vector<milliseconds> waits;
    for (int i = 0; i < 5; ++i)
      waits.push_back(t.take("bob", now, pause));
    if (counts)
      BOOST_TEST((waits
        == std::vector<milliseconds>{500ms, 1500ms, 3500ms, 7500ms, 15500ms}));
    else
      BOOST_TEST((waits
        == std::vector<milliseconds>{500ms, 1500ms, 2500ms, 3500ms, 4500ms}));
  }
}

BOOST_AUTO_TEST_CASE(a_few_right_ones_at_once_do_not_wait) {
  throttle t{at_once};
  milliseconds pause{};
  for (uint32_t i = 0; i < at_once; ++i)
    BOOST_TEST(t.take("bob", start, pause).count() == 0);
  BOOST_TEST(t.under_way("bob") == at_once);
  for (uint32_t i = 0; i < at_once; ++i)
    t.end("bob", try_end::right, start);
  BOOST_TEST(t.under_way("bob") == 0u);
  BOOST_TEST(t.is_fresh("bob", start));
}

BOOST_AUTO_TEST_CASE(others_are_not_slowed) {
  throttle t{at_once};
  for (int i = 0; i < 20; ++i)
    try_once(t, "bob", start);
  BOOST_TEST(t.wait("carol", start).count() == 0);
  BOOST_TEST(t.is_fresh("carol", start));
  BOOST_TEST(!t.is_fresh("bob", start));
}

BOOST_AUTO_TEST_CASE(it_forgets_after_a_while_without_failure) {
  throttle t{at_once};
  auto now = start;
  for (int i = 0; i < 10; ++i)
    now = try_once(t, "bob", now);
  auto almost = now + defaults::failure_memory - 1ms;
  BOOST_TEST((pause_of_next(t, "bob", almost) == defaults::failure_delay_max));
  auto later = now + defaults::failure_memory;
  BOOST_TEST(t.is_fresh("bob", later));
  BOOST_TEST(pause_of_next(t, "bob", later).count() == 0);
}

BOOST_AUTO_TEST_CASE(success_clears_and_relenting_forgives_one) {
  throttle t{at_once};
  auto now = start;
  for (uint32_t i = 0; i <= defaults::free_failures; ++i)
    now = try_once(t, "bob", now);
  t.relent("bob", now);
  BOOST_TEST(t.wait("bob", now).count() > 0);
  t.relent("bob", now);
  BOOST_TEST(t.wait("bob", now).count() == 0);
  for (int i = 0; i < 10; ++i)
    now = try_once(t, "bob", now);
  now = try_once(t, "bob", now, try_end::right);
  BOOST_TEST(t.is_fresh("bob", now));
  BOOST_TEST(t.wait("bob", now).count() == 0);
  t.end("nobody", try_end::right, now);
  t.relent("nobody", now);
  BOOST_TEST(t.size() == 1u);
}

BOOST_AUTO_TEST_CASE(endless_failures_are_forgiven_in_a_few_steps) {
  throttle t{at_once};
  for (int i = 0; i < 1'000; ++i)
    t.fail("nat", start);
  BOOST_TEST(t.wait("nat", start).count() > 0);
  int steps = 0;
  for (; !t.is_fresh("nat", start); ++steps)
    t.relent("nat", start);
  BOOST_TEST(steps < 10);
  BOOST_TEST(t.wait("nat", start).count() == 0);
}

BOOST_AUTO_TEST_CASE(what_is_undecided_counts_for_nothing) {
  throttle t{at_once};
  for (int i = 0; i < 100; ++i)
    try_once(t, "bob", start, try_end::undecided);
  BOOST_TEST(t.is_fresh("bob", start));
}

BOOST_AUTO_TEST_CASE(it_is_bounded_and_the_oldest_gives_way) {
  throttle t{at_once};
  for (int i = 0; i < 10; ++i)
    t.fail("first", start);
  for (size_t i = 0; i < defaults::failure_entries_max; ++i)
    t.fail(std::to_string(i), start);
  BOOST_TEST(t.size() == defaults::failure_entries_max);
  BOOST_TEST(t.wait("first", start).count() == 0);
  // What it held gives way in the middle of a try.
  milliseconds pause{};
  t.take("last", start, pause);
  for (size_t i = 0; i < defaults::failure_entries_max; ++i)
    t.fail('x' + std::to_string(i), start);
  t.end("last", try_end::wrong, start);
  BOOST_TEST(t.size() == defaults::failure_entries_max);
}

BOOST_AUTO_TEST_CASE(known_keys_are_bounded_and_lapse) {
  known_keys known;
  known.add("bob", start);
  known.add("bob", start + 1h);
  BOOST_TEST(known.size() == 1u);
  auto end = start + 1h + defaults::known_source_memory;
  BOOST_TEST(known.contains("bob", end - 1ms));
  BOOST_TEST(!known.contains("bob", end));
  BOOST_TEST(!known.contains("carol", start));
  for (size_t i = 0; i < defaults::failure_entries_max; ++i)
    known.add(std::to_string(i), start);
  BOOST_TEST(known.size() == defaults::failure_entries_max);
  BOOST_TEST(!known.contains("bob", start));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
