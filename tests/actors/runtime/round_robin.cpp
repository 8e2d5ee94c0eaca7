#include "actors/runtime/round_robin.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <set>
#include <vector>

// Each has its turn, whoever comes and goes.
namespace parley::test {

namespace {

BOOST_AUTO_TEST_SUITE(round_robins)

BOOST_AUTO_TEST_CASE(each_has_one_turn_a_round) {
  round_robin<int> sut;
  for (int i = 0; i < 7; ++i)
    sut.add(i);
  std::vector<int> seen;
  for (int i = 0; i < 14; ++i)
    sut.next([&](int who) {
      seen.push_back(who);
      return true;
    });
  const std::vector<int> expected{0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5, 6};
  BOOST_TEST(seen == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(who_has_ended_takes_nobody_s_turn) {
  round_robin<int> sut;
  for (int i = 0; i < 100; ++i)
    sut.add(i);
  std::map<int, int> turns;
  for (int i = 0; i < 100; ++i)
    sut.next([&](int who) {
      ++turns[who];
      return who % 3 != 0;
    });
  // Those that had ended were found, and the others had one each.
  BOOST_TEST(turns.size() == 100u);
  for (const auto& [who, n] : turns)
    BOOST_TEST(n == 1);
  BOOST_TEST(sut.size() == 66u);
  turns.clear();
  for (size_t n = sut.share(1); n > 0; --n)
    sut.next([&](int who) {
      ++turns[who];
      return true;
    });
  BOOST_TEST(turns.size() == 66u);
}

BOOST_AUTO_TEST_CASE(some_may_come_in_a_turn_and_all_may_end) {
  round_robin<int> sut;
  sut.next([](int) { return true; });
  sut.add(0);
  std::multiset<int> seen;
  for (int i = 0; i < 1'000; ++i)
    sut.next([&](int who) {
      if (who < 500)
        sut.add(who + 1);
      seen.insert(who);
      return false;
    });
  BOOST_TEST(seen.size() == 501u);
  BOOST_TEST(sut.size() == 0u);
}

BOOST_AUTO_TEST_CASE(as_many_parts_as_there_are_make_a_round) {
  round_robin<int> sut;
  BOOST_TEST(sut.share(10) == 0u);
  for (int n = 1; n <= 25; ++n) {
    sut.add(n);
    BOOST_TEST(sut.share(10) * 10 >= sut.size());
    BOOST_TEST((sut.share(10) - 1) * 10 < sut.size());
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
