#include "tests/actors/engine/cases.hpp"

// How many endpoints a user may have, and who has as many.
namespace parley::test {

namespace {

using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(many_endpoints)

BOOST_AUTO_TEST_CASE(too_many_endpoints_are_refused_unless_one_is_suspended) {
  policy rules;
  rules.session_endpoints_max = 2;
  in_any_order(
    [](engine& e) {
      auto& x = e.sign_in(bob, "x");
      auto& y = e.sign_in(bob, "y");
      auto& z = e.sign_in(bob, "z");
      BOOST_TEST(!z.is_in());
      BOOST_TEST(z.closed == "too_many_endpoints");
      x.cut();
      e.settle();
      z.sign_in();
      e.settle();
      BOOST_TEST(z.is_in());
      BOOST_TEST(y.is_in());
      BOOST_TEST(e.report(1).sessions.size() == 2u);
    },
    rules);
}

BOOST_AUTO_TEST_CASE(who_has_as_many_endpoints_as_it_may_is_found) {
  const auto full = [](engine& e) {
    return e.at_limits({unlimited, unlimited, unlimited, 2}).endpoints;
  };
  in_any_order([full](engine& e) {
    const std::vector both{engine::user(bob)};
    auto& x = e.sign_in(bob, "x");
    e.sign_in(alice, "x");
    BOOST_TEST(full(e).empty());
    auto& y = e.sign_in(bob, "y");
    BOOST_TEST((full(e) == both));
    // A suspended one counts, in the place of a replaced one is one.
    x.cut();
    e.settle();
    BOOST_TEST((full(e) == both));
    e.sign_in(bob, "y");
    BOOST_TEST(!y.is_in());
    BOOST_TEST((full(e) == both));
    e.advance(3min);
    BOOST_TEST(full(e).empty());
    auto& z = e.sign_in(bob, "z");
    BOOST_TEST((full(e) == both));
    z.sign_out();
    e.settle();
    BOOST_TEST(full(e).empty());
    e.sign_in(bob, "z");
    BOOST_TEST((full(e) == both));
    BOOST_TEST((e.remove_account(bob).why.code == errc::none));
    BOOST_TEST(full(e).empty());
  });
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
