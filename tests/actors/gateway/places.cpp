#include <boost/test/unit_test.hpp>

#include <sys/resource.h>

#include "actors/gateway/connection_places.hpp"
#include "protocol/defaults.hpp"

namespace parley::test {

namespace {

BOOST_AUTO_TEST_SUITE(places)

BOOST_AUTO_TEST_CASE(places_are_bounded_and_come_back) {
  auto all = std::make_shared<connection_places>(2, 1);
  auto a = connection_places::take(all);
  auto b = connection_places::take(all);
  BOOST_REQUIRE((a && b));
  BOOST_TEST(!a->is_over());
  BOOST_TEST(!b->is_over());
  auto c = connection_places::take(all);
  BOOST_REQUIRE(c);
  BOOST_TEST(c->is_over());
  BOOST_TEST(!connection_places::take(all));
  // One who is being turned away takes nobody's place.
  a.reset();
  auto d = connection_places::take(all);
  BOOST_REQUIRE(d);
  BOOST_TEST(!d->is_over());
  // What was moved is given back once.
  auto moved = std::move(*d);
  d.reset();
  BOOST_TEST(!connection_places::take(all));
  c.reset();
  BOOST_TEST(connection_places::take(all)->is_over());
  moved = {};
  BOOST_TEST(!connection_places::take(all)->is_over());
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
