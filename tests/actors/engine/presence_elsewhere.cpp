#include "tests/actors/engine/presence_cases.hpp"

#include "tests/actors/engine/halves.hpp"

// Contacts of other domains than the server's own.
namespace parley::test {

namespace {

using namespace presence;
using namespace std::chrono_literals;

const std::string dave = "dave@elsewhere.net";

add_contacts adding(const std::string& whom) {
  return add_contacts{{{whom, {}, {}}}};
}

BOOST_AUTO_TEST_SUITE(presence_elsewhere)

BOOST_AUTO_TEST_CASE(a_request_waits_for_an_account_that_is_made_later) {
  for (bool restarts : {false, true})
    in_any_order([restarts](engine& e) {
      auto& a = e.sign_in(alice, "desk");
      a.follow_contacts();
      auto n = a.request(subscribe{user(dave)});
      e.settle();
      BOOST_TEST(a.answer_to(n) == "done");
      e.advance(3min);
      auto* entry = a.screen.find(user(dave));
      BOOST_REQUIRE(entry);
      BOOST_TEST((entry->subscription.to == half::pending));
      e.make_account(dave);
      if (restarts)
        a.sign_out();
      auto& d = e.sign_in(dave, "phone");
      d.follow_contacts();
      e.advance(2min);
      if (restarts)
        a.sign_in({}, {});
      e.settle();
      BOOST_TEST(sees(a, dave) == "phone=available");
      BOOST_TEST(disagreements(*e.db, {user(alice), user(dave)}).empty());
      BOOST_TEST(open_notes(*e.db) == 0u);
    });
}

BOOST_AUTO_TEST_CASE(it_waits_through_a_power_cut) {
  for (uint64_t seed = 1; seed <= seeds; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) {
      auto e = std::make_unique<engine>(seed, policy{});
      e->make_account(alice);
      e->sign_in(alice, "desk").request(subscribe{user(dave)});
      e->settle();
      engine::restart(e);
      e->advance(3min);
      e->make_account(dave);
      e->sign_in(dave, "phone");
      auto& a = e->sign_in(alice, "desk");
      e->advance(2min);
      BOOST_TEST(sees(a, dave) == "phone=available");
      BOOST_TEST(open_notes(*e->db) == 0u);
    }
}

// What was asked of an account does not reach a later one of its name.
BOOST_AUTO_TEST_CASE(one_that_meets_the_end_of_its_account_is_refused) {
  for (const bool has_list : {false, true})
    in_any_order([has_list](engine& e) {
      e.make_account(dave);
      if (has_list)
        e.sign_in(dave, "phone").request(adding(user(carol).str()));
      e.settle();
      auto& a = e.sign_in(alice, "desk");
      a.follow_contacts();
      e.hold_roster_writes();
      a.request(subscribe{user(dave)});
      e.settle(); // checked, and not yet on its way
      auto& r = e.routers[slot_of(user(dave)) % 2];
      audit_entry line{e.world->wall_clock(), "tester", "user remove", {}, {}};
      e.ask<account_removed>(
        router_actor{r}, remove_atom::value, user(dave), line);
      e.settle();
      e.let_roster_writes_go();
      e.settle();
      e.advance(2min);
      auto* entry = a.screen.find(user(dave));
      BOOST_REQUIRE(entry);
      BOOST_TEST((entry->subscription.to == half::none));
      BOOST_TEST(open_notes(*e.db) == 0u);
      e.make_account(dave);
      e.sign_in(dave, "phone");
      e.advance(2min);
      BOOST_TEST(sees(a, dave) == "");
      BOOST_TEST((entry_of(*e.db, user(dave), user(alice)).what.subscription
        == subscription_state{}));
    });
}

BOOST_AUTO_TEST_CASE(one_who_takes_it_back_before_that_is_not_subscribed) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    a.request(subscribe{user(dave)});
    e.advance(2min);
    a.request(unsubscribe{user(dave)});
    e.settle();
    BOOST_TEST(open_notes(*e.db) == 0u);
    e.make_account(dave);
    e.sign_in(dave, "phone");
    e.advance(2min);
    BOOST_TEST(sees(a, dave) == "");
    BOOST_TEST(disagreements(*e.db, {user(alice), user(dave)}).empty());
  });
}

BOOST_AUTO_TEST_CASE(a_name_that_nobody_has_is_refused_where_others_are_known) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    auto before = a.request(adding("erin@elsewhere.net"));
    e.settle();
    BOOST_TEST(a.answer_to(before) == "done");
    e.make_account(dave);
    auto typo = a.request(adding("dvae@elsewhere.net"));
    auto asked = a.request(subscribe{user("dvae@elsewhere.net")});
    auto there = a.request(adding(dave));
    auto foreign = a.request(adding("dave@example.com"));
    e.settle();
    BOOST_TEST(a.answer_to(typo) == "no_such_user");
    BOOST_TEST(a.answer_to(asked) == "no_such_user");
    BOOST_TEST(a.answer_to(there) == "done");
    BOOST_TEST(a.answer_to(foreign) == "done");
    // A domain stays known.
    e.remove_account(dave);
    auto gone = e.sign_in(bob, "desk").request(adding(dave));
    e.settle();
    BOOST_TEST(e.clients.back()->answer_to(gone) == "no_such_user");
  });
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
