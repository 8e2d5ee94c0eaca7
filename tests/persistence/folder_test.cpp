#include "persistence/families.hpp"
#include "persistence/keys.hpp"
#include "persistence/log_check.hpp"
#include "persistence/opening.hpp"
#include "persistence/records.hpp"
#include "tests/persistence/fixture.hpp"
#include "tests/support/lossy_fs.hpp"

#include <poll.h>
#include <rocksdb/write_batch.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

using namespace parley;
using namespace parley::test;
namespace fs = std::filesystem;

namespace {

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// Every file with its bytes.
std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> out;
  for (auto& x : fs::directory_iterator(folder))
    out[x.path().filename().string()] = read_file(x.path());
  return out;
}

/// A store on disk with commits in tables and in the WAL.
struct disk_store {
  temporary_folder folder;
  fs::path path = folder.path / "store";

  /// `in_wal` one IM a commit, after a restart has put as many into tables.
  explicit disk_store(uint64_t in_wal = 20) {
    for (uint64_t round = 0; round < 2; ++round) {
      auto db = must(open());
      for (uint64_t i = 0; i < in_wal; ++i)
        commit(*db,
          {make_put(bob, round * in_wal + i + 1,
             make_im(alice, "m", std::string(300, 'x'))),
            put_contact{bob, make_item(user(std::to_string(i) + "@b"))},
            make_note(
              bob, alice, subscription_note::kind::subscribe, in_wal + i)});
    }
  }

  result<std::unique_ptr<store>> open() const {
    return store::open({.path = path.string(), .sync = false});
  }

  /// The one file with this ending, or the last by name.
  fs::path file(const std::string& ending) const {
    std::vector<fs::path> found;
    for (auto& x : fs::directory_iterator(path))
      if (x.path().filename().string().ends_with(ending) && x.file_size() > 0)
        found.push_back(x.path());
    BOOST_REQUIRE(!found.empty());
    return *std::max_element(found.begin(), found.end());
  }

  fs::path manifest() const {
    auto name = read_file(path / "CURRENT");
    name.pop_back();
    return path / name;
  }

  /// Opening fails with `code` and leaves every byte as it was.
  void expect_refused(errc code) const {
    auto before = contents(path);
    auto db = open();
    BOOST_REQUIRE(!db);
    BOOST_TEST(to_string(db.error().code) == to_string(code));
    BOOST_TEST(db.error().text.find(path.string()) != std::string::npos,
      "no path in: " << db.error().text);
    BOOST_TEST((contents(path) == before),
      "the folder was changed by: " << db.error().text);
  }
};

/// As RocksDB's log has it: CRC-32C, masked.
uint32_t rocksdb_sum(std::string_view text) {
  uint32_t x = 0xffffffff;
  for (unsigned char c : text) {
    x ^= c;
    for (int bit = 0; bit < 8; ++bit)
      x = x & 1 ? x >> 1 ^ 0x82f63b78 : x >> 1;
  }
  return std::rotr(~x, 15) + 0xa282ead8;
}

void flip_bit(const fs::path& path, size_t at) {
  auto text = read_file(path);
  BOOST_REQUIRE(at < text.size());
  text[at] = static_cast<char>(text[at] ^ 0x10);
  write_file(path, text);
}

} // namespace

BOOST_AUTO_TEST_SUITE(folders)

BOOST_AUTO_TEST_CASE(what_was_written_is_there_after_a_restart) {
  disk_store db;
  auto opened = must(db.open());
  BOOST_TEST(must(opened->head(bob)).stored == 40u);
}

BOOST_AUTO_TEST_CASE(a_second_opening_in_this_process_is_refused) {
  disk_store db;
  auto first = must(db.open());
  db.expect_refused(errc::store_locked);
}

BOOST_AUTO_TEST_CASE(a_folder_that_another_process_holds_is_refused) {
  disk_store db;
  int ready[2];
  int end[2];
  BOOST_REQUIRE(pipe(ready) == 0);
  BOOST_REQUIRE(pipe(end) == 0);
  auto child = fork();
  if (child == 0) {
    auto opened = db.open();
    char told = opened ? 'y' : 'n';
    auto ignored = write(ready[1], &told, 1);
    close(end[1]);
    ignored = read(end[0], &told, 1);
    _exit(ignored == 0 ? 0 : 1);
  }
  close(end[0]);
  close(ready[1]); // a child that dies is the end of what is read
  char told = 0;
  pollfd wait{.fd = ready[0], .events = POLLIN, .revents = 0};
  BOOST_REQUIRE(poll(&wait, 1, 60'000) == 1);
  BOOST_REQUIRE(read(ready[0], &told, 1) == 1);
  BOOST_TEST(told == 'y');
  db.expect_refused(errc::store_locked);
  close(end[1]);
  int status = 0;
  BOOST_TEST(waitpid(child, &status, 0) == child);
  BOOST_TEST(status == 0);
  BOOST_TEST(must(must(db.open())->head(bob)).stored == 40u);
}

BOOST_AUTO_TEST_CASE(a_newer_schema_is_refused) {
  disk_store db;
  {
    auto opened = must(open_database({.path = db.path.string()}));
    auto& rocks = opened.db->rocks();
    auto* meta = opened.db->handle(family::meta);
    BOOST_REQUIRE(rocks
                    .Put({}, meta, slice(keys::schema),
                      records::encode_number(schema_version + 1))
                    .ok());
    // What a newer schema may well have.
    rocksdb::ColumnFamilyHandle* rooms = nullptr;
    BOOST_REQUIRE(rocks.CreateColumnFamily({}, "rooms", &rooms).ok());
    BOOST_REQUIRE(rocks.Put({}, rooms, "a", "b").ok());
    rocks.DestroyColumnFamilyHandle(rooms);
    BOOST_REQUIRE(rocks.Flush({}, meta).ok());
  }
  db.expect_refused(errc::schema_too_new);
  auto why = db.open().error();
  BOOST_TEST(why.limit.value() == schema_version);
  BOOST_TEST(why.value.value() == schema_version + 1);
}

BOOST_AUTO_TEST_CASE(a_missing_current_is_damage_and_not_a_new_store) {
  disk_store db;
  fs::remove(db.path / "CURRENT");
  db.expect_refused(errc::store_corrupt);
}

BOOST_AUTO_TEST_CASE(a_current_that_names_nothing_is_damage) {
  disk_store db;
  for (auto* text : {"", "MANIFEST-999999\n", "store\n"}) {
    write_file(db.path / "CURRENT", text);
    db.expect_refused(errc::store_corrupt);
  }
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_in_the_manifest_is_damage) {
  disk_store db;
  auto size = fs::file_size(db.manifest());
  for (size_t i = 0; i < 40; ++i) {
    auto at = i * size / 40;
    flip_bit(db.manifest(), at);
    db.expect_refused(errc::store_corrupt);
    flip_bit(db.manifest(), at);
  }
  must(db.open());
}

BOOST_AUTO_TEST_CASE(a_missing_file_is_damage) {
  for (auto ending : {".sst", "manifest"}) {
    disk_store db;
    fs::remove(
      std::string(ending) == "manifest" ? db.manifest() : db.file(ending));
    db.expect_refused(errc::store_corrupt);
  }
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_in_a_table_is_damage) {
  disk_store db;
  std::vector<fs::path> tables;
  for (auto& x : fs::directory_iterator(db.path))
    if (x.path().extension() == ".sst")
      tables.push_back(x.path());
  // Of heads, ims, rosters, notes and meta.
  BOOST_TEST(tables.size() >= 5u);
  for (auto& table : tables) {
    // All but the footer, which has bytes that nobody reads.
    auto size = fs::file_size(table) - 53;
    for (size_t i = 0; i < 7; ++i) {
      flip_bit(table, i * size / 7);
      db.expect_refused(errc::store_corrupt);
      flip_bit(table, i * size / 7);
    }
  }
  must(db.open());
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_in_the_wal_is_damage) {
  disk_store db;
  auto wal = db.file(".log");
  auto size = fs::file_size(wal);
  // The last commit, and lengths, included.
  for (size_t i = 0; i < 200; ++i) {
    auto at = i < 20 ? i : i < 40 ? size - 1 - (i - 20) : i * size / 200;
    flip_bit(wal, at);
    db.expect_refused(errc::store_corrupt);
    flip_bit(wal, at);
  }
  BOOST_TEST(must(must(db.open())->head(bob)).stored == 40u);
}

/// RocksDB's other ways to read a WAL refuse a torn end, or pass over damage in
/// silence; its own recovery writes where a write has failed. README.md.
BOOST_AUTO_TEST_CASE(rocksdb_reads_and_recovers_as_it_is_told) {
  auto o = database_options(nullptr);
  BOOST_TEST(
    (o.wal_recovery_mode == rocksdb::WALRecoveryMode::kPointInTimeRecovery));
  BOOST_TEST(o.atomic_flush);
  BOOST_TEST(o.max_bgerror_resume_count == 0);
  BOOST_REQUIRE(o.listeners.size() == 1u);
  bool recovers = true;
  o.listeners[0]->OnErrorRecoveryBegin(
    rocksdb::BackgroundErrorReason::kWriteCallback, rocksdb::Status::NoSpace(),
    &recovers);
  BOOST_TEST(!recovers);
}

BOOST_AUTO_TEST_CASE(a_hole_in_a_long_wal_is_damage) {
  disk_store db(400);
  auto wal = db.file(".log");
  auto text = read_file(wal);
  BOOST_REQUIRE(text.size() > 3 * 32 * 1024u);
  // A block of zeros, which RocksDB would pass over in silence.
  std::fill_n(text.begin() + 32 * 1024, 32 * 1024, '\0');
  write_file(wal, text);
  db.expect_refused(errc::store_corrupt);
}

BOOST_AUTO_TEST_CASE(a_torn_end_of_the_wal_is_taken) {
  disk_store db;
  auto wal = db.file(".log");
  auto text = read_file(wal);
  write_file(wal, text.substr(0, text.size() - 5));
  auto opened = must(db.open());
  BOOST_TEST(must(opened->head(bob)).stored == 39u);
  BOOST_TEST(must(opened->ims(bob, {}, 100)).size() == 39u);
}

/// A client's text stands in the WAL as it is. This one has fragments, one with
/// a write batch in it, and zeros as of sectors that were not written.
std::string crafted_body() {
  // Masked CRC-32C, length and type, data.
  constexpr std::string_view plain("@sum\3\0\1ddd", 10);
  constexpr std::string_view batch("@sum\14\0\1\1\0\0\0\0\0\0\0\1\0\0\0", 19);
  std::string out;
  for (auto x : {plain, batch}) {
    std::string one(x);
    auto sum = rocksdb_sum(one.substr(6));
    for (int i = 0; i < 4; ++i)
      one[static_cast<size_t>(i)] = static_cast<char>(sum >> 8 * i);
    for (int i = 0; i < 300; ++i)
      out += one;
    out.resize(out.size() + 1024);
  }
  return out;
}

BOOST_AUTO_TEST_CASE(a_text_that_looks_like_records_hinders_no_start) {
  for (uint64_t before : {0, 3}) {
    disk_store db;
    {
      auto opened = must(db.open());
      for (uint64_t i = 1; i <= before; ++i)
        commit(*opened, {make_put(bob, 40 + i, make_im(alice, "m", "x"))});
      commit(*opened, {make_put(bob, 50, make_im(alice, "m", crafted_body()))});
    }
    auto wal = db.file(".log");
    auto text = read_file(wal);
    for (size_t cut : {5, 800, 3000, 8000}) {
      BOOST_REQUIRE(
        check_log(text.substr(0, text.size() - cut), [](std::string_view) {})
        == log_end::torn);
    }
    write_file(wal, text.substr(0, text.size() - 3000));
    auto opened = must(db.open());
    BOOST_TEST(must(opened->head(bob)).stored == 40 + before);
    BOOST_TEST(must(opened->ims(bob, {}, 100)).size() == 40 + before);
  }
}

BOOST_AUTO_TEST_CASE(damage_in_a_text_that_looks_like_records_is_seen) {
  disk_store db;
  {
    auto opened = must(db.open());
    commit(*opened, {make_put(bob, 50, make_im(alice, "m", crafted_body()))});
    commit(*opened, {make_put(bob, 51, make_im(alice, "m", crafted_body()))});
  }
  auto wal = db.file(".log");
  auto size = fs::file_size(wal) / 2;
  for (size_t i = 0; i < 60; ++i) {
    auto at = i < 30 ? i : i * size / 61;
    flip_bit(wal, at);
    db.expect_refused(errc::store_corrupt);
    flip_bit(wal, at);
  }
  BOOST_TEST(must(must(db.open())->head(bob)).stored == 42u);
}

/// RocksDB syncs what a MANIFEST begins with before CURRENT names it: no power
/// cut tears that.
BOOST_AUTO_TEST_CASE(a_lost_sector_of_what_the_manifest_begins_with_is_damage) {
  constexpr size_t sector = 512;
  disk_store db;
  const auto text = read_file(db.manifest());
  BOOST_REQUIRE(text.size() > sector);
  for (size_t at = 0; at < text.size(); at += sector) {
    auto lost = text;
    std::fill(lost.begin() + static_cast<ptrdiff_t>(at),
      lost.begin() + static_cast<ptrdiff_t>(std::min(at + sector, text.size())),
      '\0');
    write_file(db.manifest(), lost);
    db.expect_refused(errc::store_corrupt);
    write_file(db.manifest(), text.substr(0, at));
    db.expect_refused(errc::store_corrupt);
  }
  write_file(db.manifest(), text);
  must(db.open());
}

/// Two entries of the MANIFEST that are no group would be those of a flush.
BOOST_AUTO_TEST_CASE(no_batch_is_of_one_family_alone) {
  temporary_folder folder;
  store::options how{.path = (folder.path / "store").string()};
  const std::vector<std::vector<store_operation>> batches{
    {audit_entry{}}, {put_setting{"a.b", "c"}}};
  auto db = must(store::open(how));
  for (const auto& x : batches)
    commit(*db, x);
  db.reset();
  std::vector<uint64_t> counts;
  for (const auto& x : fs::directory_iterator(how.path))
    if (x.path().extension() == ".log")
      BOOST_TEST((check_log(read_file(x.path()), [&](std::string_view head) {
        counts.push_back(log_count(head));
      }) == log_end::clean));
  BOOST_TEST((counts == std::vector<uint64_t>{2, 2}));
}

BOOST_AUTO_TEST_CASE(a_torn_end_of_the_manifest_is_dropped) {
  constexpr size_t sector = 512;
  constexpr size_t whole = 4 * sector;
  for (const size_t size : {size_t{3}, size_t{200}, whole}) {
    disk_store db;
    auto text = read_file(db.manifest());
    // A record that was not synced: its checksum, length and type, and what
    // reached the disk of its data. All of it, but for a sector.
    std::string end = "sum.";
    end += static_cast<char>((whole - 7) % 256);
    end += static_cast<char>((whole - 7) / 256);
    end += '\1';
    end.resize(size, 'd');
    if (size == whole)
      std::fill_n(
        end.begin() + static_cast<ptrdiff_t>(sector - text.size() % sector),
        sector, '\0');
    write_file(db.manifest(), text + end);
    for (int i = 0; i < 2; ++i)
      BOOST_TEST(must(must(db.open())->head(bob)).stored == 40u);
  }
}

BOOST_AUTO_TEST_CASE(a_wal_that_does_not_follow_its_forerunner_is_damage) {
  disk_store db;
  // Under a later number, as if files between them were lost.
  auto wal = db.file(".log");
  auto text = read_file(wal);
  { auto opened = must(db.open()); }
  auto next = db.path / "000999.log";
  write_file(next, text);
  db.expect_refused(errc::store_corrupt);
}

BOOST_AUTO_TEST_CASE(a_place_that_cannot_be_used_is_refused) {
  temporary_folder folder;
  write_file(folder.path / "file", "x");
  for (auto name : {"file/store", "file", "missing/store"}) {
    auto before = contents(folder.path);
    auto db = store::open({.path = (folder.path / name).string()});
    BOOST_REQUIRE(!db);
    BOOST_TEST(to_string(db.error().code) == "store_unavailable", name);
    BOOST_TEST((contents(folder.path) == before));
  }
}

BOOST_AUTO_TEST_CASE(a_disk_that_cannot_be_written_is_refused) {
  lossy_disk disk;
  auto open = [&] {
    return store::open({.path = "/store", .env = disk.env()});
  };
  disk.files().refuse_writes(lossy_fs::fault::broken);
  BOOST_TEST((error_of(open()) == errc::store_unavailable));
  disk.files().refuse_writes(lossy_fs::fault::none);
  commit(*must(open()), {put_account{bob, {}}});
  disk.files().refuse_writes(lossy_fs::fault::full);
  BOOST_TEST((error_of(open()) == errc::store_unavailable));
  disk.files().refuse_writes(lossy_fs::fault::none);
  BOOST_TEST(must(must(open())->head(bob)).exists);
}

BOOST_AUTO_TEST_CASE(an_empty_folder_becomes_a_store) {
  temporary_folder folder;
  auto db = must(store::open({.path = folder.path.string()}));
  BOOST_TEST(!must(db->head(bob)).exists);
}

BOOST_AUTO_TEST_SUITE_END()
