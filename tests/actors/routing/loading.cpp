#include "tests/actors/routing/two_shards.hpp"

#include <boost/test/unit_test.hpp>

// Users come into memory when somebody asks for them, and go again.
namespace parley::test::while_loading {

namespace {

using namespace std::chrono_literals;

const std::string alice = two_shards::name_on(0);
const std::string bob = two_shards::name_on(1);
const std::string carol = two_shards::name_on(1, 1);

struct two_users : two_shards {
  two_users() {
    make_account(alice);
    make_account(bob);
    desk = sign_in(alice, "desk");
  }
  session_id desk;
};

BOOST_AUTO_TEST_SUITE(loading)

BOOST_AUTO_TEST_CASE(ims_queue_in_order_while_a_user_is_loaded) {
  two_users w;
  std::vector<uint64_t> numbers;
  for (int i = 0; i < 5; ++i)
    numbers.push_back(w.send(w.desk, {"m" + std::to_string(i), bob}));
  w.deliver_between();
  BOOST_TEST(w.heads_asked == 2u); // alice's, and bob's once
  w.settle();
  for (auto n : numbers)
    BOOST_TEST(w.outcome_of(w.desk, n) == "stored");
  auto phone = w.sign_in(bob, "phone");
  BOOST_TEST(w.got(phone) == (texts{"m0", "m1", "m2", "m3", "m4"}));
}

BOOST_AUTO_TEST_CASE(a_user_that_cannot_be_loaded_rejects_and_is_asked_again) {
  two_users w;
  w.reads_fail = true;
  auto n = w.send(w.desk, {"m", bob});
  w.settle();
  BOOST_TEST(w.outcome_of(w.desk, n) == "store_failed");
  w.reads_fail = false;
  n = w.send(w.desk, {"m", bob});
  w.settle();
  BOOST_TEST(w.outcome_of(w.desk, n) == "stored");
}

BOOST_AUTO_TEST_CASE(an_account_made_while_it_is_looked_up_exists) {
  two_users w;
  auto n = w.send(w.desk, {"m", carol});
  w.deliver_between();
  w.shard_of(carol).account_added(two_shards::user(carol));
  w.settle();
  BOOST_TEST(w.outcome_of(w.desk, n) == "stored");
}

BOOST_AUTO_TEST_CASE(
  one_endpoint_after_the_other_under_one_name_loses_nothing) {
  two_users w;
  for (int i = 0; i < 3; ++i)
    w.send(w.desk, {"m" + std::to_string(i), bob});
  w.settle();
  auto first = w.sign_in(bob, "phone");
  BOOST_TEST(w.got(first).size() == 3u);
  w.acknowledge(first, 1);
  w.settle();
  // As a router does that replaces a session.
  session_id second;
  w.shard_of(bob).with_user(two_shards::user(bob), [&](result<bool> exists) {
    BOOST_REQUIRE((exists && *exists));
    w.leave(first);
  });
  second = w.sign_in(bob, "phone");
  BOOST_TEST(w.got(second) == (texts{"m1", "m2"}));
}

BOOST_AUTO_TEST_CASE(a_session_may_end_while_others_wait_for_their_user) {
  two_users w;
  auto& shard = w.shard_of(bob);
  auto phone = endpoint_name::from_prepared("phone");
  int in = 0;
  for (uint64_t i = 1; i <= 3; ++i)
    shard.with_user(two_shards::user(bob), [&, i](result<bool> exists) {
      BOOST_REQUIRE((exists && *exists));
      if (i > 1)
        shard.leave(session_id{1'000 + i - 1}, w.now());
      shard.join(two_shards::user(bob), session_id{1'000 + i}, phone, {},
        {10, 1'000}, w.now());
      ++in;
    });
  w.settle();
  BOOST_TEST(in == 3);
  BOOST_REQUIRE(shard.endpoints(two_shards::user(bob)).size() == 1u);
  BOOST_TEST(shard.endpoints(two_shards::user(bob))[0].session.value == 1'003u);
}

BOOST_AUTO_TEST_CASE(a_removed_account_is_gone_at_once_and_stays_gone) {
  two_users w;
  auto home = w.sign_in(bob, "home");
  auto held = w.send(w.desk, {"m1", bob});
  w.settle();
  BOOST_TEST(w.got(home) == texts{"m1"});
  w.remove_account(bob);
  w.deliver_between();
  BOOST_TEST(w.outcome_of(w.desk, held) == "no_such_user");
  // The removal is not on disk yet.
  std::vector<uint64_t> numbers;
  for (int i = 0; i < 3; ++i) {
    numbers.push_back(w.send(w.desk, {"n" + std::to_string(i), bob}));
    w.deliver_between();
  }
  std::mt19937_64 random(1);
  while (w.step(random)) {
  }
  for (auto n : numbers)
    BOOST_TEST(w.outcome_of(w.desk, n) == "no_such_user");
  BOOST_TEST(w.on_disk(bob) == 0u);
  // A later account of that name starts empty.
  w.make_account(bob);
  auto n = w.send(w.desk, {"again", bob});
  w.settle();
  BOOST_TEST(w.outcome_of(w.desk, n) == "stored");
  auto phone = w.sign_in(bob, "phone");
  BOOST_TEST(w.got(phone) == texts{"again"});
}

BOOST_AUTO_TEST_CASE(an_account_removed_while_it_is_looked_up_does_not_exist) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937_64 random(seed);
      two_users w;
      std::vector<uint64_t> numbers{w.send(w.desk, {"m1", bob})};
      w.deliver_between();
      w.remove_account(bob);
      numbers.push_back(w.send(w.desk, {"m2", bob}));
      std::optional<bool> signed_in;
      w.shard_of(bob).with_user(two_shards::user(bob),
        [&](result<bool> exists) { signed_in = exists && *exists; });
      while (w.step(random)) {
      }
      numbers.push_back(w.send(w.desk, {"m3", bob}));
      w.settle();
      for (auto n : numbers)
        BOOST_TEST(w.outcome_of(w.desk, n) == "no_such_user");
      BOOST_TEST((signed_in == false));
      BOOST_TEST(w.on_disk(bob) == 0u);
    }
  }
}

BOOST_AUTO_TEST_CASE(when_a_name_was_removed_is_known_at_once_and_later) {
  const auto name = two_shards::user(bob);
  two_users w;
  auto& shard = w.shard_of(bob);
  w.sign_in(bob, "phone");
  BOOST_TEST(shard.removed_at(name) == 0u);
  const auto removed_at = w.now().wall_us;
  w.remove_account(bob);
  BOOST_TEST(shard.removed_at(name) == removed_at);
  // Tried again, it is no other end.
  w.pass(1s);
  w.remove_account(bob);
  BOOST_TEST(shard.removed_at(name) == removed_at);
  w.settle();
  w.make_account(bob);
  w.sign_in(bob, "phone");
  BOOST_TEST(shard.removed_at(name) == removed_at);
}

BOOST_AUTO_TEST_CASE(who_signs_up_again_is_not_known_by_old_ids) {
  two_users w;
  auto n = w.send(w.desk, {"m", bob});
  w.settle();
  BOOST_TEST(w.outcome_of(w.desk, n) == "stored");
  auto waiting = w.sign_in(bob, "phone");
  n = w.send(w.desk, {"in flight", bob});
  w.settle();
  w.remove_account(alice);
  w.acknowledge(waiting);
  w.settle();
  w.make_account(alice);
  auto desk = w.sign_in(alice, "desk");
  for (auto id : {"m", "in flight"}) {
    n = w.send(desk, {id, bob, "another body"});
    w.settle();
    w.acknowledge(waiting);
    w.settle();
    BOOST_TEST(w.outcome_of(desk, n) == "delivered", id);
  }
}

// Found by a sanitizer alone: the sender went while its line was looked at.
BOOST_AUTO_TEST_CASE(a_sender_stays_until_its_line_is_judged) {
  two_shards w{1};
  auto alice = two_shards::name_on(0);
  auto self = two_shards::user(alice);
  w.make_account(alice);
  auto desk = w.sign_in(alice, "desk");
  id_filter ids;
  for (auto id : {"1", "2"})
    ids.insert(retry_hash(self, {id}, self));
  w.shard_of(alice).ids_on_disk().start(shared<id_filter>{ids});
  w.set_policy([](policy& p) { p.im_store_offline = false; });
  w.send(desk, {"1", alice});
  w.send(desk, {"2", alice});
  w.leave(desk);
  w.settle();
  BOOST_TEST(w.shard_of(alice).is_settled());
  BOOST_TEST(w.shard_of(alice).counters().rejected == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test::while_loading
