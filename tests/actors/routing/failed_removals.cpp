#include "actors/router/failed_removals.hpp"

#include <boost/test/unit_test.hpp>

#include "protocol/defaults.hpp"
#include "tests/actors/routing/two_shards.hpp"

namespace parley::test::removing {

namespace {

using namespace std::chrono_literals;
using time_point = failed_removals::time_point;

const user_address alice = two_shards::user("alice");
const user_address bob = two_shards::user("bob");

store_operation of_im(const user_address& user, uint64_t order) {
  return remove_im{user, im_order{order}};
}

store_operation of_account(const user_address& user) {
  return remove_account{user, {}};
}

BOOST_AUTO_TEST_SUITE(removals_that_failed)

BOOST_AUTO_TEST_CASE(are_tried_again_ever_more_rarely) {
  failed_removals xs;
  time_point now{1h};
  std::chrono::milliseconds wait = defaults::removal_retry_first;
  for (int i = 0; i < 20; ++i) {
    xs.refused(of_im(bob, 1), now);
    BOOST_TEST(xs.due(now + wait - 1ms).empty());
    now += wait;
    BOOST_TEST(xs.due(now).size() == 1u);
    // Not once more while it is under way.
    BOOST_TEST(xs.due(now + 1h).empty());
    wait = std::min<std::chrono::milliseconds>(
      2 * wait, defaults::removal_retry_max);
  }
  BOOST_CHECK(wait == defaults::removal_retry_max);
  xs.done(of_im(bob, 1));
  BOOST_TEST(xs.empty());
  xs.refused(of_im(bob, 1), now);
  BOOST_TEST(xs.due(now + defaults::removal_retry_first).size() == 1u);
}

BOOST_AUTO_TEST_CASE(wait_each_for_itself) {
  failed_removals xs;
  time_point now{1h};
  xs.refused(of_im(bob, 1), now);
  xs.refused(of_im(bob, 1), now);
  xs.refused(of_im(bob, 2), now);
  BOOST_TEST(xs.due(now + defaults::removal_retry_first).size() == 1u);
  BOOST_TEST(xs.due(now + 2 * defaults::removal_retry_first).size() == 1u);
  xs.done(of_im(bob, 1));
  xs.done(of_im(bob, 2));
  BOOST_TEST(xs.empty());
}

BOOST_AUTO_TEST_CASE(of_an_account_end_with_its_removal_or_its_return) {
  failed_removals xs;
  time_point now{1h};
  auto refuse_all = [&] {
    xs.refused(of_account(bob), now);
    xs.refused(of_im(bob, 1), now);
    xs.refused(of_account(alice), now);
  };
  refuse_all();
  xs.done(of_account(bob));
  BOOST_TEST(xs.due(now + 1h).size() == 2u);
  refuse_all();
  xs.drop_account(bob);
  BOOST_TEST(xs.due(now + 1h).size() == 2u);
}

BOOST_AUTO_TEST_CASE(do_not_reach_a_later_account_of_the_name) {
  two_shards w;
  auto name = two_shards::name_on(0);
  w.make_account(name);
  w.writes_fail = true;
  w.remove_account(name);
  w.settle();
  BOOST_TEST(w.has_account(name));
  // The operator tries again, and adds the account anew.
  w.writes_fail = false;
  w.remove_account(name);
  w.settle();
  BOOST_TEST(!w.has_account(name));
  w.has_account(name) = true;
  // Before the shard has heard of it, and after.
  for (int i = 0; i < 2; ++i) {
    w.pass(1h);
    w.sweep();
    w.settle();
    BOOST_TEST(w.has_account(name));
    w.make_account(name);
  }
}

BOOST_AUTO_TEST_CASE(are_begun_once_until_they_are_done) {
  failed_removals xs;
  time_point now{1h};
  BOOST_TEST(xs.begun(of_im(bob, 1)));
  BOOST_TEST(!xs.begun(of_im(bob, 1)));
  BOOST_TEST(xs.begun(of_im(bob, 2)));
  // The store has not said anything.
  BOOST_TEST(xs.due(time_point::max()).empty());
  xs.refused(of_im(bob, 1), now);
  BOOST_TEST(!xs.begun(of_im(bob, 1)));
  BOOST_TEST(xs.due(now + defaults::removal_retry_first).size() == 1u);
  xs.done(of_im(bob, 1));
  BOOST_TEST(xs.begun(of_im(bob, 1)));
}

BOOST_AUTO_TEST_CASE(of_what_expired_count_once_however_often_it_is_found) {
  two_shards w;
  auto from = two_shards::name_on(1);
  auto to = two_shards::name_on(0);
  w.make_account(from);
  w.make_account(to);
  auto desk = w.sign_in(from, "desk");
  std::pair<user_address, im_order> found{
    two_shards::user(to), im_order{w.now().wall_us}};
  w.send(desk, {"m", to});
  w.settle();
  w.pass(1h);
  w.sweep();
  auto& shard = w.shard_of(to);
  BOOST_TEST(shard.users() == 0u);
  auto find = [&] {
    shard.expire({&found, 1}, w.now());
    return shard.counters().expired;
  };
  w.writes_fail = true;
  // While the disk is silent, while it refuses, and while somebody is there.
  for (int i = 0; i < 3; ++i)
    BOOST_TEST(find() == 1u);
  BOOST_TEST(shard.unwritten() == 1u);
  for (int i = 0; i < 3; ++i) {
    w.settle();
    w.pass(1min);
    w.sweep();
    BOOST_TEST(find() == 1u);
  }
  w.settle();
  w.sign_in(to, "phone");
  BOOST_TEST(find() == 1u);
  w.writes_fail = false;
  w.pass(1h);
  w.sweep();
  w.settle();
  BOOST_TEST(w.on_disk(to) == 0u);
  BOOST_TEST(shard.counters().expired == 1u);
}

BOOST_AUTO_TEST_CASE(of_an_account_are_carried_out_in_the_end) {
  two_shards w;
  auto name = two_shards::name_on(0);
  w.make_account(name);
  w.writes_fail = true;
  w.remove_account(name);
  w.settle();
  w.writes_fail = false;
  w.pass(1h);
  w.sweep();
  w.settle();
  BOOST_TEST(!w.has_account(name));
}

BOOST_AUTO_TEST_CASE(are_tried_once_more_when_the_server_stops) {
  two_shards w;
  auto name = two_shards::name_on(0);
  w.make_account(name);
  w.writes_fail = true;
  w.remove_account(name);
  w.settle();
  w.writes_fail = false;
  w.at(0).stop(w.now());
  w.settle();
  BOOST_TEST(!w.has_account(name));
}

BOOST_AUTO_TEST_CASE(are_dropped_when_the_account_is_known_to_be_new) {
  two_shards w;
  auto name = two_shards::name_on(0);
  w.make_account(name);
  w.writes_fail = true;
  w.remove_account(name);
  w.settle();
  w.writes_fail = false;
  // Whoever removed it, it was not this shard.
  w.make_account(name);
  w.pass(1h);
  w.sweep();
  w.settle();
  BOOST_TEST(w.has_account(name));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test::removing
