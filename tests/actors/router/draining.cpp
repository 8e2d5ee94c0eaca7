#include <boost/test/unit_test.hpp>

#include "protocol/defaults.hpp"
#include "tests/actors/router/desk.hpp"

using namespace parley;
using namespace parley::test;

namespace {

/// Bodies `m1` … with so many stored.
struct stored : desk {
  texts store_some(int n) {
    texts bodies;
    for (int i = 1; i <= n; ++i) {
      bodies.push_back("m" + std::to_string(i));
      send("alice/home", bodies.back());
    }
    let_store_work();
    BOOST_TEST(in.in_memory() == 0u);
    return bodies;
  }
};

constexpr window wide{100, 1'000'000};

} // namespace

BOOST_AUTO_TEST_SUITE(a_drain)

BOOST_FIXTURE_TEST_CASE(brings_all_in_order_page_by_page, stored) {
  auto all = store_some(2 * defaults::drain_page + 5);
  join("phone", {}, {1'000, 1'000'000});
  let_store_work();
  BOOST_TEST(got("phone") == all);
  acknowledge("phone");
  let_store_work();
  BOOST_TEST(on_disk() == 0u);
  BOOST_TEST(in.waiting() == 0u);
}

BOOST_FIXTURE_TEST_CASE(reads_no_more_than_there_is_room_for, stored) {
  store_some(9);
  join("phone", {}, {3, 1'000});
  let_store_work();
  BOOST_TEST(got("phone") == (texts{"m1", "m2", "m3"}));
  BOOST_TEST(in.in_memory() == 3u);
  acknowledge("phone", "m1");
  let_store_work();
  BOOST_TEST(got("phone") == texts{"m4"});
}

BOOST_FIXTURE_TEST_CASE(puts_the_old_before_the_new, stored) {
  store_some(2);
  join("phone");
  send("alice/home", "new");
  BOOST_TEST(got("phone") == texts{});
  let_store_work();
  BOOST_TEST(got("phone") == (texts{"m1", "m2", "new"}));
}

BOOST_FIXTURE_TEST_CASE(marks_what_comes_from_the_store_alone_as_such, stored) {
  store_some(1);
  join("phone");
  let_store_work();
  auto pages = pages_asked;
  send("alice/home", "new");
  BOOST_TEST(got("phone") == (texts{"m1", "new"}));
  BOOST_TEST(pages_asked == pages);
}

BOOST_FIXTURE_TEST_CASE(goes_on_where_another_endpoint_comes, stored) {
  auto all = store_some(4);
  join("phone", {}, {2, 1'000});
  join("laptop", {}, {2, 1'000});
  let_store_work();
  BOOST_TEST(got("phone") == (texts{"m1", "m2"}));
  BOOST_TEST(got("laptop") == (texts{"m1", "m2"}));
  acknowledge("phone");
  let_store_work();
  BOOST_TEST(got("phone") == (texts{"m3", "m4"}));
  acknowledge("laptop");
  let_store_work();
  BOOST_TEST(got("laptop") == (texts{"m3", "m4"}));
}

BOOST_FIXTURE_TEST_CASE(
  ignores_in_a_page_what_was_acknowledged_meanwhile, stored) {
  store_some(2);
  join("phone", {}, {1, 1'000});
  let_store_work();
  // The laptop's page is read while m1 is on disk, and comes when it is not.
  join("laptop");
  acknowledge("phone");
  write_one();
  BOOST_TEST(on_disk() == 1u);
  answer_page();
  BOOST_TEST(got("laptop") == texts{"m2"});
}

BOOST_FIXTURE_TEST_CASE(ignores_a_page_of_an_account_that_was_removed, stored) {
  store_some(2);
  join("phone");
  in.clear();
  leave("phone");
  store.disk.clear();
  join("phone");
  send("alice/home", "new");
  answer_page();
  let_store_work();
  BOOST_TEST(got("phone") == texts{"new"});
  BOOST_TEST(in.waiting() == 1u);
}

BOOST_FIXTURE_TEST_CASE(is_tried_again_after_a_read_error, stored) {
  store_some(1);
  join("phone");
  answer_page(true);
  BOOST_TEST(store.reads.empty());
  sweep();
  let_store_work();
  BOOST_TEST(got("phone") == texts{"m1"});
}

BOOST_FIXTURE_TEST_CASE(stops_while_suspended_and_goes_on_after, stored) {
  auto all = store_some(6);
  join("phone", {}, {2, 1'000});
  let_store_work();
  suspend("phone");
  send("alice/home", "new");
  resume("phone");
  for (int i = 0; i < 4; ++i) {
    acknowledge("phone");
    let_store_work();
  }
  all.push_back("new");
  BOOST_TEST(got("phone") == all);
}

BOOST_FIXTURE_TEST_CASE(leaves_in_memory_only_what_is_held, stored) {
  store_some(9);
  join("phone", {}, {3, 1'000});
  let_store_work();
  BOOST_TEST(in.in_memory() == 3u);
  leave("phone");
  BOOST_TEST(in.in_memory() == 0u);
  BOOST_TEST(in.waiting() == 9u);
}

BOOST_FIXTURE_TEST_CASE(gathers_nothing_that_it_has_no_taker_for, stored) {
  join("laptop", {}, {0, 0});
  suspend("laptop");
  int n = 3 * defaults::drain_page;
  for (int i = 0; i < n; ++i)
    send("alice/home", "m" + std::to_string(i), "laptop");
  while (!store.writes.empty() || !store.notices.empty())
    write_one();
  join("phone", {}, {1'000, 1'000'000});
  while (!store.reads.empty()) {
    answer_page();
    BOOST_TEST(in.in_memory() <= defaults::drain_page);
  }
  BOOST_TEST(got("phone") == texts{});
  BOOST_TEST(in.waiting() == static_cast<uint64_t>(n));
}

BOOST_FIXTURE_TEST_CASE(knows_what_was_stored_before_the_start, stored) {
  store_some(3);
  desk after;
  after.store = store;
  after.in.load(user_head{true, true, 3, store.disk.rbegin()->first});
  after.join("phone");
  after.let_store_work();
  BOOST_TEST(after.got("phone") == (texts{"m1", "m2", "m3"}));
}

BOOST_FIXTURE_TEST_CASE(finds_out_how_much_there_is, stored) {
  store_some(2);
  desk after;
  after.store = store;
  // Counted while some was being removed.
  after.in.load(user_head{true, true, 5, store.disk.rbegin()->first});
  after.join("phone");
  after.let_store_work();
  BOOST_TEST(after.in.waiting() == 2u);
}

BOOST_FIXTURE_TEST_CASE(
  after_an_acknowledgement_of_a_session_that_is_over_omits_it, stored) {
  store_some(2);
  auto over = join("phone");
  let_store_work();
  auto first = store.disk.begin();
  acknowledged_im a{first->first, first->second.message};
  leave("phone");
  in.acknowledge(over, {&a, 1}, now(), rules);
  let_store_work();
  join("laptop");
  let_store_work();
  BOOST_TEST(got("laptop") == texts{"m2"});
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(a_window)

BOOST_FIXTURE_TEST_CASE(bounds_messages, desk) {
  join("phone", {}, {2, 1'000});
  for (const char* body : {"m1", "m2", "m3"})
    send("alice/home", body);
  BOOST_TEST(got("phone") == (texts{"m1", "m2"}));
  acknowledge("phone", "m1");
  BOOST_TEST(got("phone") == texts{"m3"});
}

BOOST_FIXTURE_TEST_CASE(bounds_bytes_but_for_a_single_im, desk) {
  join("phone", {}, {9, 10});
  send("alice/home", "longer than the window");
  send("alice/home", "m2");
  BOOST_TEST(got("phone") == texts{"longer than the window"});
  acknowledge("phone");
  BOOST_TEST(got("phone") == texts{"m2"});
}

BOOST_FIXTURE_TEST_CASE(that_grows_is_filled_at_once, desk) {
  join("phone", {}, {0, 0});
  send("alice/home", "m1");
  BOOST_TEST(got("phone") == texts{});
  grant("phone", wide);
  BOOST_TEST(got("phone") == texts{"m1"});
}

BOOST_FIXTURE_TEST_CASE(that_shrinks_takes_nothing_back, desk) {
  join("phone", {}, {3, 1'000});
  send("alice/home", "m1");
  send("alice/home", "m2");
  grant("phone", {1, 1'000});
  send("alice/home", "m3");
  acknowledge("phone", "m1");
  BOOST_TEST(got("phone") == (texts{"m1", "m2"}));
  acknowledge("phone", "m2");
  BOOST_TEST(got("phone") == texts{"m3"});
}

BOOST_FIXTURE_TEST_CASE(
  that_a_long_im_found_too_small_opens_when_another_has_that, desk) {
  join("phone", {}, {9, 10});
  join("laptop");
  send("alice/home", "m1");
  send("alice/home", "ten or more");
  send("alice/home", "m3");
  BOOST_TEST(got("phone") == texts{"m1"});
  acknowledge("laptop", "ten or more");
  BOOST_TEST(got("phone") == texts{"m3"});
}

BOOST_FIXTURE_TEST_CASE(
  that_a_long_im_found_too_small_opens_when_that_expires, desk) {
  join("phone", {}, {9, 10});
  send("alice/home", "m1");
  send("alice/home", "ten or more");
  send("alice/home", "m3");
  let_grace_pass();
  let_store_work();
  got("phone");
  BOOST_TEST(expire("ten or more"));
  let_store_work();
  BOOST_TEST(got("phone") == texts{"m3"});
}

BOOST_FIXTURE_TEST_CASE(
  that_a_long_im_found_too_small_opens_when_another_is_chosen, desk) {
  join("phone", {}, {9, 10});
  join("laptop");
  send("carol/home", "m1");
  send("alice/home", "ten or more");
  send("carol/home", "m3");
  BOOST_TEST(got("phone") == texts{"m1"});
  reply("laptop", "alice");
  BOOST_TEST(got("phone") == texts{"m3"});
}

BOOST_FIXTURE_TEST_CASE(without_room_asks_for_no_pages, desk) {
  join("phone", {}, {9, 10});
  send("alice/home", "m1");
  send("alice/home", "ten or more");
  let_grace_pass();
  let_store_work();
  auto pages = pages_asked;
  for (int i = 0; i < 10; ++i)
    send("carol/home", "c" + std::to_string(i));
  BOOST_TEST(pages_asked == pages);
}

BOOST_FIXTURE_TEST_CASE(keeps_order_among_many, desk) {
  constexpr int many = 100;
  join("phone", {}, {many, 1'000'000});
  join("laptop", {}, {many / 2, 1'000'000});
  texts all;
  for (int i = 0; i < many; ++i) {
    all.push_back("m" + std::to_string(i));
    send("alice/home", all.back());
  }
  BOOST_TEST(got("phone") == all);
  // Every other one, the newest first: gaps everywhere.
  for (int i = many - 1; i > 0; i -= 2)
    acknowledge("phone", all[i]);
  got("laptop");
  acknowledge("laptop");
  texts rest;
  for (int i = many / 2; i < many; i += 2)
    rest.push_back(all[i]);
  BOOST_TEST(got("laptop") == rest);
  acknowledge("laptop");
  BOOST_TEST(in.in_memory() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
