#include "tests/actors/engine/presence_cases.hpp"

// What happens between a change of a subscription and the disk.
namespace parley::test {

namespace {

using namespace presence;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(presence_disk)

BOOST_AUTO_TEST_CASE(who_joins_before_it_is_written_keeps_nobody_from_seeing) {
  in_any_order([](engine& e) {
    auto& desk = e.sign_in(alice, "desk");
    auto& phone = e.sign_in(alice, "phone");
    auto& b = e.sign_in(bob, "desk");
    desk.request(watch{user(bob), 600});
    e.settle();
    e.set("presence.auto_approve", "off");
    phone.request(subscribe{user(bob)});
    e.settle();
    e.hold_roster_writes();
    b.request(approve{user(alice)});
    e.settle();
    e.let_roster_write_go(); // Bob's half; Alice's waits
    auto& tablet = e.sign_in(alice, "tablet");
    BOOST_TEST(told(phone, bob).empty());
    e.let_roster_writes_go();
    for (auto* c : {&desk, &phone, &tablet})
      BOOST_TEST(sees(*c, bob) == "desk=available");
    b.set_availability({show::away, "", 0});
    e.settle();
    for (auto* c : {&desk, &phone, &tablet})
      BOOST_TEST(sees(*c, bob) == "desk=away");
  });
}

/// Alice's desk and phone see Bob, and the desk watches him, too; then the desk
/// unsubscribes, and ends its watch while the disk has yet to hear of it.
void end_watch_in_between(
  engine& e, const std::function<void(engine&)>& write) {
  auto& desk = alice_who_sees_bob(e);
  e.sign_in(alice, "phone");
  e.sign_in(bob, "desk");
  desk.request(watch{user(bob), 600});
  e.settle();
  e.hold_roster_writes();
  desk.request(unsubscribe{user(bob)});
  desk.request(watch{user(bob), 0});
  e.settle();
  BOOST_TEST(desk.screen.ended.size() == 1u);
  write(e);
}

simulated_client& of_alice(engine& e, const std::string& endpoint) {
  for (auto& c : e.clients)
    if (c->name == alice && c->endpoint == endpoint)
      return *c;
  throw std::out_of_range(endpoint);
}

BOOST_AUTO_TEST_CASE(a_watch_that_ends_before_leaves_nobody_on_a_screen) {
  in_any_order([](engine& e) {
    end_watch_in_between(e, [](engine& x) { x.let_roster_writes_go(); });
    for (auto* endpoint : {"desk", "phone"})
      BOOST_TEST(sees(of_alice(e, endpoint), bob) == "");
    BOOST_TEST(e.live_presence().subscriptions == 0u);
  });
}

BOOST_AUTO_TEST_CASE(a_watch_that_ends_before_a_refusal_takes_nothing_away) {
  in_any_order([](engine& e) {
    end_watch_in_between(e, [](engine& x) {
      x.disk.files().refuse_writes(lossy_fs::fault::full);
      x.let_roster_writes_go();
      x.disk.files().refuse_writes(lossy_fs::fault::none);
    });
    for (auto* endpoint : {"desk", "phone"})
      BOOST_TEST(sees(of_alice(e, endpoint), bob) == "desk=available");
    e.advance(3s);
    e.client(bob, "phone").sign_in();
    e.settle();
    for (auto* endpoint : {"desk", "phone"})
      BOOST_TEST(
        sees(of_alice(e, endpoint), bob) == "desk=available phone=available");
  });
}

BOOST_AUTO_TEST_CASE(a_watch_that_begins_before_is_not_for_all_endpoints) {
  in_any_order([](engine& e) {
    auto& desk = e.sign_in(alice, "desk");
    auto& phone = e.sign_in(alice, "phone");
    auto& b = e.sign_in(bob, "desk");
    e.set("presence.auto_approve", "off");
    desk.request(subscribe{user(bob)});
    e.settle();
    e.hold_roster_writes();
    b.request(approve{user(alice)});
    e.settle();
    e.let_roster_write_go();
    desk.request(watch{user(bob), 600});
    e.settle();
    BOOST_TEST(sees(desk, bob) == "desk=available");
    e.disk.files().refuse_writes(lossy_fs::fault::full);
    e.let_roster_writes_go();
    BOOST_TEST(told(phone, bob).empty());
    b.set_availability({show::away, "", 0});
    e.settle();
    BOOST_TEST(sees(desk, bob) == "desk=away");
    BOOST_TEST(told(phone, bob).empty());
    // The verdict is told again.
    e.disk.files().refuse_writes(lossy_fs::fault::none);
    e.advance(125s);
    BOOST_TEST(sees(phone, bob) == "desk=away");
  });
}

BOOST_AUTO_TEST_CASE(who_watches_before_a_refusal_sees_what_holds_at_once) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    auto& b = e.sign_in(bob, "desk");
    e.hold_roster_writes();
    b.request(blocking({user(alice)}));
    e.settle();
    a.request(watch{user(bob), 600});
    e.settle();
    BOOST_TEST(sees(a, bob) == "");
    e.disk.files().refuse_writes(lossy_fs::fault::full);
    e.let_roster_writes_go();
    e.disk.files().refuse_writes(lossy_fs::fault::none);
    BOOST_TEST(sees(a, bob) == "desk=available");
  });
}

BOOST_AUTO_TEST_CASE(a_word_that_the_disk_refuses_is_not_known_to_others) {
  in_any_order([](engine& e) {
    alice_who_sees_bob(e).sign_out();
    auto& b = e.sign_in(bob, "desk");
    e.hold_roster_writes();
    set_privacy hides;
    hides.sharing = sharing::off;
    b.request(blocking({user(carol)}));
    b.request(hides);
    e.settle();
    e.let_roster_write_go();
    e.disk.files().refuse_writes(lossy_fs::fault::full);
    e.let_roster_writes_go();
    e.disk.files().refuse_writes(lossy_fs::fault::none);
    e.advance(3s);
    b.sign_out();
    e.advance(3s);
    BOOST_TEST(e.live_presence().rosters == 0u);
    auto& a = e.sign_in(alice, "phone");
    BOOST_TEST(sees(a, bob) == "");
    BOOST_TEST(told(a, bob).empty());
  });
}

BOOST_AUTO_TEST_CASE(who_asks_of_a_list_that_cannot_be_read_is_told_so) {
  in_any_order([](engine& e) {
    auto& c = e.sign_in(carol, "desk");
    alice_who_sees_bob(e).sign_out();
    e.settle();
    e.advance(2s);
    BOOST_TEST(e.live_presence().rosters == 0u);
    *e.cannot_read_rosters = true;
    auto& a = e.sign_in(alice, "desk");
    const auto own = a.request(subscribe{user(carol)});
    const auto other = c.request(watch{user(alice), 600});
    const auto added =
      c.request(add_contacts{{{alice + "@example.org", "", {}}}});
    e.settle();
    BOOST_TEST(a.answer_to(own) == "store_unavailable");
    BOOST_TEST(c.answer_to(other) == "store_unavailable");
    BOOST_TEST(c.answer_to(added) == "store_unavailable");
    *e.cannot_read_rosters = false;
    e.advance(2s);
    const auto again = a.request(subscribe{user(carol)});
    e.settle();
    BOOST_TEST(a.answer_to(again) == "done");
    BOOST_TEST(sees(a, carol) == "desk=available");
  });
}

/// Bob, whom Alice sees, has lost his list to a write that was refused, with
/// what he asked behind it.
simulated_client& bob_without_a_list(
  engine& e, std::vector<request> behind = {}) {
  set_privacy asking;
  asking.approve = approval::ask;
  std::vector<request> what{asking};
  what.insert(what.end(), behind.begin(), behind.end());
  auto& b = e.sign_in(bob, "desk");
  e.settle();
  *e.cannot_read_rosters = true;
  e.disk.files().refuse_writes(lossy_fs::fault::full);
  b.request_all(std::move(what));
  e.settle();
  e.disk.files().refuse_writes(lossy_fs::fault::none);
  return b;
}

BOOST_AUTO_TEST_CASE(who_leaves_is_seen_leaving_though_its_list_is_lost) {
  in_any_order([](engine& e) {
    auto& a = alice_who_sees_bob(e);
    auto& b = bob_without_a_list(e);
    b.set_availability({show::away, "", 0});
    e.settle();
    BOOST_TEST(sees(a, bob) == "desk=away");
    b.sign_out();
    e.settle();
    BOOST_TEST(sees(a, bob) == "");
    // And who comes is seen when it can be read.
    auto& phone = e.sign_in(bob, "phone");
    for (auto text : {"one", "two", "three"})
      phone.set_availability({show::away, text, 0});
    e.settle();
    const auto before = told(a, bob).size();
    *e.cannot_read_rosters = false;
    e.advance(3s);
    BOOST_TEST(sees(a, bob) == "phone=away");
    BOOST_TEST(told(a, bob).size() == before + 1);
    phone.sign_out();
    e.settle();
    BOOST_TEST(sees(a, bob) == "");
  });
}

BOOST_AUTO_TEST_CASE(
  what_waits_for_others_is_answered_though_the_list_is_lost) {
  in_any_order([](engine& e) {
    alice_who_sees_bob(e);
    const add_contacts one{{{carol + "@example.org", "", {}}}};
    auto& b = bob_without_a_list(e, {one});
    BOOST_TEST(b.answer_to(1) == "store_failed");
    BOOST_TEST(b.answer_to(2) != "");
    BOOST_TEST(b.answer_to(2) != "done");
    *e.cannot_read_rosters = false;
    e.advance(3s);
    const auto again = b.request(one);
    e.settle();
    BOOST_TEST(b.answer_to(again) == "done");
  });
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
