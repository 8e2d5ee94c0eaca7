#include "tests/actors/engine/cases.hpp"

#include <algorithm>

#include "protocol/defaults.hpp"

// What users see, told case by case, under many orders of events.
namespace parley::test {

namespace {

using namespace std::chrono_literals;
using habit = simulated_client::habit;

const std::string nobody = engine::name_on(0, 5);

availability shown(show what, int8_t priority = 0) {
  return {what, "", priority};
}

BOOST_AUTO_TEST_SUITE(scenarios)

BOOST_AUTO_TEST_CASE(ims_fork_collapse_to_who_replies_and_are_released) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    auto& b1 = e.sign_in(bob, "phone");
    auto& b2 = e.sign_in(bob, "desk");
    auto m1 = a.send(bob);
    e.settle();
    BOOST_TEST(a.outcome_of(m1) == "delivered");
    BOOST_TEST(b1.got == texts{m1});
    BOOST_TEST(b2.got == texts{m1});
    b2.send(alice);
    e.settle();
    auto m2 = a.send(bob);
    e.settle();
    BOOST_TEST(b1.got == texts{m1});
    BOOST_TEST(b2.got == (texts{m1, m2}));
    b2.set_availability(shown(show::away));
    e.settle();
    auto m3 = a.send(bob);
    e.settle();
    BOOST_TEST(b1.got == (texts{m1, m3}));
    BOOST_TEST(b2.got == (texts{m1, m2, m3}));
    b1.set_availability(shown(show::available, -1));
    e.settle();
    auto m4 = a.send(bob);
    e.settle();
    BOOST_TEST(b1.got == (texts{m1, m3}));
    BOOST_TEST(b2.got == (texts{m1, m2, m3, m4}));
  });
}

BOOST_AUTO_TEST_CASE(an_im_that_nobody_acknowledges_is_stored_after_the_grace) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    auto& b1 = e.sign_in(bob, "phone");
    auto& b2 = e.sign_in(bob, "desk");
    b1.send(alice);
    e.settle();
    b1.acknowledging = habit::silent;
    b2.acknowledging = habit::silent;
    auto m = a.send(bob);
    e.advance(1'900ms);
    BOOST_TEST(a.outcome_of(m) == "");
    BOOST_TEST(b2.got.empty());
    e.advance(400ms);
    BOOST_TEST(a.outcome_of(m) == "stored");
    BOOST_TEST(b1.probes == 1u);
    // The choice ended: the other one is offered it.
    BOOST_TEST(b2.got == texts{m});
    BOOST_TEST(e.on_disk(bob) == texts{m});
    b2.acknowledge();
    e.settle();
    BOOST_TEST(e.on_disk(bob).empty());
  });
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_that_overtakes_the_disk_is_delivered) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    auto& b1 = e.sign_in(bob, "phone");
    auto& b2 = e.sign_in(bob, "desk");
    b1.send(alice);
    e.settle();
    b1.acknowledging = habit::silent;
    e.hold_writes();
    auto m = a.send(bob);
    e.advance(2'300ms);
    BOOST_TEST(b2.got == texts{m});
    BOOST_TEST(a.outcome_of(m) == "delivered");
    e.let_writes_go();
    BOOST_TEST(e.on_disk(bob).empty());
  });
}

BOOST_AUTO_TEST_CASE(a_silent_connection_is_suspended_after_the_grace) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    auto& b = e.sign_in(bob, "phone");
    b.go_silently();
    auto m = a.send(bob);
    e.advance(5s);
    BOOST_TEST(a.outcome_of(m) == "stored");
    auto sessions = e.report(1).sessions;
    BOOST_REQUIRE(sessions.size() == 1u);
    BOOST_TEST(!sessions[0].connected);
    BOOST_TEST(e.on_disk(bob) == texts{m});
    b.resume();
    e.settle();
    BOOST_TEST(b.resumed);
    BOOST_TEST(b.got == texts{m});
    BOOST_TEST(e.on_disk(bob).empty());
  });
}

BOOST_AUTO_TEST_CASE(a_resumed_session_gets_everything_once_and_in_order) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    auto& b = e.sign_in(bob, "phone");
    b.acknowledging = habit::silent;
    texts sent;
    for (int i = 0; i < 5; ++i)
      sent.push_back(a.send(bob));
    e.settle();
    b.acknowledge(2);
    e.settle();
    b.cut();
    for (int i = 0; i < 5; ++i)
      sent.push_back(a.send(bob));
    e.settle();
    for (size_t i = 2; i < sent.size(); ++i)
      BOOST_TEST(a.outcome_of(sent[i]) == "stored");
    b.acknowledging = habit::prompt;
    e.advance(30s);
    b.resume();
    e.settle();
    BOOST_TEST(b.resumed);
    BOOST_TEST(b.got == sent);
    BOOST_TEST(b.again.empty());
    BOOST_TEST(e.on_disk(bob).empty());
  });
}

BOOST_AUTO_TEST_CASE(a_session_resumes_while_its_connection_is_thought_alive) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    auto& b = e.sign_in(bob, "phone");
    b.go_silently();
    auto m1 = a.send(bob);
    auto sent = b.send(alice); // while it has no connection
    e.settle();
    b.resume();
    e.settle();
    auto m2 = a.send(bob);
    e.settle();
    BOOST_TEST(b.resumed);
    BOOST_TEST(b.got == (texts{m1, m2}));
    BOOST_TEST(b.outcome_of(sent) == "delivered");
    BOOST_TEST(a.outcome_of(m1) == "delivered");
    BOOST_TEST(a.got == texts{sent});
    e.advance(10s);
    BOOST_TEST(b.is_in());
  });
}

BOOST_AUTO_TEST_CASE(after_the_resume_window_a_session_is_a_new_one) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    auto& b = e.sign_in(bob, "phone");
    b.acknowledging = habit::silent;
    auto m = a.send(bob);
    e.settle();
    b.cut();
    e.advance(62s);
    BOOST_TEST(e.report(1).sessions.empty());
    BOOST_TEST(e.on_disk(bob) == texts{m});
    b.acknowledging = habit::prompt;
    b.resume();
    e.settle();
    BOOST_TEST(b.is_in());
    BOOST_TEST(!b.resumed);
    BOOST_TEST(b.again == texts{m}); // it had it, but never said so
    BOOST_TEST(e.on_disk(bob).empty());
  });
}

BOOST_AUTO_TEST_CASE(a_replaced_session_hands_on_what_it_had_not_acknowledged) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    auto& old = e.sign_in(bob, "phone");
    old.acknowledging = habit::silent;
    auto m1 = a.send(bob);
    auto m2 = a.send(bob);
    e.settle();
    old.acknowledge(1);
    if (e.system.seed() % 2)
      e.advance(3s); // stored
    else
      e.settle();
    auto& fresh = e.sign_in(bob, "phone");
    BOOST_TEST(old.closed == "replaced");
    BOOST_TEST(fresh.is_in());
    BOOST_TEST(fresh.got == texts{m2});
    auto m3 = a.send(bob);
    e.settle();
    BOOST_TEST(fresh.got == (texts{m2, m3}));
    for (auto& m : {m1, m2, m3})
      BOOST_TEST(
        (a.outcome_of(m) == "delivered" || a.outcome_of(m) == "stored"));
    BOOST_TEST(e.on_disk(bob).empty());
  });
}

BOOST_AUTO_TEST_CASE(
  two_that_sign_in_at_once_under_one_name_are_one_in_the_end) {
  in_any_order([](engine& e) {
    auto& x = e.client(bob, "phone");
    auto& y = e.client(bob, "phone");
    x.sign_in();
    y.sign_in();
    e.settle();
    BOOST_TEST(x.is_in() != y.is_in());
    BOOST_TEST(e.report(1).sessions.size() == 1u);
    auto& a = e.sign_in(alice, "desk");
    auto m = a.send(bob);
    e.settle();
    BOOST_TEST(a.outcome_of(m) == "delivered");
  });
}

BOOST_AUTO_TEST_CASE(stored_ims_come_in_order_and_leave_when_acknowledged) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    texts sent;
    for (int i = 0; i < 150; ++i) { // more than a page, more than a window
      sent.push_back(a.send(bob));
      e.settle();
      BOOST_REQUIRE(a.outcome_of(sent.back()) == "stored");
    }
    BOOST_TEST(e.on_disk(bob) == sent);
    auto& b = e.client(bob, "phone");
    b.acknowledging = habit::silent;
    b.sign_in();
    e.settle();
    BOOST_TEST(b.got.size() == policy{}.window_messages());
    BOOST_TEST(e.on_disk(bob).size() == sent.size());
    b.acknowledging = habit::prompt;
    b.acknowledge();
    e.settle();
    sent.push_back(a.send(bob));
    e.settle();
    BOOST_TEST(b.got == sent);
    BOOST_TEST(b.again.empty());
    BOOST_TEST(e.on_disk(bob).empty());
  });
}

BOOST_AUTO_TEST_CASE(a_broadcast_reaches_users_of_all_routers) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    auto& b = e.sign_in(bob, "phone");
    a.broadcast_to({bob, nobody, carol, alice, bob}, "b");
    e.settle();
    auto expected = bob + ": delivered, " + nobody + ": no_such_user, " + carol
      + ": stored, " + alice + ": delivered";
    BOOST_TEST(a.outcome_of("b") == expected);
    BOOST_TEST(b.got == texts{"b"});
    BOOST_TEST(e.on_disk(carol) == texts{"b"});
    a.broadcast_to({bob, nobody, carol, alice}, "b");
    e.settle();
    BOOST_TEST(a.outcome_of("b") == expected);
    BOOST_TEST(b.again.empty());
  });
}

BOOST_AUTO_TEST_CASE(who_signs_out_is_gone_and_the_rest_is_stored) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    auto& b = e.sign_in(bob, "phone");
    b.acknowledging = habit::silent;
    auto m = a.send(bob);
    e.settle();
    b.sign_out();
    e.settle();
    BOOST_TEST(b.closed == "signed_out");
    BOOST_TEST(a.outcome_of(m) == "stored");
    BOOST_TEST(e.on_disk(bob) == texts{m});
    b.resume(); // its token is void
    e.settle();
    BOOST_TEST(b.is_in());
    BOOST_TEST(!b.resumed);
  });
}

BOOST_AUTO_TEST_CASE(a_removed_account_is_told_and_its_ims_are_rejected) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    auto m0 = a.send(carol);
    auto& b = e.sign_in(bob, "phone");
    b.acknowledging = habit::silent;
    auto m1 = a.send(bob);
    e.settle();
    e.remove_account(bob);
    BOOST_TEST(b.closed == "account_removed");
    BOOST_TEST(a.outcome_of(m1) == "no_such_user");
    e.remove_account(carol);
    auto m2 = a.send(carol);
    e.settle();
    BOOST_TEST(a.outcome_of(m0) == "stored");
    BOOST_TEST(a.outcome_of(m2) == "no_such_user");
    BOOST_TEST(e.on_disk(carol).empty());
    auto& again = e.sign_in(bob, "phone");
    BOOST_TEST(!again.is_in());
    BOOST_TEST(again.closed == "authentication_failed");
  });
}

BOOST_AUTO_TEST_CASE(a_setting_is_in_force_everywhere_when_it_is_answered) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    auto& b = e.sign_in(bob, "phone");
    auto x = e.set("im.enabled", "off");
    BOOST_TEST(x.before == "on");
    BOOST_TEST(x.now == "off");
    BOOST_TEST(a.policy["im.enabled"] == "off");
    BOOST_TEST(b.policy["im.enabled"] == "off");
    auto m = a.send(bob);
    e.settle();
    BOOST_TEST(a.outcome_of(m) == "im_disabled");
    e.set("im.enabled", "on");
    e.set("session.heartbeat", "20 s");
    BOOST_TEST((a.heartbeat == 20s));
    e.set("session.buffer", "20");
    BOOST_TEST(a.requests.messages == 10u);
    BOOST_CHECK(e.set("im.grace", "1 h").why.code == errc::bad_request);
    BOOST_CHECK(e.set("im.gruce", "1").why.code == errc::bad_request);
    // What was stored is the policy of the next start.
    auto stored = e.db->settings();
    BOOST_REQUIRE(stored);
    std::vector<std::string> ignored;
    auto next = policy_from_store(*stored, ignored);
    BOOST_TEST(ignored.empty());
    BOOST_TEST(next.session_buffer == 20u);
    BOOST_TEST(next.im_enabled);
    auto audit = e.db->audit(10);
    BOOST_REQUIRE(audit);
    BOOST_TEST(audit->size() == 4u);
    BOOST_TEST(audit->at(3).from == "on");
    BOOST_TEST(audit->at(3).to == "off");
    BOOST_TEST(audit->at(3).who == "tester");
  });
}

BOOST_AUTO_TEST_CASE(a_setting_that_cannot_be_written_does_not_change) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    e.disk.files().refuse_writes(lossy_fs::fault::full);
    BOOST_CHECK(e.set("im.enabled", "off").why.code == errc::store_failed);
    BOOST_TEST(a.policy["im.enabled"] == "on");
    e.disk.files().refuse_writes(lossy_fs::fault::none);
  });
}

BOOST_AUTO_TEST_CASE(a_failing_disk_rejects_what_nobody_acknowledges) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    auto& b = e.sign_in(bob, "phone");
    e.disk.files().refuse_writes(lossy_fs::fault::full);
    auto m1 = a.send(carol);
    auto m2 = a.send(bob);
    e.settle();
    BOOST_TEST(a.outcome_of(m1) == "store_failed");
    BOOST_TEST(a.outcome_of(m2) == "delivered");
    BOOST_TEST(b.got == texts{m2});
    e.disk.files().refuse_writes(lossy_fs::fault::none);
    e.advance(2s);
    auto m3 = a.send(carol, m1); // a retry is judged anew
    e.settle();
    BOOST_TEST(a.outcome_of(m3) == "stored");
    BOOST_TEST(e.on_disk(carol) == texts{m1});
  });
}

BOOST_AUTO_TEST_CASE(an_orderly_stop_settles_everything_and_tells_clients) {
  in_any_order(
    [](engine& e) {
      auto& a = e.sign_in(alice, "desk");
      auto& b = e.sign_in(bob, "phone");
      b.acknowledging = habit::silent;
      texts sent;
      for (int i = 0; i < 10; ++i)
        sent.push_back(a.send(i % 2 ? bob : carol));
      for (auto n = e.system.random()() % 40; n > 0; --n)
        e.system.step();
      auto reports = e.stop();
      uint64_t given_up = 0;
      for (auto& r : reports)
        given_up += r.given_up;
      BOOST_TEST(given_up == 0u);
      BOOST_TEST(a.going_away + b.going_away == 2u);
      BOOST_TEST(a.closed == "server_stopping");
      BOOST_TEST(b.closed == "server_stopping");
      for (auto& m : sent) {
        auto what = a.outcome_of(m);
        // Not submitted at all, or refused because of the stop: to be sent
        // again.
        if (what != "" && what != "server_stopping")
          BOOST_TEST(what == "stored");
      }
      auto disk = e.on_disk(bob);
      for (auto& m : e.on_disk(carol))
        disk.push_back(m);
      for (auto& m : sent)
        if (a.outcome_of(m) == "stored")
          BOOST_TEST((std::find(disk.begin(), disk.end(), m) != disk.end()), m);
    },
    [] {
      policy p;
      p.im_grace_ms = 30'000;
      return p;
    }());
}

BOOST_AUTO_TEST_CASE(a_client_may_stop_the_stream_and_let_it_go_on) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    auto& b = e.sign_in(bob, "phone");
    b.set_window({});
    e.settle();
    texts sent{a.send(bob), a.send(bob)};
    e.set("session.buffer", "50");
    e.advance(3s);
    BOOST_TEST(b.got.empty());
    BOOST_TEST(a.outcome_of(sent[0]) == "stored");
    b.set_window({1, 1'000});
    e.settle();
    BOOST_TEST(b.got == sent);
    b.set_window({});
    e.settle();
    b.cut();
    e.settle();
    b.resume();
    e.settle();
    // The windows are those of the new sign-in.
    sent.push_back(a.send(bob));
    e.settle();
    if (b.granted.messages > 0)
      BOOST_TEST(b.got == sent);
    else
      BOOST_TEST(b.got.size() == 2u);
  });
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
