#include "persistence/keys.hpp"
#include "persistence/opening.hpp"
#include "tests/persistence/fixture.hpp"
#include "tests/support/lossy_fs.hpp"

#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <vector>

using namespace parley;
using namespace parley::test;

namespace {

/// The disk fails in the same way again and again, at each of the first
/// writing calls of a commit; `in_memory` commits before that.
void expect_recovery(lossy_fs::fault fault, uint64_t in_memory) {
  lossy_disk disk;
  auto open = [&] {
    return must(store::open({.path = "/store", .env = disk.env()}));
  };
  auto db = open();
  auto put = [&](uint64_t order) {
    return error_of(
      db->commit({make_put(bob, order, make_im(alice, "m", "x"))}));
  };
  std::vector<uint64_t> kept;
  uint64_t order = 0;
  for (int round = 0; round < 3; ++round) {
    for (uint64_t i = 0; i < in_memory; ++i) {
      kept.push_back(++order);
      BOOST_TEST((put(order) == errc::none));
    }
    disk.files().refuse_writes(fault);
    for (int k = 0; k < 3; ++k)
      BOOST_TEST((put(1000) == errc::store_failed));
    // What is there can be read meanwhile.
    BOOST_TEST(orders(all_ims(*db, bob)) == kept);
    BOOST_TEST(must(db->head(bob)).stored == kept.size());
    BOOST_TEST((error_of(db->forget_ids(at(1))) == errc::store_failed));
    disk.files().refuse_writes(lossy_fs::fault::none);
    kept.push_back(++order);
    BOOST_TEST((put(order) == errc::none));
  }
  BOOST_TEST(orders(all_ims(*db, bob)) == kept);
  db.reset();
  db = open();
  BOOST_TEST(orders(all_ims(*db, bob)) == kept);
  BOOST_TEST(must(db->head(bob)).stored == kept.size());
}

/// Makes no logs while it is told so; all else goes through.
class logless_fs : public rocksdb::FileSystemWrapper {
public:
  using FileSystemWrapper::FileSystemWrapper;
  const char* Name() const override { return "logless_fs"; }

  rocksdb::IOStatus NewWritableFile(const std::string& name,
    const rocksdb::FileOptions& how,
    std::unique_ptr<rocksdb::FSWritableFile>* out,
    rocksdb::IODebugContext* c) override {
    if (!makes_logs && name.ends_with(".log"))
      return rocksdb::IOStatus::IOError("no log can be made");
    return target()->NewWritableFile(name, how, out, c);
  }

  std::atomic<bool> makes_logs = true;
};

/// A store on such a disk, below which the power can be cut.
struct logless_store {
  struct environment : rocksdb::EnvWrapper {
    environment(rocksdb::Env& base, std::shared_ptr<logless_fs> files)
      : EnvWrapper(&base) {
      file_system_ = std::move(files);
      system_clock_ = base.GetSystemClock();
    }
    const char* Name() const override { return "logless_disk"; }
  };

  result<std::unique_ptr<store>> open() {
    return store::open({.path = "/store", .env = &env});
  }
  errc put(uint64_t order) {
    auto what = make_im(alice, "m", std::string(512 * 1024, 'x'));
    auto code = error_of(db->commit({make_put(bob, order, what)}));
    if (code == errc::none)
      kept.push_back(order);
    return code;
  }
  /// Until the store goes on with a new log, which there is none of.
  errc fill() {
    files->makes_logs = false;
    auto code = errc::none;
    for (uint64_t n = 0; code == errc::none && n < 100; ++n)
      code = put(1 + kept.size());
    return code;
  }
  void is_whole() {
    BOOST_TEST(orders(all_ims(*db, bob)) == kept);
    BOOST_TEST(must(db->head(bob)).stored == kept.size());
  }
  void reopen() {
    files->makes_logs = true;
    db = must(open());
    is_whole();
    BOOST_TEST((put(1 + kept.size()) == errc::none));
  }

  lossy_disk disk;
  std::shared_ptr<logless_fs> files =
    std::make_shared<logless_fs>(disk.env()->GetFileSystem());
  environment env{*disk.env(), files};
  std::unique_ptr<store> db = must(open());
  std::vector<uint64_t> kept;
};

} // namespace

BOOST_AUTO_TEST_SUITE(failing_disk)

BOOST_AUTO_TEST_CASE(a_disk_that_can_make_no_log_refuses_and_then_goes_on) {
  logless_store x;
  for (int round = 0; round < 3; ++round) {
    BOOST_REQUIRE((x.fill() == errc::store_failed));
    for (int k = 0; k < 3; ++k)
      BOOST_TEST((x.put(1000) == errc::store_failed));
    x.is_whole();
    x.files->makes_logs = true;
    BOOST_TEST((x.put(1 + x.kept.size()) == errc::none));
    x.is_whole();
  }
  x.db.reset();
  x.reopen();
}

BOOST_AUTO_TEST_CASE(a_store_that_could_make_no_log_can_be_closed) {
  logless_store x;
  BOOST_REQUIRE((x.fill() == errc::store_failed));
  x.db.reset();
  // And it does not open without one.
  for (int k = 0; k < 2; ++k)
    BOOST_TEST((error_of(x.open()) == errc::store_unavailable));
  x.reopen();
}

BOOST_AUTO_TEST_CASE(the_power_may_be_cut_while_no_log_can_be_made) {
  std::mt19937_64 random(7);
  for (uint64_t writes = 0; writes < 40; writes += 2) {
    logless_store x;
    x.files->makes_logs = false;
    for (int n = 0; n < 30; ++n)
      BOOST_REQUIRE((x.put(1 + x.kept.size()) == errc::none));
    // Amid the flush.
    x.disk.files().power_off_after(writes);
    BOOST_REQUIRE((x.fill() == errc::store_failed));
    x.db.reset();
    x.disk.files().power_on(random);
    x.reopen();
  }
}

BOOST_AUTO_TEST_CASE(a_full_disk_refuses_and_a_freed_one_goes_on) {
  expect_recovery(lossy_fs::fault::full, 0);
  expect_recovery(lossy_fs::fault::full, 2);
  expect_recovery(lossy_fs::fault::filling, 0);
  expect_recovery(lossy_fs::fault::filling, 2);
}

BOOST_AUTO_TEST_CASE(a_broken_disk_refuses_and_a_mended_one_goes_on) {
  expect_recovery(lossy_fs::fault::broken, 0);
  expect_recovery(lossy_fs::fault::broken, 2);
}

BOOST_AUTO_TEST_CASE(what_was_written_and_not_synced_does_not_come_back) {
  expect_recovery(lossy_fs::fault::unsynced, 0);
  expect_recovery(lossy_fs::fault::unsynced, 2);
}

BOOST_AUTO_TEST_CASE(nor_does_it_when_opening_again_fails_in_between) {
  lossy_disk disk;
  auto db = must(store::open({.path = "/store", .env = disk.env()}));
  auto put = [&](uint64_t order) {
    return error_of(
      db->commit({make_put(bob, order, make_im(alice, "m", "x"))}));
  };
  std::vector<uint64_t> kept;
  for (uint64_t writes = 0; writes < 60; ++writes) {
    kept.push_back(writes + 1);
    BOOST_REQUIRE((put(kept.back()) == errc::none));
    disk.files().refuse_writes(lossy_fs::fault::unsynced);
    BOOST_REQUIRE((put(2000) == errc::store_failed));
    disk.files().refuse_writes(lossy_fs::fault::none);
    // A disk that fails from some write on, while the store is opened again.
    disk.files().power_off_after(writes);
    put(1000);
    put(1000);
    disk.files().power_off_after(UINT64_MAX);
    commit(*db, {make_remove(bob, 1000)});
    BOOST_REQUIRE(orders(all_ims(*db, bob)) == kept);
    db.reset();
    db = must(store::open({.path = "/store", .env = disk.env()}));
    BOOST_REQUIRE(orders(all_ims(*db, bob)) == kept);
  }
}

BOOST_AUTO_TEST_CASE(a_disk_that_fails_while_opening_again_is_tried_later) {
  lossy_disk disk;
  auto db = must(store::open({.path = "/store", .env = disk.env()}));
  auto put = [&](uint64_t order) {
    return error_of(
      db->commit({make_put(bob, order, make_im(alice, "m", "x"))}));
  };
  BOOST_TEST((put(1) == errc::none));
  // The power being off is a disk that fails from some write on.
  for (uint64_t writes = 0; writes < 60; ++writes) {
    disk.files().power_off_after(writes);
    for (uint64_t i = 0; put(2) == errc::none && i < 100; ++i)
      ;
    for (int k = 0; k < 2; ++k) {
      put(2);
      // What was committed can be read all the time.
      BOOST_TEST(must(db->head(bob)).stored >= 1u);
    }
    disk.files().power_off_after(UINT64_MAX);
    BOOST_REQUIRE((put(2) == errc::none));
    BOOST_REQUIRE((orders(all_ims(*db, bob)) == std::vector<uint64_t>{1, 2}));
  }
}

BOOST_AUTO_TEST_CASE(an_im_that_cannot_be_read_does_not_hide_the_others) {
  lossy_disk disk;
  std::vector<failure> told;
  store::options how{.path = "/store", .env = disk.env()};
  how.report = [&](const failure& x) { told.push_back(x); };
  auto db = must(store::open(how));
  shared<im> broadcast(make_im(alice, "b", "to all"));
  commit(*db,
    {make_put(bob, 1, make_im(alice, "m", "one")),
      make_put(bob, 2, make_im(alice, "m", "two")),
      make_put(bob, 3, broadcast, true),
      make_put(bob, 4, make_im(alice, "m", "four"))});
  db.reset();
  {
    auto opened = must(open_database(how));
    auto damage = [&](family where, const std::string& key) {
      BOOST_REQUIRE(
        opened.db->rocks().Put({}, opened.db->handle(where), key, "?").ok());
    };
    damage(family::ims, keys::im(bob, im_order{2}));
    damage(family::bodies,
      keys::body({alice, broadcast->id, content_hash(*broadcast)}));
  }
  db = must(store::open(how));
  for (int i = 0; i < 2; ++i) {
    using list = std::vector<uint64_t>;
    BOOST_TEST(orders(all_ims(*db, bob)) == (list{1, 4}));
    // A page is short only at the end.
    BOOST_TEST(orders(must(db->ims(bob, {}, 2))) == (list{1, 4}));
    BOOST_TEST(orders(must(db->ims(bob, im_order{2}, 1))) == list{4});
  }
  // Each is told of once.
  BOOST_REQUIRE(told.size() == 2u);
  BOOST_TEST(db->unreadable() == 2u);
  for (auto& x : told) {
    BOOST_TEST((x.code == errc::store_corrupt));
    BOOST_TEST(x.text.find(bob.str()) != std::string::npos);
  }
  // They expire as any.
  auto expired = ims_before(*db, at(1));
  BOOST_TEST(expired.size() == 4u);
  for (auto& [user, order] : expired)
    commit(*db, {remove_im{user, order}});
  BOOST_TEST(must(db->head(bob)).stored == 0u);
  BOOST_TEST(ims_before(*db, at(1)).empty());
}

BOOST_AUTO_TEST_CASE(a_user_whose_head_is_damaged_does_not_keep_others_ims) {
  lossy_disk disk;
  store::options how{.path = "/store", .env = disk.env()};
  auto db = must(store::open(how));
  for (auto& to : {alice, bob, carol})
    commit(*db, {make_put(to, 1, make_im(alice, "m", "x"))});
  db.reset();
  {
    auto opened = must(open_database(how));
    BOOST_REQUIRE(
      opened.db->rocks()
        .Put({}, opened.db->handle(family::heads), keys::user(bob), "?")
        .ok());
  }
  db = must(store::open(how));
  BOOST_TEST(ims_before(*db, at(1)).size() == 3u);
  BOOST_TEST(db->unreadable() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
