#include "actors/router/id_filter.hpp"

#include <boost/test/unit_test.hpp>

#include <random>
#include <vector>

namespace parley::test {

namespace {

BOOST_AUTO_TEST_SUITE(filtering_ids)

BOOST_AUTO_TEST_CASE(an_empty_one_has_nothing) {
  id_filter sut;
  BOOST_TEST(!sut.may_contain(0));
  BOOST_TEST(!sut.may_contain(42));
}

BOOST_AUTO_TEST_CASE(it_never_misses_and_is_seldom_wrong_at_any_size) {
  std::mt19937_64 random(11);
  id_filter sut;
  std::vector<uint64_t> ids;
  for (size_t size : {1'000u, 10'000u, 100'000u}) {
    while (ids.size() < size) {
      ids.push_back(random());
      sut.insert(ids.back());
      BOOST_REQUIRE(sut.may_contain(ids.back()));
    }
    for (auto id : ids)
      BOOST_REQUIRE(sut.may_contain(id));
    constexpr int tries = 200'000;
    int wrong = 0;
    for (int i = 0; i < tries; ++i)
      wrong += sut.may_contain(random());
    auto percent = 100.0 * wrong / tries;
    BOOST_TEST_MESSAGE(size << " ids: " << percent << " % false hits");
    BOOST_TEST(percent < 1.5);
    // Those that it took for known were not counted.
    BOOST_TEST(sut.size() > size * 98 / 100);
  }
}

BOOST_AUTO_TEST_CASE(the_same_id_takes_room_once) {
  id_filter sut;
  for (int i = 0; i < 10; ++i)
    sut.insert(42);
  BOOST_TEST(sut.size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
