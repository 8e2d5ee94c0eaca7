#include "tests/actors/engine/presence_cases.hpp"

#include "tests/actors/engine/halves.hpp"

#include <algorithm>

// Ad-hoc watches: for a limited time, of one endpoint.
namespace parley::test {

namespace {

using namespace presence;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(presence_watching)

BOOST_AUTO_TEST_CASE(a_watch_shows_somebody_to_one_endpoint_for_its_time) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    auto& other = e.sign_in(alice, "phone");
    auto& b = e.sign_in(bob, "phone");
    a.request(watch{user(bob), 60});
    e.settle();
    BOOST_TEST(sees(a, bob) == "phone=available");
    BOOST_TEST(told(other, bob).empty());
    b.set_availability({show::away, "", 0});
    e.advance(50s);
    BOOST_TEST(sees(a, bob) == "phone=away");
    a.request(watch{user(bob), 60});
    e.advance(50s);
    BOOST_TEST(sees(a, bob) == "phone=away");
    BOOST_TEST(a.screen.ended.empty());
    e.advance(12s);
    BOOST_TEST(sees(a, bob) == "unknown");
    BOOST_TEST(a.screen.ended.size() == 1u);
    b.set_availability({show::dnd, "", 0});
    e.settle();
    BOOST_TEST(sees(a, bob) == "unknown");
    BOOST_TEST(e.live_presence().subscriptions == 0u);
  });
}

BOOST_AUTO_TEST_CASE(each_endpoint_has_a_watch_of_its_own) {
  in_any_order([](engine& e) {
    auto& a1 = e.sign_in(alice, "desk");
    auto& a2 = e.sign_in(alice, "phone");
    auto& b = e.sign_in(bob, "phone");
    a1.request(watch{user(bob), 60});
    a2.request(watch{user(bob), 600});
    e.advance(62s);
    b.set_availability({show::away, "", 0});
    e.settle();
    BOOST_TEST(sees(a1, bob) == "unknown");
    BOOST_TEST(sees(a2, bob) == "phone=away");
    a2.request(watch{user(bob), 0});
    e.settle();
    BOOST_TEST(sees(a2, bob) == "unknown");
    BOOST_TEST(a2.screen.ended.size() == 1u);
  });
}

BOOST_AUTO_TEST_CASE(a_watch_that_becomes_a_subscription_ends_unseen) {
  in_any_order([](engine& e) {
    auto& a1 = e.sign_in(alice, "desk");
    auto& a2 = e.sign_in(alice, "phone");
    e.sign_in(bob, "phone");
    a1.request(watch{user(bob), 60});
    e.settle();
    a2.request(subscribe{user(bob)});
    e.settle();
    BOOST_TEST(sees(a2, bob) == "phone=available");
    e.advance(62s);
    BOOST_TEST(a1.screen.ended.size() == 1u);
    for (auto* c : {&a1, &a2})
      BOOST_TEST(told(*c, bob) == texts{"phone=available"});
    // And the other way round.
    a1.request(watch{user(bob), 60});
    a2.request(unsubscribe{user(bob)});
    e.settle();
    BOOST_TEST(sees(a2, bob) == "");
    e.advance(62s);
    BOOST_TEST(sees(a1, bob) == "unknown");
  });
}

BOOST_AUTO_TEST_CASE(a_watch_that_becomes_a_subscription_shows_to_all) {
  in_any_order([](engine& e) {
    auto& a1 = e.sign_in(alice, "desk");
    auto& a2 = e.sign_in(alice, "phone");
    e.sign_in(bob, "phone");
    a2.request(watch{user(bob), 600});
    e.settle();
    // Who comes before the subscription is on disk sees as the others do.
    a1.request(subscribe{user(bob)});
    auto& a3 = e.sign_in(alice, "tablet");
    for (auto* one : {&a1, &a2, &a3})
      BOOST_TEST(sees(*one, bob) == "phone=available");
  });
}

BOOST_AUTO_TEST_CASE(a_watch_outlives_what_the_watched_one_is_doing) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    a.request(watch{user(bob), 60});
    e.settle();
    BOOST_TEST(told(a, bob) == texts{"=unavailable"});
    for (int i = 0; i < 2; ++i) {
      auto& b = e.sign_in(bob, "phone");
      BOOST_TEST(sees(a, bob) == "phone=available");
      b.sign_out();
      e.advance(3s);
      BOOST_TEST(sees(a, bob) == "");
    }
    // Subscribed meanwhile, and not watching any more, he is let go of.
    a.request(subscribe{user(bob)});
    e.advance(60s);
    BOOST_TEST(a.screen.ended.size() == 1u);
    BOOST_TEST(e.live_presence().rosters == 1u);
    e.sign_in(bob, "phone");
    BOOST_TEST(sees(a, bob) == "phone=available");
  });
}

BOOST_AUTO_TEST_CASE(a_watch_needs_leave_and_ends_when_that_is_taken_back) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    auto& b = e.sign_in(bob, "phone");
    a.request(watch{user(bob), 60});
    e.settle();
    set_privacy x;
    x.approve = approval::ask;
    b.request(x);
    e.settle();
    BOOST_TEST(sees(a, bob) == "unknown");
    BOOST_TEST(a.screen.ended.size() == 1u);
    auto n = a.request(watch{user(bob), 60});
    e.settle();
    BOOST_TEST(a.answer_to(n) == "not_authorised");
    n = a.request(watch{user("nobody"), 60});
    e.settle();
    BOOST_TEST(a.answer_to(n) == "no_such_user");
  });
}

BOOST_AUTO_TEST_CASE(a_watch_of_one_who_is_away_keeps_it_for_its_time_alone) {
  in_any_order([](engine& e) {
    auto& a = alice_who_sees_bob(e);
    a.request(watch{user(bob), 10});
    e.advance(5s);
    BOOST_TEST(e.live_presence().rosters == 2u);
    e.advance(7s);
    BOOST_TEST(e.live_presence().rosters == 1u);
    BOOST_TEST(e.live_presence().subscriptions == 0u);
  });
}

BOOST_AUTO_TEST_CASE(subscribed_or_ad_hoc_all_watchers_share_one_limit) {
  policy rules;
  rules.watchers_max = 1;
  in_any_order(
    [](engine& e) {
      auto& a = e.sign_in(alice, "desk");
      auto& c = e.sign_in(carol, "desk");
      c.request(watch{user(bob), 600});
      e.settle();
      auto refused = a.request(subscribe{user(bob)});
      e.settle();
      BOOST_TEST(a.answer_to(refused) == "watcher_limit");
      // To go on needs no place of its own, nor does a second endpoint.
      auto& phone = e.sign_in(carol, "phone");
      auto more = phone.request(watch{user(bob), 600});
      auto again = c.request(watch{user(bob), 600});
      e.settle();
      BOOST_TEST(phone.screen.watches.contains(user(bob)));
      BOOST_TEST(phone.answer_to(more) != "watcher_limit");
      BOOST_TEST(c.answer_to(again) != "watcher_limit");
      for (auto* x : {&c, &phone})
        x->request(watch{user(bob), 0});
      e.settle();
      auto taken = a.request(subscribe{user(bob)});
      e.settle();
      BOOST_TEST(a.answer_to(taken) == "done");
      auto late = c.request(watch{user(bob), 600});
      e.settle();
      BOOST_TEST(c.answer_to(late) == "watcher_limit");
    },
    rules);
}

BOOST_AUTO_TEST_CASE(who_is_full_by_watchers_of_both_kinds_is_found) {
  auto full = [](engine& e) {
    return e.at_limits({unlimited, unlimited, 2, unlimited}).watchers;
  };
  in_any_order([full](engine& e) {
    alice_who_sees_bob(e);
    e.sign_in(bob, "phone");
    auto& c = e.sign_in(carol, "desk");
    c.request(watch{user(alice), 60});
    e.settle();
    BOOST_TEST(full(e).empty());
    c.request(watch{user(bob), 60});
    e.settle();
    BOOST_TEST((full(e) == std::vector{user(bob)}));
    // As one that is subscribed it counts once, and is on disk.
    c.request(subscribe{user(bob)});
    e.settle();
    BOOST_TEST(full(e).empty());
    c.request(unsubscribe{user(bob)});
    e.settle();
    BOOST_TEST((full(e) == std::vector{user(bob)}));
    e.advance(62s);
    BOOST_TEST(full(e).empty());
    // Also of one who is not here.
    c.request(watch{user(bob), 60});
    for (auto& x : e.clients)
      if (x->name == bob)
        x->sign_out();
    e.advance(3s);
    BOOST_TEST((full(e) == std::vector{user(bob)}));
  });
}

BOOST_AUTO_TEST_CASE(of_watchers_that_ask_at_once_no_more_come_in_than_may) {
  policy rules;
  rules.watchers_max = 1;
  in_any_order(
    [](engine& e) {
      std::vector<std::pair<simulated_client*, uint64_t>> asked;
      for (auto& name : {alice, carol}) {
        auto& x = e.sign_in(name, "desk");
        asked.emplace_back(&x, 0);
      }
      for (auto& [x, n] : asked)
        n = x->request(watch{user(bob), 600});
      e.settle();
      size_t refused = 0;
      for (auto& [x, n] : asked)
        refused += x->answer_to(n) == "watcher_limit";
      BOOST_TEST(refused == 1u);
      // Who leaves while it is decided takes no place for ever.
      for (auto& [x, n] : asked)
        x->sign_out();
      e.advance(3s);
      auto& c = e.sign_in(carol, "desk");
      c.request(watch{user(bob), 600});
      c.sign_out();
      e.advance(3s);
      BOOST_TEST(e.live_presence().rosters == 0u);
      auto& a = e.sign_in(alice, "desk");
      a.request(watch{user(bob), 600});
      e.settle();
      BOOST_TEST(a.screen.watches.contains(user(bob)));
    },
    rules);
}

BOOST_AUTO_TEST_CASE(a_watch_that_ends_while_nobody_listens_is_told_of_later) {
  policy rules;
  rules.session_resume_window_ms = 600'000;
  in_any_order(
    [](engine& e) {
      auto& a = alice_who_sees_bob(e);
      e.sign_in(bob, "phone");
      e.sign_in(carol, "desk");
      for (auto& whom : {bob, carol})
        a.request(watch{user(whom), 60});
      e.settle();
      a.cut();
      e.advance(62s);
      BOOST_TEST(a.screen.ended.empty());
      a.resume();
      e.settle();
      BOOST_TEST(a.resumed);
      BOOST_TEST(a.screen.ended.size() == 2u);
      BOOST_TEST(sees(a, carol) == "unknown");
      BOOST_TEST(sees(a, bob) == "phone=available");
      // Begun anew, it is not taken for ended when the client comes back.
      a.request(watch{user(carol), 600});
      e.settle();
      a.cut();
      e.settle();
      a.resume();
      e.settle();
      BOOST_TEST(sees(a, carol) == "desk=available");
      BOOST_TEST(a.screen.watches.contains(user(carol)));
      BOOST_TEST(
        std::count(a.screen.ended.begin(), a.screen.ended.end(), user(carol))
        == 1);
    },
    rules);
}

BOOST_AUTO_TEST_CASE(an_absent_one_that_is_subscribed_to_is_not_unknown) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    auto& other = e.sign_in(alice, "phone");
    a.request(watch{user(bob), 1});
    e.advance(3s);
    BOOST_TEST(sees(a, bob) == "unknown");
    other.request(subscribe{user(bob)});
    e.settle();
    for (auto* c : {&a, &other})
      BOOST_TEST(sees(*c, bob) == "");
    BOOST_TEST(told(other, bob).empty());
  });
}

BOOST_AUTO_TEST_CASE(who_waits_for_room_alone_is_let_in_when_there_is_some) {
  auto rules = asking();
  rules.watchers_max = 1;
  in_any_order(
    [](engine& e) {
      e.sign_in(alice, "desk").request(subscribe{user(bob)});
      e.sign_in(carol, "desk").request(subscribe{user(bob)});
      e.settle();
      auto watchers = [&e] {
        size_t n = 0;
        for (const auto& name : {alice, carol})
          n += entry_of(*e.db, user(bob), user(name)).what.subscription.from
            == half::active;
        return n;
      };
      e.set("presence.auto_approve", "on");
      e.advance(1s);
      BOOST_TEST(watchers() == 1u);
      e.set("watchers.max", "2");
      e.advance(1s);
      BOOST_TEST(watchers() == 2u);
    },
    rules);
}

BOOST_AUTO_TEST_CASE(a_shorter_longest_time_holds_for_watches_that_run) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    a.request(watch{user(bob), 600});
    a.request(watch{user(carol), 20});
    e.settle();
    e.set("presence.adhoc_ttl", "60 s");
    e.advance(30s);
    BOOST_TEST(a.screen.ended == std::vector{user(carol)});
    e.advance(28s);
    BOOST_TEST(a.screen.ended.size() == 1u);
    // Longer again: what was cut stays so.
    e.set("presence.adhoc_ttl", "600 s");
    e.advance(5s);
    BOOST_TEST(a.screen.ended == (std::vector{user(carol), user(bob)}));
  });
}

BOOST_AUTO_TEST_CASE(a_renewal_that_comes_at_once_needs_no_place) {
  policy rules;
  rules.presence_adhoc_max = 1;
  in_any_order(
    [](engine& e) {
      auto& a = e.sign_in(alice, "desk");
      a.request(watch{user(bob), 60});
      auto again = a.request(watch{user(bob), 600});
      auto other = a.request(watch{user(carol), 60});
      e.settle();
      BOOST_TEST(a.answer_to(again) == "done");
      BOOST_TEST(a.answer_to(other) == "watch_limit");
      e.advance(62s);
      BOOST_TEST(a.screen.ended.empty());
    },
    rules);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
