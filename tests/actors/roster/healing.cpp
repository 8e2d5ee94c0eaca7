#include <boost/test/unit_test.hpp>

#include "tests/actors/roster/pair.hpp"

namespace parley::test {

namespace {

/// Alice sees Bob.
pair_state subscribed() {
  pair_state x;
  BOOST_REQUIRE(!x.perform(0, deed::subscribe));
  BOOST_REQUIRE(!x.settle());
  BOOST_REQUIRE(!x.wrong());
  BOOST_REQUIRE(x.disks[1].head.watchers == 1u);
  return x;
}

half to_of(const pair_state& x) {
  auto i = x.disks[0].items.find(one_of_pair(1));
  return i == x.disks[0].items.end() ? half::none
                                     : i->second.what.subscription.to;
}

} // namespace

BOOST_AUTO_TEST_SUITE(healing)

BOOST_AUTO_TEST_CASE(whoever_believes_to_see_one_who_forgot_it_is_told) {
  auto x = subscribed();
  x.disks[1] = {};
  BOOST_REQUIRE(!x.meet());
  BOOST_REQUIRE(!x.settle());
  BOOST_TEST((to_of(x) == half::none));
  BOOST_TEST(!x.wrong());
}

BOOST_AUTO_TEST_CASE(whoever_is_seen_by_one_who_forgot_it_is_told) {
  auto x = subscribed();
  x.disks[0] = {};
  BOOST_REQUIRE(!x.meet());
  BOOST_REQUIRE(!x.settle());
  BOOST_TEST(x.disks[1].head.watchers == 0u);
  BOOST_TEST(!x.wrong());
}

BOOST_AUTO_TEST_CASE(who_sees_and_is_seen_hears_nothing_of_it) {
  auto x = subscribed();
  BOOST_REQUIRE(!x.meet());
  BOOST_TEST(x.is_quiet());
}

BOOST_AUTO_TEST_CASE(who_waits_for_approval_is_not_told_of_an_end) {
  pair_state x;
  BOOST_REQUIRE(!x.perform(1, deed::ask_by_default));
  BOOST_REQUIRE(!x.perform(0, deed::subscribe));
  BOOST_REQUIRE(!x.settle());
  BOOST_REQUIRE(!x.run(
    1, [](roster_rules& r) { BOOST_TEST(!r.admit(one_of_pair(0), 2)); }));
  BOOST_TEST(x.is_quiet());
  BOOST_REQUIRE(!x.run(
    0, [](roster_rules& r) { BOOST_TEST(!r.expects(one_of_pair(1), 9)); }));
  BOOST_TEST(x.is_quiet());
  BOOST_TEST((to_of(x) == half::pending));
}

BOOST_AUTO_TEST_CASE(a_blocked_watcher_is_admitted_like_others) {
  pair_state x;
  BOOST_REQUIRE(!x.perform(1, deed::block));
  BOOST_REQUIRE(!x.perform(0, deed::subscribe));
  BOOST_REQUIRE(!x.settle());
  BOOST_TEST((to_of(x) == half::active));
  auto number = x.disks[0].items.at(one_of_pair(1)).asked;
  BOOST_REQUIRE(!x.run(
    1, [&](roster_rules& r) { BOOST_TEST(r.admit(one_of_pair(0), number)); }));
  BOOST_TEST(x.is_quiet());
}

BOOST_AUTO_TEST_CASE(a_watcher_that_is_unblocked_sees_without_asking_again) {
  pair_state x;
  BOOST_REQUIRE(!x.perform(1, deed::block));
  BOOST_REQUIRE(!x.perform(0, deed::subscribe));
  BOOST_REQUIRE(!x.settle());
  BOOST_REQUIRE(x.disks[1].items.at(one_of_pair(0)).pretended);
  BOOST_REQUIRE(!x.perform(1, deed::unblock));
  // It was told already.
  BOOST_TEST(x.is_quiet());
  const auto& item = x.disks[1].items.at(one_of_pair(0));
  BOOST_TEST(!item.pretended);
  BOOST_TEST((item.what.subscription.from == half::active));
  BOOST_TEST(x.disks[1].head.watchers == 1u);
  BOOST_TEST(!x.wrong());
}

BOOST_AUTO_TEST_CASE(one_approved_while_blocked_sees_without_asking_again) {
  pair_state x;
  BOOST_REQUIRE(!x.perform(1, deed::block));
  BOOST_REQUIRE(!x.perform(1, deed::ask_by_default));
  BOOST_REQUIRE(!x.perform(0, deed::subscribe));
  BOOST_REQUIRE(!x.settle());
  BOOST_REQUIRE(!x.perform(1, deed::approve));
  BOOST_TEST(x.is_quiet());
  BOOST_REQUIRE(!x.perform(1, deed::unblock));
  BOOST_TEST(x.is_quiet());
  BOOST_TEST((to_of(x) == half::active));
  const auto& item = x.disks[1].items.at(one_of_pair(0));
  BOOST_TEST((item.what.subscription.from == half::active));
  BOOST_TEST(!item.what.preapproved);
  BOOST_TEST(!x.wrong());
}

BOOST_AUTO_TEST_CASE(one_unblocked_by_a_user_who_asks_waits_as_a_request) {
  for (bool approves : {true, false}) {
    pair_state x;
    BOOST_REQUIRE(!x.perform(1, deed::block));
    BOOST_REQUIRE(!x.perform(1, deed::ask_by_default));
    BOOST_REQUIRE(!x.perform(0, deed::subscribe));
    BOOST_REQUIRE(!x.settle());
    BOOST_REQUIRE(!x.perform(1, deed::unblock));
    BOOST_TEST(x.disks[1].head.watchers == 0u);
    BOOST_TEST(x.disks[1].head.requests == 1u);
    BOOST_REQUIRE(!x.settle());
    BOOST_TEST((to_of(x) == half::pending));
    BOOST_TEST(!x.wrong());
    // Whatever is decided, both agree on it then.
    BOOST_REQUIRE(!x.perform(1, approves ? deed::approve : deed::deny));
    BOOST_REQUIRE(!x.settle());
    BOOST_TEST((to_of(x) == (approves ? half::active : half::none)));
    BOOST_TEST(x.disks[1].head.watchers == (approves ? 1u : 0u));
    BOOST_TEST(!x.wrong());
  }
}

// The wish is sent again where the word that it came was lost, and who denied
// it may have forgotten its number with the entry.
BOOST_AUTO_TEST_CASE(a_wish_that_comes_again_after_its_denial_is_no_new_one) {
  auto x = subscribed();
  const auto number = x.disks[0].items.at(one_of_pair(1)).asked;
  BOOST_REQUIRE(!x.perform(1, deed::deny));
  BOOST_REQUIRE(!x.settle());
  BOOST_TEST((to_of(x) == half::none));
  BOOST_TEST(!x.disks[1].items.contains(one_of_pair(0)));
  BOOST_REQUIRE(!x.run(1, [number](roster_rules& r) {
    r.receive({one_of_pair(0), one_of_pair(1),
                subscription_note::kind::subscribe, number},
      policy{}, number + 1);
  }));
  BOOST_REQUIRE(!x.settle());
  BOOST_TEST((to_of(x) == half::none));
  BOOST_TEST(x.disks[1].head.watchers == 0u);
  BOOST_TEST(!x.wrong());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace parley::test
