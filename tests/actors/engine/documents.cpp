#include "protocol/defaults_documents.hpp"
#include "tests/actors/engine/presence_cases.hpp"

// What users keep: who may read it, who is told, and when.
namespace parley::test {

namespace {

using namespace presence;

document_request kept(
  const std::string& bytes, readers who = readers::watchers) {
  collection_wish wish;
  wish.who = who;
  return {
    {}, document_change{write_document{"c", {"i", bytes, {}}, wish, true}}};
}

document_request read_of(const std::string& whom) {
  return {user(whom), document_reading{read_documents{"c", {}, any_number}}};
}

follow_documents following(const std::string& whom) {
  return {{user(whom)}, {"c"}};
}

std::string answer_of(
  engine& e, simulated_client& c, const document_request& what) {
  auto n = c.request(what);
  e.settle();
  return c.answer_to(n);
}

BOOST_AUTO_TEST_SUITE(documents_of_users)

BOOST_AUTO_TEST_CASE(what_is_for_watchers_is_read_by_them_alone) {
  in_any_order([](engine& e) {
    auto& a = alice_who_sees_bob(e);
    auto& b = e.sign_in(bob, "phone");
    auto& c = e.sign_in(carol, "desk");
    e.settle();
    BOOST_TEST(answer_of(e, b, kept("one")) == "done");
    BOOST_TEST(answer_of(e, a, read_of(bob)) == "one");
    BOOST_TEST(answer_of(e, c, read_of(bob)) == "not_found");
    BOOST_TEST(answer_of(e, c, read_of("nobody")) == "not_found");
    auto foreign = kept("two");
    foreign.owner = user(bob);
    BOOST_TEST(answer_of(e, a, foreign) == "not_authorised");
    b.request(blocking({user(alice)}));
    e.settle();
    BOOST_TEST(answer_of(e, a, read_of(bob)) == "not_found");
  });
}

BOOST_AUTO_TEST_CASE(watchers_and_own_endpoints_are_told_and_nobody_else) {
  in_any_order([](engine& e) {
    auto& a = alice_who_sees_bob(e);
    auto& b = e.sign_in(bob, "phone");
    auto& other = e.sign_in(bob, "desk");
    auto& c = e.sign_in(carol, "desk");
    e.settle();
    b.request(kept("one"));
    e.settle();
    b.request(kept("two"));
    e.settle();
    const texts both{"one", "two"};
    for (auto* x : {&a, &b, &other})
      BOOST_TEST(x->notices == both, boost::test_tools::per_element());
    BOOST_TEST(c.notices.empty());
    // Who blocks the one that it is about hears nothing of it.
    a.request(blocking({user(bob)}));
    e.settle();
    b.request(kept("three"));
    e.settle();
    BOOST_TEST(a.notices.size() == 2u);
    BOOST_TEST(other.notices.size() == 3u);
  });
}

BOOST_AUTO_TEST_CASE(who_follows_is_told_the_newest_it_may_see) {
  in_any_order([](engine& e) {
    auto& a = alice_who_sees_bob(e);
    auto& b = e.sign_in(bob, "phone");
    b.request(kept("one"));
    b.request(kept("two"));
    e.settle();
    auto& late = e.sign_in(alice, "late");
    auto& c = e.sign_in(carol, "desk");
    e.settle();
    late.request(following(bob));
    c.request(following(bob));
    e.settle();
    BOOST_TEST(late.notices == texts{"two"}, boost::test_tools::per_element());
    BOOST_TEST(c.notices.empty());
    BOOST_TEST(a.notices.size() == 2u);
  });
}

BOOST_AUTO_TEST_CASE(what_was_changed_before_is_seen_by_what_is_read_after) {
  in_any_order([](engine& e) {
    auto& b = e.sign_in(bob, "phone");
    e.settle();
    e.hold_roster_writes();
    auto n1 = b.request(kept("one"));
    auto n2 = b.request(read_of(bob));
    e.settle();
    BOOST_TEST(b.answer_to(n1) == "");
    BOOST_TEST(b.answer_to(n2) == "");
    e.let_roster_writes_go();
    e.settle();
    BOOST_TEST(b.answer_to(n1) == "done");
    BOOST_TEST(b.answer_to(n2) == "one");
  });
}

BOOST_AUTO_TEST_CASE(what_is_read_waits_for_no_change_that_came_after) {
  in_any_order([](engine& e) {
    auto& b = e.sign_in(bob, "phone");
    e.settle();
    e.hold_roster_writes();
    b.request(kept("one"));
    auto reading = b.request(read_of(bob));
    e.settle();
    auto later = b.request(kept("two"));
    e.settle();
    e.let_roster_write_go();
    BOOST_TEST(b.answer_to(reading) != "");
    BOOST_TEST(b.answer_to(later) == "");
    e.let_roster_writes_go();
    BOOST_TEST(b.answer_to(later) == "done");
  });
}

BOOST_AUTO_TEST_CASE(what_was_read_before_a_change_is_not_told_after_it) {
  in_any_order([](engine& e) {
    auto& a = alice_who_sees_bob(e);
    auto& b = e.sign_in(bob, "phone");
    e.settle();
    b.request(kept("new"));
    e.settle();
    a.notices.clear();
    document_notice old;
    old.owner = user(bob);
    old.collection = "c";
    old.about = {"i", "old", {}};
    old.is_greeting = true;
    // One of these is hers; the router that it is at stands in front.
    const uint64_t at = slot_of(user(alice)) % 2;
    for (uint64_t n = 1; n <= 4; ++n)
      caf::anon_send(e.routers[slot_of(user(bob)) % 2],
        document_notices{{user(alice)}, session_id{at << 48 | n},
          {shared<document_notice>{old}}, 1});
    e.settle();
    BOOST_TEST(a.notices == texts{"new"}, boost::test_tools::per_element());
  });
}

BOOST_AUTO_TEST_CASE(who_asks_and_changes_too_fast_is_told_when_to_go_on) {
  engine e{1};
  e.make_account(bob);
  auto& b = e.sign_in(bob, "phone");
  e.settle();
  constexpr auto at_once = static_cast<int>(
    defaults::documents_burst / defaults::document_change_price);
  for (int i = 0; i < at_once; ++i)
    BOOST_REQUIRE(answer_of(e, b, kept("x")) == "done");
  BOOST_TEST(answer_of(e, b, kept("x")) == "rate_limited");
  BOOST_TEST(answer_of(e, b, read_of(bob)) == "rate_limited");
  e.advance(std::chrono::seconds{1});
  BOOST_TEST(answer_of(e, b, kept("x")) == "done");
  BOOST_TEST(answer_of(e, b, read_of(bob)) == "x");
}

BOOST_AUTO_TEST_CASE(what_was_answered_is_there_after_a_power_cut) {
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      auto e = std::make_unique<engine>(seed);
      e->make_account(bob);
      auto& b = e->sign_in(bob, "phone");
      e->settle();
      BOOST_TEST(answer_of(*e, b, kept("one")) == "done");
      engine::restart(e);
      auto& again = e->sign_in(bob, "phone");
      e->settle();
      BOOST_TEST(answer_of(*e, again, read_of(bob)) == "one");
    }
  }
}

BOOST_AUTO_TEST_CASE(what_the_disk_refuses_to_keep_is_told_to_nobody) {
  in_any_order([](engine& e) {
    auto& a = alice_who_sees_bob(e);
    auto& b = e.sign_in(bob, "phone");
    e.settle();
    e.disk.files().refuse_writes(lossy_fs::fault::broken);
    BOOST_TEST(answer_of(e, b, kept("one")) == "store_failed");
    e.disk.files().refuse_writes(lossy_fs::fault::none);
    BOOST_TEST(a.notices.empty());
    BOOST_TEST(answer_of(e, b, kept("two")) == "done");
    BOOST_TEST(answer_of(e, a, read_of(bob)) == "two");
  });
}

BOOST_AUTO_TEST_CASE(a_slow_client_is_told_later_in_order_and_not_without_end) {
  in_any_order([](engine& e) {
    auto& a = alice_who_sees_bob(e);
    auto& b = e.sign_in(bob, "phone");
    e.settle();
    a.set_slow(true);
    for (auto* text : {"one", "two", "three"}) {
      b.request(kept(text));
      e.settle();
    }
    BOOST_TEST(a.notices.empty());
    auto im = b.send(alice);
    e.settle();
    BOOST_TEST(b.outcome_of(im) == "delivered");
    a.set_slow(false);
    e.settle();
    const texts all{"one", "two", "three"};
    BOOST_TEST(a.notices == all, boost::test_tools::per_element());
    a.set_slow(true);
    const std::string much(defaults::held_notices_bytes_max, 'x');
    b.request(kept(much));
    e.settle();
    b.request(kept("dropped"));
    e.settle();
    a.set_slow(false);
    e.settle();
    BOOST_TEST(a.notices.size() == 4u);
    BOOST_TEST(a.notices.back().size() == much.size());
  });
}

BOOST_AUTO_TEST_CASE(a_change_behind_the_end_of_an_account_leaves_nothing) {
  in_any_order([](engine& e) {
    auto& b = e.sign_in(bob, "phone");
    e.settle();
    b.request(kept("one"));
    e.settle();
    b.request(kept("two"));
    BOOST_TEST((e.remove_account(bob).why.code == errc::none));
    e.settle();
    BOOST_TEST((e.db->documents_of(user(bob)).value() == document_totals{}));
    BOOST_TEST(e.db->collections(user(bob), "")->empty());
  });
}

BOOST_AUTO_TEST_CASE(limits_are_those_in_force) {
  policy rules;
  rules.documents_max = 1;
  in_any_order(
    [](engine& e) {
      auto& b = e.sign_in(bob, "phone");
      e.settle();
      BOOST_TEST(answer_of(e, b, kept("one")) == "quota_exceeded");
      e.set("documents.max", "2");
      BOOST_TEST(answer_of(e, b, kept("one")) == "done");
    },
    rules);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
