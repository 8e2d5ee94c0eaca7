#include <boost/test/unit_test.hpp>

#include "protocol/defaults_memory.hpp"
#include "tests/actors/router/desk.hpp"

using namespace parley;
using namespace parley::test;
using namespace std::chrono_literals;

namespace {

std::string last(const texts& xs) {
  return xs.empty() ? "" : xs.back();
}

/// Bob with a phone, a laptop and a tablet.
struct three_endpoints : desk {
  three_endpoints() {
    join("phone");
    join("laptop");
    join("tablet");
  }

  /// Everything that the endpoints got since last asked, as one.
  std::map<std::string, texts> all() {
    std::map<std::string, texts> xs;
    for (const char* name : {"phone", "laptop", "tablet"})
      if (auto x = got(name); !x.empty())
        xs[name] = x;
    return xs;
  }
};

/// The laptop is chosen for Alice.
struct laptop_chosen : three_endpoints {
  laptop_chosen() { reply("laptop", "alice"); }

  void check_released() {
    BOOST_TEST(chosen("alice") == "");
    send("alice/home", "after");
    BOOST_TEST(last(got("phone")) == "after");
    BOOST_TEST(last(got("tablet")) == "after");
  }

  void check_in_force() {
    BOOST_TEST(chosen("alice") == "laptop");
    all();
    send("alice/home", "after");
    BOOST_TEST(got("phone") == texts{});
    BOOST_TEST(got("laptop") == texts{"after"});
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(forking)

BOOST_FIXTURE_TEST_CASE(reaches_all_available_endpoints, three_endpoints) {
  show("laptop", show::dnd);
  show("tablet", show::xa, 5);
  send("alice/home", "m1");
  for (const char* name : {"phone", "laptop", "tablet"})
    BOOST_TEST(got(name) == texts{"m1"});
}

BOOST_FIXTURE_TEST_CASE(
  spares_the_unavailable_and_negative_priorities, three_endpoints) {
  show("laptop", show::unavailable);
  show("tablet", show::chat, -1);
  send("alice/home", "m1");
  BOOST_TEST(got("phone") == texts{"m1"});
  BOOST_TEST(got("laptop") == texts{});
  BOOST_TEST(got("tablet") == texts{});
}

BOOST_FIXTURE_TEST_CASE(
  offers_an_endpoint_that_comes_what_nobody_acknowledged, three_endpoints) {
  send("alice/home", "m1");
  send("alice/home", "m2");
  acknowledge("phone", "m1");
  join("watch");
  BOOST_TEST(got("watch") == texts{"m2"});
}

BOOST_FIXTURE_TEST_CASE(
  offers_the_same_to_one_that_becomes_available_again, three_endpoints) {
  show("phone", show::unavailable);
  show("tablet", show::available, -1);
  send("alice/home", "m1");
  show("phone", show::away);
  show("tablet", show::available, 0);
  BOOST_TEST(got("phone") == texts{"m1"});
  BOOST_TEST(got("tablet") == texts{"m1"});
}

BOOST_FIXTURE_TEST_CASE(hands_nothing_twice_to_a_session, three_endpoints) {
  send("alice/home", "m1");
  for (auto what : {show::unavailable, show::away, show::available}) {
    show("phone", what);
    reply("laptop", "alice");
    reply("phone", "alice");
  }
  suspend("phone");
  resume("phone");
  BOOST_TEST(got("phone") == texts{"m1"});
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(collapsing)

BOOST_FIXTURE_TEST_CASE(leads_to_the_replying_endpoint_alone, three_endpoints) {
  send("alice/home", "m1");
  acknowledge("laptop");
  reply("laptop", "alice");
  all();
  send("alice/home", "m2");
  BOOST_TEST(all() == (std::map<std::string, texts>{{"laptop", {"m2"}}}));
}

BOOST_FIXTURE_TEST_CASE(
  leads_answers_to_the_endpoint_that_wrote_first, three_endpoints) {
  reply("tablet", "alice");
  send("alice/home", "m1");
  BOOST_TEST(all() == (std::map<std::string, texts>{{"tablet", {"m1"}}}));
}

BOOST_FIXTURE_TEST_CASE(concerns_one_peer_only, laptop_chosen) {
  send("carol/home", "m1");
  BOOST_TEST(all().size() == 3u);
}

BOOST_FIXTURE_TEST_CASE(concerns_all_endpoints_of_the_peer, laptop_chosen) {
  send("alice/car", "m1");
  BOOST_TEST(all() == (std::map<std::string, texts>{{"laptop", {"m1"}}}));
}

BOOST_FIXTURE_TEST_CASE(moves_with_a_reply_from_elsewhere, laptop_chosen) {
  reply("phone", "alice");
  send("alice/home", "m1");
  BOOST_TEST(all() == (std::map<std::string, texts>{{"phone", {"m1"}}}));
}

BOOST_FIXTURE_TEST_CASE(
  offers_the_newly_chosen_first_what_the_other_holds, laptop_chosen) {
  send("alice/home", "m1");
  send("alice/home", "m2");
  reply("phone", "alice");
  send("alice/home", "m3");
  BOOST_TEST(got("phone") == (texts{"m1", "m2", "m3"}));
}

BOOST_FIXTURE_TEST_CASE(
  follows_the_last_of_two_replies_at_once, three_endpoints) {
  reply("phone", "alice");
  reply("tablet", "alice");
  BOOST_TEST(chosen("alice") == "tablet");
}

BOOST_FIXTURE_TEST_CASE(takes_one_that_is_away_and_replies, three_endpoints) {
  show("phone", show::away);
  reply("phone", "alice");
  BOOST_TEST(chosen("alice") == "phone");
  send("alice/home", "m1");
  BOOST_TEST(all() == (std::map<std::string, texts>{{"phone", {"m1"}}}));
}

BOOST_FIXTURE_TEST_CASE(
  takes_none_that_is_unavailable_or_negative, laptop_chosen) {
  show("phone", show::unavailable);
  show("tablet", show::available, -1);
  auto alice = user_address::from_prepared("alice@example.org");
  for (const auto& e : in.endpoints())
    if (e.name.str() != "laptop") {
      BOOST_TEST(!in.would_choose(e.session, alice, now(), rules));
      in.choose(e.session, e.releases, alice, now(), rules);
    }
  check_in_force();
}

BOOST_FIXTURE_TEST_CASE(
  to_a_suspended_endpoint_forks_until_it_is_back, laptop_chosen) {
  suspend("phone");
  send("alice/home", "m1");
  all();
  // Written before its connection broke, seen after.
  reply("phone", "alice");
  BOOST_TEST(chosen("alice") == "");
  BOOST_TEST(got("tablet") == texts{"m1"});
  resume("phone");
  BOOST_TEST(chosen("alice") == "phone");
  send("alice/home", "m2");
  BOOST_TEST(got("tablet") == texts{});
  BOOST_TEST(last(got("phone")) == "m2");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(releasing)

BOOST_FIXTURE_TEST_CASE(comes_with_the_end_of_the_session, laptop_chosen) {
  leave("laptop");
  check_released();
}

BOOST_FIXTURE_TEST_CASE(
  is_inherited_by_no_session_of_the_same_name, laptop_chosen) {
  leave("laptop");
  join("laptop");
  check_released();
}

BOOST_FIXTURE_TEST_CASE(comes_with_each_busy_show, laptop_chosen) {
  for (auto what : {show::away, show::xa, show::dnd, show::unavailable}) {
    show("laptop", show::available);
    reply("laptop", "alice");
    show("laptop", what);
    check_released();
  }
}

BOOST_FIXTURE_TEST_CASE(comes_with_a_change_of_busy_shows, laptop_chosen) {
  show("laptop", show::away);
  reply("laptop", "alice");
  show("laptop", show::dnd);
  check_released();
}

BOOST_FIXTURE_TEST_CASE(comes_with_a_negative_priority, laptop_chosen) {
  show("laptop", show::available, -1);
  check_released();
}

BOOST_FIXTURE_TEST_CASE(does_not_come_with_other_presence, laptop_chosen) {
  show("laptop", show::chat, 7);
  check_in_force();
  show("laptop", show::away);
  reply("laptop", "alice");
  in.set_availability(in.endpoints()[1].session,
    availability{show::away, "lunch", 0}, now(), rules);
  check_in_force();
  show("laptop", show::available);
  show("phone", show::dnd);
  check_in_force();
}

BOOST_FIXTURE_TEST_CASE(comes_after_ten_idle_minutes, laptop_chosen) {
  pass(10min - 1ms);
  BOOST_TEST(chosen("alice") == "laptop");
  pass(1ms);
  check_released();
}

BOOST_FIXTURE_TEST_CASE(is_put_off_by_whatever_is_written, laptop_chosen) {
  pass(9min);
  send("alice/home", "m1");
  pass(9min);
  in.touch(user_address::from_prepared("alice@example.org"), now());
  pass(9min);
  check_in_force();
}

BOOST_FIXTURE_TEST_CASE(
  once_due_is_not_undone_by_a_message_without_body, laptop_chosen) {
  pass(10min);
  in.touch(user_address::from_prepared("alice@example.org"), now());
  check_released();
}

BOOST_FIXTURE_TEST_CASE(once_due_is_not_undone_by_the_peer, laptop_chosen) {
  pass(10min);
  send("alice/home", "m1");
  BOOST_TEST(chosen("alice") == "");
  check_released();
}

BOOST_FIXTURE_TEST_CASE(
  by_idleness_offers_the_others_what_is_in_flight_first, laptop_chosen) {
  send("alice/home", "m1");
  pass(10min);
  send("alice/home", "m2");
  BOOST_TEST(got("phone") == (texts{"m1", "m2"}));
}

BOOST_FIXTURE_TEST_CASE(
  by_idleness_offers_the_others_without_another_im, laptop_chosen) {
  send("alice/home", "m1");
  pass(10min);
  sweep();
  BOOST_TEST(got("phone") == texts{"m1"});
}

BOOST_FIXTURE_TEST_CASE(never_comes_by_idleness_if_so_set, laptop_chosen) {
  rules.im_idle_release_ms = unlimited;
  pass(10'000h);
  sweep();
  check_in_force();
}

BOOST_FIXTURE_TEST_CASE(comes_with_the_grace_time, laptop_chosen) {
  send("alice/home", "m1");
  let_grace_pass();
  BOOST_TEST(chosen("alice") == "");
  BOOST_TEST(got("phone") == texts{"m1"});
  BOOST_TEST(probed == texts{"laptop"});
  check_released();
}

BOOST_FIXTURE_TEST_CASE(
  comes_with_the_grace_time_if_the_chosen_has_no_room, laptop_chosen) {
  grant("laptop", {0, 1'000'000});
  send("alice/home", "m1");
  BOOST_TEST(all().empty());
  let_grace_pass();
  BOOST_TEST(got("phone") == texts{"m1"});
  check_released();
}

BOOST_FIXTURE_TEST_CASE(
  by_grace_spares_who_was_chosen_a_moment_ago, laptop_chosen) {
  send("alice/home", "m1");
  // The laptop's grace time ends before the phone's.
  reply("phone", "alice");
  let_grace_pass(1);
  BOOST_TEST(chosen("alice") == "phone");
  BOOST_TEST(probed == texts{"laptop"});
  let_grace_pass();
  BOOST_TEST(chosen("alice") == "");
}

BOOST_FIXTURE_TEST_CASE(waits_while_the_endpoint_is_suspended, laptop_chosen) {
  send("alice/home", "m1");
  suspend("laptop");
  BOOST_TEST(chosen("alice") == "");
  BOOST_TEST(got("phone") == texts{"m1"});
  send("alice/home", "m2");
  BOOST_TEST(got("phone") == texts{"m2"});
  BOOST_TEST(got("laptop") == (texts{"m1", "m2"}));
  resume("laptop");
  check_in_force();
}

BOOST_FIXTURE_TEST_CASE(
  comes_if_a_resumed_endpoint_lets_the_grace_time_pass, laptop_chosen) {
  send("alice/home", "m1");
  suspend("laptop");
  let_grace_pass();
  resume("laptop");
  BOOST_TEST(chosen("alice") == "laptop");
  probed.clear();
  let_grace_pass();
  BOOST_TEST(probed == texts{"laptop"});
  check_released();
}

BOOST_FIXTURE_TEST_CASE(
  leaves_nothing_behind_when_all_have_gone, laptop_chosen) {
  for (const char* name : {"phone", "laptop", "tablet"})
    leave(name);
  BOOST_TEST(in.is_idle());
}

BOOST_FIXTURE_TEST_CASE(
  of_too_many_conversations_one_that_rests_gives_way, three_endpoints) {
  for (size_t i = 0; i < defaults::conversations_max; ++i) {
    reply("laptop", "peer" + std::to_string(i));
    pass(1ms);
  }
  auto full = in.conversation_bytes();
  for (int i = 0; i < 100; ++i)
    reply("laptop", "late" + std::to_string(i));
  BOOST_TEST(in.conversation_bytes() == full);
  BOOST_TEST(chosen("late99") == "laptop");
  // One that goes on stays.
  BOOST_TEST(chosen("peer" + std::to_string(defaults::conversations_max - 1))
    == "laptop");
  size_t left = 0;
  for (size_t i = 0; i < defaults::conversations_max; ++i)
    left += chosen("peer" + std::to_string(i)) == "laptop";
  BOOST_TEST(left == defaults::conversations_max - 100);
}

BOOST_AUTO_TEST_SUITE_END()
