#include "tests/persistence/fixture.hpp"

#include "protocol/defaults.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

using namespace parley;
using namespace parley::test;

BOOST_AUTO_TEST_SUITE(sweeping)

// -- retry ids ----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(ids_are_remembered_until_forgotten) {
  memory_store db;
  auto message = make_im(alice, "m1", "x", at(1000));
  auto put = make_put(bob, 1, message);
  retry_key key{alice, {"m1"}, bob};
  BOOST_TEST(!must(db->find_id(key)));
  commit(*db, {put_account{alice, {}}, put});
  db.reopen();
  auto id = must(db->find_id(key));
  BOOST_REQUIRE(id.has_value());
  BOOST_TEST(id->content_hash == put.content_hash);
  BOOST_TEST((id->stored_at == at(1000)));
  BOOST_TEST(!must(db->find_id({alice, {"m1"}, carol})));
  BOOST_TEST(!must(db->find_id({bob, {"m1"}, bob})));

  // As long as it waits, it is not forgotten.
  BOOST_TEST(forget_ids(*db, at(2000)) == 0u);
  commit(*db, {make_remove(bob, 1)});
  BOOST_TEST(forget_ids(*db, at(1000)) == 0u);
  BOOST_TEST(must(db->find_id(key)).has_value());
  BOOST_TEST(forget_ids(*db, at(1001)) == 1u);
  BOOST_TEST(!must(db->find_id(key)));
  BOOST_TEST(forget_ids(*db, at(1001)) == 0u);
}

BOOST_AUTO_TEST_CASE(an_id_put_again_is_as_young_as_its_last_im) {
  memory_store db;
  retry_key key{alice, {"m1"}, bob};
  commit(*db,
    {put_account{alice, {}},
      make_put(bob, 1, make_im(alice, "m1", "x", at(1000)))});
  commit(*db, {make_remove(bob, 1)});
  commit(*db, {make_put(bob, 2, make_im(alice, "m1", "x", at(5000)))});
  BOOST_TEST(forget_ids(*db, at(9000)) == 0u);
  BOOST_TEST((must(db->find_id(key)).value().stored_at == at(5000)));
  commit(*db, {make_remove(bob, 2)});
  BOOST_TEST(forget_ids(*db, at(9000)) == 1u);
}

BOOST_AUTO_TEST_CASE(more_ids_than_one_write_takes_are_forgotten) {
  memory_store db;
  auto n = 2 * defaults::forget_max + 3;
  std::vector<store_operation> batch{put_account{alice, {}}};
  for (uint64_t i = 0; i < n; ++i) {
    auto id = "m" + std::to_string(i);
    batch.push_back(make_put(bob, i + 1, make_im(alice, id, "x", at(1000))));
    batch.push_back(make_remove(bob, i + 1));
  }
  batch.push_back(make_put(bob, n + 1, make_im(alice, "late", "x", at(3000))));
  batch.push_back(make_remove(bob, n + 1));
  commit(*db, batch);
  BOOST_TEST(ids_in(*db) == n + 1);
  BOOST_TEST(db->ids_put() == n + 1);
  auto step = must(db->forget_ids(at(2000)));
  BOOST_TEST(step.ids == defaults::forget_max);
  BOOST_TEST(step.more);
  n -= defaults::forget_max;
  BOOST_TEST(forget_ids(*db, at(2000)) == n);
  BOOST_TEST(ids_in(*db) == 1u);
  // An older one that becomes free later is not overlooked.
  commit(*db,
    {make_put(bob, 9'999, make_im(alice, "old", "x", at(500))),
      make_remove(bob, 9'999)});
  BOOST_TEST(forget_ids(*db, at(2000)) == 1u);
}

BOOST_AUTO_TEST_CASE(all_ids_are_met_however_short_the_steps) {
  memory_store db;
  commit(*db, {put_account{alice, {}}});
  for (uint64_t i = 1; i <= 7; ++i)
    commit(
      *db, {make_put(bob, i, make_im(alice, "m" + std::to_string(i), "x"))});
  for (size_t step = 1; step <= 8; ++step) {
    std::set<uint64_t> found;
    size_t n = 0;
    each_id(
      *db, [&](uint64_t hash, wall_time) { n += found.insert(hash).second; },
      step);
    BOOST_TEST(n == 7u);
    BOOST_TEST(found.size() == 7u);
  }
}

BOOST_AUTO_TEST_CASE(each_id_tells_hash_and_time) {
  memory_store db;
  commit(*db,
    {put_account{alice, {}},
      make_put(bob, 1, make_im(alice, "m1", "x", at(1000))),
      make_put(carol, 1, make_im(alice, "m1", "x", at(2000))),
      make_remove(carol, 1)});
  std::map<uint64_t, wall_time> found;
  each_id(*db, [&](uint64_t hash, wall_time t) { found[hash] = t; });
  BOOST_TEST(found.size() == 2u);
  BOOST_TEST((found[retry_hash({alice, {"m1"}, bob})] == at(1000)));
  BOOST_TEST((found[retry_hash({alice, {"m1"}, carol})] == at(2000)));
}

// -- expiry -------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(expired_ims_are_found_in_any_order_of_asking) {
  memory_store db;
  using list = std::set<std::pair<user_address, im_order>>;
  auto before = [&](int64_t ms, size_t step = 100) {
    auto found = ims_before(*db, at(ms), step);
    list once(found.begin(), found.end());
    BOOST_TEST(once.size() == found.size());
    return once;
  };
  auto put = [&](const user_address& to, uint64_t ms) {
    commit(*db, {make_put(to, ms * 1000, make_im(alice, "m", "x"))});
  };
  put(bob, 10);
  put(bob, 20);
  put(carol, 15);
  list first{{bob, im_order{10'000}}};
  list all{{bob, im_order{10'000}}, {bob, im_order{20'000}},
    {carol, im_order{15'000}}};
  BOOST_TEST((before(10) == list{}));
  BOOST_TEST((before(11) == first));
  BOOST_TEST((before(11) == first));
  BOOST_TEST((before(100) == all));
  for (size_t step : {1, 2, 3, 4})
    BOOST_TEST((before(100, step) == all));
  BOOST_TEST((before(-1) == list{}));

  commit(*db, {make_remove(bob, 10'000), make_remove(bob, 20'000)});
  BOOST_TEST((before(100) == list{{carol, im_order{15'000}}}));
  BOOST_TEST((before(12) == list{}));
  // One that is older than all that were seen.
  put(alice, 5);
  BOOST_TEST((before(12) == list{{alice, im_order{5'000}}}));
  db.reopen();
  BOOST_TEST((before(12) == list{{alice, im_order{5'000}}}));
}

BOOST_AUTO_TEST_CASE(no_step_of_a_look_is_longer_than_its_bound) {
  memory_store db;
  std::vector<store_operation> batch;
  // Most have nothing that expired.
  for (uint64_t i = 0; i < 100; ++i)
    batch.push_back(make_put(user("u" + std::to_string(i) + "@example.org"),
      i % 10 == 0 ? 1000 : 9'000'000, make_im(alice, "m", "x")));
  for (uint64_t i = 1; i <= 50; ++i)
    batch.push_back(make_put(bob, i, make_im(alice, "m", "x")));
  commit(*db, batch);
  store::expiry_look look;
  size_t found = 0;
  size_t steps = 0;
  for (; !look.done; ++steps) {
    auto some = must(db->ims_before(at(2), look, 10));
    BOOST_TEST(some.size() <= 10u);
    found += some.size();
  }
  BOOST_TEST(found == 60u);
  BOOST_TEST(steps >= 15u);
}

BOOST_AUTO_TEST_CASE(what_is_put_during_a_look_is_found_by_the_next) {
  memory_store db;
  auto put = [&](const user_address& to, uint64_t order) {
    commit(*db, {make_put(to, order, make_im(alice, "m", "x"))});
  };
  put(bob, 9'000'000);
  put(carol, 9'000'000);
  store::expiry_look look;
  while (look.user != carol)
    BOOST_TEST(must(db->ims_before(at(5), look, 1)).empty());
  // The look has passed her by.
  put(alice, 1000);
  while (!look.done)
    BOOST_TEST(must(db->ims_before(at(5), look, 1)).empty());
  BOOST_TEST(ims_before(*db, at(5)).size() == 1u);
  // Two looks at a time, the first begun ending first and last.
  for (bool first_ends_first : {true, false}) {
    commit(*db, {make_remove(alice, 1000)});
    store::expiry_look one;
    store::expiry_look two;
    while (one.user != carol)
      must(db->ims_before(at(5), one, 1));
    put(alice, 1000);
    must(db->ims_before(at(5), two, 1));
    for (auto* x :
      {first_ends_first ? &one : &two, first_ends_first ? &two : &one})
      while (!x->done)
        must(db->ims_before(at(5), *x, 1));
    BOOST_TEST(ims_before(*db, at(5)).size() == 1u, first_ends_first);
  }
}

BOOST_AUTO_TEST_CASE(what_is_known_not_to_be_there_is_not_looked_for) {
  memory_store db;
  commit(*db, {make_put(alice, 1000, make_im(alice, "m", "x"))});
  for (auto& to : {alice, bob, carol})
    commit(*db, {make_put(to, 9'000'000, make_im(alice, "m", "x"))});
  BOOST_TEST(ims_before(*db, at(5)).size() == 1u);
  commit(*db, {make_remove(alice, 1000)});
  BOOST_TEST(ims_before(*db, at(5)).empty());
  store::expiry_look again;
  BOOST_TEST(must(db->ims_before(at(5), again, 1)).empty());
  BOOST_TEST(again.done);
}

BOOST_AUTO_TEST_SUITE_END()
