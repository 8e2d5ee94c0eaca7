#include "tests/actors/engine/presence_cases.hpp"

#include "tests/actors/engine/halves.hpp"

// Ad-hoc watches that end, or must not begin, while something else is under
// way; and what slow clients are told of it.
namespace parley::test {

namespace {

using namespace presence;
using namespace std::chrono_literals;

set_privacy asks_all() {
  set_privacy x;
  x.approve = approval::ask;
  return x;
}

/// Alice's desk, subscribed to Bob, whom he was asked about.
simulated_client& alice_whom_bob_approved(engine& e, simulated_client& b) {
  b.request(asks_all());
  e.settle();
  auto& a = alice_who_sees_bob(e);
  b.request(approve{user(alice)});
  e.settle();
  BOOST_TEST(sees(a, bob) == "desk=available");
  return a;
}

BOOST_AUTO_TEST_SUITE(presence_revoking)

BOOST_AUTO_TEST_CASE(who_is_denied_does_not_go_on_watching_ad_hoc) {
  for (const bool removes : {false, true})
    in_any_order([removes](engine& e) {
      auto& b = e.sign_in(bob, "desk");
      auto& a = alice_whom_bob_approved(e, b);
      a.request(watch{user(bob), 600});
      e.settle();
      if (removes)
        b.request(remove_contacts{{std::string{alice} + "@example.org"}});
      else
        b.request(deny{user(alice)});
      e.settle();
      const auto before = told(a, bob).size();
      b.set_availability({show::dnd, "a secret", 0});
      e.settle();
      BOOST_TEST(told(a, bob).size() == before);
      // By what it loses last.
      BOOST_TEST((sees(a, bob) == "unknown" || sees(a, bob) == ""));
      BOOST_TEST(a.screen.ended.size() == 1u);
      BOOST_TEST(e.live_presence().subscriptions == 0u);
    });
}

BOOST_AUTO_TEST_CASE(a_rule_holds_for_a_watch_that_was_just_allowed) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    auto& b = e.sign_in(bob, "desk");
    // Between the leave and the beginning is little room.
    for (int i = 0; i < 20; ++i) {
      a.request(watch{user(bob), 600});
      b.request(asks_all());
      e.settle();
      const auto before = told(a, bob).size();
      b.set_availability({i % 2 ? show::away : show::dnd, "a secret", 0});
      e.settle();
      BOOST_TEST(told(a, bob).size() == before);
      BOOST_TEST(!a.screen.watches.contains(user(bob)));
      set_privacy lets_all;
      lets_all.approve = approval::by_default;
      b.request(lets_all);
      e.settle();
    }
  });
}

BOOST_AUTO_TEST_CASE(approval_by_the_policy_ends_for_those_who_watch) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    auto& c = e.sign_in(carol, "desk");
    auto& b = e.sign_in(bob, "desk");
    set_privacy lets_carol;
    lets_carol.allow = {user(carol)};
    b.request(lets_carol);
    for (auto* x : {&a, &c})
      x->request(watch{user(bob), 600});
    e.settle();
    e.set("presence.auto_approve", "off");
    e.settle();
    b.set_availability({show::away, "", 0});
    e.settle();
    BOOST_TEST(sees(a, bob) == "unknown");
    BOOST_TEST(a.screen.ended.size() == 1u);
    BOOST_TEST(sees(c, bob) == "desk=away");
  });
}

BOOST_AUTO_TEST_CASE(no_watch_begins_once_the_policy_has_none) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    e.sign_in(bob, "desk");
    a.request(watch{user(bob), 600});
    e.set("presence.adhoc", "off");
    e.settle();
    BOOST_TEST(!a.screen.watches.contains(user(bob)));
    BOOST_TEST(e.live_presence().subscriptions == 0u);
    BOOST_TEST(e.live_presence().adhoc == 0);
  });
}

BOOST_AUTO_TEST_CASE(the_end_of_a_watch_is_not_overtaken_by_its_beginning) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    auto& b = e.sign_in(bob, "desk");
    for (const bool renews : {false, true}) {
      if (renews) {
        a.request(watch{user(bob), 600});
        e.settle();
      }
      a.request(watch{user(bob), 600});
      a.request(watch{user(bob), 0});
      e.settle();
      const auto before = told(a, bob).size();
      b.set_availability({renews ? show::away : show::dnd, "", 0});
      e.settle();
      BOOST_TEST(told(a, bob).size() == before);
      BOOST_TEST(!a.screen.watches.contains(user(bob)));
      BOOST_TEST(e.live_presence().subscriptions == 0u);
    }
    // One after it is one.
    for (auto seconds : {600, 0, 600})
      a.request(watch{user(bob), static_cast<uint64_t>(seconds)});
    e.settle();
    BOOST_TEST(sees(a, bob) == "desk=away");
    BOOST_TEST(a.screen.watches.contains(user(bob)));
  });
}

BOOST_AUTO_TEST_CASE(a_renewal_under_way_takes_no_second_place) {
  policy rules;
  rules.presence_adhoc_max = 2;
  in_any_order(
    [](engine& e) {
      auto& a = e.sign_in(alice, "desk");
      a.request(watch{user(bob), 60});
      e.settle();
      a.request(watch{user(bob), 600});
      auto other = a.request(watch{user(carol), 60});
      e.settle();
      BOOST_TEST(a.answer_to(other) == "done");
    },
    rules);
}

BOOST_AUTO_TEST_CASE(a_place_that_an_ad_hoc_watcher_leaves_is_taken) {
  auto rules = asking();
  rules.watchers_max = 1;
  for (const bool leaves : {false, true})
    in_any_order(
      [leaves](engine& e) {
        auto& b = e.sign_in(bob, "desk");
        set_privacy lets_carol;
        lets_carol.allow = {user(carol)};
        b.request(lets_carol);
        auto& a = e.sign_in(alice, "desk");
        a.request(subscribe{user(bob)});
        e.settle();
        auto& c = e.sign_in(carol, "desk");
        c.request(watch{user(bob), 600});
        e.settle();
        e.set("presence.auto_approve", "on");
        e.advance(1s);
        auto is_in = [&e] {
          return entry_of(*e.db, user(bob), user(alice)).what.subscription.from
            == half::active;
        };
        BOOST_TEST(!is_in());
        if (leaves)
          c.sign_out();
        else
          c.request(watch{user(bob), 0});
        e.settle();
        BOOST_TEST(is_in());
        BOOST_TEST(sees(a, bob) == "desk=available");
      },
      rules);
}

BOOST_AUTO_TEST_CASE(whom_one_watched_first_is_not_unknown_once_subscribed_to) {
  in_any_order([](engine& e) {
    e.set("presence.sharing", "off");
    e.set("presence.sharing_override", "on");
    auto& b = e.sign_in(bob, "desk");
    set_privacy shares;
    shares.sharing = sharing::on;
    b.request(shares);
    auto& a = e.sign_in(alice, "desk");
    a.request(watch{user(bob), 5});
    e.settle();
    a.request(subscribe{user(bob)});
    e.settle();
    BOOST_TEST(sees(a, bob) == "desk=available");
    e.advance(10s);
    b.sign_out();
    e.advance(3s);
    BOOST_TEST(sees(a, bob) == "");
  });
}

BOOST_AUTO_TEST_CASE(
  who_left_while_it_was_watched_is_let_go_of_with_the_watch) {
  in_any_order([](engine& e) {
    auto& a = alice_who_sees_bob(e);
    auto& b = e.sign_in(bob, "desk");
    a.request(watch{user(bob), 5});
    e.settle();
    b.sign_out();
    e.advance(10s);
    BOOST_TEST(e.live_presence().subscriptions == 0u);
    e.set("presence.sharing", "off");
    e.settle();
    BOOST_TEST(sees(a, bob) == "unknown");
  });
}

BOOST_AUTO_TEST_CASE(who_is_blocked_and_let_in_again_at_once_is_shown) {
  in_any_order([](engine& e) {
    auto& a = alice_who_sees_bob(e);
    auto& b = e.sign_in(bob, "desk");
    for (int i = 0; i < 3; ++i) {
      b.request(blocking({user(alice)}));
      b.request(blocking({}));
      e.settle();
      BOOST_TEST(sees(a, bob) == "desk=available");
    }
  });
}

// -- the end of a watch of a contact

/// Alice sees Bob by her subscription and watches him besides; runs `what`, and
/// then all comes to rest.
template <class What>
void amid_a_watch_of_a_contact(What what) {
  constexpr uint64_t seeds = 100;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    engine e{seed, policy{}};
    for (const auto& name : {alice, bob})
      e.make_account(name);
    auto& a = alice_who_sees_bob(e);
    auto& b = e.sign_in(bob, "phone");
    a.request(watch{user(bob), 600});
    e.settle();
    what(a, b, [&e](uint64_t most) {
      for (auto n = e.system.random()() % most; n > 0; --n)
        e.system.step();
    });
    e.settle();
    e.advance(5s);
    BOOST_TEST(sees(a, bob) == "phone=available", "seed " << seed);
  }
}

BOOST_AUTO_TEST_CASE(a_contact_that_came_back_is_seen_when_a_watch_ends) {
  amid_a_watch_of_a_contact([](auto& a, auto& b, auto some_steps) {
    b.set_availability({show::unavailable, "", 0});
    some_steps(12);
    b.set_availability({show::available, "", 0});
    some_steps(12);
    a.request(watch{user(bob), 0});
  });
}

BOOST_AUTO_TEST_CASE(a_contact_that_comes_back_is_seen_when_a_watch_has_ended) {
  amid_a_watch_of_a_contact([](auto& a, auto& b, auto some_steps) {
    a.request(watch{user(bob), 0});
    some_steps(12);
    b.set_availability({show::unavailable, "", 0});
    some_steps(12);
    b.set_availability({show::available, "", 0});
  });
}

BOOST_AUTO_TEST_CASE(a_contact_that_blocked_for_a_moment_is_seen) {
  amid_a_watch_of_a_contact([](auto& a, auto& b, auto some_steps) {
    b.request(blocking({user(alice)}));
    some_steps(20);
    b.request(blocking({}));
    some_steps(20);
    a.request(watch{user(bob), 0});
  });
}

BOOST_AUTO_TEST_CASE(timers_do_not_become_more_with_changes_amid_a_watch) {
  engine e{1, policy{}};
  for (const auto& name : {alice, bob})
    e.make_account(name);
  auto& a = alice_who_sees_bob(e);
  a.request(watch{user(bob), 3'600});
  e.settle();
  auto& clock = dynamic_cast<caf::scheduler::test_coordinator&>(
    e.system.system().scheduler())
                  .clock();
  const auto before = clock.schedule().size();
  for (int i = 0; i < 400; ++i) {
    a.set_availability({i % 2 ? show::available : show::away, "", 0});
    e.advance(25ms);
  }
  BOOST_TEST(clock.schedule().size() <= before + 4);
}

// -- slow clients

BOOST_AUTO_TEST_CASE(what_was_held_back_is_told_in_its_order) {
  in_any_order([](engine& e) {
    auto& a = alice_who_sees_bob(e);
    auto& b1 = e.sign_in(bob, "a");
    auto& b2 = e.sign_in(bob, "b");
    e.settle();
    const auto before = told(a, bob).size();
    a.set_slow(true);
    for (auto what : {show::xa, show::away}) {
      b2.set_availability({what, "", 0});
      e.settle();
      // Its notice has the line of the whole user: it is to be the last.
      b1.set_availability({show::dnd, to_string(what).data(), 0});
      e.settle();
    }
    a.set_slow(false);
    e.settle();
    auto heard = told(a, bob);
    heard.erase(
      heard.begin(), heard.begin() + static_cast<std::ptrdiff_t>(before));
    BOOST_TEST(heard == (texts{"b=away", "a=dnd"}));
  });
}

BOOST_AUTO_TEST_CASE(the_end_of_a_watch_comes_behind_its_beginning) {
  for (const bool again : {false, true})
    in_any_order([again](engine& e) {
      auto& a = e.sign_in(alice, "desk");
      e.sign_in(bob, "desk");
      a.set_slow(true);
      a.take_nothing(true);
      a.request(watch{user(bob), 1});
      e.advance(3s);
      BOOST_TEST(a.screen.ended.empty());
      if (again)
        a.request(watch{user(bob), 600});
      e.settle();
      a.take_nothing(false);
      a.set_slow(false);
      e.settle();
      BOOST_TEST(a.screen.ended.size() == 1u);
      BOOST_TEST(a.screen.watches.contains(user(bob)) == again);
      BOOST_TEST(sees(a, bob) == (again ? "desk=available" : "unknown"));
    });
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
