#include "actors/store/store_writer.hpp"
#include "persistence/keys.hpp"
#include "persistence/opening.hpp"
#include "protocol/defaults.hpp"
#include "tests/actors/store/listener.hpp"

#include <caf/scoped_actor.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace parley;
using namespace parley::test;

namespace {

struct written_world : store_world {
  using store_world::store_world;

  shared<operations> put(const user_address& to, uint64_t order) {
    auto id = "m" + std::to_string(order);
    return shared<operations>({make_put(to, order, make_im(alice, id, "x"))});
  }

  void ask(const router_actor& who, const shared<operations>& what) {
    caf::anon_send(writer, what, who);
  }

  store_writer_actor writer =
    actors.spawn(store_writer, db.get(), std::shared_ptr<commit_meter>{});
  heard_ptr one = std::make_shared<heard>();
  heard_ptr two = std::make_shared<heard>();
  router_actor first = listener<router_actor>(one);
  router_actor second = listener<router_actor>(two);
};

/// One in which bob has an IM, and a head that cannot be read.
struct damaged_world : store_world {
  damaged_world() {
    commit(*db, {make_put(bob, 1, make_im(alice, "m", "x"))});
    db.reset();
    {
      auto opened = must(open_database({.path = "/store", .env = disk.env()}));
      BOOST_REQUIRE(
        opened.db->rocks()
          .Put({}, opened.db->handle(family::heads), keys::user(bob), "?")
          .ok());
    }
    db = must(store::open({.path = "/store", .env = disk.env()}));
    writer =
      actors.spawn(store_writer, db.get(), std::shared_ptr<commit_meter>{});
    router = listener<router_actor>(one);
  }

  void ask(const operations& what) {
    caf::anon_send(writer, shared<operations>(what), router);
  }

  store_writer_actor writer;
  heard_ptr one = std::make_shared<heard>();
  router_actor router;
};

} // namespace

BOOST_AUTO_TEST_SUITE(writer)

BOOST_AUTO_TEST_CASE(what_waits_is_one_commit_and_one_answer_a_router) {
  written_world w;
  auto syncs = w.disk.files().syncs();
  std::vector<shared<operations>> asked;
  for (uint64_t i = 1; i <= 100; ++i) {
    asked.push_back(w.put(bob, i));
    w.ask(i % 2 ? w.first : w.second, asked.back());
  }
  w.actors.settle();
  BOOST_TEST(w.disk.files().syncs() == syncs + 1);
  for (auto [to, rest] : {std::pair(w.one, 0u), std::pair(w.two, 1u)}) {
    BOOST_REQUIRE(to->writes.size() == 1u);
    BOOST_TEST((to->writes[0].why.code == errc::none));
    BOOST_REQUIRE(to->writes[0].what.size() == 50u);
    for (size_t i = 0; i < 50; ++i)
      BOOST_TEST((to->writes[0].what[i] == asked[2 * i + rest]));
  }
  BOOST_TEST(must(w.db->head(bob)).stored == 100u);
}

BOOST_AUTO_TEST_CASE(nothing_is_answered_before_it_survives_a_power_cut) {
  written_world w;
  w.ask(w.first, w.put(bob, 1));
  while (w.one->writes.empty() && w.actors.step())
    ;
  BOOST_REQUIRE(w.one->writes.size() == 1u);
  w.disk.files().power_off();
  w.db.reset();
  w.disk.files().power_on(w.actors.random());
  w.db = must(store::open({.path = "/store", .env = w.disk.env()}));
  BOOST_TEST(must(w.db->head(bob)).stored == 1u);
}

BOOST_AUTO_TEST_CASE(operations_are_carried_out_in_the_order_of_asking) {
  written_world w;
  for (int round = 0; round < 10; ++round) {
    w.ask(w.first, w.put(bob, 1));
    w.ask(w.second, shared<operations>({make_remove(bob, 1)}));
  }
  w.ask(w.first, w.put(bob, 2));
  w.actors.settle();
  BOOST_TEST(orders(must(w.db->ims(bob, {}, 9))) == std::vector<uint64_t>{2});
}

BOOST_AUTO_TEST_CASE(no_commit_is_much_longer_than_its_bound) {
  written_world w;
  auto syncs = w.disk.files().syncs();
  for (uint64_t i = 1; i <= 2 * defaults::commit_max + 1; ++i)
    w.ask(w.first, w.put(bob, i));
  w.actors.settle();
  BOOST_TEST(w.disk.files().syncs() == syncs + 3);
  BOOST_TEST(w.one->writes.size() == 3u);
  BOOST_TEST(must(w.db->head(bob)).stored == 2 * defaults::commit_max + 1);
}

BOOST_AUTO_TEST_CASE(a_full_disk_answers_every_put_with_its_error) {
  written_world w;
  w.disk.files().refuse_writes(lossy_fs::fault::full);
  for (uint64_t i = 1; i <= 3; ++i) {
    w.ask(w.first, w.put(bob, 2 * i));
    w.ask(w.second, w.put(carol, i));
    w.ask(w.first, w.put(bob, 2 * i + 1));
    w.actors.settle();
    BOOST_REQUIRE(w.one->writes.size() == i);
    BOOST_TEST((w.one->writes.back().why.code == errc::store_failed));
    BOOST_TEST(w.one->writes.back().what.size() == 2u);
    BOOST_REQUIRE(w.two->writes.size() == i);
    BOOST_TEST((w.two->writes.back().why.code == errc::store_failed));
  }
  BOOST_TEST(must(w.db->head(bob)).stored == 0u);

  w.disk.files().refuse_writes(lossy_fs::fault::none);
  w.ask(w.first, w.put(bob, 10));
  w.actors.settle();
  BOOST_TEST((w.one->writes.back().why.code == errc::none));
  BOOST_TEST(orders(must(w.db->ims(bob, {}, 9))) == std::vector<uint64_t>{10});
}

BOOST_AUTO_TEST_CASE(one_users_damaged_record_does_not_reject_the_others) {
  damaged_world w;
  std::vector<user_address> users{alice, bob, carol};
  for (auto& user : users)
    w.ask({make_put(user, 1, make_im(alice, "m", "x"))});
  w.actors.settle();
  BOOST_REQUIRE(w.one->writes.size() == 3u);
  BOOST_TEST((w.one->writes[0].why.code == errc::none));
  BOOST_TEST((w.one->writes[1].why.code == errc::store_corrupt));
  BOOST_TEST((w.one->writes[2].why.code == errc::none));
  BOOST_TEST(must(w.db->head(carol)).stored == 1u);
}

BOOST_AUTO_TEST_CASE(one_damaged_record_does_not_make_each_write_a_commit) {
  damaged_world w;
  for (uint64_t i = 1; i <= 64; ++i)
    w.ask({make_put(i == 40 ? bob : carol, i, make_im(alice, "m", "x"))});
  w.actors.settle();
  size_t refused = 0;
  size_t answered = 0;
  for (auto& x : w.one->writes) {
    answered += x.what.size();
    if (x.why.code != errc::none)
      refused += x.what.size();
  }
  BOOST_TEST(answered == 64u);
  BOOST_TEST(refused == 1u);
  BOOST_TEST(must(w.db->head(carol)).stored == 63u);
  // A commit for each half that it is not in, and one for itself.
  BOOST_TEST(w.one->writes.size() == 7u);
}

BOOST_AUTO_TEST_CASE(of_what_a_router_asks_at_once_damage_refuses_its_own) {
  damaged_world w;
  operations ops;
  for (uint64_t i = 1; i <= 64; ++i)
    ops.emplace_back(make_put(carol, i, make_im(alice, "m", "x")));
  // As if one were acknowledged right after another.
  ops[40] = make_remove(bob, 1);
  ops.emplace_back(make_remove(carol, 41));
  ops.emplace_back(make_remove(carol, 64));
  w.ask(ops);
  w.actors.settle();
  std::vector<errc> codes;
  size_t removals = 0;
  for (auto& x : w.one->writes)
    for (auto& batch : x.what)
      for (auto& op : *batch) {
        codes.push_back(x.why.code);
        removals += std::holds_alternative<remove_im>(op);
      }
  // Each is told of once and in its order.
  BOOST_REQUIRE(codes.size() == ops.size());
  BOOST_TEST(removals == 3u);
  for (size_t i = 0; i < codes.size(); ++i)
    BOOST_TEST((codes[i] == (i == 40 ? errc::store_corrupt : errc::none)), i);
  auto kept = orders(must(w.db->ims(carol, {}, 99)));
  BOOST_REQUIRE(kept.size() == 62u);
  BOOST_TEST(kept.back() == 63u);
}

BOOST_AUTO_TEST_CASE(what_is_asked_for_with_a_promise_is_written_whole) {
  damaged_world w;
  caf::scoped_actor asker{w.actors.system()};
  operations ops{put_setting{"a", "1"}, make_remove(bob, 1)};
  auto answer = asker->request(w.writer, caf::infinite, std::move(ops));
  w.actors.settle();
  answer.receive(
    [](const write_result& x) {
      BOOST_TEST((x.why.code == errc::store_corrupt));
    },
    [&](const caf::error& e) { BOOST_ERROR(w.actors.system().render(e)); });
  BOOST_TEST(must(w.db->settings()).empty());
}

BOOST_AUTO_TEST_CASE(each_router_hears_how_many_ims_went_with_its_accounts) {
  written_world w;
  std::vector<store_operation> batch;
  for (auto& user : {alice, bob, carol})
    batch.push_back(put_account{user, {}});
  for (uint64_t i = 1; i <= 5; ++i)
    batch.push_back(
      make_put(i <= 3 ? bob : carol, i, make_im(alice, "m", "x")));
  commit(*w.db, batch);
  auto removal = [](const user_address& user) {
    return shared<operations>({remove_account{user, {}}});
  };
  w.ask(w.first, removal(bob));
  w.ask(w.second, w.put(alice, 9));
  w.ask(w.second, removal(carol));
  w.ask(w.first, removal(alice));
  w.actors.settle();
  using counts = std::vector<uint64_t>;
  BOOST_REQUIRE(w.one->writes.size() == 1u);
  BOOST_TEST(w.one->writes[0].deleted == (counts{3, 1}));
  BOOST_REQUIRE(w.two->writes.size() == 1u);
  BOOST_TEST(w.two->writes[0].deleted == counts{2});

  w.disk.files().refuse_writes(lossy_fs::fault::broken);
  w.ask(w.first, removal(bob));
  w.actors.settle();
  BOOST_TEST((w.one->writes.back().why.code == errc::store_failed));
  BOOST_TEST(w.one->writes.back().deleted.empty());
}

BOOST_AUTO_TEST_CASE(a_request_is_answered_when_it_is_written) {
  written_world w;
  caf::scoped_actor asker{w.actors.system()};
  auto ask = [&](operations what) {
    auto answer = asker->request(w.writer, caf::infinite, std::move(what));
    w.ask(w.first, w.put(bob, 1));
    w.actors.settle();
    errc code{};
    answer.receive([&](const write_result& x) { code = x.why.code; },
      [&](const caf::error& e) { BOOST_ERROR(w.actors.system().render(e)); });
    return code;
  };
  BOOST_TEST((ask({put_account{bob, make_keys("b")}}) == errc::none));
  BOOST_TEST(must(w.db->find_account(bob)).has_value());
  w.disk.files().refuse_writes(lossy_fs::fault::broken);
  BOOST_TEST((ask({remove_account{bob, {}}}) == errc::store_failed));
  BOOST_TEST(must(w.db->find_account(bob)).has_value());
}

BOOST_AUTO_TEST_CASE(of_two_who_want_a_new_name_one_gets_it) {
  written_world w;
  caf::scoped_actor asker{w.actors.system()};
  const auto wish = [&](const char* password) {
    operations ops;
    ops.emplace_back(put_account{bob, make_keys(password), true});
    ops.emplace_back(audit_entry{{}, password, "user add", {}, {}});
    return asker->request(w.writer, caf::infinite, std::move(ops));
  };
  const auto code_of = [&](auto& answer) {
    errc code{};
    answer.receive([&](const write_result& x) { code = x.why.code; },
      [&](const caf::error& e) { BOOST_ERROR(w.actors.system().render(e)); });
    return code;
  };
  w.ask(w.first, w.put(alice, 1));
  auto one = wish("a");
  auto two = wish("b");
  w.ask(w.second, w.put(alice, 2));
  w.actors.settle();
  BOOST_TEST((code_of(one) == errc::none));
  BOOST_TEST((code_of(two) == errc::exists));
  BOOST_TEST((must(w.db->find_account(bob))->keys == make_keys("a")));
  // Nobody else suffers from it, and nothing is said to have been done.
  for (auto& who : {w.one, w.two}) {
    BOOST_REQUIRE(who->writes.size() == 1u);
    BOOST_TEST((who->writes[0].why.code == errc::none));
  }
  BOOST_TEST(must(w.db->audit(10)).size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
