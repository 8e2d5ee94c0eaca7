#include "tests/actors/engine/cases.hpp"

#include <algorithm>

#include "protocol/defaults.hpp"
#include "protocol/defaults_memory.hpp"

// What one client can make the server, or another client, bear.
namespace parley::test {

namespace {

using namespace std::chrono_literals;
using habit = simulated_client::habit;

BOOST_AUTO_TEST_SUITE(bounds)

BOOST_AUTO_TEST_CASE(who_types_without_end_is_heard_now_and_then) {
  engine e{1};
  e.make_account(alice);
  e.make_account(bob);
  auto& a = e.sign_in(alice, "desk");
  auto& b = e.sign_in(bob, "phone");
  for (int i = 0; i < 1'000; ++i)
    a.type(bob);
  e.settle();
  BOOST_TEST(b.typings == static_cast<size_t>(defaults::typing_burst));
  e.advance(1s);
  for (int i = 0; i < 1'000; ++i)
    a.type(bob);
  e.settle();
  BOOST_TEST(b.typings
    == static_cast<size_t>(
      defaults::typing_burst + defaults::typing_per_second));
}

BOOST_AUTO_TEST_CASE(receipts_that_nobody_takes_are_bounded) {
  engine e{1};
  e.make_account(alice);
  auto& a = e.sign_in(alice, "desk");
  a.acknowledging = habit::silent;
  session_output many;
  many.what.resize(3 * defaults::receipts_max, event{receipt{}});
  caf::anon_send(a.session(), many);
  e.settle();
  BOOST_TEST(a.receipts == defaults::receipts_max);
  a.cut();
  e.settle();
  a.resume();
  e.settle();
  BOOST_TEST(a.resumed);
  a.acknowledge();
  caf::anon_send(a.session(), many);
  e.settle();
  BOOST_TEST(a.receipts >= 2 * defaults::receipts_max);
}

BOOST_AUTO_TEST_CASE(who_takes_nothing_is_sent_no_more_until_it_does) {
  for (uint64_t seed = 1; seed <= 20; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) {
      engine e{seed};
      e.make_account(alice);
      e.make_account(bob);
      auto& a = e.sign_in(alice, "desk");
      auto& b = e.sign_in(bob, "phone");
      b.take_nothing(true);
      std::vector<std::string> ids;
      for (int i = 0; i < 10; ++i)
        ids.push_back(a.send(bob));
      e.settle();
      BOOST_TEST(b.got.empty());
      // Nor on a connection that goes on with it.
      b.cut();
      e.settle();
      b.resume();
      e.settle();
      BOOST_TEST(b.resumed);
      BOOST_TEST(b.got.empty());
      b.take_nothing(false);
      e.settle();
      BOOST_TEST(b.got == ids, boost::test_tools::per_element());
      BOOST_TEST(b.again.empty());
      // While it was cut off nobody else was there.
      BOOST_TEST(a.outcome_of(ids.back()) == "stored");
    }
}

BOOST_AUTO_TEST_CASE(who_leaves_is_told_all_that_it_is_owed_first) {
  for (uint64_t seed = 1; seed <= 20; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) {
      engine e{seed};
      e.make_account(alice);
      e.make_account(bob);
      auto& a = e.sign_in(alice, "desk");
      e.sign_in(bob, "phone");
      a.take_nothing(true);
      auto id = a.send(bob);
      e.settle();
      BOOST_TEST(a.outcome_of(id).empty());
      a.sign_out();
      e.settle();
      BOOST_TEST(a.outcome_of(id) == "delivered");
      BOOST_TEST(!a.is_in());
    }
}

BOOST_AUTO_TEST_CASE(of_a_list_that_changes_who_takes_nothing_is_told_once) {
  for (uint64_t seed = 1; seed <= 20; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) {
      engine e{seed};
      e.make_account(alice);
      auto& a = e.sign_in(alice, "desk");
      auto& other = e.sign_in(alice, "phone");
      other.follow_contacts();
      e.settle();
      other.take_nothing(true);
      for (int i = 0; i < 50; ++i)
        a.request(
          add_contacts{{{"x" + std::to_string(i) + "@example.net", {}, {}}}});
      e.settle();
      BOOST_TEST(other.screen.contacts.empty());
      other.take_nothing(false);
      e.settle();
      // What came late tells that more was missed, and it has asked.
      BOOST_TEST(other.screen.contacts.size() == 50u);
      BOOST_TEST(!other.screen.stale);
    }
}

BOOST_AUTO_TEST_CASE(a_narrower_window_costs_no_session) {
  engine e{1};
  e.make_account(alice);
  e.make_account(bob);
  auto& a = e.sign_in(alice, "desk");
  e.hold_writes();
  for (int i = 0; i < 40; ++i)
    a.send(bob); // nobody is there: they wait for the disk
  e.settle();
  e.set("session.buffer", "5");
  auto late = a.send(bob);
  e.settle();
  BOOST_TEST(a.is_in());
  BOOST_TEST(a.outcome_of(late) == "window_exceeded");
  e.let_writes_go();
  BOOST_TEST(a.is_in());
  BOOST_TEST(e.on_disk(bob).size() == 40u);
}

BOOST_AUTO_TEST_CASE(a_long_broadcast_holds_up_what_follows_it_and_no_order) {
  for (uint64_t seed = 1; seed <= 20; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) {
      engine e{seed};
      std::vector<std::string> all;
      for (size_t n = 0; n < 3 * defaults::broadcast_slice; ++n)
        all.push_back("absent" + std::to_string(n));
      all.push_back(bob);
      e.make_account(alice);
      e.make_account(bob);
      auto& a = e.sign_in(alice, "desk");
      auto& b = e.sign_in(bob, "phone");
      a.broadcast_to(all, "to all");
      a.send(bob, "after it");
      a.broadcast_to(all, "again");
      a.send(bob, "last");
      a.sign_out();
      e.settle();
      BOOST_TEST((b.got
        == std::vector<std::string>{"to all", "after it", "again", "last"}));
      BOOST_TEST(!a.is_in());
    }
}

BOOST_AUTO_TEST_CASE(others_are_served_between_the_pieces_of_a_broadcast) {
  // Carol lives where alice does.
  const auto carol = engine::name_on(0, 1);
  size_t before = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    engine e{seed};
    std::vector<std::string> all;
    for (size_t n = 0; n < 10 * defaults::broadcast_slice; ++n)
      all.push_back("absent" + std::to_string(n));
    for (auto& name : {alice, bob, carol})
      e.make_account(name);
    auto& a = e.sign_in(alice, "desk");
    auto& c = e.sign_in(carol, "desk");
    e.sign_in(bob, "phone");
    a.broadcast_to(all, "to all");
    auto id = c.send(bob);
    while (c.outcome_of(id).empty() && e.system.step()) {
    }
    BOOST_TEST(c.outcome_of(id) == "delivered");
    before += a.outcome_of("to all").empty();
    e.settle();
    BOOST_TEST(!a.outcome_of("to all").empty());
  }
  BOOST_TEST(before > 10u);
}

BOOST_AUTO_TEST_CASE(where_memory_is_tight_a_broadcast_goes_slowly_to_its_end) {
  constexpr size_t recipients = 40;
  const auto fill = [](engine& e) -> simulated_client& {
    e.make_account(alice);
    e.make_account(bob);
    auto& a = e.sign_in(alice, "desk");
    e.sign_in(bob, "phone").acknowledging = habit::silent;
    for (int i = 0; i < 30; ++i)
      a.send(bob);
    e.settle();
    return a;
  };
  policy rules;
  rules.im_grace_ms = 30'000;
  engine plenty{1, rules};
  fill(plenty);
  const auto held = plenty.budget->total();

  constexpr auto parts = defaults::budget_tight_share;
  engine e{1, rules, held * parts / (parts - 1) - parts};
  auto& a = fill(e);
  const auto max = e.budget->max();
  BOOST_REQUIRE(e.budget->total() < max);
  BOOST_REQUIRE(e.budget->total() >= max - max / parts);
  e.advance(defaults::sweep_interval); // each worker looks at the other
  std::vector<std::string> all;
  for (size_t n = 0; n < recipients; ++n)
    all.push_back("absent" + std::to_string(n));
  a.broadcast_to(all, "to all");
  e.advance(recipients / 2 * defaults::sweep_interval);
  BOOST_TEST(a.outcome_of("to all").empty());
  e.advance(2 * recipients * defaults::sweep_interval);
  BOOST_TEST(!a.outcome_of("to all").empty());
  BOOST_TEST(a.is_in());
}

BOOST_AUTO_TEST_CASE(broadcasts_that_wait_for_their_turn_are_in_the_book) {
  policy rules;
  rules.im_broadcast_max = 100'000;
  engine e{1, rules};
  e.make_account(alice);
  auto& a = e.sign_in(alice, "desk");
  constexpr size_t recipients = 10'000, broadcasts = 10;
  const std::vector<std::string> all(recipients, "b");
  for (size_t n = 0; n < broadcasts; ++n)
    a.broadcast_to(all, "b" + std::to_string(n));
  // The first is looked at in pieces, the others wait behind it.
  constexpr auto list = recipients * sizeof(std::string);
  constexpr auto kind = static_cast<size_t>(held_for::sessions);
  uint64_t booked = 0;
  while (e.system.step())
    booked = std::max(booked, e.budget->by_kind()[kind]);
  BOOST_TEST(booked >= broadcasts * list);
  for (size_t n = 0; n < broadcasts; ++n)
    BOOST_TEST(!a.outcome_of("b" + std::to_string(n)).empty());
  BOOST_TEST(e.budget->by_kind()[kind] < list);
}

BOOST_AUTO_TEST_CASE(a_stop_judges_all_of_a_broadcast) {
  engine e{1};
  std::vector<std::string> all;
  for (size_t n = 0; n < 3 * defaults::broadcast_slice; ++n)
    all.push_back("absent" + std::to_string(n));
  e.make_account(alice);
  auto& a = e.sign_in(alice, "desk");
  a.broadcast_to(all, "to all");
  auto reports = e.stop();
  BOOST_REQUIRE(reports.size() == 2u);
  BOOST_TEST(reports[0].given_up + reports[1].given_up == 0u);
  BOOST_TEST(!a.outcome_of("to all").empty());
}

BOOST_AUTO_TEST_CASE(all_that_clients_made_it_hold_is_given_back) {
  for (uint64_t seed = 1; seed <= 10; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) {
      engine e{seed};
      e.make_account(alice);
      e.make_account(bob);
      auto& a = e.sign_in(alice, "desk");
      auto& b = e.sign_in(bob, "phone");
      b.acknowledging = habit::silent;
      for (int i = 0; i < 30; ++i)
        a.send(bob);
      e.settle();
      BOOST_TEST(e.budget->total() > 2 * defaults::session_bytes);
      auto kinds = e.budget->by_kind();
      BOOST_TEST(kinds[static_cast<size_t>(held_for::sessions)]
        >= 2 * defaults::session_bytes + 30 * defaults::kept_event_bytes);
      BOOST_TEST(kinds[static_cast<size_t>(held_for::routing)] > 0u);
      b.cut();
      e.settle();
      b.resume();
      e.settle();
      b.acknowledge();
      e.settle();
      a.sign_out();
      b.sign_out();
      e.settle();
      kinds = e.budget->by_kind();
      BOOST_TEST(kinds[static_cast<size_t>(held_for::sessions)] == 0u);
      BOOST_TEST(kinds[static_cast<size_t>(held_for::retries)] > 0u);
      // Ids and conversations lapse.
      e.advance(15min);
      BOOST_TEST(e.budget->total() == 0u);
    }
}

BOOST_AUTO_TEST_CASE(when_nothing_is_left_who_takes_least_loses_the_session) {
  policy rules;
  rules.session_buffer = 200;
  rules.im_grace_ms = 30'000;
  engine e{1, rules, 80 * 1024};
  for (auto& name : {alice, bob})
    e.make_account(name);
  auto& a = e.sign_in(alice, "desk");
  auto& b = e.sign_in(bob, "phone");
  b.acknowledging = habit::silent;
  std::vector<std::string> sent;
  for (int i = 0; i < 100 && b.is_in(); ++i) {
    sent.push_back(a.send(bob));
    e.advance(100ms);
  }
  BOOST_TEST(b.closed == "overloaded");
  BOOST_TEST(a.is_in());
  BOOST_TEST(e.budget->ended_sessions == 1u);
  BOOST_TEST(e.budget->total() < e.budget->max());
  // Nothing is lost by it.
  e.advance(5s);
  for (const auto& id : sent)
    BOOST_TEST(a.outcome_of(id) == "stored", id);
  BOOST_TEST(e.on_disk(bob).size() == sent.size());
}

add_contacts long_named(size_t from, size_t count) {
  add_contacts x;
  for (size_t i = from; i < from + count; ++i)
    x.contacts.push_back({"c" + std::to_string(i) + "@elsewhere.net",
      std::string(defaults::contact_name_max, 'n'),
      {std::string(defaults::contact_name_max, 'g')}});
  return x;
}

BOOST_AUTO_TEST_CASE(requests_about_contacts_wait_for_the_disk_within_bounds) {
  policy rules;
  rules.contacts_max = unlimited;
  engine e{1, rules, defaults::memory_budget_min_mib * 1024 * 1024};
  e.make_account(alice);
  auto& a = e.sign_in(alice, "desk");
  constexpr auto kind = static_cast<size_t>(held_for::rosters);
  std::vector<uint64_t> asked;
  e.hold_roster_writes();
  for (size_t i = 0; i < 20; ++i) {
    asked.push_back(a.request(long_named(100 * i, 100)));
    e.settle();
    BOOST_TEST(e.budget->by_kind()[kind] < e.budget->max() / 8);
  }
  e.let_roster_writes_go();
  e.advance(1s); // the router keeps the book
  size_t done = 0, overloaded = 0;
  for (auto n : asked) {
    done += a.answer_to(n) == "done";
    overloaded += a.answer_to(n) == "overloaded";
  }
  BOOST_TEST(done >= 1u);
  BOOST_TEST(overloaded >= 1u);
  BOOST_TEST(done + overloaded == asked.size());
  BOOST_TEST(e.live_presence().waiting_full == overloaded);
  // What they brought is in the book, and what waited is not any more.
  const auto list = done * 100 * 2 * defaults::contact_name_max;
  const auto booked = e.budget->by_kind()[kind];
  BOOST_TEST(booked >= list);
  BOOST_TEST(booked <= 3 * list);
  const auto again = a.request(long_named(5'000, 100));
  e.settle();
  BOOST_TEST(a.answer_to(again) == "done");
  a.sign_out();
  e.settle();
  e.advance(10min);
  BOOST_TEST(e.budget->by_kind()[kind] == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
