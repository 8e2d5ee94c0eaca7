#include <boost/test/unit_test.hpp>

#include "tests/actors/router/desk.hpp"

using namespace parley;
using namespace parley::test;

BOOST_AUTO_TEST_SUITE(full_address)

BOOST_FIXTURE_TEST_CASE(leads_to_its_endpoint_alone, two_endpoints) {
  send("alice/home", "m1", "phone");
  BOOST_TEST(got("phone") == texts{"m1"});
  BOOST_TEST(got("laptop") == texts{});
}

BOOST_FIXTURE_TEST_CASE(overrules_the_choice, two_endpoints) {
  reply("laptop", "alice");
  send("alice/home", "m1", "phone");
  BOOST_TEST(got("phone") == texts{"m1"});
  BOOST_TEST(got("laptop") == texts{});
}

BOOST_FIXTURE_TEST_CASE(reaches_a_negative_priority, two_endpoints) {
  show("phone", show::available, -1);
  send("alice/home", "m1", "phone");
  BOOST_TEST(got("phone") == texts{"m1"});
}

BOOST_FIXTURE_TEST_CASE(of_one_that_is_absent_is_as_the_bare, two_endpoints) {
  send("alice/home", "m1", "tablet");
  BOOST_TEST(got("phone") == texts{"m1"});
  BOOST_TEST(got("laptop") == texts{"m1"});
  reply("laptop", "alice");
  send("alice/home", "m2", "tablet");
  BOOST_TEST(got("phone") == texts{});
  BOOST_TEST(got("laptop") == texts{"m2"});
}

BOOST_FIXTURE_TEST_CASE(of_an_unavailable_one_is_as_the_bare, two_endpoints) {
  show("phone", show::unavailable);
  send("alice/home", "m1", "phone");
  BOOST_TEST(got("phone") == texts{});
  BOOST_TEST(got("laptop") == texts{"m1"});
}

BOOST_FIXTURE_TEST_CASE(waits_for_a_suspended_one_on_disk, two_endpoints) {
  suspend("phone");
  send("alice/home", "m1", "phone");
  BOOST_TEST(got("laptop") == texts{});
  let_store_work();
  BOOST_TEST(outcome_of("m1") == "stored");
  resume("phone");
  BOOST_TEST(got("phone") == texts{"m1"});
  acknowledge("phone");
  let_store_work();
  BOOST_TEST(on_disk() == 0u);
  BOOST_TEST(got("laptop") == texts{});
}

BOOST_FIXTURE_TEST_CASE(
  of_one_whose_session_ends_opens_to_the_others, two_endpoints) {
  suspend("phone");
  send("alice/home", "m1", "phone");
  let_store_work();
  leave("phone");
  let_store_work();
  BOOST_TEST(got("laptop") == texts{"m1"});
}

BOOST_FIXTURE_TEST_CASE(
  opens_to_the_others_when_the_grace_time_passed, two_endpoints) {
  send("alice/home", "m1", "phone");
  let_grace_pass();
  BOOST_TEST(probed == texts{"phone"});
  BOOST_TEST(got("laptop") == texts{"m1"});
  let_store_work();
  BOOST_TEST(outcome_of("m1") == "stored");
  // What comes later is for the phone again.
  send("alice/home", "m2", "phone");
  BOOST_TEST(got("laptop") == texts{});
}

BOOST_FIXTURE_TEST_CASE(
  opens_to_the_others_likewise_while_suspended, two_endpoints) {
  suspend("phone");
  send("alice/home", "m1", "phone");
  let_store_work();
  let_grace_pass();
  BOOST_TEST(got("laptop") == texts{"m1"});
}

BOOST_FIXTURE_TEST_CASE(
  opens_to_the_others_likewise_without_room, two_endpoints) {
  grant("phone", {0, 1'000});
  grant("laptop", {0, 1'000});
  send("alice/home", "m1", "phone");
  let_grace_pass();
  let_store_work();
  BOOST_TEST(in.in_memory() == 0u);
  // It stays open, although nothing of it is in memory.
  grant("laptop", {1, 1'000});
  let_store_work();
  BOOST_TEST(got("laptop") == texts{"m1"});
}

BOOST_FIXTURE_TEST_CASE(
  opens_to_the_others_while_suspended_without_room, two_endpoints) {
  for (bool first : {true, false}) {
    const std::string id = first ? "m1" : "m2";
    grant("phone", {0, 1'000});
    if (first)
      suspend("phone");
    send("alice/home", id, "phone");
    if (!first)
      suspend("phone"); // which has it stored
    let_store_work();
    BOOST_TEST(in.in_memory() == 0u);
    BOOST_TEST(got("laptop") == texts{});
    let_grace_pass();
    let_store_work();
    BOOST_TEST(got("laptop") == texts{id});
    acknowledge("laptop");
    let_store_work();
    resume("phone");
  }
}

BOOST_FIXTURE_TEST_CASE(goes_by_the_choice_once_it_has_opened, two_endpoints) {
  join("tablet");
  reply("tablet", "alice");
  send("alice/home", "m1", "phone");
  let_grace_pass();
  BOOST_TEST(got("tablet") == texts{"m1"});
  BOOST_TEST(got("laptop") == texts{});
  BOOST_TEST(chosen("alice") == "tablet");
}

BOOST_FIXTURE_TEST_CASE(
  of_a_new_endpoint_brings_it_what_waits_under_its_name, two_endpoints) {
  send("alice/home", "m1", "tablet");
  join("tablet");
  BOOST_TEST(got("tablet") == texts{"m1"});
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(to_oneself)

BOOST_FIXTURE_TEST_CASE(goes_to_every_other_endpoint, two_endpoints) {
  join("tablet");
  send("bob/phone", "m1");
  BOOST_TEST(got("phone") == texts{});
  BOOST_TEST(got("laptop") == texts{"m1"});
  BOOST_TEST(got("tablet") == texts{"m1"});
}

BOOST_FIXTURE_TEST_CASE(goes_back_where_there_is_no_other, two_endpoints) {
  show("laptop", show::available, -1);
  send("bob/phone", "m1");
  BOOST_TEST(got("phone") == texts{"m1"});
}

BOOST_FIXTURE_TEST_CASE(comes_back_when_the_others_go, two_endpoints) {
  send("bob/phone", "m1");
  leave("laptop");
  BOOST_TEST(got("phone") == texts{"m1"});
}

BOOST_FIXTURE_TEST_CASE(is_stored_while_the_other_is_suspended, two_endpoints) {
  suspend("laptop");
  send("bob/phone", "m1");
  let_store_work();
  BOOST_TEST(outcome_of("m1") == "stored");
  BOOST_TEST(got("phone") == texts{});
}

BOOST_FIXTURE_TEST_CASE(goes_to_a_full_address_as_others_do, two_endpoints) {
  send("bob/phone", "m1", "laptop");
  send("bob/phone", "m2", "phone");
  BOOST_TEST(got("laptop") == texts{"m1"});
  BOOST_TEST(got("phone") == texts{"m2"});
}

BOOST_FIXTURE_TEST_CASE(never_chooses, two_endpoints) {
  reply("phone", "bob");
  BOOST_TEST(chosen("bob") == "");
  join("tablet");
  send("bob/tablet", "m1");
  BOOST_TEST(got("laptop") == texts{"m1"});
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(typing)

BOOST_FIXTURE_TEST_CASE(goes_where_ims_go_and_is_connected, two_endpoints) {
  using names = texts;
  BOOST_TEST(typing_goes_to("alice/home") == (names{"phone", "laptop"}));
  BOOST_TEST(typing_goes_to("alice/home", "phone") == names{"phone"});
  BOOST_TEST(typing_goes_to("bob/phone") == names{"laptop"});
  reply("laptop", "alice");
  BOOST_TEST(typing_goes_to("alice/home") == names{"laptop"});
  suspend("laptop");
  BOOST_TEST(typing_goes_to("alice/home") == names{"phone"});
  resume("laptop");
  pass(std::chrono::milliseconds{rules.im_idle_release_ms});
  BOOST_TEST(typing_goes_to("alice/home") == (names{"phone", "laptop"}));
}

BOOST_AUTO_TEST_SUITE_END()
