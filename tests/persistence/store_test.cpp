#include "tests/persistence/fixture.hpp"

#include "protocol/defaults.hpp"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

using namespace parley;
using namespace parley::test;

BOOST_AUTO_TEST_SUITE(stored)

BOOST_AUTO_TEST_CASE(an_im_comes_back_whole_after_a_restart) {
  memory_store db;
  auto message = make_im(alice, "m1", "Grüße, 你好", at(-5));
  message.payloads = {{"read", "m0"}, {"like", std::string("\0x", 2)}};
  message.receipts = true;
  put_im x = make_put(bob, 10, message);
  x.what.to.endpoint = endpoint_name::from_prepared("phone");
  commit(*db, {x});
  for (int i = 0; i < 2; ++i) {
    auto ims = all_ims(*db, bob);
    BOOST_REQUIRE(ims.size() == 1u);
    BOOST_TEST(equal(ims[0], x.what));
    BOOST_TEST(all_ims(*db, alice).empty());
    db.reopen();
  }
}

BOOST_AUTO_TEST_CASE(ims_come_in_order_and_in_pages) {
  memory_store db;
  for (uint64_t order : {30, 10, 50, 20, 40})
    commit(*db, {make_put(bob, order, make_im(alice, "m", "x"))});
  commit(*db, {make_put(carol, 15, make_im(alice, "m", "x"))});
  using list = std::vector<uint64_t>;
  auto page = [&](uint64_t from, size_t max) {
    return orders(must(db->ims(bob, im_order{from}, max)));
  };
  BOOST_TEST(page(0, 2) == (list{10, 20}));
  BOOST_TEST(page(21, 2) == (list{30, 40}));
  BOOST_TEST(page(50, 2) == (list{50}));
  BOOST_TEST(page(51, 2) == list{});
  BOOST_TEST(page(0, 0) == list{});
}

BOOST_AUTO_TEST_CASE(a_users_head_tells_what_waits) {
  memory_store db;
  auto head = must(db->head(bob));
  BOOST_TEST(!head.exists);
  BOOST_TEST(head.stored == 0u);
  BOOST_TEST(head.last.value == 0u);

  commit(*db,
    {put_account{bob, {}}, make_put(bob, 7, make_im(alice, "m1", "x")),
      make_put(bob, 9, make_im(alice, "m2", "x"))});
  head = must(db->head(bob));
  BOOST_TEST(head.exists);
  BOOST_TEST(head.stored == 2u);
  BOOST_TEST(head.last.value == 9u);

  commit(*db, {make_remove(bob, 9), make_remove(bob, 8)});
  head = must(db->head(bob));
  BOOST_TEST(head.stored == 1u);
  // An order is never given twice, even when the clock was set back.
  BOOST_TEST(head.last.value == 9u);
}

BOOST_AUTO_TEST_CASE(a_domain_is_known_from_its_first_account_on) {
  memory_store db;
  auto known = [&](const std::string& whom) {
    return must(db->head(user(whom))).domain_known;
  };
  BOOST_TEST(!known("bob@example.org"));
  commit(*db, {put_account{bob, {}}, put_account{carol, {}}});
  commit(*db, {put_account{user("x@elsewhere.net"), {}}});
  for (int i = 0; i < 2; ++i) {
    BOOST_TEST(known("bob@example.org"));
    BOOST_TEST(known("nobody@example.org"));
    BOOST_TEST(known("nobody@elsewhere.net"));
    BOOST_TEST(!known("nobody@where.net"));
    BOOST_TEST(!known("elsewhere.net@example.com"));
    commit(*db, {remove_account{bob, {}}, remove_account{carol, {}}});
    db.reopen();
  }
}

BOOST_AUTO_TEST_CASE(an_im_put_again_counts_once) {
  memory_store db;
  commit(*db, {make_put(bob, 7, make_im(alice, "m1", "first"))});
  commit(*db, {make_put(bob, 7, make_im(alice, "m1", "second"))});
  BOOST_TEST(must(db->head(bob)).stored == 1u);
  BOOST_TEST(all_ims(*db, bob).at(0).message->body == "second");
  commit(*db, {make_remove(bob, 7), make_remove(bob, 7)});
  BOOST_TEST(must(db->head(bob)).stored == 0u);
  BOOST_TEST(all_ims(*db, bob).empty());
}

BOOST_AUTO_TEST_CASE(operations_of_a_batch_see_each_other) {
  memory_store db;
  commit(*db,
    {make_put(bob, 1, make_im(alice, "m1", "x")), make_remove(bob, 1),
      make_put(bob, 2, make_im(alice, "m2", "x")),
      make_put(carol, 1, make_im(alice, "m3", "x")), remove_account{carol, {}},
      make_put(carol, 5, make_im(alice, "m4", "x"))});
  BOOST_TEST(orders(all_ims(*db, bob)) == std::vector<uint64_t>{2});
  BOOST_TEST(orders(all_ims(*db, carol)) == std::vector<uint64_t>{5});
  BOOST_TEST(must(db->head(bob)).stored == 1u);
  BOOST_TEST(must(db->head(carol)).stored == 1u);
}

BOOST_AUTO_TEST_CASE(an_order_below_those_delivered_is_found) {
  memory_store db;
  for (uint64_t i = 100; i < 110; ++i)
    commit(*db, {make_put(bob, i, make_im(alice, "m", "x"))});
  for (uint64_t i = 100; i < 110; ++i)
    commit(*db, {make_remove(bob, i)});
  commit(*db, {make_put(bob, 50, make_im(alice, "m", "x"))});
  BOOST_TEST(orders(all_ims(*db, bob)) == std::vector<uint64_t>{50});
}

// -- broadcasts ---------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_broadcasts_recipients_each_get_it) {
  memory_store db;
  shared<im> message(make_im(alice, "b1", std::string(1000, 'b')));
  commit(
    *db, {make_put(bob, 1, message, true), make_put(carol, 2, message, true)});
  // The same again, in another object and another commit.
  commit(*db, {make_put(alice, 3, shared<im>(*message), true)});
  commit(*db, {make_remove(bob, 1)});
  db.reopen();
  BOOST_TEST(equal(*all_ims(*db, carol).at(0).message, *message));
  BOOST_TEST(equal(*all_ims(*db, alice).at(0).message, *message));
  commit(*db, {make_remove(carol, 2)});
  BOOST_TEST(equal(*all_ims(*db, alice).at(0).message, *message));
  commit(*db, {make_remove(alice, 3)});
  BOOST_TEST(all_ims(*db, alice).empty());
}

BOOST_AUTO_TEST_CASE(another_broadcast_under_the_same_id_keeps_its_own_body) {
  memory_store db;
  commit(*db,
    {make_put(bob, 1, shared<im>(make_im(alice, "b1", "one")), true),
      make_put(carol, 2, shared<im>(make_im(alice, "b1", "two")), true)});
  commit(*db, {make_remove(bob, 1)});
  BOOST_TEST(all_ims(*db, carol).at(0).message->body == "two");
}

BOOST_AUTO_TEST_CASE(a_broadcasts_body_is_on_disk_once) {
  temporary_folder folder;
  auto path = (folder.path / "store").string();
  std::string body;
  for (int i = 0; i < 3000; ++i)
    body += std::to_string(i * 7919);
  shared<im> message(make_im(alice, "b1", body));
  auto db = must(store::open({.path = path, .sync = false}));
  std::vector<store_operation> batch;
  for (int i = 0; i < 200; ++i)
    batch.push_back(make_put(
      user("u" + std::to_string(i) + "@example.org"), 1, message, true));
  commit(*db, batch);
  uint64_t size = 0;
  for (auto& x : std::filesystem::directory_iterator(path))
    size += x.file_size();
  BOOST_TEST(size < 30 * body.size());
}

// -- accounts, settings, audit ------------------------------------------------

BOOST_AUTO_TEST_CASE(accounts_are_kept_and_listed_in_order) {
  memory_store db;
  commit(*db,
    {put_account{carol, make_keys("c")}, put_account{alice, make_keys("a")},
      put_account{bob, make_keys("b")}});
  commit(*db, {put_account{bob, make_keys("b2")}});
  db.reopen();
  BOOST_TEST((must(db->find_account(bob)).value().keys == make_keys("b2")));
  BOOST_TEST(!must(db->find_account(user("dave@example.org"))));
  using list = std::vector<user_address>;
  BOOST_TEST((must(db->accounts({}, 9)) == list{alice, bob, carol}));
  BOOST_TEST((must(db->accounts({}, 2)) == list{alice, bob}));
  BOOST_TEST((must(db->accounts(bob, 2)) == list{carol}));
  BOOST_TEST(must(db->accounts(carol, 2)).empty());
}

BOOST_AUTO_TEST_CASE(an_account_goes_with_its_ims_and_what_it_sent) {
  memory_store db;
  shared<im> broadcast(make_im(alice, "b1", "to all"));
  commit(*db,
    {put_account{alice, {}}, put_account{bob, make_keys("b")},
      make_put(bob, 1, make_im(alice, "m1", "x", at(1000))),
      make_put(bob, 2, broadcast, true), make_put(carol, 1, broadcast, true),
      make_put(carol, 2, make_im(bob, "m2", "x"))});
  BOOST_TEST(must(db->find_id({bob, {"m2"}, carol})).has_value());
  commit(*db, {remove_account{bob, {}}});
  db.reopen();
  BOOST_TEST(!must(db->find_account(bob)));
  auto head = must(db->head(bob));
  BOOST_TEST(!head.exists);
  BOOST_TEST(head.stored == 0u);
  BOOST_TEST(all_ims(*db, bob).empty());
  // What waited for it, and what it sent to others.
  BOOST_TEST(!must(db->find_id({alice, {"m1"}, bob})));
  BOOST_TEST(!must(db->find_id({alice, {"b1"}, bob})));
  BOOST_TEST(must(db->find_id({alice, {"b1"}, carol})).has_value());
  BOOST_TEST(!must(db->find_id({bob, {"m2"}, carol})));
  BOOST_TEST(ids_in(*db) == 1u);
  BOOST_TEST(forget_ids(*db, at(1001)) == 0u);
  BOOST_TEST(orders(all_ims(*db, carol)) == (std::vector<uint64_t>{1, 2}));
  BOOST_TEST(all_ims(*db, carol).at(0).message->body == "to all");

  commit(*db,
    {put_account{bob, {}}, make_put(bob, 1, make_im(alice, "m9", "anew"))});
  BOOST_TEST(orders(all_ims(*db, bob)) == std::vector<uint64_t>{1});
}

BOOST_AUTO_TEST_CASE(an_im_put_in_the_batch_of_a_removal_leaves_no_id) {
  memory_store db;
  commit(*db, {put_account{alice, {}}, put_account{bob, {}}});
  commit(*db,
    {make_put(bob, 1, make_im(alice, "m", "x")), remove_account{bob, {}},
      put_account{bob, {}}});
  BOOST_TEST(ids_in(*db) == 0u);
}

BOOST_AUTO_TEST_CASE(
  what_a_removed_account_has_got_is_known_again_all_the_same) {
  memory_store db;
  commit(*db,
    {put_account{alice, {}}, put_account{bob, {}},
      make_put(bob, 1, make_im(alice, "got", "x", at(1000))),
      make_put(bob, 2, make_im(alice, "twice", "x", at(1000)))});
  commit(*db, {make_remove(bob, 1), make_remove(bob, 2)});
  // An id is of the IM that it was put with last.
  commit(*db, {make_put(bob, 3, make_im(alice, "twice", "y", at(2000)))});
  commit(*db, {remove_account{bob, {}}});
  BOOST_TEST(must(db->find_id({alice, {"got"}, bob})).has_value());
  BOOST_TEST(!must(db->find_id({alice, {"twice"}, bob})));
  BOOST_TEST(forget_ids(*db, at(9000)) == 1u);
  BOOST_TEST(ids_in(*db) == 0u);
}

BOOST_AUTO_TEST_CASE(a_removal_tells_how_many_ims_went_with_the_account) {
  memory_store db;
  auto message = make_im(alice, "m", "x");
  audit_entry line{at(7), "root", "user remove", "", ""};
  auto report = must(db->commit({put_account{bob, {}}, put_account{carol, {}},
    make_put(bob, 1, message), make_put(bob, 2, message),
    make_put(bob, 3, message), make_remove(bob, 2)}));
  BOOST_TEST(report.deleted.empty());
  using counts = std::vector<uint64_t>;
  report = must(db->commit({remove_account{carol, line},
    remove_account{bob, line}, remove_account{alice, line}}));
  BOOST_TEST(report.deleted == (counts{0, 2, 0}));
  auto lines = must(db->audit(9));
  // Not of one that was none.
  BOOST_REQUIRE(lines.size() == 2u);
  BOOST_TEST(lines[0].what == "user remove");
  BOOST_TEST(lines[0].who == "root");
  BOOST_TEST((lines[0].when == at(7)));
  BOOST_TEST(lines[0].from == "2 stored IMs");
  BOOST_TEST(lines[1].from == "0 stored IMs");
  // Done once more, it says nothing more.
  BOOST_TEST(
    must(db->commit({remove_account{bob, line}})).deleted == counts{0});
  BOOST_TEST(must(db->audit(9)).size() == 2u);
}

BOOST_AUTO_TEST_CASE(however_many_ids_an_account_has_they_go_with_it) {
  memory_store db;
  commit(*db, {put_account{alice, {}}, put_account{bob, {}}});
  auto n = 2 * defaults::remove_account_page;
  std::vector<store_operation> batch;
  for (uint64_t i = 1; i <= n; ++i) {
    auto id = "m" + std::to_string(i);
    batch.push_back(make_put(carol, i, make_im(alice, id, "x")));
  }
  batch.push_back(make_put(carol, n + 1, make_im(bob, "b", "x")));
  commit(*db, batch);
  BOOST_TEST(ids_in(*db) == n + 1);
  // What comes before it in the batch goes, what comes after it stays.
  auto put = [](std::string id) {
    return make_put(bob, id == "after" ? 2 : 1, make_im(alice, id, "x"));
  };
  commit(*db,
    {put("before"), remove_account{alice, {}}, put_account{alice, {}},
      put("after")});
  for (int i = 0; i < 2; ++i) {
    BOOST_TEST(ids_in(*db) == 2u);
    BOOST_TEST(must(db->find_id({bob, {"b"}, carol})).has_value());
    BOOST_TEST(must(db->find_id({alice, {"after"}, bob})).has_value());
    BOOST_TEST(!must(db->find_id({alice, {"before"}, bob})));
    BOOST_TEST(!must(db->find_id({alice, {"m1"}, carol})));
    db.reopen();
  }
}

BOOST_AUTO_TEST_CASE(however_many_ims_wait_for_an_account_they_go_with_it) {
  memory_store db;
  auto n = 2 * defaults::remove_account_page + 3;
  std::vector<store_operation> batch{put_account{bob, {}}};
  for (uint64_t i = 1; i <= n; ++i)
    batch.push_back(make_put(bob, i, make_im(alice, "m", "x")));
  commit(*db, batch);
  auto report = must(db->commit({remove_account{bob, {}}}));
  BOOST_TEST(report.deleted == std::vector<uint64_t>{n});
  BOOST_TEST(must(db->head(bob)).stored == 0u);
  BOOST_TEST(all_ims(*db, bob).empty());
  while (must(db->remove_left())) {
  }
  BOOST_TEST((must(db->head(bob)).last == im_order{}));
}

BOOST_AUTO_TEST_CASE(many_ims_of_a_removed_account_go_in_pieces_unseen) {
  memory_store db;
  auto n = defaults::remove_account_page + 1;
  std::vector<store_operation> batch{
    put_account{alice, {}}, put_account{bob, {}}};
  for (uint64_t i = 1; i <= n; ++i) {
    auto put = make_put(bob, i, make_im(alice, "m" + std::to_string(i), "x"));
    put.of_broadcast = i % 2 == 0;
    batch.push_back(std::move(put));
  }
  commit(*db, batch);
  commit(*db, {remove_account{bob, {}}});
  // A later account of that name has nothing of it, now and after a start.
  commit(*db, {put_account{bob, {}}});
  auto next = must(db->head(bob)).last.value + 2;
  retry_key again{alice, {"m" + std::to_string(n)}, bob};
  commit(*db,
    {make_put(bob, next - 1, make_im(alice, again.id.value, "x")),
      make_put(bob, next, make_im(alice, "new", "x"))});
  commit(*db, {make_remove(bob, next - 1)});
  for (bool more = true; more;) {
    BOOST_TEST(orders(all_ims(*db, bob)) == std::vector<uint64_t>{next});
    BOOST_TEST(must(db->head(bob)).stored == 1u);
    // Nor do retries meet ids of what never came to it, but those of what did.
    for (uint64_t i = 1; i < n; ++i)
      BOOST_REQUIRE(
        !must(db->find_id({alice, {"m" + std::to_string(i)}, bob})));
    BOOST_TEST(must(db->find_id(again)).has_value());
    db.reopen();
    more = must(db->remove_left());
  }
  // What an earlier removal of one of them is told of does not count twice.
  commit(*db, {make_remove(bob, 1)});
  BOOST_TEST(must(db->head(bob)).stored == 1u);
  BOOST_TEST(orders(all_ims(*db, bob)) == std::vector<uint64_t>{next});
  BOOST_TEST(ids_in(*db) == 2u);
  BOOST_TEST(forget_ids(*db, at(1'700'000'000'001)) == 1u);
  // The second removal finds few.
  BOOST_TEST((must(db->commit({remove_account{bob, {}}})).deleted
    == std::vector<uint64_t>{1}));
  BOOST_TEST(must(db->head(bob)).stored == 0u);
  BOOST_TEST(!must(db->remove_left()));
}

BOOST_AUTO_TEST_CASE(an_account_removed_twice_has_left_all_that_it_ever_had) {
  memory_store db;
  auto n = defaults::remove_account_page;
  for (uint64_t life = 0; life < 2; ++life) {
    std::vector<store_operation> batch{put_account{bob, {}}};
    for (uint64_t i = 1; i <= n; ++i)
      batch.push_back(make_put(bob, life * n + i, make_im(alice, "m", "x")));
    commit(*db, batch);
    BOOST_TEST((must(db->commit({remove_account{bob, {}}})).deleted
      == std::vector<uint64_t>{n}));
  }
  BOOST_TEST(must(db->head(bob)).last.value == 2 * n);
  size_t pieces = 0;
  while (must(db->remove_left()))
    ++pieces;
  BOOST_TEST(pieces > 2 * n / defaults::forget_max);
  BOOST_TEST((must(db->head(bob)).last == im_order{}));
  BOOST_TEST(all_ims(*db, bob).empty());
}

BOOST_AUTO_TEST_CASE(an_im_that_outlives_its_senders_account_leaves_no_id) {
  memory_store db;
  commit(*db, {put_account{alice, {}}, put_account{bob, {}}});
  // It waited for its grace time meanwhile.
  auto late = make_put(bob, 1, make_im(alice, "m", "x", at(1000)));
  commit(*db, {remove_account{alice, {}}});
  commit(*db, {late});
  BOOST_TEST(orders(all_ims(*db, bob)) == std::vector<uint64_t>{1});
  BOOST_TEST(!must(db->find_id({alice, {"m"}, bob})));
  BOOST_TEST(ids_in(*db) == 0u);
  // In one batch with the removal, before and after it.
  commit(*db, {put_account{alice, {}}});
  commit(*db,
    {make_put(bob, 2, make_im(alice, "m2", "x", at(1000))),
      remove_account{alice, {}},
      make_put(bob, 3, make_im(alice, "m3", "x", at(1000)))});
  BOOST_TEST(ids_in(*db) == 0u);
  commit(*db,
    {make_put(bob, 4, make_im(alice, "m4", "x", at(1000))),
      put_account{alice, {}},
      make_put(bob, 5, make_im(alice, "m5", "x", at(1000)))});
  BOOST_TEST(ids_in(*db) == 1u);
  // They go as any.
  for (uint64_t i = 1; i <= 5; ++i)
    commit(*db, {make_remove(bob, i)});
  BOOST_TEST(forget_ids(*db, at(2000)) == 1u);
  BOOST_TEST(ids_in(*db) == 0u);
}

BOOST_AUTO_TEST_CASE(settings_are_kept_until_set_to_nothing) {
  memory_store db;
  using list = std::vector<std::pair<std::string, std::string>>;
  commit(*db, {put_setting{"im.grace", "2"}, put_setting{"contacts.max", "9"}});
  commit(*db, {put_setting{"im.grace", "3"}});
  db.reopen();
  BOOST_TEST(
    (must(db->settings()) == list{{"contacts.max", "9"}, {"im.grace", "3"}}));
  commit(*db, {put_setting{"contacts.max", ""}});
  BOOST_TEST((must(db->settings()) == list{{"im.grace", "3"}}));
}

BOOST_AUTO_TEST_CASE(the_audit_log_is_read_from_its_end) {
  memory_store db;
  for (int i = 0; i < 5; ++i) {
    commit(*db,
      {audit_entry{
        at(i), "root", "settings", std::to_string(i), std::to_string(i + 1)}});
    db.reopen();
  }
  auto lines = must(db->audit(2));
  BOOST_REQUIRE(lines.size() == 2u);
  BOOST_TEST(lines[0].from == "4");
  BOOST_TEST((lines[0].when == at(4)));
  BOOST_TEST(lines[1].to == "4");
  BOOST_TEST(must(db->audit(100)).size() == 5u);
  BOOST_TEST(must(db->audit(0)).empty());
}

BOOST_AUTO_TEST_CASE(a_folders_secret_is_its_own_and_stays) {
  memory_store one;
  memory_store other;
  auto secret = one->secret();
  BOOST_TEST(secret.size() == defaults::store_secret_bytes);
  BOOST_TEST(secret != other->secret());
  one.reopen();
  BOOST_TEST(secret == one->secret());
}

BOOST_AUTO_TEST_CASE(readers_and_a_writer_do_not_disturb_each_other) {
  memory_store db;
  constexpr uint64_t n = 2000;
  std::atomic<bool> done = false;
  std::atomic<int> broken = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i)
    readers.emplace_back([&] {
      while (!done) {
        auto ims = db->ims(bob, {}, 10);
        auto head = db->head(bob);
        store::expiry_look look;
        auto expired = db->ims_before(at(1'000'000), look, 10);
        auto forgotten = db->forget_ids(at(1));
        broken += !ims || !head || !expired || !forgotten;
        if (ims)
          for (size_t k = 1; k < ims->size(); ++k)
            broken += (*ims)[k].order.value != (*ims)[k - 1].order.value + 1;
      }
    });
  for (uint64_t i = 1; i <= n; ++i) {
    commit(*db, {make_put(bob, i, make_im(alice, "m", "x"))});
    if (i > 20)
      commit(*db, {make_remove(bob, i - 20)});
  }
  done = true;
  for (auto& x : readers)
    x.join();
  BOOST_TEST(broken == 0);
  BOOST_TEST(must(db->head(bob)).stored == 20u);
}

BOOST_AUTO_TEST_SUITE_END()
