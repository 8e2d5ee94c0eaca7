#include "bench/schedule.hpp"

#include <cstdint>
#include <vector>

#include <boost/test/unit_test.hpp>

using parley::bench::open_loop_schedule;

BOOST_AUTO_TEST_SUITE(schedules)

BOOST_AUTO_TEST_CASE(sends_are_spaced_evenly_and_take_turns) {
  // A thousand a second: one each millisecond.
  open_loop_schedule s{1000, 3, 500};
  std::vector<size_t> lanes;
  const auto take = [&](size_t lane) { lanes.push_back(lane); };
  s.advance(499, take);
  BOOST_TEST(lanes.empty());
  BOOST_TEST(s.next_due() == 500);
  s.advance(500, take);
  s.advance(500 + 999'999, take);
  BOOST_TEST(lanes.size() == 1u);
  s.advance(500 + 4'000'000, take);
  BOOST_TEST(lanes == (std::vector<size_t>{0, 1, 2, 0, 1}),
    boost::test_tools::per_element());
  BOOST_TEST(s.next_due() == 500 + 5'000'000);
}

BOOST_AUTO_TEST_CASE(a_send_that_waits_keeps_its_time) {
  open_loop_schedule s{1000, 2, 0};
  uint64_t owed = 0;
  // Nobody could send for a second: everything that was due is owed, and its
  // times are the intended ones, not the present.
  s.advance(999'999'999, [&](size_t lane) { owed += lane == 1 ? 1 : 0; });
  BOOST_TEST(owed == 500u);
  BOOST_TEST(s.intended(1, 0) == 1'000'000);
  BOOST_TEST(s.intended(1, 499) == 999'000'000);
}

BOOST_AUTO_TEST_CASE(long_runs_do_not_drift) {
  open_loop_schedule s{30'000, 7, 0};
  uint64_t sends = 0;
  constexpr int64_t hour = 3'600'000'000'000;
  for (int64_t now = 0; now < hour; now += 1'000'000'000)
    s.advance(now, [&](size_t) { ++sends; });
  s.advance(hour - 1, [&](size_t) { ++sends; });
  BOOST_TEST(sends == 30'000u * 3600u);
}

BOOST_AUTO_TEST_SUITE_END()
