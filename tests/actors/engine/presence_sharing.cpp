#include "tests/actors/engine/presence_cases.hpp"

// Who shares its presence, seen by those who come while it is not here.
namespace parley::test {

namespace {

using namespace presence;
using namespace std::chrono_literals;

set_privacy with(sharing own) {
  set_privacy x;
  x.sharing = own;
  return x;
}

/// Bob says so, and leaves.
void say_and_leave(engine& e, sharing own) {
  auto& b = e.sign_in(bob, "brief");
  b.request(with(own));
  e.settle();
  b.sign_out();
  e.advance(3s);
}

BOOST_AUTO_TEST_SUITE(presence_sharing)

BOOST_AUTO_TEST_CASE(who_hides_and_is_not_here_is_unknown) {
  in_any_order([](engine& e) {
    auto& a = alice_who_sees_bob(e);
    BOOST_TEST(sees(a, bob) == "");
    say_and_leave(e, sharing::off);
    BOOST_TEST(sees(a, bob) == "unknown");
    auto& late = e.sign_in(alice, "phone");
    BOOST_TEST(sees(late, bob) == "unknown");
    say_and_leave(e, sharing::by_default);
    BOOST_TEST(sees(a, bob) == "");
    BOOST_TEST(sees(late, bob) == "");
  });
}

BOOST_AUTO_TEST_CASE(that_is_known_without_a_look_at_his_roster) {
  in_any_order([](engine& e) {
    alice_who_sees_bob(e).sign_out();
    e.settle();
    say_and_leave(e, sharing::off);
    BOOST_TEST(e.live_presence().rosters == 0u);
    auto& a = e.sign_in(alice, "desk");
    BOOST_TEST(sees(a, bob) == "unknown");
    BOOST_TEST(told(a, bob) == texts{"=unknown"});
    BOOST_TEST(e.live_presence().rosters == 1u);
    BOOST_TEST(e.live_presence().subscriptions == 0u);
  });
}

// Else to subscribe would be to ask whether somebody is here.
BOOST_AUTO_TEST_CASE(who_subscribes_while_all_hide_learns_nothing) {
  for (const bool is_here : {false, true})
    in_any_order([is_here](engine& e) {
      e.set("presence.sharing", "off");
      if (is_here)
        e.sign_in(bob, "phone");
      auto& a = e.sign_in(alice, "desk");
      a.follow_contacts();
      for (int i = 0; i < 3; ++i) {
        const auto before = told(a, bob).size();
        a.request(subscribe{user(bob)});
        e.settle();
        e.advance(2s);
        BOOST_TEST(sees(a, bob) == "unknown");
        auto heard = told(a, bob);
        heard.erase(
          heard.begin(), heard.begin() + static_cast<std::ptrdiff_t>(before));
        BOOST_TEST(heard == texts{"=unknown"});
        a.request(unsubscribe{user(bob)});
        e.settle();
        BOOST_TEST(sees(a, bob) == "");
      }
    });
}

BOOST_AUTO_TEST_CASE(it_outlives_a_crash) {
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      auto e = std::make_unique<engine>(seed);
      for (auto& name : {alice, bob})
        e->make_account(name);
      alice_who_sees_bob(*e);
      say_and_leave(*e, sharing::off);
      engine::restart(e);
      BOOST_TEST(sees(e->sign_in(alice, "desk"), bob) == "unknown");
    }
  }
}

BOOST_AUTO_TEST_CASE(a_change_of_mind_is_seen_also_while_he_shows_as_gone) {
  in_any_order([](engine& e) {
    auto& a = alice_who_sees_bob(e);
    auto& b = e.sign_in(bob, "phone", {show::unavailable, "", 0});
    b.request(with(sharing::off));
    e.settle();
    BOOST_TEST(told(a, bob) == texts{"=unknown"});
    b.request(with(sharing::on));
    e.settle();
    BOOST_TEST(told(a, bob) == (texts{"=unknown", "=unavailable"}));
  });
}

BOOST_AUTO_TEST_CASE(what_a_user_says_stands_against_a_general_off_if_it_may) {
  policy rules;
  rules.presence_sharing = false;
  in_any_order(
    [](engine& e) {
      auto& a = alice_who_sees_bob(e);
      BOOST_TEST(sees(a, bob) == "unknown");
      say_and_leave(e, sharing::on);
      auto& late = e.sign_in(alice, "phone");
      for (auto* c : {&a, &late})
        BOOST_TEST(sees(*c, bob) == "unknown");
      e.set("presence.sharing_override", "on");
      for (auto* c : {&a, &late})
        BOOST_TEST(sees(*c, bob) == "");
      auto& b = e.sign_in(bob, "phone");
      for (auto* c : {&a, &late})
        BOOST_TEST(sees(*c, bob) == "phone=available");
      b.sign_out();
      e.settle();
      BOOST_TEST(sees(a, bob) == "");
      e.set("presence.sharing_override", "off");
      BOOST_TEST(sees(a, bob) == "unknown");
      e.set("presence.sharing", "on");
      BOOST_TEST(sees(a, bob) == "");
    },
    rules);
}

BOOST_AUTO_TEST_CASE(a_removed_account_leaves_no_word_behind) {
  in_any_order([](engine& e) {
    alice_who_sees_bob(e);
    say_and_leave(e, sharing::off);
    BOOST_TEST((e.remove_account(bob).why.code == errc::none));
    e.advance(3s);
    e.make_account(bob);
    auto& a = e.sign_in(alice, "phone");
    a.request(subscribe{user(bob)});
    e.settle();
    BOOST_TEST(sees(a, bob) == "");
  });
}

BOOST_AUTO_TEST_CASE(who_is_unsubscribed_from_is_not_shown_as_unknown) {
  in_any_order([](engine& e) {
    e.set("presence.sharing", "off");
    auto& a = alice_who_sees_bob(e);
    BOOST_TEST(sees(a, bob) == "unknown");
    a.request(unsubscribe{user(bob)});
    e.settle();
    BOOST_TEST(sees(a, bob) == "");
    e.set("presence.sharing", "on");
    a.request(subscribe{user(bob)});
    e.settle();
    BOOST_TEST(sees(a, bob) == "");
  });
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
