#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>

#include "protocol/defaults.hpp"
#include "tests/client/simulation.hpp"

using namespace parley;
using namespace parley::test;
using namespace std::chrono_literals;

namespace {

struct two_users : simulation {
  test_user& alice = add("alice", 1);
  test_user& bob = add("bob", 2);

  two_users() { wait(200ms); }
};

constexpr auto bobs_address = "bob@example.org";

} // namespace

BOOST_AUTO_TEST_CASE(a_client_signs_in_and_is_told_its_address) {
  two_users x;
  BOOST_TEST(x.alice.readies.size() == 1u);
  BOOST_TEST(x.alice.readies.front().first == "alice@example.org/desk");
  BOOST_TEST(!x.alice.readies.front().second);
  BOOST_TEST(x.alice.core.is_ready());
  BOOST_TEST(x.alice.core.self().str() == "alice@example.org/desk");
  BOOST_TEST(x.alice.policies == 1u);
}

BOOST_AUTO_TEST_CASE(an_im_arrives_and_has_one_outcome) {
  two_users x;
  x.alice.send(bobs_address, "hi");
  x.settle();
  BOOST_TEST(x.bob.messages.size() == 1u);
  BOOST_TEST(x.bob.messages.front().from == "alice@example.org/desk");
  BOOST_TEST(x.bob.messages.front().id == "alice-1");
  BOOST_TEST(x.bob.messages.front().body == "hi");
  BOOST_TEST(!x.bob.messages.front().offline);
  BOOST_TEST(x.alice.outcomes.size() == 1u);
  auto& told = x.alice.outcomes.front();
  BOOST_TEST(told.tag == 1u);
  BOOST_TEST(told.id == "alice-1");
  BOOST_TEST(told.to == bobs_address);
  BOOST_TEST((told.what.what == outcome::kind::delivered));
  BOOST_TEST(x.alice.core.unanswered() == 0u);
}

BOOST_AUTO_TEST_CASE(outcomes_stored_and_rejected_are_told) {
  two_users x;
  x.server.add_account("carol@example.org");
  x.alice.send("carol@example.org", "later");
  x.alice.send("nobody@example.org", "?");
  x.alice.send("@", "?");
  x.settle();
  BOOST_TEST(x.alice.outcomes.size() == 3u);
  BOOST_TEST((x.alice.outcomes[0].what.what == outcome::kind::stored));
  BOOST_TEST((x.alice.outcomes[1].what.why.code == errc::no_such_user));
  BOOST_TEST((x.alice.outcomes[2].what.why.code == errc::bad_address));
  auto& carol = x.add("carol", 3);
  x.wait(200ms);
  BOOST_TEST(carol.messages.size() == 1u);
  BOOST_TEST(carol.messages.front().offline);
}

BOOST_AUTO_TEST_CASE(what_is_asked_before_the_sign_in_waits_for_it) {
  simulation x;
  auto& bob = x.add("bob", 2);
  x.wait(200ms);
  auto& alice = x.add("alice", 1);
  alice.send(bobs_address, "early");
  alice.core.set_availability({show::away, "out", 3}, {9});
  BOOST_TEST(alice.core.unanswered() == 2u);
  x.wait(200ms);
  BOOST_TEST(bob.messages.size() == 1u);
  // The sign-in itself carried it.
  BOOST_TEST((alice.dones == std::vector<uint64_t>{9}));
  BOOST_TEST(
    (x.server.availabilities.back() == availability{show::away, "out", 3}));
  BOOST_TEST(x.server.availabilities.size() == 2u);
}

BOOST_AUTO_TEST_CASE(ims_without_outcome_can_be_listed) {
  two_users x;
  x.server.add_account("carol@example.org");
  x.alice.unreachable = true;
  x.alice.cut();
  BOOST_TEST(x.alice.core.open_ims().empty());
  x.alice.send(bobs_address, "hi");
  x.alice.core.set_availability({show::away, "", 0});
  std::vector<std::string> to{"bob@example.org", "carol@example.org"};
  x.alice.core.broadcast({"b1", {}, "to all", {}, false}, to, {5});
  auto open = x.alice.core.open_ims();
  BOOST_REQUIRE(open.size() == 2u);
  BOOST_TEST(open[0].tag.value == 1u);
  BOOST_TEST(open[0].id == "alice-1");
  BOOST_TEST(!open[0].is_broadcast);
  BOOST_TEST((open[0].to == std::vector<std::string_view>{bobs_address}));
  BOOST_TEST(open[1].tag.value == 5u);
  BOOST_TEST(open[1].id == "b1");
  BOOST_TEST(open[1].is_broadcast);
  BOOST_TEST(
    (open[1].to == std::vector<std::string_view>{to.begin(), to.end()}));
  x.alice.unreachable = false;
  x.wait(2s);
  BOOST_TEST(x.alice.outcomes.size() == 1u);
  BOOST_TEST(x.alice.core.open_ims().empty());
}

BOOST_AUTO_TEST_CASE(the_last_availability_holds_after_a_new_sign_in) {
  two_users x;
  x.alice.core.set_availability({show::dnd, "busy", -1}, {4});
  x.settle();
  BOOST_TEST((x.alice.dones == std::vector<uint64_t>{4}));
  x.server.restart();
  x.wait(2s);
  // Once when it was set, once with the new sign-in.
  BOOST_TEST(std::ranges::count(
               x.server.availabilities, availability{show::dnd, "busy", -1})
    == 2);
}

BOOST_AUTO_TEST_CASE(a_status_beyond_the_limit_is_refused_here) {
  two_users x;
  x.alice.core.set_availability({show::away, std::string(2000, 'x'), 0});
  BOOST_TEST(x.alice.refusals.size() == 1u);
  BOOST_TEST((x.alice.refusals.front().code == errc::bad_request));
  BOOST_TEST(x.alice.core.unanswered() == 0u);
}

BOOST_AUTO_TEST_CASE(an_im_that_fits_no_frame_is_rejected_here) {
  two_users x;
  x.alice.send(bobs_address, std::string(300'000, 'x'));
  BOOST_TEST(x.alice.outcomes.size() == 1u);
  BOOST_TEST((x.alice.outcomes.front().what.why.code == errc::too_large));
  x.alice.send(bobs_address, std::string(200'000, 'x'));
  x.settle();
  BOOST_TEST(x.alice.outcomes.size() == 2u);
  BOOST_TEST((x.alice.outcomes.back().what.what == outcome::kind::delivered));
}

BOOST_AUTO_TEST_CASE(a_broadcast_lists_the_outcome_of_each) {
  two_users x;
  std::vector<std::string> to{"bob@example.org", "carol@example.org"};
  x.alice.core.broadcast({"b1", {}, "to all", {}, false}, to, {5});
  x.settle();
  BOOST_TEST(x.alice.broadcasts.size() == 1u);
  BOOST_TEST(x.alice.broadcasts.front().size() == 2u);
  BOOST_TEST(x.alice.broadcasts.front()[1].to == "carol@example.org");
}

BOOST_AUTO_TEST_CASE(a_broadcast_of_many_goes_and_comes_in_parts) {
  two_users x;
  std::vector<std::string> to;
  for (int i = 0; i < 900; ++i)
    to.push_back(std::string(400, 'u') + std::to_string(i) + "@example.org");
  x.alice.core.broadcast({"b1", {}, "to all", {}, false}, to);
  x.settle();
  BOOST_TEST(x.alice.broadcasts.size() == 1u);
  BOOST_TEST(x.alice.broadcasts.front().size() == 900u);
  x.alice.send(bobs_address, "after it");
  x.settle();
  BOOST_TEST(x.alice.outcomes.size() == 1u);
}

BOOST_AUTO_TEST_CASE(typing_is_told_and_never_resent) {
  two_users x;
  x.alice.core.typing(bobs_address);
  x.settle();
  BOOST_TEST(
    (x.bob.typings == std::vector<std::string>{"alice@example.org/desk"}));
  x.alice.cut();
  x.alice.core.typing(bobs_address);
  x.wait(2s);
  BOOST_TEST(x.bob.typings.size() == 1u);
}

BOOST_AUTO_TEST_CASE(the_request_window_is_kept) {
  two_users x;
  for (int i = 0; i < 100; ++i)
    x.alice.send(bobs_address, std::string(100, 'x'));
  x.settle();
  BOOST_TEST(x.alice.outcomes.size() == 100u);
  BOOST_TEST(x.server.violations == 0u);
  x.server.change_request_window("alice@example.org", {0, 0});
  x.settle();
  x.alice.send(bobs_address, "waits");
  x.settle();
  BOOST_TEST(x.alice.outcomes.size() == 100u);
  x.server.change_request_window("alice@example.org", {1, 1});
  x.settle();
  BOOST_TEST(x.alice.outcomes.size() == 101u);
  BOOST_TEST(x.server.violations == 0u);
}

BOOST_AUTO_TEST_CASE(what_the_window_sent_back_is_sent_again) {
  two_users x;
  x.server.refuse_requests = failure{errc::window_exceeded};
  x.alice.send(bobs_address, "one");
  x.alice.to_server(SIZE_MAX);
  x.server.refuse_requests.reset();
  x.settle();
  BOOST_TEST(x.bob.messages.size() == 1u);
  BOOST_TEST(x.alice.outcomes.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_refused_request_is_told_once) {
  two_users x;
  x.server.refuse_requests = failure{errc::unknown_request};
  x.alice.send(bobs_address, "one");
  x.alice.core.set_availability({}, {3});
  x.alice.core.broadcast(
    {"b", {}, "x", {}, false}, std::vector<std::string>{bobs_address});
  x.settle();
  BOOST_TEST(x.alice.outcomes.size() == 1u);
  BOOST_TEST((x.alice.outcomes.front().what.why.code == errc::unknown_request));
  BOOST_TEST(x.alice.refusals.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_broken_connection_is_resumed_without_loss) {
  two_users x;
  x.alice.send(bobs_address, "one");
  x.alice.to_server(SIZE_MAX);
  x.alice.cut();
  x.bob.cut();
  BOOST_TEST(x.alice.losses.size() == 1u);
  x.alice.send(bobs_address, "two");
  x.wait(2s);
  BOOST_TEST(x.alice.readies.size() == 2u);
  BOOST_TEST(x.alice.readies.back().second);
  BOOST_TEST(x.bob.messages.size() == 2u);
  BOOST_TEST(x.bob.messages[1].body == "two");
  BOOST_TEST(x.alice.outcomes.size() == 2u);
  BOOST_TEST(x.server.resumes == 2u);
}

BOOST_AUTO_TEST_CASE(after_a_refused_resume_nothing_is_lost_or_shown_twice) {
  two_users x;
  x.alice.send(bobs_address, "one");
  x.alice.to_server(SIZE_MAX);
  // Bob has it, and his acknowledgement never arrives.
  x.bob.to_client(SIZE_MAX);
  BOOST_TEST(x.bob.messages.size() == 1u);
  x.server.restart();
  x.alice.send(bobs_address, "two");
  x.wait(3s);
  BOOST_TEST(x.server.refused_resumes == 2u);
  BOOST_TEST(!x.alice.readies.back().second);
  BOOST_TEST(x.bob.messages.size() == 2u);
  BOOST_TEST(x.bob.messages[1].body == "two");
  BOOST_TEST(x.alice.outcomes.size() == 2u);
}

BOOST_AUTO_TEST_CASE(tries_grow_apart_and_come_back_to_normal) {
  two_users x;
  x.alice.unreachable = true;
  x.alice.cut();
  x.wait(5min);
  BOOST_TEST(x.alice.losses.size() > 10u);
  BOOST_TEST(x.alice.losses.size() < 30u);
  for (auto& [why, wait] : x.alice.losses)
    BOOST_TEST((wait <= defaults::client_backoff_max));
  x.alice.unreachable = false;
  x.wait(40s);
  BOOST_TEST(x.alice.core.is_ready());
  x.alice.cut();
  BOOST_TEST((x.alice.losses.back().second <= defaults::client_backoff_first));
}

BOOST_AUTO_TEST_CASE(a_server_that_goes_away_says_when_to_come_back) {
  two_users x;
  x.server.go_away(7s);
  x.settle();
  x.alice.send(bobs_address, "held back");
  x.settle();
  BOOST_TEST(x.bob.messages.empty());
  x.server.restart();
  x.settle();
  BOOST_TEST((x.alice.losses.back().first.code == errc::server_stopping));
  BOOST_TEST((x.alice.losses.back().second == 7s));
  x.wait(6s);
  BOOST_TEST(!x.alice.core.is_ready());
  x.wait(2s);
  BOOST_TEST(x.alice.core.is_ready());
  BOOST_TEST(x.bob.messages.size() == 1u);
}

BOOST_AUTO_TEST_CASE(an_idle_client_beats_and_a_silent_server_is_given_up) {
  two_users x;
  x.wait(20s);
  BOOST_TEST(x.alice.losses.empty());
  // From now on nothing moves.
  auto start = x.now;
  std::chrono::nanoseconds first_beat{};
  while (x.alice.losses.empty() && x.now - start < 10s) {
    x.now += 100ms;
    x.alice.core.tick(x.now);
    if (first_beat.count() == 0 && !x.alice.core.output().empty())
      first_beat = x.now - start;
  }
  BOOST_TEST((first_beat > 0s && first_beat <= x.server.heartbeat));
  auto silence = x.now - start;
  BOOST_TEST((silence > 2s && silence < 3s));
  BOOST_TEST((x.alice.losses.back().first.code == errc::timed_out));
}

BOOST_AUTO_TEST_CASE(a_server_that_never_answers_is_given_up) {
  simulation x;
  auto& alice = x.add("alice", 1);
  while (alice.losses.empty() && x.now.time_since_epoch() < 1001h) {
    x.now += 100ms;
    alice.tick();
  }
  BOOST_TEST((alice.losses.front().first.code == errc::timed_out));
}

BOOST_AUTO_TEST_CASE(a_wrong_password_ends_the_client) {
  simulation x;
  x.server.add_account("alice@example.org");
  test_user alice(
    x.server, x.now, "alice", 1, acknowledging::after_callback, "wrong");
  alice.start();
  for (int i = 0; i < 20; ++i) {
    x.now += 100ms;
    alice.tick();
    alice.to_server(SIZE_MAX);
    alice.to_client(SIZE_MAX);
  }
  BOOST_TEST(alice.ends.size() == 1u);
  BOOST_TEST((alice.ends.front().code == errc::authentication_failed));
  BOOST_TEST(alice.readies.empty());
  BOOST_TEST(alice.core.is_gone());
}

BOOST_AUTO_TEST_CASE(a_sign_in_that_may_work_later_is_tried_again) {
  failure limited{errc::rate_limited};
  limited.retry_after = 3s;
  failure full{errc::too_many_endpoints};
  full.retry_after = 3s;
  failure unknown{errc::none, "under_repair: a reason of another version"};
  for (auto& why : {limited, full, unknown, failure{errc::overloaded},
         failure{errc::store_unavailable}}) {
    simulation x;
    x.server.refuse_sign_ins = why;
    auto& alice = x.add("alice", 1);
    x.wait(2s);
    BOOST_TEST(alice.ends.empty(), why.text);
    BOOST_TEST(!alice.losses.empty());
    if (why.retry_after)
      BOOST_TEST((alice.losses.front().second >= *why.retry_after));
    x.server.refuse_sign_ins.reset();
    x.wait(1min);
    BOOST_TEST(alice.core.is_ready(), why.text);
  }
}

BOOST_AUTO_TEST_CASE(so_it_is_after_the_server_was_started_anew) {
  two_users x;
  failure limited{errc::rate_limited};
  limited.retry_after = 1s;
  x.server.refuse_sign_ins = limited;
  x.server.restart();
  x.wait(5s);
  BOOST_TEST(x.alice.ends.empty());
  x.server.refuse_sign_ins.reset();
  x.wait(1min);
  BOOST_TEST(x.alice.core.is_ready());
}

BOOST_AUTO_TEST_CASE(a_sign_in_that_never_works_ends_the_client) {
  failure guessed{errc::authentication_failed};
  guessed.retry_after = 1s;
  for (auto& why :
    {failure{errc::too_many_endpoints}, failure{errc::mechanism_unavailable},
      failure{errc::bad_address}, guessed}) {
    simulation x;
    x.server.refuse_sign_ins = why;
    auto& alice = x.add("alice", 1);
    x.wait(1min);
    BOOST_TEST(alice.ends.size() == 1u);
    BOOST_TEST((alice.ends.front().code == why.code));
    BOOST_TEST(alice.losses.empty());
  }
}

BOOST_AUTO_TEST_CASE(sessions_that_end_for_good_end_the_client) {
  for (auto why : {errc::replaced, errc::kicked, errc::account_removed}) {
    two_users x;
    x.server.end_sessions("alice@example.org", why);
    x.wait(1min);
    BOOST_TEST(x.alice.ends.size() == 1u);
    BOOST_TEST((x.alice.ends.front().code == why));
    BOOST_TEST(x.alice.losses.empty());
    BOOST_TEST(x.bob.ends.empty());
  }
}

BOOST_AUTO_TEST_CASE(a_session_that_expired_is_followed_by_a_new_one) {
  two_users x;
  x.bob.send("alice@example.org", "hello");
  x.settle();
  x.server.end_sessions("alice@example.org", errc::expired);
  x.wait(2s);
  BOOST_TEST(x.alice.ends.empty());
  BOOST_TEST(x.alice.core.is_ready());
  BOOST_TEST(!x.alice.readies.back().second);
  // Its events count from 1 again.
  x.bob.send("alice@example.org", "welcome back");
  x.settle();
  BOOST_TEST(x.alice.messages.size() == 2u);
}

BOOST_AUTO_TEST_CASE(signing_out_ends_the_session_after_all_that_was_sent) {
  two_users x;
  for (int i = 0; i < 20; ++i)
    x.alice.send(bobs_address, "bye");
  x.alice.core.sign_out();
  x.settle();
  BOOST_TEST(x.bob.messages.size() == 20u);
  BOOST_TEST(x.alice.ends.size() == 1u);
  BOOST_TEST((x.alice.ends.front().code == errc::signed_out));
  x.wait(1min);
  BOOST_TEST(x.alice.readies.size() == 1u);
}

BOOST_AUTO_TEST_CASE(what_comes_behind_a_sign_out_is_for_the_next_time) {
  two_users x;
  x.bob.send("alice@example.org", "in time");
  x.settle();
  x.bob.send("alice@example.org", "late");
  x.bob.to_server(SIZE_MAX);
  x.alice.core.sign_out();
  x.settle();
  BOOST_TEST(x.alice.ends.size() == 1u);
  BOOST_TEST(x.alice.messages.size() == 1u);
  BOOST_TEST(x.server.violations == 0u);
}

BOOST_AUTO_TEST_CASE(a_sign_out_survives_a_broken_connection) {
  for (bool arrived : {true, false}) {
    two_users x;
    x.alice.core.sign_out();
    if (arrived)
      x.alice.to_server(SIZE_MAX);
    x.alice.cut();
    x.wait(2s);
    BOOST_TEST(x.alice.ends.size() == 1u);
    BOOST_TEST((x.alice.ends.front().code == errc::signed_out));
  }
}

BOOST_AUTO_TEST_CASE(ids_do_not_follow_from_the_seed_nor_from_each_other) {
  simulation x;
  auto& alice = x.add("alice", 1);
  auto& bob = x.add("bob", 1);
  std::set<std::string> ids, beginnings;
  constexpr size_t n = 1000;
  for (size_t i = 0; i < n; ++i)
    for (auto user : {&alice, &bob}) {
      auto id = user->core.new_id().value;
      BOOST_TEST(id.size() == 16u);
      beginnings.insert(id.substr(0, 8));
      ids.insert(std::move(id));
    }
  BOOST_TEST(ids.size() == 2 * n);
  BOOST_TEST(beginnings.size() == 2 * n);
}

BOOST_AUTO_TEST_CASE(a_name_from_right_to_left_signs_in) {
  simulation x;
  auto name = "\xd7\x93\xd7\x95\xd7\x93";
  auto& david = x.add(name, 1);
  x.wait(1s);
  BOOST_TEST(david.core.is_ready());
  BOOST_TEST(david.core.self().user.node() == name);
}

BOOST_AUTO_TEST_CASE(an_idle_client_holds_little_memory) {
  two_users x;
  x.alice.send(bobs_address, std::string(100'000, 'x'));
  x.settle();
  BOOST_TEST(x.alice.core.memory() < 4096u);
}
