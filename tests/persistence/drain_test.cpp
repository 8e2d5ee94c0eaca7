#include "tests/persistence/fixture.hpp"

#include <rocksdb/perf_context.h>

#include <functional>
#include <string>
#include <vector>

using namespace parley;
using namespace parley::test;

namespace {

/// Keys and deletions that RocksDB had to step over in this thread.
uint64_t stepped_over(const std::function<void()>& reading) {
  rocksdb::SetPerfLevel(rocksdb::kEnableCount);
  auto* counts = rocksdb::get_perf_context();
  counts->Reset();
  reading();
  auto n =
    counts->internal_delete_skipped_count + counts->internal_key_skipped_count;
  rocksdb::SetPerfLevel(rocksdb::kDisable);
  return n;
}

constexpr uint64_t many = 100'000;
constexpr uint64_t few = 20;

/// `bob` got many IMs, acknowledged all of them in order, and waits for one.
void deliver_many(store& db) {
  shared<im> message(make_im(alice, "m", "x"));
  std::vector<store_operation> batch;
  auto flush = [&] {
    if (batch.size() >= 1000)
      commit(db, std::exchange(batch, {}));
  };
  for (uint64_t i = 1; i <= many; ++i) {
    batch.push_back(make_put(bob, i, message));
    flush();
  }
  for (uint64_t i = 1; i <= many; ++i) {
    batch.push_back(make_remove(bob, i));
    flush();
  }
  batch.push_back(make_put(bob, many + 1, message));
  commit(db, batch);
}

void expect_quick_reads(store& db) {
  std::vector<stored_im> found;
  auto n = stepped_over([&] { found = must(db.ims(bob, {}, 64)); });
  BOOST_TEST(orders(found) == std::vector<uint64_t>{many + 1});
  BOOST_TEST(n < few, "reading stepped over " << n);

  n = stepped_over([&] { BOOST_TEST(must(db.head(bob)).stored == 1u); });
  BOOST_TEST(n < few, "the head stepped over " << n);

  n = stepped_over(
    [&] { BOOST_TEST(ims_before(db, at(1'000'000)).size() == 1u); });
  BOOST_TEST(n < few, "the sweep stepped over " << n);
}

} // namespace

BOOST_AUTO_TEST_SUITE(drain)

BOOST_AUTO_TEST_CASE(a_user_with_100_000_delivered_ims_reads_its_next_at_once) {
  memory_store db;
  deliver_many(*db);
  expect_quick_reads(*db);
  db.reopen();
  expect_quick_reads(*db);
}

BOOST_AUTO_TEST_CASE(acknowledging_them_steps_over_little_as_well) {
  memory_store db;
  shared<im> message(make_im(alice, "m", "x"));
  std::vector<store_operation> batch;
  for (uint64_t i = 1; i <= 5000; ++i)
    batch.push_back(make_put(bob, i, message));
  commit(*db, batch);
  // One at a time, in pairs out of order, all but the last.
  auto n = stepped_over([&] {
    for (uint64_t i = 1; i < 5000; i += 2) {
      if (i + 1 < 5000)
        commit(*db, {make_remove(bob, i + 1)});
      commit(*db, {make_remove(bob, i)});
    }
  });
  BOOST_TEST(n < 5 * 5000u, "stepped over " << n);
  BOOST_TEST(orders(must(db->ims(bob, {}, 9))) == std::vector<uint64_t>{5000});
}

BOOST_AUTO_TEST_CASE(pages_follow_each_other_without_stepping_over_any) {
  memory_store db;
  shared<im> message(make_im(alice, "m", "x"));
  std::vector<store_operation> batch;
  for (uint64_t i = 1; i <= 1000; ++i)
    batch.push_back(make_put(bob, i, message));
  commit(*db, batch);
  uint64_t seen = 0;
  im_order next;
  auto n = stepped_over([&] {
    for (;;) {
      auto page = must(db->ims(bob, next, 64));
      if (page.empty())
        return;
      seen += page.size();
      next.value = page.back().order.value + 1;
    }
  });
  BOOST_TEST(seen == 1000u);
  // RocksDB counts each step from one IM to the next.
  BOOST_TEST(n < seen + few, "stepped over " << n);
}

BOOST_AUTO_TEST_SUITE_END()
