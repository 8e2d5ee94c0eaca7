#include "actors/router/routing.hpp"
#include "actors/store/store_sweeper.hpp"
#include "protocol/defaults.hpp"
#include "tests/actors/store/listener.hpp"

#include <caf/scoped_actor.hpp>

#include <chrono>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace parley;
using namespace parley::test;
using namespace std::chrono_literals;

namespace {

struct swept_world : store_world {
  using store_world::store_world;

  /// Asks for a round and lets it happen.
  void sweep(wall_time now) {
    caf::anon_send(sweeper, shared<policy>(rules), now, routers);
    actors.settle();
  }

  /// Alice sends so many to bob, who takes them at once: their ids stay.
  void remember(uint64_t n, wall_time sent_at) {
    std::vector<store_operation> batch{put_account{alice, {}}};
    for (uint64_t i = 0; i < n; ++i) {
      auto order = ++last;
      auto id = "m" + std::to_string(order);
      batch.push_back(make_put(bob, order, make_im(alice, id, "x", sent_at)));
      batch.push_back(make_remove(bob, order));
    }
    commit(*db, batch);
  }

  uint64_t ids() {
    uint64_t n = 0;
    each_id(*db, [&n](uint64_t, wall_time) { ++n; });
    return n;
  }

  std::vector<user_address> list() {
    caf::scoped_actor asker{actors.system()};
    auto promise = asker->request(sweeper, caf::infinite, list_atom::value);
    actors.settle();
    std::vector<user_address> out;
    promise.receive(
      [&](const accounts_found& x) {
        BOOST_TEST((x.why.code == errc::none));
        out = x.what;
      },
      [&](const caf::error& e) { BOOST_ERROR(actors.system().render(e)); });
    return out;
  }

  store_sweeper_actor sweeper =
    actors.spawn(store_sweeper, db.get(), uint64_t{0});
  heard_ptr one = std::make_shared<heard>();
  heard_ptr two = std::make_shared<heard>();
  std::vector<router_actor> routers{
    listener<router_actor>(one), listener<router_actor>(two)};
  policy rules;
  uint64_t last = 0;
};

uint64_t hash_of(uint64_t n) {
  return retry_hash(alice, message_id{"m" + std::to_string(n)}, bob);
}

/// Enough to make the filter anew.
constexpr uint64_t many = 2 * defaults::filter_forgotten_min;

} // namespace

BOOST_AUTO_TEST_SUITE(sweeper)

BOOST_AUTO_TEST_CASE(what_expired_is_told_to_the_routers_that_own_the_users) {
  swept_world w;
  std::set<std::string> expected;
  for (int i = 0; i < 20; ++i) {
    auto name = "u" + std::to_string(i) + "@example.org";
    expected.insert(name);
    commit(*w.db,
      {make_put(user(name), 1000, make_im(alice, "m", "x")),
        make_put(user(name), 9'000'000, make_im(alice, "n", "x"))});
  }
  w.rules.im_offline_ttl_ms = 60'000;
  w.sweep(at(60'002));

  std::set<std::string> found;
  for (size_t k : {0, 1}) {
    auto& expired = (k == 0 ? w.one : w.two)->expired;
    BOOST_REQUIRE(expired.size() == 1u);
    for (auto& [user, order] : expired[0].what) {
      BOOST_TEST(slot_of(user) % 2 == k);
      BOOST_TEST(order.value == 1000u);
      found.insert(user.str());
    }
  }
  BOOST_TEST(found == expected);

  w.rules.im_offline_ttl_ms = unlimited;
  w.sweep(at(90'000'000));
  BOOST_TEST(w.one->expired.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_round_takes_so_many_and_the_next_goes_on_behind_them) {
  swept_world w;
  auto n = defaults::expiry_page + defaults::sweep_step;
  std::vector<store_operation> batch;
  for (uint64_t i = 1; i <= n; ++i)
    batch.push_back(make_put(bob, i, make_im(alice, "m", "x")));
  commit(*w.db, batch);
  auto& told = (slot_of(bob) % 2 == 0 ? w.one : w.two)->expired;
  std::vector<uint64_t> orders;
  auto round = [&] {
    w.sweep(at(1'000'000'000'000));
    for (auto& x : std::exchange(told, {})) {
      // Each message is one step's.
      BOOST_TEST(x.what.size() <= defaults::sweep_step);
      for (auto& [user, order] : x.what)
        orders.push_back(order.value);
    }
  };
  round();
  BOOST_TEST(orders.size() == defaults::expiry_page);
  round();
  BOOST_REQUIRE(orders.size() == n);
  for (uint64_t i = 0; i < n; ++i)
    BOOST_REQUIRE(orders[i] == i + 1);
}

BOOST_AUTO_TEST_CASE(ids_are_forgotten_after_their_time) {
  swept_world w;
  w.remember(3 * defaults::forget_max, at(1000));
  w.rules.im_retry_memory_ms = 60'000;
  w.sweep(at(61'000));
  BOOST_TEST(w.ids() == 3 * defaults::forget_max);
  w.sweep(at(61'001));
  BOOST_TEST(w.ids() == 0u);
}

BOOST_AUTO_TEST_CASE(an_end_waits_for_no_more_than_one_step) {
  swept_world w;
  auto n = 20 * defaults::forget_max;
  w.remember(n, at(1000));
  caf::anon_send(
    w.sweeper, shared<policy>(w.rules), wall_time::max(), w.routers);
  while (w.ids() == n)
    BOOST_REQUIRE(w.actors.step());
  caf::anon_send_exit(w.sweeper, caf::exit_reason::user_shutdown);
  w.actors.settle();
  BOOST_TEST(w.ids() >= n - 2 * defaults::forget_max);
}

BOOST_AUTO_TEST_CASE(each_step_is_one_write_and_others_come_between) {
  swept_world w;
  auto n = 5 * defaults::forget_max;
  w.remember(n, at(1000));
  commit(*w.db, {put_account{bob, {}}});
  caf::anon_send(
    w.sweeper, shared<policy>(w.rules), wall_time::max(), w.routers);
  while (w.ids() == n)
    BOOST_REQUIRE(w.actors.step());
  // An operator need not wait for the end of the round.
  BOOST_TEST((w.list() == std::vector{alice, bob}));
  BOOST_TEST(w.ids() == 0u);
}

BOOST_AUTO_TEST_CASE(accounts_are_listed_in_order_however_many_there_are) {
  swept_world w;
  BOOST_TEST(w.list().empty());
  std::vector<store_operation> batch;
  for (uint64_t i = 0; i < defaults::accounts_listed + 1; ++i)
    batch.push_back(
      put_account{user("u" + std::to_string(i) + "@example.org"), {}});
  commit(*w.db, batch);
  auto all = w.list();
  BOOST_TEST(all.size() == defaults::accounts_listed + 1);
  BOOST_TEST(std::is_sorted(all.begin(), all.end()));
  BOOST_TEST(std::set(all.begin(), all.end()).size() == all.size());
}

BOOST_AUTO_TEST_CASE(the_filter_is_made_anew_when_most_ids_are_forgotten) {
  swept_world w;
  w.remember(many, at(1000));
  w.remember(10, at(9000));
  w.rules.im_retry_memory_ms = 1;
  w.sweep(at(5000));
  BOOST_TEST(w.ids() == 10u);
  for (auto& x : {w.one, w.two}) {
    BOOST_TEST(x->scans == 1u);
    BOOST_REQUIRE(x->filters.size() == 1u);
    auto& filter = *x->filters[0];
    BOOST_TEST(filter.size() == 10u);
    for (uint64_t i = many + 1; i <= many + 10; ++i)
      BOOST_TEST(filter.may_contain(hash_of(i)));
    BOOST_TEST(!filter.may_contain(hash_of(1)));
  }
  BOOST_TEST((w.one->filters[0] == w.two->filters[0]));
}

BOOST_AUTO_TEST_CASE(it_stays_while_few_are_forgotten_and_not_every_round) {
  swept_world w;
  w.rules.im_retry_memory_ms = 1;
  // Few, then half.
  w.remember(many / 4, at(1000));
  w.sweep(at(5000));
  BOOST_TEST(w.one->scans == 0u);
  w.remember(3 * many, at(9000));
  w.remember(many, at(1000));
  w.sweep(at(5000));
  BOOST_TEST(w.one->scans == 0u);
  w.sweep(at(10'000));
  BOOST_TEST(w.one->scans == 1u);
  // What went before that is not counted again.
  w.actors.advance(defaults::filter_interval);
  w.remember(2 * many, at(20'000));
  w.remember(many, at(1000));
  w.sweep(at(5000));
  BOOST_TEST(w.one->scans == 1u);
  w.remember(2 * many, at(1000));
  w.sweep(at(5000));
  BOOST_TEST(w.one->scans == 2u);
  // At most once in a while.
  w.sweep(at(30'000));
  BOOST_TEST(w.ids() == 0u);
  BOOST_TEST(w.one->scans == 2u);
  w.actors.advance(defaults::filter_interval);
  w.sweep(at(30'000));
  BOOST_TEST(w.one->scans == 3u);
  BOOST_REQUIRE(w.one->filters.size() == 3u);
  BOOST_TEST(w.one->filters[2]->size() == 0u);
}

BOOST_AUTO_TEST_CASE(no_id_escapes_both_the_scan_and_the_routers) {
  // A router that hears of the scan late has put all it knew on disk before.
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    swept_world w(seed);
    w.remember(many, at(1000));
    w.rules.im_retry_memory_ms = 1;
    caf::anon_send(w.sweeper, shared<policy>(w.rules), at(5000), w.routers);
    std::set<uint64_t> late;
    std::set<uint64_t> early;
    while (w.one->filters.empty()) {
      if (w.actors.random()() % 3 == 0) {
        w.remember(1, at(9000));
        (w.one->scans == 0 ? early : late).insert(w.last);
      }
      BOOST_REQUIRE(w.actors.step());
    }
    for (auto i : early)
      BOOST_TEST(w.one->filters[0]->may_contain(hash_of(i)));
    for (auto i : late)
      BOOST_TEST(must(w.db->find_id({alice, {"m" + std::to_string(i)}, bob}))
                   .has_value());
  }
}

BOOST_AUTO_TEST_SUITE_END()
