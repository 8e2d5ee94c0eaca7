#include "persistence/database.hpp"
#include "persistence/opening.hpp"
#include "tests/persistence/fixture.hpp"
#include "tests/persistence/model.hpp"
#include "tests/support/lossy_fs.hpp"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <iostream>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace parley;
using namespace parley::test;

namespace {

/// One disk, cut off from power again and again.
class power_cuts {
public:
  explicit power_cuts(uint64_t seed) : x_operations(seed) {}

  /// Writes until the power goes, and looks what is left.
  void once() {
    auto& random = x_operations.random();
    // Opening alone takes some hundred writes.
    x_disk.files().power_off_after(
      random() % (x_operations.one_in(2) ? 150 : 400));
    write();
    x_disk.files().refuse_writes(lossy_fs::fault::none);
    x_disk.files().power_off();
    x_disk.files().power_on(random);

    auto db = open();
    BOOST_REQUIRE_MESSAGE(db, "after a power cut: " << db.error().text);
    auto lines = must((*db)->audit(1));
    auto last = lines.empty() ? std::string() : lines[0].what;
    if (last != x_last) {
      // It was written whole, although nobody learnt of it, or it was refused.
      auto i = std::find_if(x_pending.begin(), x_pending.end(),
        [&](auto& x) { return mark_of(x) == last; });
      BOOST_REQUIRE_MESSAGE(
        i != x_pending.end(), "there is batch " << last << " after " << x_last);
      keep(*i);
      ++survived;
    }
    x_pending.clear();
    x_model.expect_same(**db);
    ++cuts;
  }

  uint64_t cuts = 0;
  uint64_t commits = 0;
  uint64_t survived = 0;
  uint64_t refused = 0;
  uint64_t in_opening = 0;

private:
  using operations = std::vector<store_operation>;

  result<std::unique_ptr<store>> open() {
    return store::open({.path = "/data/store", .env = x_disk.env()});
  }

  static const std::string& mark_of(const operations& batch) {
    return std::get<audit_entry>(batch.back()).what;
  }

  void keep(const operations& batch) {
    x_model.commit(batch);
    x_last = mark_of(batch);
  }

  /// Last in each is a line of its own in the audit log: what is there when it
  /// is, is all of it.
  operations next_batch() {
    auto batch = x_operations.batch();
    std::erase_if(
      batch, [](auto& x) { return std::holds_alternative<audit_entry>(x); });
    audit_entry mark;
    mark.what = std::to_string(++x_marks);
    batch.push_back(std::move(mark));
    return batch;
  }

  void write() {
    auto db = open();
    if (!db) {
      BOOST_REQUIRE_MESSAGE(x_disk.files().is_off(), db.error().text);
      ++in_opening;
      return;
    }
    for (;;) {
      auto batch = next_batch();
      bool unsynced = x_operations.one_in(20);
      if (unsynced)
        x_disk.files().refuse_writes(lossy_fs::fault::unsynced);
      auto done = (*db)->commit(batch);
      x_disk.files().refuse_writes(lossy_fs::fault::none);
      if (done) {
        BOOST_REQUIRE(!unsynced);
        // From here on nothing that was refused may come back.
        x_pending.clear();
        keep(batch);
        ++commits;
        continue;
      }
      // Until the store has been opened again it may be there, or not.
      x_pending.push_back(std::move(batch));
      if (x_disk.files().is_off())
        return;
      BOOST_REQUIRE_MESSAGE(unsynced, done.error().text);
      ++refused;
    }
  }

  lossy_disk x_disk;
  operation_source x_operations;
  store_model x_model;
  /// The mark of the last batch that is there.
  std::string x_last;
  uint64_t x_marks = 0;
  /// Each of them alone may be there.
  std::vector<operations> x_pending;
};

} // namespace

BOOST_AUTO_TEST_SUITE(power)

BOOST_AUTO_TEST_CASE(no_cut_takes_what_was_committed_nor_halves_a_batch) {
  std::random_device source;
  uint64_t cuts = 0;
  uint64_t commits = 0;
  uint64_t survived = 0;
  uint64_t refused = 0;
  uint64_t in_opening = 0;
  for (int run = 0; run < 5; ++run) {
    auto seed = source();
    std::cout << "seed " << seed << '\n';
    BOOST_TEST_CONTEXT("seed " << seed) {
      power_cuts disk(seed);
      for (int i = 0; i < 40; ++i)
        disk.once();
      cuts += disk.cuts;
      commits += disk.commits;
      survived += disk.survived;
      refused += disk.refused;
      in_opening += disk.in_opening;
    }
  }
  std::cout << cuts << " power cuts, " << in_opening << " of them in opening, "
            << commits << " commits, " << refused << " refused, " << survived
            << " unanswered ones survived\n";
  // Otherwise this has not tried what it says.
  BOOST_TEST(commits > 10 * cuts);
  BOOST_TEST(survived > 0u);
  BOOST_TEST(refused > 0u);
  BOOST_TEST(in_opening > 0u);
}

void must_be_ok(const rocksdb::Status& status) {
  BOOST_REQUIRE_MESSAGE(status.ok(), status.ToString());
}

/// Writes all that is there once more, and then from memory into tables.
bool rewrite_and_flush(database& db, lossy_fs& files, uint64_t writes) {
  std::vector<rocksdb::ColumnFamilyHandle*> all;
  rocksdb::WriteBatch batch;
  for (size_t i = 0; i < family_count; ++i) {
    const auto where = static_cast<family>(i);
    all.push_back(db.handle(where));
    must(db.scan(where, {},
      [&](std::string_view key, std::string_view value) -> result<bool> {
        BOOST_REQUIRE(batch.Put(all.back(), slice(key), slice(value)).ok());
        return true;
      }));
  }
  rocksdb::WriteOptions synced;
  synced.sync = true;
  BOOST_REQUIRE(db.rocks().Write(synced, &batch).ok());
  files.power_off_after(writes);
  return db.rocks().Flush({}, all).ok();
}

/// Keys of which no two fit into a sector.
struct long_keys {
  const std::string name = std::string(200, 'n');
  const user_address one = user("a" + name + "@" + name);
  const user_address two = user("b" + name + "@" + name);

  void put(const store::options& how) const {
    commit(*must(store::open(how)),
      {make_put(one, 1, make_im(two, "m", "x")),
        make_put(two, 1, make_im(one, "m", "x")),
        put_contact{one, make_item(two)}, put_contact{two, make_item(one)},
        make_note(one, two, subscription_note::kind::subscribe, 1),
        make_note(two, one, subscription_note::kind::subscribe, 1)});
  }

  void expect(store& db) const {
    for (const auto& x : {one, two}) {
      BOOST_TEST(must(db.head(x)).stored == 1u);
      BOOST_TEST(must(db.roster(x)).items.size() == 1u);
    }
  }
};

/// The MANIFEST gets an entry for each family, with the first and the last key
/// of its table, before all of them are synced together.
BOOST_AUTO_TEST_CASE(
  a_flush_that_is_cut_off_anywhere_leaves_a_store_that_opens) {
  const auto seed = std::random_device()();
  std::cout << "seed " << seed << '\n';
  std::mt19937_64 random(seed);
  const long_keys keys;
  uint64_t cuts = 0;
  for (bool whole = false; !whole; ++cuts)
    for (int draw = 0; draw < 5; ++draw) {
      lossy_disk disk;
      store::options how{.path = "/store", .env = disk.env()};
      keys.put(how);
      {
        auto opened = must(open_database(how));
        whole = rewrite_and_flush(*opened.db, disk.files(), cuts);
        disk.files().power_off();
      }
      disk.files().power_on(random);
      BOOST_TEST_CONTEXT("seed " << seed << " after " << cuts << " writes") {
        auto db = store::open(how);
        BOOST_REQUIRE_MESSAGE(db, db.error().text);
        keys.expect(**db);
      }
    }
  BOOST_TEST(cuts > 10u);
}

/// It looks like one that was cut off, but for the log, which is gone.
BOOST_AUTO_TEST_CASE(a_flush_that_was_synced_and_loses_a_sector_is_damage) {
  constexpr size_t sector = 512;
  lossy_disk disk;
  store::options how{.path = "/store", .env = disk.env()};
  const long_keys keys;
  keys.put(how);
  std::string manifest;
  std::string before;
  {
    auto opened = must(open_database(how));
    must_be_ok(ReadFileToString(disk.env(), how.path + "/CURRENT", &manifest));
    manifest.pop_back();
    manifest = how.path + "/" + manifest;
    must_be_ok(ReadFileToString(disk.env(), manifest, &before));
    BOOST_REQUIRE(rewrite_and_flush(*opened.db, disk.files(), UINT64_MAX));
  }
  std::string after;
  must_be_ok(ReadFileToString(disk.env(), manifest, &after));
  size_t tried = 0;
  for (auto at = (before.size() / sector + 1) * sector;
       at + sector <= after.size(); at += sector, ++tried) {
    auto text = after;
    std::fill_n(text.begin() + static_cast<ptrdiff_t>(at), sector, '\0');
    must_be_ok(WriteStringToFile(disk.env(), text, manifest));
    auto db = store::open(how);
    BOOST_REQUIRE(!db);
    BOOST_TEST((db.error().code == errc::store_corrupt));
  }
  BOOST_TEST(tried > 2u);
  must_be_ok(WriteStringToFile(disk.env(), after, manifest));
  keys.expect(*must(store::open(how)));
}

BOOST_AUTO_TEST_CASE(folders_just_made_are_there_after_a_cut) {
  std::mt19937_64 random(1);
  for (uint64_t writes = 0; writes < 100; ++writes) {
    lossy_disk disk;
    // Their names are not synced by who makes them.
    for (auto name : {"/srv", "/srv/parley", "/srv/parley/data"})
      BOOST_REQUIRE(disk.env()->CreateDir(name).ok());
    auto open = [&] {
      return store::open({.path = "/srv/parley/data/store", .env = disk.env()});
    };
    // A start that is killed: the system keeps what is not synced.
    disk.files().power_off_after(writes);
    open();
    disk.files().power_off_after(UINT64_MAX);
    auto db = must(open());
    commit(*db, {make_put(bob, 1, make_im(alice, "m", "x"))});
    disk.files().power_off();
    db.reset();
    disk.files().power_on(random);
    db = must(open());
    BOOST_REQUIRE(must(db->head(bob)).stored == 1u);
  }
}

BOOST_AUTO_TEST_SUITE_END()
