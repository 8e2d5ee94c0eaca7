#include <boost/test/unit_test.hpp>

#include "tests/actors/router/desk.hpp"

// Copies for endpoints that want some of what others get.
using namespace parley;
using namespace parley::test;

namespace {

/// Bob talks with Alice from the laptop; the phone wants copies.
struct laptop_talks : desk {
  laptop_talks() {
    join("laptop");
    join("phone");
    want_copies("phone");
    reply("laptop", "alice");
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(copying)

BOOST_FIXTURE_TEST_CASE(who_is_no_target_gets_a_copy, laptop_talks) {
  join("tablet");
  send("alice/home", "m1");
  BOOST_TEST(got("laptop") == texts{"m1"});
  BOOST_TEST(got("phone") == texts{"copy of m1"});
  BOOST_TEST(got("tablet") == texts{}); // it wants none
  send("alice/home", "m2", "laptop");
  BOOST_TEST(got("phone") == texts{"copy of m2"});
  send("carol/home", "m3"); // of whom nobody is chosen
  BOOST_TEST(got("phone") == texts{"m3"});
}

BOOST_FIXTURE_TEST_CASE(to_have_a_copy_safe_is_to_have_it, laptop_talks) {
  send("alice/home", "m1", {}, true);
  acknowledge("phone");
  BOOST_TEST(outcome_of("m1") == "delivered");
  BOOST_TEST(receipts == texts{"delivered m1 bob@example.org/phone"});
  let_grace_pass();
  let_store_work();
  BOOST_TEST(on_disk() == 0u);
  leave("laptop"); // it held one that is nobody's concern any more
  join("tablet");
  BOOST_TEST(got("tablet") == texts{});
}

BOOST_FIXTURE_TEST_CASE(a_copy_chooses_nobody, laptop_talks) {
  send("alice/home", "m1");
  acknowledge("phone");
  BOOST_TEST(chosen("alice") == "laptop");
  send("alice/home", "m2");
  BOOST_TEST(got("laptop") == (texts{"m1", "m2"}));
  BOOST_TEST(got("phone") == (texts{"copy of m1", "copy of m2"}));
}

BOOST_FIXTURE_TEST_CASE(
  one_that_nobody_acknowledged_is_stored_all_the_same, laptop_talks) {
  send("alice/home", "m1");
  let_grace_pass();
  let_store_work();
  BOOST_TEST(outcome_of("m1") == "stored");
  BOOST_TEST(on_disk() == 1u);
  acknowledge("phone");
  let_store_work();
  BOOST_TEST(on_disk() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_copy_is_not_followed_by_the_im, laptop_talks) {
  send("alice/home", "m1");
  got("phone");
  leave("laptop");
  BOOST_TEST(got("phone") == texts{});
  send("alice/home", "m2");
  BOOST_TEST(got("phone") == texts{"m2"});
}

BOOST_FIXTURE_TEST_CASE(what_comes_from_the_store_has_no_copies, desk) {
  send("alice/home", "m1");
  let_store_work();
  join("phone", {show::available, {}, -1});
  want_copies("phone");
  join("laptop");
  let_store_work();
  BOOST_TEST(got("laptop") == texts{"m1"});
  BOOST_TEST(got("phone") == texts{});
}

BOOST_FIXTURE_TEST_CASE(nor_has_what_goes_into_it, desk) {
  join("phone", {show::available, {}, -1});
  want_copies("phone");
  send("alice/home", "m1");
  let_store_work();
  BOOST_TEST(outcome_of("m1") == "stored");
  BOOST_TEST(got("phone") == texts{});
}

BOOST_FIXTURE_TEST_CASE(a_negative_priority_does_not_matter, laptop_talks) {
  show("phone", show::away, -1);
  send("alice/home", "m1");
  BOOST_TEST(got("phone") == texts{"copy of m1"});
}

BOOST_FIXTURE_TEST_CASE(
  the_unavailable_and_private_words_have_none, laptop_talks) {
  send("alice/home", "m1", {}, false, false);
  BOOST_TEST(got("phone") == texts{});
  acknowledge("laptop");
  show("phone", show::unavailable);
  send("alice/home", "m2");
  BOOST_TEST(got("phone") == texts{});
  acknowledge("laptop");
  show("phone", show::available);
  want_copies("phone", false);
  send("alice/home", "m3");
  BOOST_TEST(got("phone") == texts{});
}

BOOST_FIXTURE_TEST_CASE(copies_take_room_of_the_window, laptop_talks) {
  grant("phone", {2, 1'000});
  send("alice/home", "m1");
  send("alice/home", "m2");
  send("alice/home", "m3");
  BOOST_TEST(got("phone") == (texts{"copy of m1", "copy of m2"}));
  BOOST_TEST(got("laptop") == (texts{"m1", "m2", "m3"}));
}

BOOST_FIXTURE_TEST_CASE(
  none_overtakes_what_the_endpoint_may_get_later, laptop_talks) {
  want_copies("phone", false);
  send("alice/home", "m1");
  want_copies("phone");
  send("alice/home", "m2");
  BOOST_TEST(got("phone") == texts{});
  leave("laptop");
  BOOST_TEST(got("phone") == (texts{"m1", "m2"}));
}

BOOST_FIXTURE_TEST_CASE(a_suspended_endpoint_finds_its_copies, laptop_talks) {
  suspend("phone");
  send("alice/home", "m1");
  BOOST_TEST(got("phone") == texts{"copy of m1"}); // kept by its session
  resume("phone");
  send("alice/home", "m2");
  BOOST_TEST(got("phone") == texts{"copy of m2"});
}

BOOST_FIXTURE_TEST_CASE(
  to_oneself_the_sender_gets_no_copy_of_its_own, laptop_talks) {
  want_copies("laptop");
  show("phone", show::available, -1);
  join("tablet");
  send("bob/laptop", "m1");
  BOOST_TEST(got("tablet") == texts{"m1"});
  BOOST_TEST(got("phone") == texts{"copy of m1"});
  BOOST_TEST(got("laptop") == texts{});
}

BOOST_AUTO_TEST_SUITE_END()
