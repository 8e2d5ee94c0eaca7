#include "tests/actors/engine/presence_cases.hpp"

#include "protocol/defaults.hpp"
#include "tests/actors/engine/halves.hpp"

// What users see of each other, told case by case, under many orders of events.
namespace parley::test {

namespace {

using namespace presence;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(presence_scenarios)

BOOST_AUTO_TEST_CASE(two_users_subscribe_and_see_each_other) {
  // Bob and Carol live on one router, Alice on another.
  for (auto& other : {alice, carol})
    in_any_order([&other](engine& e) {
      auto& b = e.sign_in(bob, "phone");
      auto& o = e.sign_in(other, "desk");
      for (auto* c : {&b, &o})
        c->follow_contacts();
      b.request(subscribe{user(other)});
      o.request(subscribe{user(bob)});
      e.settle();
      BOOST_TEST(sees(b, other) == "desk=available");
      BOOST_TEST(sees(o, bob) == "phone=available");
      for (auto* c : {&b, &o}) {
        auto* entry = c->screen.find(user(c == &b ? other : bob));
        BOOST_REQUIRE(entry);
        BOOST_TEST((entry->subscription
          == subscription_state{half::active, half::active}));
      }
      b.set_availability({show::dnd, "", 0});
      e.settle();
      BOOST_TEST(sees(o, bob) == "phone=dnd");
      auto n = b.request(remove_contacts{{other + "@example.org"}});
      e.settle();
      BOOST_TEST(b.answer_to(n) == "done");
      BOOST_TEST(sees(o, bob) == "");
      BOOST_TEST(sees(b, other) == "");
      BOOST_TEST(!b.screen.find(user(other)));
      BOOST_TEST(e.live_presence().subscriptions == 0u);
    });
}

BOOST_AUTO_TEST_CASE(who_comes_and_goes_is_told_of_once) {
  in_any_order([](engine& e) {
    auto& a = alice_who_sees_bob(e);
    BOOST_TEST(told(a, bob).empty());
    auto& b = e.sign_in(bob, "phone");
    BOOST_TEST(told(a, bob) == texts{"phone=available"});
    b.sign_out();
    e.settle();
    BOOST_TEST(told(a, bob) == (texts{"phone=available", "phone=unavailable"}));
    e.advance(2s);
    BOOST_TEST(e.live_presence().subscriptions == 0u);
    BOOST_TEST(e.live_presence().rosters == 1u);
    auto& b2 = e.sign_in(bob, "desk");
    BOOST_TEST(sees(a, bob) == "desk=available");
    // One who comes later sees it, too.
    auto& a2 = e.sign_in(alice, "phone");
    BOOST_TEST(told(a2, bob) == texts{"desk=available"});
    for (auto* c : {&a, &a2, &b2})
      c->sign_out();
    e.advance(2s);
    BOOST_TEST(e.live_presence().subscriptions == 0u);
    BOOST_TEST(e.live_presence().rosters == 0u);
  });
}

BOOST_AUTO_TEST_CASE(who_is_blocked_before_it_comes_sees_nothing_of_that) {
  in_any_order([](engine& e) {
    auto& a = alice_who_sees_bob(e);
    auto& b = e.sign_in(bob, "desk", {show::unavailable, "", 0});
    set_privacy x;
    x.block = {user(alice)};
    b.request_all({x, set_availability{{show::available, "", 0}}});
    e.settle();
    BOOST_TEST(told(a, bob).empty());
  });
}

BOOST_AUTO_TEST_CASE(who_leaves_has_a_last_word) {
  in_any_order([](engine& e) {
    auto& a = alice_who_sees_bob(e);
    auto& desk = e.sign_in(bob, "desk");
    auto& phone = e.sign_in(bob, "phone");
    desk.set_availability({show::unavailable, "at lunch", 0});
    e.settle();
    const texts here{"desk=available", "phone=available"};
    const std::string gone = "desk=unavailable: at lunch";
    BOOST_TEST(told(phone, bob).back() == gone);
    BOOST_TEST(told(a, bob).back() == gone);
    // No second word, and none of a session that ends by itself.
    desk.set_availability({show::unavailable, "still away", 0});
    desk.sign_out();
    phone.sign_out();
    e.settle();
    BOOST_TEST(told(a, bob).back() == "phone=unavailable");
    BOOST_TEST(told(a, bob).size() == here.size() + 2);
  });
}

BOOST_AUTO_TEST_CASE(a_last_word_that_waits_is_told_before_the_end) {
  in_any_order([](engine& e) {
    auto& a = alice_who_sees_bob(e);
    auto& b = e.sign_in(bob, "desk");
    // As long as nothing is held for the rate, one more is not.
    for (size_t i = 0; e.live_presence().held_changes == 0; ++i) {
      b.set_availability({i % 2 == 0 ? show::away : show::xa, "", 0});
      e.settle();
    }
    b.set_availability({show::unavailable, "bye", 0});
    b.sign_out();
    e.settle();
    BOOST_TEST(told(a, bob).back() == "desk=unavailable: bye");
  });
}

BOOST_AUTO_TEST_CASE(a_suspension_is_told_to_nobody_and_its_end_once) {
  in_any_order([](engine& e) {
    auto& a = alice_who_sees_bob(e);
    auto& b = e.sign_in(bob, "phone");
    b.cut();
    e.advance(59s);
    BOOST_TEST(told(a, bob) == texts{"phone=available"});
    b.resume();
    e.advance(10s);
    BOOST_TEST(told(a, bob) == texts{"phone=available"});
    b.cut();
    e.advance(62s);
    BOOST_TEST(told(a, bob) == (texts{"phone=available", "phone=unavailable"}));
  });
}

BOOST_AUTO_TEST_CASE(after_a_resume_everything_is_told_anew) {
  in_any_order([](engine& e) {
    auto& a = alice_who_sees_bob(e);
    auto& b1 = e.sign_in(bob, "phone");
    e.sign_in(bob, "desk");
    a.cut();
    e.settle();
    b1.sign_out();
    auto n = b1.times_in;
    e.settle();
    e.sign_in(carol, "desk").request(subscribe{user(alice)});
    e.settle();
    a.resume();
    e.settle();
    BOOST_TEST(n == 1u);
    BOOST_TEST(a.resumed);
    BOOST_TEST(a.screen.resets == 1u);
    BOOST_TEST(sees(a, bob) == "desk=available");
    // The list was told anew, by the version that the client had.
    auto* c = a.screen.find(user(carol));
    BOOST_REQUIRE(c);
    BOOST_TEST((c->subscription.from == half::active));
    BOOST_TEST(!c->listed);
  });
}

BOOST_AUTO_TEST_CASE(sharing_switched_off_hides_everybody_and_on_shows_all) {
  in_any_order([](engine& e) {
    auto& a = alice_who_sees_bob(e);
    a.request(subscribe{user(carol)});
    auto& b = e.sign_in(bob, "phone");
    e.set("presence.sharing", "off");
    BOOST_TEST(sees(a, bob) == "unknown");
    BOOST_TEST(sees(a, carol) == "unknown");
    b.set_availability({show::away, "", 0});
    e.settle();
    auto& late = e.sign_in(alice, "phone");
    e.sign_in(carol, "desk");
    for (auto* c : {&a, &late})
      for (auto& whom : {bob, carol})
        BOOST_TEST(sees(*c, whom) == "unknown");
    // Its own are not hidden.
    BOOST_TEST(sees(late, alice) == "desk=available");
    e.set("presence.sharing", "on");
    for (auto* c : {&a, &late}) {
      BOOST_TEST(sees(*c, bob) == "phone=away");
      BOOST_TEST(sees(*c, carol) == "desk=available");
    }
  });
}

BOOST_AUTO_TEST_CASE(a_user_stops_sharing_and_shares_again) {
  in_any_order([](engine& e) {
    auto& a = alice_who_sees_bob(e);
    auto& b = e.sign_in(bob, "phone");
    set_privacy x;
    x.sharing = sharing::off;
    b.request(x);
    e.settle();
    BOOST_TEST(sees(a, bob) == "unknown");
    b.set_availability({show::away, "", 0});
    e.settle();
    x.sharing = sharing::by_default;
    b.request(x);
    e.settle();
    BOOST_TEST(sees(a, bob) == "phone=away");
    BOOST_TEST(
      told(a, bob) == (texts{"phone=available", "=unknown", "phone=away"}));
  });
}

BOOST_AUTO_TEST_CASE(who_is_blocked_sees_nobody_until_it_is_not) {
  in_any_order([](engine& e) {
    auto& a = alice_who_sees_bob(e);
    auto& b = e.sign_in(bob, "phone");
    b.request(blocking({user(alice)}));
    e.settle();
    BOOST_TEST(sees(a, bob) == "");
    b.set_availability({show::away, "", 0});
    e.settle();
    auto& late = e.sign_in(alice, "phone");
    BOOST_TEST(told(late, bob).empty());
    b.request(blocking({}));
    e.settle();
    BOOST_TEST(sees(a, bob) == "phone=away");
    BOOST_TEST(sees(late, bob) == "phone=away");
  });
}

BOOST_AUTO_TEST_CASE(auto_approval_decides_for_one_who_is_not_there) {
  in_any_order(
    [](engine& e) {
      auto& a = alice_who_sees_bob(e);
      BOOST_REQUIRE(a.screen.find(user(bob)));
      BOOST_TEST((a.screen.find(user(bob))->subscription.to == half::pending));
      e.advance(2s);
      e.set("presence.auto_approve", "on");
      e.advance(2s);
      BOOST_TEST((a.screen.find(user(bob))->subscription.to == half::active));
      e.sign_in(bob, "phone");
      BOOST_TEST(sees(a, bob) == "phone=available");
      BOOST_TEST(open_notes(*e.db) == 0u);
    },
    asking());
}

BOOST_AUTO_TEST_CASE(a_request_waits_for_one_who_is_not_there) {
  in_any_order(
    [](engine& e) {
      auto& a = alice_who_sees_bob(e);
      e.advance(2s);
      auto& b = e.sign_in(bob, "phone");
      b.follow_contacts();
      e.settle();
      auto* asked = b.screen.find(user(alice));
      BOOST_REQUIRE(asked);
      BOOST_TEST((asked->subscription.from == half::pending));
      BOOST_TEST(sees(a, bob) == "");
      b.request(approve{user(alice)});
      e.settle();
      BOOST_TEST(sees(a, bob) == "phone=available");
      b.request(deny{user(alice)});
      e.settle();
      BOOST_TEST(sees(a, bob) == "");
      BOOST_TEST((a.screen.find(user(bob))->subscription.to == half::none));
    },
    asking());
}

BOOST_AUTO_TEST_CASE(of_changes_that_come_too_fast_the_last_is_told) {
  in_any_order([](engine& e) {
    auto& a = alice_who_sees_bob(e);
    auto& b = e.sign_in(bob, "phone");
    auto& other = e.sign_in(bob, "desk");
    for (int i = 0; i < 1'000; ++i) {
      b.set_availability({i % 2 ? show::away : show::dnd, "", 0});
      if (i % 50 == 0)
        e.settle();
    }
    b.set_availability({show::xa, "", 0});
    e.settle();
    auto few = static_cast<size_t>(defaults::presence_changes_burst) + 5;
    BOOST_TEST(told(a, bob).size() < few);
    BOOST_TEST(e.live_presence().held_changes > 900u);
    // Another endpoint's are told as ever.
    other.set_availability({show::chat, "", 0});
    e.settle();
    BOOST_TEST(sees(a, bob).starts_with("desk=chat"));
    e.advance(1s);
    BOOST_TEST(sees(a, bob) == "desk=chat phone=xa");
    BOOST_TEST(told(other, bob).size() < few);
    // After a while without a change they are told at once again.
    e.advance(10s);
    b.set_availability({show::available, "", 0});
    e.settle();
    BOOST_TEST(sees(a, bob) == "desk=chat phone=available");
  });
}

BOOST_AUTO_TEST_CASE(who_leaves_while_a_change_waits_is_seen_to_leave) {
  in_any_order([](engine& e) {
    auto& a = alice_who_sees_bob(e);
    auto& b = e.sign_in(bob, "phone");
    for (int i = 0; i < 200; ++i) {
      b.set_availability({i % 2 ? show::away : show::dnd, "", 0});
      if (i % 20 == 0)
        e.settle();
    }
    b.sign_out();
    e.settle();
    BOOST_TEST(sees(a, bob) == "");
    e.advance(2s);
    BOOST_TEST(sees(a, bob) == "");
    BOOST_TEST(e.live_presence().subscriptions == 0u);
  });
}

BOOST_AUTO_TEST_CASE(who_comes_while_another_leaves_shows_nothing_stale) {
  in_any_order([](engine& e) {
    auto& a = alice_who_sees_bob(e);
    auto& b = e.client(bob, "phone");
    for (size_t steps = 0; steps < 20; ++steps) {
      a.sign_out();
      b.sign_in();
      e.settle();
      a.sign_in();
      for (size_t i = 0; i < steps; ++i)
        e.system.step();
      b.sign_out();
      e.settle();
      BOOST_TEST(sees(a, bob) == "", "after " << steps << " steps");
      BOOST_TEST(e.live_presence().subscriptions == 0u);
    }
  });
}

BOOST_AUTO_TEST_CASE(who_leaves_while_another_comes_is_kept_by_nobody) {
  in_any_order([](engine& e) {
    auto& a = alice_who_sees_bob(e);
    auto& b = e.client(bob, "phone");
    for (size_t steps = 0; steps < 20; ++steps) {
      b.sign_in();
      for (size_t i = 0; i < steps; ++i)
        e.system.step();
      a.sign_out();
      e.settle();
      b.sign_out();
      e.advance(1s);
      BOOST_TEST(e.live_presence().rosters == 0u, "after " << steps);
      a.sign_in();
      e.settle();
    }
  });
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
