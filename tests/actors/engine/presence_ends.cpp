#include "tests/actors/engine/presence_cases.hpp"

#include "protocol/defaults.hpp"
#include "tests/actors/engine/halves.hpp"

// Accounts that go, disks that refuse, and crashes.
namespace parley::test {

namespace {

using namespace presence;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(presence_ends)

BOOST_AUTO_TEST_CASE(an_account_that_is_removed_is_seen_by_nobody) {
  in_any_order([](engine& e) {
    auto& a = alice_who_sees_bob(e);
    auto& b = e.sign_in(bob, "phone");
    auto& c = e.sign_in(carol, "desk");
    c.request(watch{user(bob), 600});
    b.request(subscribe{user(alice)});
    e.settle();
    BOOST_TEST((e.remove_account(bob).why.code == errc::none));
    BOOST_TEST(sees(a, bob) == "");
    BOOST_TEST(sees(c, bob) == "unknown");
    auto* left = a.screen.find(user(bob));
    BOOST_REQUIRE(left);
    BOOST_TEST((left->subscription == subscription_state{}));
    e.advance(2
      * std::chrono::duration_cast<std::chrono::milliseconds>(
        defaults::expiry_interval));
    BOOST_TEST(open_notes(*e.db) == 0u);
    BOOST_TEST(e.db->roster(user(bob))->items.empty());
    BOOST_TEST(e.live_presence().subscriptions == 0u);
    // A later one of that name is somebody else.
    e.make_account(bob);
    e.sign_in(bob, "phone");
    BOOST_TEST(sees(a, bob) == "");
  });
}

/// A server under these rules, with the accounts of all, that was restarted at
/// some of these moments: bits of `restarts`.
struct restarted {
  std::unique_ptr<engine> e;
  unsigned restarts;

  restarted(uint64_t seed, unsigned restarts)
    : e(std::make_unique<engine>(seed, asking())), restarts(restarts) {
    for (auto& name : {alice, bob})
      e->make_account(name);
  }
  void moment(unsigned bit) {
    if (restarts & bit)
      engine::restart(e, asking());
    else
      e->advance(1s);
  }
};

BOOST_AUTO_TEST_CASE(an_approval_beforehand_ends_with_its_account) {
  constexpr unsigned moments = 3;
  for (unsigned restarts = 0; restarts < 1 << moments; ++restarts)
    for (bool removed : {true, false})
      BOOST_TEST_CONTEXT("restarts " << restarts << ", removed " << removed) {
        restarted x{restarts + 1, restarts};
        x.e->sign_in(alice, "desk").request(approve{user(bob)});
        x.e->settle();
        x.moment(1);
        if (removed)
          BOOST_TEST((x.e->remove_account(bob).why.code == errc::none));
        x.moment(2);
        if (removed)
          x.e->make_account(bob);
        x.moment(4);
        x.e->sign_in(bob, "phone").request(subscribe{user(alice)});
        x.e->settle();
        auto items = x.e->db->roster(user(alice))->items;
        BOOST_REQUIRE(items.size() == 1u);
        BOOST_TEST((items[0].what.subscription.from
          == (removed ? half::pending : half::active)));
        BOOST_TEST(!items[0].what.preapproved);
      }
}

BOOST_AUTO_TEST_CASE(an_account_that_is_removed_leaves_no_watch_under_way) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    auto& b = e.sign_in(bob, "phone");
    a.request(watch{user(carol), 600});
    a.request(watch{user(bob), 600});
    b.request(watch{user(alice), 600});
    BOOST_TEST((e.remove_account(alice).why.code == errc::none));
    BOOST_TEST(a.closed == "account_removed");
    BOOST_TEST(e.live_presence().subscriptions == 0u);
    BOOST_TEST(e.live_presence().adhoc == 0u);
    BOOST_TEST(sees(b, alice) != "desk=available");
    b.sign_out();
    e.settle();
    BOOST_TEST(e.live_presence().rosters == 0u);
    // A later one of that name is not disturbed by what ends late.
    e.make_account(alice);
    e.sign_in(alice, "desk");
    e.sign_in(bob, "phone").request(watch{user(alice), 600});
    e.settle();
    BOOST_TEST(e.live_presence().subscriptions == 1u);
  });
}

BOOST_AUTO_TEST_CASE(what_an_account_asks_while_it_is_removed_is_not_done) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    e.sign_in(bob, "phone");
    a.request(add_contacts{{{carol + "@example.org", "", {}}}});
    a.request(subscribe{user(bob)});
    a.request(subscribe{user(carol)});
    set_privacy hidden;
    hidden.sharing = sharing::off;
    a.request(hidden);
    BOOST_TEST((e.remove_account(alice).why.code == errc::none));
    e.advance(2
      * std::chrono::duration_cast<std::chrono::milliseconds>(
        defaults::expiry_interval));
    BOOST_TEST(open_notes(*e.db) == 0u);
    BOOST_TEST(e.db->roster(user(bob))->items.empty());
    BOOST_TEST(e.db->roster(user(carol))->items.empty());
    // Nor is a later one of that name taken for one that hides.
    e.make_account(alice);
    auto& b = e.sign_in(bob, "desk");
    b.request(subscribe{user(alice)});
    e.settle();
    BOOST_TEST(sees(b, alice) == "");
  });
}

BOOST_AUTO_TEST_CASE(what_the_disk_refuses_is_told_and_not_done) {
  in_any_order([](engine& e) {
    auto& a = alice_who_sees_bob(e);
    e.sign_in(bob, "phone");
    e.disk.files().refuse_writes(lossy_fs::fault::broken);
    auto n1 = a.request(subscribe{user(carol)});
    auto n2 = a.request(remove_contacts{{bob + "@example.org"}});
    e.settle();
    BOOST_TEST(a.answer_to(n1) == "store_failed");
    BOOST_TEST(a.answer_to(n2) == "store_failed");
    BOOST_TEST(sees(a, bob) == "phone=available");
    e.disk.files().refuse_writes(lossy_fs::fault::none);
    e.advance(2s);
    BOOST_TEST(!a.screen.find(user(carol)));
    auto n3 = a.request(subscribe{user(carol)});
    e.settle();
    BOOST_TEST(a.answer_to(n3) == "done");
    auto& c = e.sign_in(carol, "desk");
    BOOST_TEST(sees(a, carol) == "desk=available");
    c.sign_out();
    e.settle();
    BOOST_TEST(sees(a, carol) == "");
  });
}

// -- crashes

/// What one of two users does last.
struct last_deed {
  const char* what;
  std::function<void(engine&)> before;
  std::function<void(simulated_client& a, simulated_client& b)> act;
};

void alice_has_asked(engine& e) {
  alice_who_sees_bob(e).request(subscribe{user(bob)});
  e.settle();
}

void each_sees_the_other(engine& e) {
  alice_who_sees_bob(e);
  e.sign_in(bob, "tablet").request(subscribe{user(alice)});
  e.settle();
}

BOOST_AUTO_TEST_CASE(a_crash_between_two_halves_heals_by_itself) {
  auto nothing = [](engine&) {};
  const last_deed deeds[] = {
    {"subscribe", nothing,
      [](auto& a, auto&) { a.request(subscribe{user(bob)}); }},
    {"approve", alice_has_asked,
      [](auto&, auto& b) { b.request(approve{user(alice)}); }},
    {"unsubscribe", each_sees_the_other,
      [](auto& a, auto&) { a.request(unsubscribe{user(bob)}); }},
    {"remove", each_sees_the_other,
      [](auto& a, auto&) {
        a.request(remove_contacts{{bob + "@example.org"}});
      }},
  };
  for (const auto& deed : deeds) {
    auto rules = deed.what == std::string{"approve"} ? asking() : policy{};
    bool done = false;
    for (size_t steps = 1; !done; steps += 4) {
      BOOST_TEST_CONTEXT(deed.what << ", crash after " << steps << " steps") {
        auto e = std::make_unique<engine>(steps, rules);
        for (auto& name : {alice, bob})
          e->make_account(name);
        deed.before(*e);
        auto& a = e->sign_in(alice, "last");
        auto& b = e->sign_in(bob, "last");
        deed.act(a, b);
        for (size_t i = 0; i < steps && !done; ++i)
          done = !e->system.step();
        engine::restart(e, rules);
        auto& a2 = e->sign_in(alice, "new");
        auto& b2 = e->sign_in(bob, "new");
        e->advance(2s);
        BOOST_TEST(disagreements(*e->db, {user(alice), user(bob)}).empty());
        BOOST_TEST(open_notes(*e->db) == 0u);
        bool seen =
          entry_of(*e->db, user(alice), user(bob)).what.subscription.to
          == half::active;
        BOOST_TEST(sees(a2, bob) == (seen ? "new=available" : ""));
        seen = entry_of(*e->db, user(bob), user(alice)).what.subscription.to
          == half::active;
        BOOST_TEST(sees(b2, alice) == (seen ? "new=available" : ""));
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
