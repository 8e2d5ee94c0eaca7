#include "actors/observation/commit_meter.hpp"

#include <boost/test/unit_test.hpp>

#include <numeric>

namespace parley::test {

namespace {

using namespace std::chrono_literals;
const commit_meter::time_point start{1h};

uint64_t sum(const auto& xs) {
  return std::accumulate(xs.begin(), xs.end(), uint64_t{0});
}

} // namespace

BOOST_AUTO_TEST_SUITE(commit_meter_)

BOOST_AUTO_TEST_CASE(a_commit_counts_in_the_range_that_it_ends_in) {
  commit_meter m;
  m.begins(start);
  m.ends(start + 3ms, 17);
  auto counts = m.seconds().counts();
  // Up to 5 ms, and not up to 2.5 ms.
  BOOST_TEST(counts.at(5) == 1u);
  BOOST_TEST(sum(counts) == 1u);
  BOOST_TEST(m.seconds().sum() == 0.003, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(m.operations().counts().at(3) == 1u);
  BOOST_TEST(m.operations().sum() == 17);
}

BOOST_AUTO_TEST_CASE(a_bound_belongs_to_its_range_and_above_all_is_the_last) {
  commit_meter m;
  m.begins(start);
  m.ends(start + 1s, 16);
  m.begins(start);
  m.ends(start + 1h, 20'000);
  BOOST_TEST(m.seconds().counts().at(10) == 1u);
  BOOST_TEST(m.seconds().counts().back() == 1u);
  BOOST_TEST(m.operations().counts().at(2) == 1u);
  BOOST_TEST(m.operations().counts().back() == 1u);
}

BOOST_AUTO_TEST_CASE(one_under_way_is_seen_and_a_refused_one_remembered) {
  commit_meter m;
  BOOST_TEST(!m.busy_since().has_value());
  m.begins(start);
  BOOST_TEST((m.busy_since() == start));
  const failure full{errc::store_failed, "no space"};
  m.ends(start, 1, &full);
  BOOST_TEST(!m.busy_since().has_value());
  BOOST_TEST(m.last_refusal().value().text == full.text);
  m.begins(start);
  m.ends(start, 1);
  BOOST_TEST(!m.last_refusal().has_value());
  BOOST_TEST(m.refused() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace parley::test
