#define BOOST_TEST_MODULE throttle
#include "actors/accounts/throttle.hpp"

#include <boost/test/unit_test.hpp>

#include "protocol/defaults.hpp"

namespace parley::test {

namespace {

using namespace std::chrono_literals;
using time_point = throttle::time_point;

constexpr time_point start{1h};

void fail_times(throttle& t, const std::string& key, uint32_t n) {
  for (uint32_t i = 0; i < n; ++i)
    t.failed(key, start);
}

BOOST_AUTO_TEST_SUITE(throttling)

BOOST_AUTO_TEST_CASE(a_few_failures_are_free) {
  throttle t;
  BOOST_TEST(t.delay("bob", start).count() == 0);
  fail_times(t, "bob", defaults::free_failures - 1);
  BOOST_TEST(t.delay("bob", start).count() == 0);
  fail_times(t, "bob", 1);
  BOOST_TEST((t.delay("bob", start) == defaults::failure_delay_first));
}

BOOST_AUTO_TEST_CASE(the_wait_doubles_up_to_a_bound) {
  throttle t;
  fail_times(t, "bob", defaults::free_failures);
  std::chrono::milliseconds expected = defaults::failure_delay_first;
  for (int i = 0; i < 100; ++i) {
    BOOST_TEST((t.delay("bob", start) == expected));
    t.failed("bob", start);
    expected = std::min<std::chrono::milliseconds>(
      2 * expected, defaults::failure_delay_max);
  }
  BOOST_TEST((t.delay("bob", start) == defaults::failure_delay_max));
}

BOOST_AUTO_TEST_CASE(others_are_not_slowed) {
  throttle t;
  fail_times(t, "bob", 20);
  BOOST_TEST(t.delay("carol", start).count() == 0);
}

BOOST_AUTO_TEST_CASE(it_forgets_after_a_while_without_failure) {
  throttle t;
  fail_times(t, "bob", 20);
  auto last = start + defaults::failure_memory - 1s;
  BOOST_TEST(t.delay("bob", last).count() > 0);
  t.failed("bob", last);
  BOOST_TEST(t.delay("bob", start + defaults::failure_memory + 1s).count() > 0);
  BOOST_TEST(t.delay("bob", last + defaults::failure_memory).count() == 0);
  t.failed("bob", last + defaults::failure_memory);
  BOOST_TEST(t.delay("bob", last + defaults::failure_memory).count() == 0);
}

BOOST_AUTO_TEST_CASE(success_clears_and_relenting_forgives_one) {
  throttle t;
  fail_times(t, "bob", defaults::free_failures + 1);
  t.relent("bob");
  BOOST_TEST((t.delay("bob", start) == defaults::failure_delay_first));
  t.succeeded("bob");
  BOOST_TEST(t.delay("bob", start).count() == 0);
  t.relent("bob");
  t.failed("bob", start);
  BOOST_TEST(t.delay("bob", start).count() == 0);
  t.succeeded("nobody");
  t.relent("nobody");
}

BOOST_AUTO_TEST_CASE(it_is_bounded_and_the_oldest_gives_way) {
  throttle t;
  fail_times(t, "first", 10);
  for (size_t i = 0; i < defaults::failure_entries_max; ++i)
    t.failed(std::to_string(i), start);
  BOOST_TEST(t.size() == defaults::failure_entries_max);
  BOOST_TEST(t.delay("first", start).count() == 0);
}

BOOST_AUTO_TEST_CASE(one_that_was_forgotten_and_comes_again_takes_no_second_place) {
  throttle t;
  t.failed("bob", start);
  auto later = start + defaults::failure_memory;
  BOOST_TEST(t.delay("bob", later).count() == 0);
  // All of these came before it.
  for (size_t i = 0; i + 1 < defaults::failure_entries_max; ++i)
    t.failed(std::to_string(i), later);
  for (uint32_t i = 0; i <= defaults::free_failures; ++i)
    t.failed("bob", later);
  BOOST_TEST(t.size() == defaults::failure_entries_max);
  BOOST_TEST(t.delay("bob", later).count() > 0);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
