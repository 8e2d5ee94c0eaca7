#include <boost/test/unit_test.hpp>

#include "tests/actors/router/desk.hpp"

using namespace parley;
using namespace parley::test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(an_outcome)

BOOST_FIXTURE_TEST_CASE(is_delivered_at_the_first_of_two, two_endpoints) {
  send("alice/home", "m1");
  BOOST_TEST(outcome_of("m1") == "");
  acknowledge("laptop");
  BOOST_TEST(outcome_of("m1") == "delivered");
  acknowledge("phone");
  BOOST_TEST(outcome_of("m1") == "delivered");
  let_grace_pass();
  BOOST_TEST(store.writes.empty());
  BOOST_TEST(probed == texts{});
}

BOOST_FIXTURE_TEST_CASE(is_stored_when_the_grace_time_passed, two_endpoints) {
  send("alice/home", "m1");
  let_grace_pass();
  BOOST_TEST(outcome_of("m1") == "");
  let_store_work();
  BOOST_TEST(outcome_of("m1") == "stored");
  BOOST_TEST(probed == (texts{"phone", "laptop"}));
  acknowledge("phone");
  let_store_work();
  BOOST_TEST(outcome_of("m1") == "stored");
  BOOST_TEST(on_disk() == 0u);
}

BOOST_FIXTURE_TEST_CASE(
  is_delivered_if_that_overtakes_the_disk, two_endpoints) {
  send("alice/home", "m1");
  let_grace_pass();
  acknowledge("phone");
  BOOST_TEST(outcome_of("m1") == "delivered");
  let_store_work();
  BOOST_TEST(on_disk() == 0u);
}

BOOST_FIXTURE_TEST_CASE(is_stored_at_once_if_nobody_is_there, desk) {
  send("alice/home", "m1");
  let_store_work();
  BOOST_TEST(outcome_of("m1") == "stored");
  BOOST_TEST(in.in_memory() == 0u);
}

BOOST_FIXTURE_TEST_CASE(is_stored_at_once_if_all_are_suspended, two_endpoints) {
  suspend("phone");
  suspend("laptop");
  send("alice/home", "m1");
  let_store_work();
  BOOST_TEST(outcome_of("m1") == "stored");
}

BOOST_FIXTURE_TEST_CASE(
  is_stored_at_once_when_the_last_is_suspended, two_endpoints) {
  send("alice/home", "m1");
  suspend("phone");
  BOOST_TEST(store.writes.empty());
  suspend("laptop");
  let_store_work();
  BOOST_TEST(outcome_of("m1") == "stored");
}

BOOST_FIXTURE_TEST_CASE(
  is_stored_at_once_when_only_suspended_ones_stay_targets, two_endpoints) {
  send("alice/home", "m1");
  suspend("phone");
  show("laptop", show::available, -1);
  let_store_work();
  BOOST_TEST(outcome_of("m1") == "stored");
}

BOOST_FIXTURE_TEST_CASE(
  is_stored_at_once_when_the_last_one_leaves, two_endpoints) {
  leave("phone");
  send("alice/home", "m1");
  leave("laptop");
  let_store_work();
  BOOST_TEST(outcome_of("m1") == "stored");
  BOOST_TEST(in.in_memory() == 0u);
}

BOOST_FIXTURE_TEST_CASE(is_a_rejection_if_the_disk_refuses, desk) {
  send("alice/home", "m1");
  write_one(true);
  BOOST_TEST(outcome_of("m1") == "store_failed");
  BOOST_TEST(in.waiting() == 0u);
  join("phone");
  let_store_work();
  BOOST_TEST(got("phone") == texts{});
}

BOOST_FIXTURE_TEST_CASE(
  stays_a_rejection_if_it_is_acknowledged_after, two_endpoints) {
  send("alice/home", "m1");
  let_grace_pass();
  write_one(true);
  acknowledge("phone");
  BOOST_TEST(outcome_of("m1") == "store_failed");
}

BOOST_FIXTURE_TEST_CASE(comes_at_an_orderly_stop, two_endpoints) {
  send("alice/home", "m1");
  in.store_all();
  let_store_work();
  BOOST_TEST(outcome_of("m1") == "stored");
}

BOOST_FIXTURE_TEST_CASE(of_a_removed_account_is_no_such_user, two_endpoints) {
  send("alice/home", "m1");
  let_grace_pass();
  let_store_work();
  send("alice/home", "m2");
  in.clear();
  BOOST_TEST(outcome_of("m1") == "stored");
  BOOST_TEST(outcome_of("m2") == "no_such_user");
  BOOST_TEST(in.waiting() == 0u);
  BOOST_TEST(chosen("alice") == "");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(a_refusal)

BOOST_FIXTURE_TEST_CASE(comes_where_offline_ims_are_not_stored, two_endpoints) {
  rules.im_store_offline = false;
  BOOST_TEST(send("alice/home", "m1") == "");
  show("phone", show::unavailable);
  show("laptop", show::available, -1);
  BOOST_TEST(send("alice/home", "m2") == "recipient_offline");
  show("phone", show::available);
  suspend("phone");
  BOOST_TEST(send("alice/home", "m3") == "");
}

BOOST_FIXTURE_TEST_CASE(
  comes_when_as_many_wait_stored_and_in_flight, two_endpoints) {
  rules.im_offline_max = 3;
  send("alice/home", "m1");
  let_grace_pass();
  let_store_work();
  send("carol/home", "m2");
  send("alice/home", "m3", "phone");
  BOOST_TEST(send("alice/home", "m4") == "quota_exceeded");
  acknowledge("phone", "m1");
  BOOST_TEST(send("alice/home", "m5") == "");
  BOOST_TEST(send("alice/home", "m6") == "quota_exceeded");
  BOOST_TEST(outcome_of("m4") == "");
}

BOOST_FIXTURE_TEST_CASE(counts_what_was_stored_before_the_start, desk) {
  rules.im_offline_max = 3;
  in.load(user_head{true, true, 3, im_order{5}});
  BOOST_TEST(send("alice/home", "m1") == "quota_exceeded");
}

BOOST_FIXTURE_TEST_CASE(is_judged_at_the_acceptance_only, two_endpoints) {
  send("alice/home", "m1");
  rules.im_offline_max = 0;
  rules.im_store_offline = false;
  leave("phone");
  leave("laptop");
  let_store_work();
  BOOST_TEST(outcome_of("m1") == "stored");
}

BOOST_FIXTURE_TEST_CASE(does_not_start_without_limit, desk) {
  rules.im_offline_max = unlimited;
  BOOST_TEST(send("alice/home", "m1") == "");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(expiry)

BOOST_FIXTURE_TEST_CASE(takes_what_is_on_disk_alone, desk) {
  send("alice/home", "m1");
  send("alice/home", "m2");
  let_store_work();
  BOOST_TEST(expire("m1"));
  BOOST_TEST(!expire("m1"));
  BOOST_TEST(in.waiting() == 1u);
  join("phone");
  let_store_work();
  BOOST_TEST(got("phone") == texts{"m2"});
}

BOOST_FIXTURE_TEST_CASE(takes_what_an_endpoint_holds, two_endpoints) {
  send("alice/home", "m1");
  let_grace_pass();
  let_store_work();
  BOOST_TEST(expire("m1"));
  acknowledge("phone");
  let_store_work();
  BOOST_TEST(on_disk() == 0u);
  BOOST_TEST(outcome_of("m1") == "stored");
}

BOOST_FIXTURE_TEST_CASE(leaves_alone_what_is_not_stored, two_endpoints) {
  send("alice/home", "m1");
  acknowledge("laptop");
  send("alice/home", "m2");
  got("phone");
  BOOST_TEST(!expire("m2"));
  acknowledge("phone");
  BOOST_TEST(outcome_of("m2") == "delivered");
}

BOOST_FIXTURE_TEST_CASE(that_comes_too_late_lets_nothing_starve, desk) {
  send("alice/home", "m1");
  let_store_work();
  join("phone");
  let_store_work();
  acknowledge("phone");
  let_store_work();
  leave("phone");
  send("alice/home", "m2");
  let_store_work();
  // The sweep saw m1 before it was acknowledged; m2 is all that waits.
  expire("m1");
  join("laptop");
  let_store_work();
  BOOST_TEST(got("laptop") == texts{"m2"});
  acknowledge("laptop");
  let_store_work();
  BOOST_TEST(in.waiting() == 0u);
  BOOST_TEST(on_disk() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(receipts_when_asked_for)

BOOST_FIXTURE_TEST_CASE(tell_each_endpoint_that_has_it, two_endpoints) {
  send("alice/home", "m1", {}, true);
  send("alice/home", "m2");
  acknowledge("phone");
  acknowledge("laptop");
  BOOST_TEST(receipts
    == (texts{"delivered m1 bob@example.org/phone",
      "delivered m1 bob@example.org/laptop"}));
}

BOOST_FIXTURE_TEST_CASE(tell_which_endpoint_was_chosen, two_endpoints) {
  send("alice/home", "m1", {}, true);
  reply("phone", "alice");
  reply("phone", "alice");
  BOOST_TEST(receipts == texts{"chosen m1 bob@example.org/phone"});
  send("alice/home", "m2", {}, true);
  reply("phone", "alice");
  BOOST_REQUIRE(!receipts.empty());
  BOOST_TEST(receipts.back() == "chosen m2 bob@example.org/phone");
}

BOOST_FIXTURE_TEST_CASE(
  are_not_owed_for_ever_where_conversations_never_lapse, desk) {
  rules.im_idle_release_ms = unlimited;
  send("alice/home", "m1", {}, true);
  let_store_work();
  BOOST_TEST(!in.is_idle());
  pass(10min);
  sweep();
  BOOST_TEST(in.is_idle());
}

BOOST_AUTO_TEST_SUITE_END()
