#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

#include <sys/resource.h>

#include "actors/gateway/connection_places.hpp"
#include "protocol/defaults.hpp"

namespace parley::test {

namespace {

auto take_one(const std::shared_ptr<connection_places>& from,
  const std::string& source = "10.0.0.1") {
  return connection_places::take(from, source);
}

BOOST_AUTO_TEST_SUITE(places)

BOOST_AUTO_TEST_CASE(places_are_bounded_and_come_back) {
  auto all = std::make_shared<connection_places>(2, 1);
  auto a = take_one(all);
  auto b = take_one(all, "10.0.0.2");
  BOOST_REQUIRE((a && b));
  BOOST_TEST(!a->is_over());
  BOOST_TEST(!b->is_over());
  auto c = take_one(all);
  BOOST_REQUIRE(c);
  BOOST_TEST(c->is_over());
  BOOST_TEST(!take_one(all));
  // One who is being turned away takes nobody's place.
  a.reset();
  auto d = take_one(all);
  BOOST_REQUIRE(d);
  BOOST_TEST(!d->is_over());
  // What was moved is given back once.
  auto moved = std::move(*d);
  d.reset();
  BOOST_TEST(!take_one(all));
  c.reset();
  BOOST_TEST(take_one(all)->is_over());
  moved = {};
  BOOST_TEST(!take_one(all)->is_over());
}

BOOST_AUTO_TEST_CASE(where_few_are_left_strangers_of_one_source_find_no_room) {
  auto all = std::make_shared<connection_places>(80, 0);
  std::vector<connection_places::place> mine;
  while (auto x = take_one(all))
    mine.push_back(std::move(*x));
  BOOST_TEST(mine.size() == 60u);
  BOOST_TEST(all->refused() == 1u);
  // Others do, each as many as an eighth.
  std::vector<connection_places::place> others;
  while (auto x = take_one(all, "10.0.0.2"))
    others.push_back(std::move(*x));
  BOOST_TEST(others.size() == all->strangers_max());
  BOOST_TEST(all->strangers_max() == 10u);
  // It comes in again when it has no more than that, or there are many.
  mine.resize(10);
  BOOST_TEST(take_one(all).has_value());
  while (auto x = take_one(all))
    mine.push_back(std::move(*x));
  BOOST_TEST(all->taken() == 60u);
}

BOOST_AUTO_TEST_CASE(who_has_signed_in_is_no_stranger) {
  auto all = std::make_shared<connection_places>(80, 0);
  std::vector<connection_places::place> nat;
  while (auto x = take_one(all)) {
    x->signed_in();
    nat.push_back(std::move(*x));
  }
  BOOST_TEST(nat.size() == all->max());
  nat.pop_back();
  nat.front().signed_in(); // again, as when it was resumed
  BOOST_TEST(take_one(all).has_value());
  BOOST_TEST(all->taken() == nat.size());
}

BOOST_AUTO_TEST_CASE(descriptors_are_left_for_the_store) {
  auto all = connection_places::by_descriptors();
  rlimit x{};
  ::getrlimit(RLIMIT_NOFILE, &x);
  BOOST_TEST(all->max() >= x.rlim_cur / 2);
  BOOST_TEST(all->max() < x.rlim_cur);
  BOOST_TEST((x.rlim_cur - all->max() == defaults::descriptors_reserve
    || all->max() == x.rlim_cur - x.rlim_cur / 2));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
