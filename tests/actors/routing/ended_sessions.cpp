#include "actors/router/ended_sessions.hpp"

#include <boost/test/unit_test.hpp>

namespace parley::test::ended {

namespace {

const auto alice = user_address::from_prepared("alice@example.org");
const auto bob = user_address::from_prepared("bob@example.org");

BOOST_AUTO_TEST_SUITE(sessions_that_ended)

BOOST_AUTO_TEST_CASE(who_has_the_token_learns_how_much_was_done) {
  ended_sessions x{10};
  x.add({1}, "proof", alice);
  BOOST_TEST(!x.done({1}, "proof", alice));
  x.set_done({1}, 7);
  BOOST_TEST(x.done({1}, "proof", alice).value_or(0) == 7u);
  BOOST_TEST(!x.done({1}, "prooF", alice));
  BOOST_TEST(!x.done({1}, "proof", bob));
  BOOST_TEST(!x.done({2}, "proof", alice));
}

BOOST_AUTO_TEST_CASE(a_token_that_was_taken_back_opens_nothing) {
  ended_sessions x{10};
  x.add({1}, "", alice);
  x.set_done({1}, 7);
  BOOST_TEST(!x.done({1}, "", alice));
}

BOOST_AUTO_TEST_CASE(the_oldest_are_forgotten) {
  ended_sessions x{3};
  for (uint64_t i = 1; i <= 5; ++i) {
    x.add({i}, "proof", alice);
    x.set_done({i}, i);
  }
  x.set_done({1}, 9);
  BOOST_TEST(!x.done({1}, "proof", alice));
  BOOST_TEST(!x.done({2}, "proof", alice));
  for (uint64_t i = 3; i <= 5; ++i)
    BOOST_TEST(x.done({i}, "proof", alice).value_or(0) == i);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test::ended
