#include "tests/actors/engine/cases.hpp"

#include "protocol/defaults.hpp"

// What users and operators see of the store: accounts that go, and what it
// forgets in time.
namespace parley::test {

namespace {

using namespace std::chrono_literals;

uint64_t removed_with_accounts(engine& e) {
  return e.report(0).counters.removed_with_account
    + e.report(1).counters.removed_with_account;
}

put_im stored(const user_address& from, const user_address& to, uint64_t order,
  std::string id, wall_time sent_at) {
  im message;
  message.id.value = std::move(id);
  message.from.user = from;
  message.body = "x";
  message.sent_at = sent_at;
  put_im x;
  x.content_hash = content_hash(message);
  x.what = {to, im_order{order}, {to, {}}, shared<im>{std::move(message)}};
  return x;
}

BOOST_AUTO_TEST_SUITE(storing)

BOOST_AUTO_TEST_CASE(a_removed_account_tells_what_was_stored_for_it) {
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    engine e{seed};
    e.make_account(alice);
    e.make_account(bob);
    auto& a = e.sign_in(alice, "desk");
    for (int i = 0; i < 3; ++i)
      a.send(bob);
    // Long enough for the router to have let go of him.
    e.advance(20s);
    auto x = e.remove_account(bob);
    BOOST_TEST((x.why.code == errc::none));
    BOOST_TEST(x.deleted == 3u);
    BOOST_TEST(removed_with_accounts(e) == 3u);
    auto lines = e.db->audit(9);
    BOOST_REQUIRE((lines && lines->size() == 1u));
    BOOST_TEST(lines->front().what == "user remove");
    BOOST_TEST(lines->front().who == "tester");
    BOOST_TEST(lines->front().from == "3 stored IMs");
  }
}

BOOST_AUTO_TEST_CASE(a_removal_is_answered_when_it_is_on_disk) {
  engine e{1};
  e.make_account(bob);
  e.hold_writes();
  auto line = audit_entry{{}, "tester", "user remove", {}, {}};
  auto answer = e.ask<account_removed>(
    router_actor{e.routers[1]}, remove_atom::value, engine::user(bob), line);
  e.settle();
  BOOST_TEST(!answer->has_value());
  e.let_writes_go();
  BOOST_REQUIRE(answer->has_value());
  BOOST_TEST(!*e.db->find_account(engine::user(bob)));
}

BOOST_AUTO_TEST_CASE(one_that_the_disk_refused_is_told_and_happens_once) {
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    engine e{seed};
    e.make_account(bob);
    e.disk.files().refuse_writes(lossy_fs::fault::broken);
    BOOST_TEST((e.remove_account(bob).why.code == errc::store_failed));
    BOOST_TEST(e.db->find_account(engine::user(bob))->has_value());
    e.disk.files().refuse_writes(lossy_fs::fault::none);
    e.advance(2 * defaults::removal_retry_max);
    BOOST_TEST(!*e.db->find_account(engine::user(bob)));
    BOOST_TEST(e.db->audit(9)->size() == 1u);
    // Nothing is left of it that an account of that name would suffer from.
    e.make_account(bob);
    e.advance(2 * defaults::removal_retry_max);
    BOOST_TEST(e.sign_in(bob, "phone").is_in());
  }
}

BOOST_AUTO_TEST_CASE(routers_take_the_filter_that_the_sweeper_makes) {
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    engine e{seed};
    e.make_account(alice);
    e.make_account(bob);
    auto from = engine::user(alice);
    auto to = engine::user(bob);
    std::vector<store_operation> batch;
    for (uint64_t i = 1; i <= 2 * defaults::filter_forgotten_min; ++i) {
      batch.push_back(stored(from, to, i, std::to_string(i), wall_time{1ms}));
      batch.push_back(remove_im{to, im_order{i}});
    }
    // Routers have not heard of this one either.
    auto now = e.world->wall_clock();
    auto order = static_cast<uint64_t>(now.time_since_epoch().count()) * 1'000;
    batch.push_back(stored(from, to, order, "kept", now));
    BOOST_REQUIRE(e.db->commit(batch));
    e.advance(defaults::expiry_interval + 1s);
    auto& a = e.sign_in(alice, "desk");
    a.send(bob, "kept");
    a.send(bob, "1");
    e.settle();
    // Its body is another.
    BOOST_TEST(a.outcome_of("kept") == "id_conflict");
    BOOST_TEST(a.outcome_of("1") == "stored");
  }
}

BOOST_AUTO_TEST_CASE(an_im_that_went_with_an_account_is_judged_anew) {
  engine e{1};
  e.make_account(alice);
  e.make_account(bob);
  auto& a = e.sign_in(alice, "desk");
  a.send(bob, "m");
  e.settle();
  BOOST_TEST(a.outcome_of("m") == "stored");
  e.remove_account(bob);
  e.make_account(bob);
  // Only the disk can know of it any more.
  e.advance(2 * defaults::delivered_memory);
  a.send(bob, "m");
  e.settle();
  BOOST_TEST(e.on_disk(bob) == std::vector<std::string>{"m"});
}

BOOST_AUTO_TEST_CASE(what_a_silent_disk_has_at_a_stop_is_not_said_to_be_lost) {
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    engine e{seed};
    e.make_account(alice);
    e.make_account(bob);
    auto& a = e.sign_in(alice, "desk");
    e.hold_writes();
    a.send(bob, "m");
    e.settle();
    auto reports = e.stop();
    BOOST_REQUIRE(reports.size() == 2u);
    BOOST_TEST(reports[0].given_up + reports[1].given_up == 1u);
    BOOST_TEST(a.closed == "server_stopping");
    BOOST_TEST(a.outcome_of("m").empty());
    e.let_writes_go();
    BOOST_TEST(e.on_disk(bob) == std::vector<std::string>{"m"});
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
