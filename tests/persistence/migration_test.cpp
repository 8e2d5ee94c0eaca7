#include "tests/persistence/old_store.hpp"

#include "persistence/opening.hpp"
#include "protocol/defaults.hpp"
#include "tests/support/lossy_fs.hpp"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <string>

using namespace parley;
using namespace parley::test;

namespace {

const std::string secret(32, '\7');

void make_old(rocksdb::Env* env, const std::string& path, uint64_t schema = 1) {
  old_store db(env, path, schema);
  BOOST_REQUIRE(db.opened.ok());
  db.initialise(secret);
  db.add_user(bob);
  db.add_user(carol);
}

/// All that the folder had, and that it takes what is new.
void expect_migrated(store& db) {
  BOOST_TEST(db.secret() == secret);
  BOOST_TEST((must(db.accounts({}, 9)) == std::vector{bob, carol}));
  for (auto& user : {bob, carol}) {
    auto head = must(db.head(user));
    BOOST_TEST(head.exists);
    BOOST_TEST(head.stored == 1u);
    BOOST_TEST(head.last.value == 7u);
    auto ims = must(db.ims(user, {}, 9));
    BOOST_TEST(orders(ims) == std::vector<uint64_t>{5});
    BOOST_TEST(ims.at(0).message->body == "from before");
  }
  BOOST_TEST(ims_before(db, at(1)).size() == 2u);
  BOOST_TEST(must(db.head(alice)).domain_known);
  BOOST_TEST(!must(db.head(user("bob@elsewhere.net"))).domain_known);
  BOOST_TEST(db.unreadable() == 0u);
}

uint64_t schema_of(const store::options& how) {
  auto opened = must(open_database(how));
  return records::decode_number(
    must(opened.db->get(family::meta, keys::schema)).value())
    .value();
}

} // namespace

BOOST_AUTO_TEST_SUITE(migration)

BOOST_AUTO_TEST_CASE(a_folder_of_schema_1_keeps_all_and_gets_rosters) {
  temporary_folder folder;
  store::options how{.path = (folder.path / "store").string()};
  make_old(nullptr, how.path);
  {
    auto db = must(store::open(how));
    expect_migrated(*db);
    BOOST_TEST(!must(db->head(bob)).roster);
    BOOST_TEST(must(db->roster(bob)).items.empty());
    BOOST_TEST(rosters(*db).empty());
    roster_head head;
    head.contacts = 1;
    commit(*db,
      {put_roster{bob, head}, put_contact{bob, make_item(alice)},
        make_note(bob, alice, subscription_note::kind::subscribe, 1)});
  }
  for (int i = 0; i < 2; ++i) {
    BOOST_TEST(schema_of(how) == schema_version);
    auto db = must(store::open(how));
    expect_migrated(*db);
    auto head = must(db->head(bob));
    BOOST_TEST(head.roster);
    BOOST_TEST(head.contacts == 1u);
    BOOST_TEST(must(db->roster(bob)).items.size() == 1u);
    BOOST_TEST(notes(*db).size() == 1u);
  }
}

BOOST_AUTO_TEST_CASE(a_folder_of_schema_2_keeps_all_and_takes_documents) {
  temporary_folder folder;
  store::options how{.path = (folder.path / "store").string()};
  make_old(nullptr, how.path, 2);
  {
    auto db = must(store::open(how));
    expect_migrated(*db);
    BOOST_TEST((must(db->documents_of(bob)) == document_totals{}));
    auto report = must(db->commit({change_documents{
      bob, write_document{"c", {"i", "bytes", {}}, {}, false}}}));
    BOOST_TEST((report.documents.at(0).why.code == errc::none));
  }
  BOOST_TEST(schema_of(how) == schema_version);
  auto db = must(store::open(how));
  expect_migrated(*db);
  BOOST_TEST(must(db->documents_of(bob)).count == 2u);
  db.reset();
  BOOST_TEST(!old_store(nullptr, how.path, 2).opened.ok());
}

BOOST_AUTO_TEST_CASE(a_folder_of_schema_3_keeps_all_and_knows_its_domains) {
  temporary_folder folder;
  store::options how{.path = (folder.path / "store").string()};
  make_old(nullptr, how.path, 3);
  for (int i = 0; i < 2; ++i) {
    expect_migrated(*must(store::open(how)));
    BOOST_TEST(schema_of(how) == schema_version);
  }
}

BOOST_AUTO_TEST_CASE(each_domain_of_a_folder_of_schema_3_is_known) {
  temporary_folder folder;
  store::options how{.path = (folder.path / "store").string()};
  make_old(nullptr, how.path, 3);
  {
    old_store db(nullptr, how.path, 3);
    for (const auto* name : {"zoe@a.net", "al@b.net", "al@c.net"})
      db.add_user(user(name));
  }
  auto db = must(store::open(how));
  for (const auto* known : {"x@a.net", "x@b.net", "x@c.net", "x@example.org"})
    BOOST_TEST(must(db->head(user(known))).domain_known);
  for (const auto* other : {"x@net", "x@d.net", "a.net@x"})
    BOOST_TEST(!must(db->head(user(other))).domain_known);
}

const std::vector<roster_item> friends_of_bob{
  make_item(alice, "A", {"x"}), make_item(carol), make_item(user("zoe@a.net"))};

BOOST_AUTO_TEST_CASE(a_folder_of_schema_4_keeps_the_contacts_of_all) {
  temporary_folder folder;
  store::options how{.path = (folder.path / "store").string()};
  make_old(nullptr, how.path, 4);
  // More than one batch of the migration.
  const std::string long_name(1000, 'n');
  constexpr int many = 3000;
  {
    old_store db(nullptr, how.path, 4);
    db.add_contacts(bob, friends_of_bob);
    db.put_raw_contact(bob, user("no@entry"), "?");
    for (int i = 0; i < many; ++i)
      db.put_raw_contact(user("u" + std::to_string(i / 3) + "@b"),
        user("c" + std::to_string(i) + "@b"),
        records::encode_contact(make_item(bob, long_name)));
    db.add_contacts(carol, {make_item(bob)});
  }
  for (int i = 0; i < 2; ++i) {
    BOOST_TEST(schema_of(how) == schema_version);
    auto db = must(store::open(how));
    BOOST_TEST((must(db->roster(bob)).items == friends_of_bob));
    BOOST_TEST(must(db->roster(bob)).head.contacts == 3u);
    BOOST_TEST(db->unreadable() == 1u); // as before
    BOOST_TEST((must(db->roster(carol)).items == std::vector{make_item(bob)}));
    for (int u = 0; u < many / 3; ++u)
      BOOST_TEST(
        must(db->roster(user("u" + std::to_string(u) + "@b"))).items.size()
        == 3u);
  }
  auto db = must(store::open(how));
  commit(*db, {remove_contact{bob, carol}, remove_contact{bob, alice}});
  BOOST_TEST(must(db->roster(bob)).items.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_parley_of_schema_1_does_not_open_what_was_migrated) {
  temporary_folder folder;
  auto path = (folder.path / "store").string();
  make_old(nullptr, path);
  must(store::open({.path = path}));
  BOOST_TEST(!old_store(nullptr, path).opened.ok());
  expect_migrated(*must(store::open({.path = path})));
}

/// Opens what `make` has made, cut off after more and more writes; `expect`
/// judges what the next opening makes of it. Returns how often some contacts
/// were in lists, and others not.
template <class Make, class Expect>
uint64_t expect_after_cuts(const Make& make, const Expect& expect) {
  uint64_t half_way = 0;
  auto seed = std::random_device()();
  std::cout << "seed " << seed << '\n';
  std::mt19937_64 random(seed);
  uint64_t cut = 0;
  bool whole = false;
  for (uint64_t writes = 0; !whole && writes < 1000;
       writes += 1 + random() % 3) {
    lossy_disk disk;
    store::options how{.path = "/store", .env = disk.env()};
    make(disk.env(), how.path);
    // As each opening did then, too.
    std::unique_ptr<rocksdb::Directory> above;
    BOOST_REQUIRE(disk.env()->NewDirectory("/", &above).ok());
    BOOST_REQUIRE(above->Fsync().ok());
    disk.files().power_off_after(writes);
    {
      auto db = store::open(how);
      whole = db.has_value();
      if (!whole)
        ++cut;
    }
    disk.files().power_off();
    disk.files().power_on(random);
    if (auto db = open_for_reading(how, std::nullopt)) {
      const auto note = (*db)->get(family::meta, keys::single_contacts);
      // The user whose key is the first.
      const auto list =
        (*db)->get(family::rosters, keys::contacts(user("eve@d")));
      half_way += note && *note && list && *list;
    }
    BOOST_TEST_CONTEXT("seed " << seed << " after " << writes << " writes") {
      auto db = store::open(how);
      BOOST_REQUIRE_MESSAGE(db, db.error().text);
      expect(**db);
      db->reset();
      BOOST_TEST(schema_of(how) == schema_version);
    }
  }
  // Otherwise this has not tried what it says.
  BOOST_TEST(whole);
  BOOST_TEST(cut > 20u);
  return half_way;
}

BOOST_AUTO_TEST_CASE(a_migration_that_is_cut_off_is_done_again) {
  expect_after_cuts([](auto* env, const auto& path) { make_old(env, path); },
    [](store& db) { expect_migrated(db); });
}

BOOST_AUTO_TEST_CASE(a_migration_of_contacts_that_is_cut_off_goes_on) {
  // Three batches.
  const std::string long_name(300'000, 'n');
  const std::vector users{bob, carol, user("dave@d"), user("eve@d"),
    user("frank@d"), user("zoe@a.net")};
  const std::vector contacts{
    make_item(alice, long_name), make_item(user("x@y"), long_name)};
  const auto half_way = expect_after_cuts(
    [&](auto* env, const auto& path) {
      make_old(env, path, 4);
      old_store db(env, path, 4);
      for (const auto& x : users)
        db.add_contacts(x, contacts);
    },
    [&](store& db) {
      for (const auto& x : users) {
        BOOST_TEST((must(db.roster(x)).items == contacts));
        BOOST_TEST(must(db.roster(x)).head.contacts == 2u);
      }
      BOOST_TEST(db.unreadable() == 0u);
    });
  BOOST_TEST(half_way > 0u);
}

BOOST_AUTO_TEST_CASE(contacts_that_cannot_be_read_leave_a_folder_as_it_was) {
  temporary_folder folder;
  store::options how{.path = (folder.path / "store").string()};
  make_old(nullptr, how.path, 4);
  // More than is looked at when a folder is opened; nothing compresses it.
  constexpr size_t size = 4 * 1024 * 1024;
  std::mt19937_64 random(1);
  std::string octets(size, '\0');
  {
    old_store db(nullptr, how.path, 4);
    for (size_t n = 0; n * size <= defaults::verify_at_open_max; ++n) {
      for (auto& x : octets)
        x = static_cast<char>(random());
      db.put_raw_contact(bob, user("c" + std::to_string(n) + "@b"), octets);
    }
    db.flush_contacts();
  }
  std::filesystem::path largest;
  for (const auto& x : std::filesystem::directory_iterator(how.path))
    if (x.path().extension() == ".sst"
      && (largest.empty() || x.file_size() > file_size(largest)))
      largest = x.path();
  {
    std::fstream table(
      largest, std::ios::in | std::ios::out | std::ios::binary);
    table.seekp(static_cast<std::streamoff>(file_size(largest) / 2));
    table.put('?').put('!');
    BOOST_REQUIRE(table.good());
  }
  for (int i = 0; i < 2; ++i) {
    auto db = store::open(how);
    BOOST_REQUIRE(!db);
    BOOST_TEST((db.error().code == errc::store_corrupt));
    BOOST_TEST(db.error().text.find("the contacts of the store in " + how.path)
      != std::string::npos);
    BOOST_TEST(old_store(nullptr, how.path, 4).schema() == 4u);
  }
}

BOOST_AUTO_TEST_CASE(
  a_full_disk_leaves_a_folder_of_schema_1_as_good_as_it_was) {
  lossy_disk disk;
  store::options how{.path = "/store", .env = disk.env()};
  make_old(disk.env(), how.path);
  disk.files().refuse_writes(lossy_fs::fault::full);
  BOOST_TEST((error_of(store::open(how)) == errc::store_unavailable));
  disk.files().refuse_writes(lossy_fs::fault::none);
  expect_migrated(*must(store::open(how)));
}

BOOST_AUTO_TEST_SUITE_END()
