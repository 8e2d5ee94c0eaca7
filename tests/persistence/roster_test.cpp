#include "tests/persistence/fixture.hpp"

#include "persistence/defaults.hpp"
#include "protocol/defaults.hpp"

#include <rocksdb/perf_context.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

using namespace parley;
using namespace parley::test;

namespace {

using kind = subscription_note::kind;

const auto dave = user("dave@example.org");

roster_head make_roster(
  uint64_t contacts, uint64_t watchers = 0, uint64_t requests = 0) {
  roster_head x;
  x.version.value = 10 + contacts;
  x.contacts = contacts;
  x.watchers = watchers;
  x.requests = requests;
  return x;
}

roster_head blocking(const user_address& whom) {
  auto x = make_roster(1);
  x.privacy.block = {whom};
  return x;
}

std::vector<user_address> contacts_of(store& db, const user_address& user) {
  std::vector<user_address> out;
  for (auto& x : must(db.roster(user)).items)
    out.push_back(x.what.address);
  return out;
}

using users = std::vector<user_address>;
using note_list = std::vector<subscription_note>;

/// What RocksDB did in this thread: look-ups, searches for the begin of a
/// range, and steps from record to record.
struct work {
  uint64_t gets = 0;
  uint64_t seeks = 0;
  uint64_t steps = 0;
  /// Changes that were laid upon one another.
  uint64_t changes = 0;
};

work work_of(const std::function<void()>& reading) {
  rocksdb::SetPerfLevel(rocksdb::kEnableCount);
  auto* counts = rocksdb::get_perf_context();
  counts->Reset();
  reading();
  work out{counts->get_from_memtable_count, counts->seek_on_memtable_count,
    counts->next_on_memtable_count, counts->internal_merge_count};
  rocksdb::SetPerfLevel(rocksdb::kDisable);
  return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(roster)

BOOST_AUTO_TEST_CASE(a_roster_comes_back_whole_after_a_restart) {
  memory_store db;
  auto head = make_roster(2, 1, 1);
  head.since.value = 3;
  head.removals = {{{4}, dave}, {{5}, alice}};
  head.privacy = {approval::ask, sharing::on, {alice}, {dave},
    {{"a.org", approval::allow}, {"b.org", approval::block}}};
  auto first = make_item(alice, "Ålice", {"friends", "work"});
  first.what.subscription = {half::active, half::pending};
  first.version.value = 11;
  first.asked = 7;
  first.heard = 8;
  auto second = make_item(carol);
  second.what.listed = false;
  second.what.preapproved = true;
  second.approved_at = 1'700'000'000'000'001;
  second.pretended = true;
  commit(*db,
    {put_contact{bob, second}, put_roster{bob, head}, put_contact{bob, first},
      put_contact{alice, make_item(bob)}});
  for (int i = 0; i < 2; ++i) {
    auto roster = must(db->roster(bob));
    BOOST_TEST((roster.head == head));
    BOOST_TEST((roster.items == std::vector{first, second}));
    BOOST_TEST((contacts_of(*db, alice) == users{bob}));
    BOOST_TEST((must(db->roster(carol)).head == roster_head()));
    BOOST_TEST(contacts_of(*db, carol).empty());
    db.reopen();
  }
}

BOOST_AUTO_TEST_CASE(entries_are_replaced_and_removed_one_by_one) {
  memory_store db;
  commit(*db,
    {put_contact{bob, make_item(alice)}, put_contact{bob, make_item(carol)},
      put_contact{bob, make_item(dave)}});
  commit(*db,
    {remove_contact{bob, carol}, remove_contact{bob, bob},
      put_contact{bob, make_item(alice, "anew")}});
  BOOST_TEST((contacts_of(*db, bob) == users{alice, dave}));
  BOOST_TEST(must(db->roster(bob)).items.at(0).what.name == "anew");
  // Within a batch the later one counts.
  commit(*db,
    {remove_contact{bob, alice}, put_contact{bob, make_item(alice, "again")},
      put_contact{bob, make_item(carol)}, remove_contact{bob, carol}});
  BOOST_TEST((contacts_of(*db, bob) == users{alice, dave}));
  BOOST_TEST(must(db->roster(bob)).items.at(0).what.name == "again");
}

BOOST_AUTO_TEST_CASE(a_users_head_has_the_counts_of_its_roster) {
  memory_store db;
  BOOST_TEST(!must(db->head(bob)).roster);
  commit(*db, {put_roster{bob, make_roster(3, 2, 1)}});
  for (int i = 0; i < 2; ++i) {
    auto head = must(db->head(bob));
    BOOST_TEST(!head.exists);
    BOOST_TEST(head.roster);
    BOOST_TEST(head.contacts == 3u);
    BOOST_TEST(head.watchers == 2u);
    BOOST_TEST(head.requests == 1u);
    BOOST_TEST(!head.blocks);
    BOOST_TEST(head.stored == 0u);
    db.reopen();
  }
}

BOOST_AUTO_TEST_CASE(ims_and_roster_of_one_batch_share_a_head) {
  memory_store db;
  auto put = [](uint64_t order) {
    return make_put(bob, order, make_im(alice, "m", "x"));
  };
  commit(*db, {put(5), put_roster{bob, make_roster(3)}, put(6)});
  auto head = must(db->head(bob));
  BOOST_TEST(head.stored == 2u);
  BOOST_TEST(head.last.value == 6u);
  BOOST_TEST(head.contacts == 3u);
  // Each alone leaves what the other has written.
  commit(*db, {make_remove(bob, 5), make_remove(bob, 6)});
  BOOST_TEST(must(db->head(bob)).contacts == 3u);
  commit(*db, {put_roster{bob, make_roster(4)}});
  head = must(db->head(bob));
  BOOST_TEST(head.contacts == 4u);
  BOOST_TEST(head.stored == 0u);
  BOOST_TEST(head.last.value == 6u);
  commit(*db, {put(7)});
  BOOST_TEST(must(db->head(bob)).contacts == 4u);
  BOOST_TEST(orders(must(db->ims(bob, {}, 9))) == std::vector<uint64_t>{7});
}

BOOST_AUTO_TEST_CASE(a_head_has_the_privacy_of_who_blocks_somebody) {
  memory_store db;
  auto head = make_roster(1);
  head.privacy.allow = {alice};
  head.privacy.domains = {{"a.org", approval::ask}};
  auto blocks = [&]() -> shared<privacy> {
    commit(*db, {put_roster{bob, head}});
    auto found = must(db->head(bob)).blocks;
    db.reopen();
    BOOST_TEST(bool(must(db->head(bob)).blocks) == bool(found));
    return found;
  };
  BOOST_TEST(!blocks());
  head.privacy.block = {alice, carol};
  BOOST_TEST((*blocks() == head.privacy));
  head.privacy.block.clear();
  BOOST_TEST(!blocks());
  head.privacy.domains.emplace_back("b.org", approval::block);
  BOOST_TEST((*blocks() == head.privacy));
}

BOOST_AUTO_TEST_CASE(only_who_blocks_somebody_costs_its_head_a_look_more) {
  memory_store db;
  commit(*db,
    {put_account{bob, {}}, put_account{alice, {}},
      put_roster{bob, make_roster(1)}, put_roster{alice, blocking(carol)}});
  auto found = work_of([&] { must(db->head(bob)); });
  BOOST_TEST(found.gets == 2u);
  BOOST_TEST(found.seeks == 0u);
  found = work_of([&] { must(db->head(alice)); });
  BOOST_TEST(found.gets == 3u);
  BOOST_TEST(found.seeks == 0u);
}

BOOST_AUTO_TEST_CASE(a_roster_is_one_reading_of_neighbours) {
  memory_store db;
  constexpr uint64_t n = 200;
  commit(*db, {put_roster{bob, make_roster(n)}});
  for (uint64_t i = 0; i < n; ++i) {
    const auto item = make_item(user(std::to_string(i) + "@b"));
    commit(*db,
      {put_contact{alice, item}, put_contact{bob, item},
        put_contact{carol, item}});
  }
  auto found = work_of([&] {
    auto roster = must(db->roster(bob));
    BOOST_TEST(roster.items.size() == n);
    BOOST_TEST(roster.head.contacts == n);
  });
  BOOST_TEST(found.gets == 0u);
  BOOST_TEST(found.seeks == 1u);
  // From one change to the next, and to what comes after the last.
  BOOST_TEST(found.steps <= n + 2);
  BOOST_TEST(found.changes <= n);
  BOOST_TEST(found.changes >= n - 1);
  // They become one as soon as they are in a table.
  db.reopen();
  found = work_of([&] { BOOST_TEST(must(db->roster(bob)).items.size() == n); });
  BOOST_TEST(found.seeks == 1u);
  BOOST_TEST(found.steps == 0u);
  BOOST_TEST(found.changes <= 1u);
  found = work_of([&] { must(db->roster(dave)); });
  BOOST_TEST(found.gets == 0u);
  BOOST_TEST(found.seeks == 1u);
  BOOST_TEST(found.steps == 0u);
}

BOOST_AUTO_TEST_CASE(what_a_batch_changes_of_a_list_is_one_change) {
  memory_store db;
  constexpr size_t n = 100;
  std::vector<store_operation> batch{put_roster{bob, make_roster(n)}};
  for (size_t i = 0; i < n; ++i)
    for (auto& whose : {alice, bob})
      batch.push_back(
        put_contact{whose, make_item(user(std::to_string(i) + "@b"))});
  commit(*db, batch);
  auto found =
    work_of([&] { BOOST_TEST(must(db->roster(bob)).items.size() == n); });
  BOOST_TEST(found.steps <= 3u);
  BOOST_TEST(found.changes <= 1u);
}

BOOST_AUTO_TEST_CASE(only_so_many_changes_of_a_list_wait_to_be_laid_on) {
  memory_store db;
  constexpr size_t n = 2 * defaults::contact_changes_max + 7;
  for (size_t i = 0; i < n; ++i)
    commit(*db, {put_contact{bob, make_item(user(std::to_string(i) + "@b"))}});
  auto found =
    work_of([&] { BOOST_TEST(must(db->roster(bob)).items.size() == n); });
  BOOST_TEST(found.changes <= defaults::contact_changes_max);
}

BOOST_AUTO_TEST_CASE(an_account_goes_with_its_roster) {
  for (auto n : {size_t{3}, 2 * defaults::remove_account_page}) {
    memory_store db;
    std::vector<store_operation> batch{put_account{bob, {}},
      put_roster{bob, blocking(carol)}, put_roster{alice, make_roster(1)},
      put_contact{alice, make_item(bob)},
      put_contact{user("bob@example.orgs"), make_item(bob)}};
    for (size_t i = 0; i < n; ++i)
      batch.push_back(
        put_contact{bob, make_item(user(std::to_string(i) + "@b"))});
    commit(*db, batch);
    // What comes before it in the batch goes, what comes after it stays.
    commit(*db,
      {put_contact{bob, make_item(carol)}, remove_account{bob, {}},
        put_contact{bob, make_item(dave)}});
    for (int i = 0; i < 2; ++i) {
      auto head = must(db->head(bob));
      BOOST_TEST(!head.roster);
      BOOST_TEST(!head.blocks);
      BOOST_TEST(head.contacts == 0u);
      BOOST_TEST((must(db->roster(bob)).head == roster_head()));
      BOOST_TEST((contacts_of(*db, bob) == users{dave}));
      BOOST_TEST((contacts_of(*db, alice) == users{bob}));
      BOOST_TEST((contacts_of(*db, user("bob@example.orgs")) == users{bob}));
      BOOST_TEST(rosters(*db).size() == 1u);
      db.reopen();
    }
    commit(*db, {remove_account{bob, {}}, put_roster{bob, make_roster(2)}});
    BOOST_TEST(contacts_of(*db, bob).empty());
    BOOST_TEST(must(db->head(bob)).contacts == 2u);
  }
}

BOOST_AUTO_TEST_CASE(rosters_are_met_however_short_the_steps) {
  memory_store db;
  std::vector<store_operation> batch;
  users expected;
  // Others among them have IMs, and no roster.
  for (uint64_t i = 10; i < 30; ++i) {
    auto name = user("u" + std::to_string(i) + "@b");
    if (i % 3 == 0) {
      batch.push_back(put_roster{name, make_roster(i, 2 * i, 3 * i)});
      expected.push_back(name);
    } else {
      batch.push_back(make_put(name, 1, make_im(alice, "m", "x")));
    }
  }
  commit(*db, batch);
  for (size_t step = 1; step <= 22; ++step) {
    users found;
    for (auto& x : rosters(*db, step)) {
      found.push_back(x.user);
      BOOST_TEST(x.watchers == 2 * x.contacts);
      BOOST_TEST(x.requests == 3 * x.contacts);
    }
    BOOST_TEST((found == expected), "steps of " << step);
  }
  // So many users are gone over, with a roster or without.
  user_address last;
  BOOST_TEST(must(db->rosters(last, 5)).size() == 1u);
  BOOST_TEST((last == user("u14@b")));
}

// -- notes --------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(notes_are_kept_until_they_are_confirmed) {
  memory_store db;
  auto wish = make_note(alice, bob, kind::subscribe, 1);
  wish.what.since = 1'700'000'000'000'001;
  auto verdict = make_note(alice, bob, kind::subscribed, 4);
  auto back = make_note(bob, alice, kind::unsubscribe, 2);
  commit(*db, {wish, verdict, back});
  auto found = notes(*db, 1);
  db.reopen();
  BOOST_TEST((notes(*db, 2) == found));
  BOOST_TEST(found.size() == 3u);
  for (auto& x : {wish, verdict, back})
    BOOST_TEST(std::count(found.begin(), found.end(), x.what) == 1);
  commit(*db, {remove_note{wish.what}, remove_note{wish.what}});
  BOOST_TEST(notes(*db).size() == 2u);
  commit(*db, {remove_note{verdict.what}, remove_note{back.what}});
  BOOST_TEST(notes(*db).empty());
}

BOOST_AUTO_TEST_CASE(of_wishes_and_of_verdicts_the_latest_is_kept) {
  memory_store db;
  auto wish = make_note(alice, bob, kind::unsubscribe, 2);
  auto verdict = make_note(alice, bob, kind::unsubscribed, 9);
  commit(*db,
    {make_note(alice, bob, kind::subscribe, 1), wish,
      make_note(alice, bob, kind::subscribed, 8)});
  commit(*db, {verdict});
  BOOST_TEST((notes(*db) == note_list{wish.what, verdict.what}));
}

BOOST_AUTO_TEST_CASE(a_note_that_took_anothers_place_is_not_confirmed_by_it) {
  memory_store db;
  auto old = make_note(alice, bob, kind::subscribe, 1);
  auto other_kind = make_note(alice, bob, kind::unsubscribe, 1);
  auto other_number = make_note(alice, bob, kind::subscribe, 2);
  for (auto& latest : {other_kind, other_number}) {
    commit(*db, {old});
    commit(*db, {latest, remove_note{old.what}});
    BOOST_TEST((notes(*db) == note_list{latest.what}));
    commit(*db, {remove_note{old.what}});
    BOOST_TEST((notes(*db) == note_list{latest.what}));
    commit(*db, {remove_note{old.what}, old, remove_note{latest.what}});
    BOOST_TEST((notes(*db) == note_list{old.what}));
    // Put and confirmed in one batch.
    commit(*db, {latest, remove_note{latest.what}});
    BOOST_TEST(notes(*db).empty());
  }
}

BOOST_AUTO_TEST_CASE(notes_outlive_the_accounts_they_are_of) {
  memory_store db;
  auto before = make_note(bob, alice, kind::subscribe, 1);
  auto to = make_note(alice, bob, kind::subscribe, 2);
  auto within = make_note(bob, carol, kind::unsubscribed, 3);
  auto after = make_note(bob, alice, kind::unsubscribed, 4);
  commit(*db, {put_account{bob, {}}, before, to});
  commit(*db, {within, remove_account{bob, {}}, after});
  auto found = notes(*db);
  BOOST_TEST(found.size() == 4u);
  for (auto& x : {before, to, within, after})
    BOOST_TEST(std::count(found.begin(), found.end(), x.what) == 1);
}

BOOST_AUTO_TEST_CASE(no_step_over_notes_is_longer_than_its_bound) {
  memory_store db;
  std::vector<store_operation> batch;
  for (uint64_t i = 0; i < 10; ++i)
    batch.push_back(
      make_note(user(std::to_string(i) + "@b"), bob, kind::subscribe, i));
  commit(*db, batch);
  for (size_t step = 1; step <= 11; ++step) {
    std::string from;
    note_list found;
    do {
      auto before = found.size();
      from = must(
        db->each_note(from, step, [&](const auto& x) { found.push_back(x); }));
      BOOST_TEST(found.size() <= before + step);
    } while (!from.empty());
    BOOST_TEST((found == notes(*db)));
    BOOST_TEST(found.size() == 10u);
  }
}

BOOST_AUTO_TEST_SUITE_END()
