#include "tests/actors/routing/two_shards.hpp"

#include <algorithm>

#include <boost/test/unit_test.hpp>

#include "protocol/defaults_memory.hpp"

// What is judged, in which order, and what is known again.
namespace parley::test::judging {

namespace {

using namespace std::chrono_literals;

/// Alice and bob live on different shards.
const std::string alice = two_shards::name_on(0);
const std::string bob = two_shards::name_on(1);
const std::string nobody = two_shards::name_on(1, 7);
/// On alice's shard.
const std::string carol = two_shards::name_on(0, 1);

struct two_users : two_shards {
  two_users() {
    make_account(alice);
    make_account(bob);
    desk = sign_in(alice, "desk");
  }
  std::string outcome_now(sending what) {
    auto n = send(desk, std::move(what));
    settle();
    return outcome_of(desk, n);
  }
  session_id desk;
};

/// Another sender of that shard.
std::string carol_with_account(two_users& w) {
  w.make_account(carol);
  return carol;
}

BOOST_AUTO_TEST_SUITE(judging)

BOOST_AUTO_TEST_CASE(checks_are_made_in_the_order_of_the_contract) {
  // Everything is wrong at first; then one thing after another is mended.
  two_users w;
  BOOST_TEST(w.outcome_now({"known", bob, "short"}) == "stored");
  w.set_policy([](policy& p) {
    p.im_body_max = 10;
    p.im_enabled = false;
    p.im_rate = 1;
    p.im_store_offline = false;
    p.im_offline_max = 0;
  });
  w.writes_fail = true;
  std::string long_body(11, 'x');
  BOOST_TEST(w.outcome_now({"known", bob, long_body}) == "id_conflict");
  BOOST_TEST(w.outcome_now({"known", bob, "short"}) == "stored");
  BOOST_TEST(w.outcome_now({"m1", "@", long_body}) == "too_large");
  BOOST_TEST(w.outcome_now({"m1", nobody, long_body}) == "too_large");
  BOOST_TEST(w.outcome_now({"m2", "@"}) == "bad_address");
  BOOST_TEST(w.outcome_now({"m3", nobody}) == "im_disabled");
  w.set_policy([](policy& p) { p.im_enabled = true; });
  w.pass(1min);
  BOOST_TEST(w.outcome_now({"m4", bob}) == "recipient_offline"); // the token
  BOOST_TEST(w.outcome_now({"m5", nobody}) == "no_such_user");
  BOOST_TEST(w.outcome_now({"m6", bob}) == "rate_limited");
  w.pass(1s);
  BOOST_TEST(w.outcome_now({"m7", bob}) == "recipient_offline");
  w.pass(1s);
  w.set_policy([](policy& p) { p.im_store_offline = true; });
  BOOST_TEST(w.outcome_now({"m8", bob}) == "quota_exceeded");
  w.set_policy([](policy& p) {
    p.im_offline_max = 2;
    p.im_rate = unlimited;
  });
  BOOST_TEST(w.outcome_now({"m9", bob}) == "store_failed");
  w.writes_fail = false;
  BOOST_TEST(w.outcome_now({"m10", bob}) == "stored");
  BOOST_TEST(w.outcome_now({"m11", bob}) == "quota_exceeded");
}

BOOST_AUTO_TEST_CASE(a_retry_is_answered_again_without_a_second_delivery) {
  two_users w;
  auto phone = w.sign_in(bob, "phone");
  auto n = w.send(w.desk, {"m", bob});
  w.settle();
  BOOST_TEST(w.outcome_of(w.desk, n) == "");
  w.acknowledge(phone);
  w.settle();
  BOOST_TEST(w.outcome_of(w.desk, n) == "delivered");
  for (int i = 0; i < 3; ++i)
    BOOST_TEST(w.outcome_now({"m", bob}) == "delivered");
  BOOST_TEST(w.outcome_now({"m", bob + "@example.org/phone"}) == "delivered");
  BOOST_TEST(w.outcome_now({"m", bob, "other"}) == "id_conflict");
  BOOST_TEST(w.got(phone) == texts{"m"});
  // The key is sender, id and recipient.
  BOOST_TEST(w.outcome_now({"m", carol}) == "no_such_user");
  BOOST_TEST(w.shard_of(alice).counters().retries == 5u);
}

BOOST_AUTO_TEST_CASE(a_retry_of_one_under_way_joins_it) {
  two_users w;
  auto phone = w.sign_in(bob, "phone");
  auto home = w.sign_in(alice, "home");
  auto first = w.send(w.desk, {"m", bob});
  auto second = w.send(w.desk, {"m", bob});
  w.settle();
  auto third = w.send(home, {"m", bob});
  auto other = w.send(home, {"m", bob, "other"});
  w.settle();
  BOOST_TEST(w.outcome_of(home, other) == "id_conflict");
  BOOST_TEST(w.outcome_of(w.desk, first) == "");
  w.acknowledge(phone);
  w.settle();
  BOOST_TEST(w.outcome_of(w.desk, first) == "delivered");
  BOOST_TEST(w.outcome_of(w.desk, second) == "delivered");
  BOOST_TEST(w.outcome_of(home, third) == "delivered");
  BOOST_TEST(w.got(phone) == texts{"m"});
}

BOOST_AUTO_TEST_CASE(what_was_rejected_is_judged_anew) {
  two_users w;
  w.set_policy([](policy& p) { p.im_enabled = false; });
  BOOST_TEST(w.outcome_now({"m", bob}) == "im_disabled");
  w.set_policy([](policy& p) { p.im_enabled = true; });
  w.writes_fail = true;
  BOOST_TEST(w.outcome_now({"m", bob}) == "store_failed");
  w.writes_fail = false;
  BOOST_TEST(w.outcome_now({"m", bob, "changed"}) == "stored");
  BOOST_TEST(w.on_disk(bob) == 1u);
}

BOOST_AUTO_TEST_CASE(what_a_broadcast_left_in_line_goes_on_in_pieces) {
  two_users w;
  BOOST_TEST(w.outcome_now({"b", bob}) == "stored");
  for (int i = 0; i < 30; ++i) {
    w.pass(30s);
    w.sweep();
    w.settle();
  }
  std::vector<std::string> all{bob};
  for (size_t i = 0; i < 10; ++i) {
    all.push_back(two_shards::name_on(i % 2, 20 + i));
    w.make_account(all.back());
  }
  w.lines_room = 0;
  const auto asked = w.ids_asked;
  const auto n = w.broadcast_to(w.desk, "b", all, "b");
  // An IM behind them is not judged before they are.
  const auto after = w.send(w.desk, {"after", bob});
  w.settle();
  BOOST_TEST(w.ids_asked == asked + 1);
  auto& at = w.at(0);
  BOOST_TEST(at.has_lines());
  size_t room = 4;
  at.pass_lines(room, w.now());
  BOOST_TEST(room == 0u);
  BOOST_TEST(at.has_lines());
  w.settle();
  BOOST_TEST(w.broadcast_of(w.desk, n) == "");
  BOOST_TEST(w.outcome_of(w.desk, after) == "");
  room = 100;
  at.pass_lines(room, w.now());
  BOOST_TEST(room == 94u);
  BOOST_TEST(!at.has_lines());
  w.settle();
  const auto was = w.broadcast_of(w.desk, n);
  for (const auto& name : all)
    BOOST_TEST(was.find(name + ": stored") != was.npos, was);
  BOOST_TEST(w.outcome_of(w.desk, after) == "stored");
}

BOOST_AUTO_TEST_CASE(grace_times_that_are_over_come_so_many_at_a_time) {
  two_users w;
  w.sign_in(bob, "phone");
  for (int i = 0; i < 10; ++i)
    w.send(w.desk, {"m" + std::to_string(i), bob});
  w.settle();
  auto& at = w.shard_of(bob);
  BOOST_TEST(at.sweep(w.now(), 4));
  w.pass(std::chrono::milliseconds{w.rules.im_grace_ms});
  BOOST_TEST(!at.sweep(w.now(), 4));
  BOOST_TEST(at.counters().graces_passed == 4u);
  BOOST_TEST(!at.pass_graces(w.now(), 5));
  BOOST_TEST(at.counters().graces_passed == 9u);
  BOOST_TEST(at.pass_graces(w.now(), 1));
  BOOST_TEST(at.counters().graces_passed == 10u);
}

BOOST_AUTO_TEST_CASE(grace_times_of_what_was_taken_are_looked_at_for_nothing) {
  two_users w;
  auto phone = w.sign_in(bob, "phone");
  const auto send = [&](int count, const std::string& id) {
    for (int i = 0; i < count; ++i)
      w.send(w.desk, {id + std::to_string(i), bob});
    w.settle();
  };
  send(40, "taken");
  w.acknowledge(phone);
  w.settle();
  send(4, "left");
  w.pass(std::chrono::milliseconds{w.rules.im_grace_ms});
  auto& at = w.shard_of(bob);
  BOOST_TEST(at.sweep(w.now(), 4));
  BOOST_TEST(at.counters().graces_passed == 4u);
}

BOOST_AUTO_TEST_CASE(delivered_ids_are_forgotten_in_time_stored_ones_are_not) {
  two_users w;
  BOOST_TEST(w.outcome_now({"s", bob}) == "stored");
  auto phone = w.sign_in(bob, "phone");
  w.acknowledge(phone);
  auto n = w.send(w.desk, {"d", bob});
  w.settle();
  w.acknowledge(phone);
  w.settle();
  BOOST_TEST(w.outcome_of(w.desk, n) == "delivered");
  for (int i = 0; i < 30; ++i) {
    w.pass(30s);
    w.sweep();
    w.settle();
  }
  auto asked = w.ids_asked;
  BOOST_TEST(w.outcome_now({"s", bob}) == "stored");
  BOOST_TEST(w.ids_asked == asked + 1);
  BOOST_TEST(w.outcome_now({"s", bob, "other"}) == "id_conflict");
  w.send(w.desk, {"d", bob});
  w.settle();
  BOOST_TEST(w.got(phone) == (texts{"s", "d", "d"}));
}

BOOST_AUTO_TEST_CASE(ids_of_an_earlier_run_are_asked_of_the_store) {
  two_users w;
  BOOST_TEST(w.outcome_now({"m", bob}) == "stored");
  two_users after; // another server over another disk
  id_filter known;
  known.insert(retry_hash(
    two_shards::user(alice), message_id{"m"}, two_shards::user(bob)));
  after.shard_of(alice).ids_on_disk().start(shared<id_filter>{known});
  // A false hit: judged like any other.
  BOOST_TEST(after.outcome_now({"m", bob}) == "stored");
  BOOST_TEST(after.ids_asked == 1u);
  BOOST_TEST(after.outcome_now({"n", bob}) == "stored");
  BOOST_TEST(after.ids_asked == 1u);
}

BOOST_AUTO_TEST_CASE(of_an_id_that_cannot_be_read_nothing_is_claimed) {
  two_users w;
  id_filter known;
  known.insert(retry_hash(
    two_shards::user(alice), message_id{"m"}, two_shards::user(bob)));
  w.shard_of(alice).ids_on_disk().start(shared<id_filter>{known});
  w.reads_fail = true;
  auto first = w.send(w.desk, {"m", bob});
  auto joined = w.send(w.desk, {"m", bob});
  w.settle();
  BOOST_TEST(w.outcome_of(w.desk, first) == "store_unavailable");
  BOOST_TEST(w.outcome_of(w.desk, joined) == "store_unavailable");
  w.reads_fail = false;
  BOOST_TEST(w.outcome_now({"m", bob}) == "stored");
}

BOOST_AUTO_TEST_CASE(the_rate_is_an_account_s_and_says_when_again) {
  two_users w;
  w.set_policy([](policy& p) { p.im_rate = 2; });
  auto home = w.sign_in(alice, "home");
  BOOST_TEST(w.outcome_now({"1", bob}) == "stored");
  auto n = w.send(home, {"2", bob});
  w.settle();
  BOOST_TEST(w.outcome_of(home, n) == "stored");
  n = w.send(w.desk, {"3", bob});
  w.settle();
  BOOST_TEST(w.outcome_of(w.desk, n) == "rate_limited");
  auto& why = std::get<outcome>(w.answer_of(w.desk, n)->what).why;
  BOOST_REQUIRE(why.retry_after.has_value());
  BOOST_CHECK(*why.retry_after > 400ms && *why.retry_after <= 501ms);
  BOOST_CHECK(why.limit == 2u);
  w.pass(*why.retry_after);
  BOOST_TEST(w.outcome_now({"3", bob}) == "stored");
  BOOST_TEST(w.outcome_now({"4", bob}) == "rate_limited");
  // Saved up to one second's worth.
  w.pass(1h);
  BOOST_TEST(w.outcome_now({"5", bob}) == "stored");
  BOOST_TEST(w.outcome_now({"6", bob}) == "stored");
  BOOST_TEST(w.outcome_now({"7", bob}) == "rate_limited");
  // Known ids are no new IMs.
  BOOST_TEST(w.outcome_now({"6", bob}) == "stored");
}

BOOST_AUTO_TEST_CASE(a_broadcast_lists_each_recipient_once) {
  two_users w;
  w.make_account(carol);
  auto phone = w.sign_in(carol, "phone");
  auto n = w.broadcast_to(w.desk, "b",
    {bob, carol, nobody, "@", bob, carol + "@EXAMPLE.org", "@"}, "hello");
  w.settle();
  BOOST_TEST(w.answer_of(w.desk, n) == nullptr);
  w.acknowledge(phone);
  w.settle();
  BOOST_TEST(w.broadcast_of(w.desk, n)
    == bob + ": stored, " + carol + ": delivered, " + nobody
      + ": no_such_user, @: bad_address");
  BOOST_TEST(w.got(phone) == texts{"hello"});
  // Again: known ones are answered, the others judged anew.
  w.make_account(nobody);
  n = w.broadcast_to(w.desk, "b", {nobody, carol, bob}, "hello");
  w.settle();
  BOOST_TEST(w.broadcast_of(w.desk, n)
    == nobody + ": stored, " + carol + ": delivered, " + bob + ": stored");
  n = w.broadcast_to(w.desk, "b", {bob, "@"}, "other");
  w.settle();
  BOOST_TEST(
    w.broadcast_of(w.desk, n) == bob + ": id_conflict, @: bad_address");
  BOOST_TEST(w.got(phone) == texts{"hello"});
  BOOST_TEST(w.on_disk(bob) == 1u);
  // It chooses nobody.
  BOOST_TEST(
    (w.shard_of(alice).endpoints(two_shards::user(alice)).size() == 1));
}

BOOST_AUTO_TEST_CASE(a_broadcast_of_too_many_is_refused_as_a_whole) {
  two_users w;
  w.set_policy([](policy& p) { p.im_broadcast_max = 2; });
  auto n = w.broadcast_to(w.desk, "b", {bob, bob, carol}, "hello");
  w.settle();
  BOOST_TEST(
    w.broadcast_of(w.desk, n) == bob + ": stored, " + carol + ": no_such_user");
  n = w.broadcast_to(w.desk, "c", {bob, nobody, carol}, "hello");
  w.settle();
  BOOST_TEST(w.outcome_of(w.desk, n) == "too_many_recipients");
  n = w.broadcast_to(w.desk, "c", {bob, nobody, carol, alice}, "hello");
  w.settle();
  auto* a = w.answer_of(w.desk, n);
  BOOST_REQUIRE(a);
  auto& why = std::get<failure>(a->what);
  BOOST_TEST(why.limit.value_or(0) == 2u);
  BOOST_TEST(why.value.value_or(0) == 3u); // at least
  n = w.broadcast_to(w.desk, "d", {}, "hello");
  BOOST_TEST(w.answer_of(w.desk, n) != nullptr);
}

BOOST_AUTO_TEST_CASE(a_long_broadcast_is_judged_in_pieces) {
  two_users w;
  auto& shard = w.shard_of(alice);
  constexpr size_t others = 20;
  std::vector<std::string> to{bob + "@example.org"};
  for (size_t n = 0; n < others; ++n)
    to.push_back("absent" + std::to_string(n) + "@example.org");
  to.push_back(bob + "@example.org/desk"); // counts once
  im x;
  x.id.value = "b1";
  x.body = "to all";
  x.from = {two_shards::user(alice), endpoint_name::from_prepared("desk")};
  // Addresses are looked at by eight.
  size_t room = 2;
  // Not all were looked at, and nobody is judged.
  BOOST_TEST(!shard.submit(
    w.desk, request_number{1}, broadcast{shared<im>{x}, to}, room, w.now()));
  BOOST_TEST(room == 0u);
  BOOST_TEST(shard.pending_ims() == 0u);
  BOOST_TEST(!shard.is_settled());
  room = 1 + 3;
  BOOST_TEST(!shard.go_on(w.desk, room, w.now()));
  BOOST_TEST(shard.pending_ims() == 3u);
  w.settle();
  BOOST_TEST(w.broadcast_of(w.desk, 1) == "");
  room = others;
  BOOST_TEST(shard.go_on(w.desk, room, w.now()));
  BOOST_TEST(room == 2u);
  w.settle();
  auto said = w.broadcast_of(w.desk, 1);
  BOOST_TEST(said.find(bob) == 0u);
  BOOST_TEST(said.find("stored") != std::string::npos);
  BOOST_TEST(std::count(said.begin(), said.end(), ',') == long{others});
  BOOST_TEST(shard.is_settled());
  BOOST_TEST(shard.held_bytes() < 10'000u);
}

BOOST_AUTO_TEST_CASE(what_is_made_of_a_broadcasts_addresses_counts) {
  two_users w;
  constexpr size_t most = 1'000;
  w.set_policy([](policy& p) { p.im_broadcast_max = most; });
  auto& shard = w.shard_of(alice);
  im x;
  x.id.value = "b1";
  x.from = {two_shards::user(alice), endpoint_name::from_prepared("desk")};
  std::vector<std::string> to;
  for (size_t n = 0; n < most; ++n)
    to.push_back("a" + std::to_string(n) + "@b");
  const auto before = shard.held_bytes();
  const auto texts = most * sizeof(std::string);
  size_t room = most / defaults::broadcast_looks;
  BOOST_TEST(!shard.submit(
    w.desk, request_number{1}, broadcast{shared<im>{x}, to}, room, w.now()));
  // A text, its place in the answer and among the recipients, a node.
  BOOST_TEST(shard.held_bytes() >= before + texts
      + most * (sizeof(recipient_outcome) + sizeof(address))
      + most * defaults::seen_recipient_bytes);
  w.leave(w.desk);
  w.settle();
  BOOST_TEST(shard.held_bytes() <= before);
}

BOOST_AUTO_TEST_CASE(of_too_many_recipients_no_more_are_kept_than_allowed) {
  two_users w;
  w.set_policy([](policy& p) { p.im_broadcast_max = 16; });
  auto& shard = w.shard_of(alice);
  im x;
  x.id.value = "b1";
  x.from = {two_shards::user(alice), endpoint_name::from_prepared("desk")};
  std::vector<std::string> to;
  for (size_t n = 0; n < 10'000; ++n)
    to.push_back("a" + std::to_string(n) + "@b");
  const auto texts = to.size() * (sizeof(std::string) + to.back().size());
  size_t room = 2;
  BOOST_TEST(!shard.submit(
    w.desk, request_number{1}, broadcast{shared<im>{x}, to}, room, w.now()));
  BOOST_TEST(shard.held_bytes() < texts + 20'000);
  // Nor are they looked for.
  room = 1;
  BOOST_TEST(shard.go_on(w.desk, room, w.now()));
  BOOST_TEST(w.outcome_of(w.desk, 1) == "too_many_recipients");
  BOOST_TEST(shard.is_settled());
}

BOOST_AUTO_TEST_CASE(who_leaves_within_a_broadcast_leaves_nothing_behind) {
  two_users w;
  auto& shard = w.shard_of(alice);
  im x;
  x.id.value = "b1";
  x.from = {two_shards::user(alice), endpoint_name::from_prepared("desk")};
  for (size_t room : {1, 2}) {
    auto desk = w.sign_in(alice, "desk" + std::to_string(room));
    std::vector<std::string> to{
      bob + "@example.org", "a@example.org", "b@example.org"};
    BOOST_TEST(!shard.submit(
      desk, request_number{1}, broadcast{shared<im>{x}, to}, room, w.now()));
    w.leave(desk);
    w.settle();
    BOOST_TEST(shard.is_settled());
    size_t more = 100;
    BOOST_TEST(shard.go_on(desk, more, w.now()));
    BOOST_TEST(more == 100u);
  }
}

BOOST_AUTO_TEST_CASE(ids_of_all_senders_share_a_bound_and_large_holders_give) {
  two_users w;
  constexpr size_t bound = 1'600;
  w.at(0).set_remembered_max(bound);
  w.sign_in(bob, "phone");
  auto other = w.sign_in(carol_with_account(w), "desk");
  for (int i = 0; i < 50; ++i)
    w.send(other, {"c" + std::to_string(i), bob});
  w.settle();
  for (int i = 0; i < 3'000; ++i) {
    w.send(w.desk, {"m" + std::to_string(i), bob});
    if (i % 50 == 0) {
      w.settle();
      w.acknowledge(session_id{2});
      w.settle();
    }
    BOOST_REQUIRE(w.at(0).remembered() <= bound);
  }
  BOOST_TEST(w.at(0).remembered() >= defaults::remembered_ids_floor);
  BOOST_TEST(w.at(0).counters().ids_forgotten > 0u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test::judging
