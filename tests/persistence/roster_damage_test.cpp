#include "persistence/keys.hpp"
#include "persistence/opening.hpp"
#include "persistence/records.hpp"
#include "persistence/stored_contacts.hpp"
#include "tests/persistence/fixture.hpp"
#include "tests/support/lossy_fs.hpp"

#include <string>
#include <vector>

using namespace parley;
using namespace parley::test;

namespace {

using kind = subscription_note::kind;

/// A store, some of whose records are made unreadable.
struct damaged_store {
  lossy_disk disk;
  std::vector<failure> told;
  store::options how{.path = "/store", .env = disk.env()};
  std::unique_ptr<store> db;

  damaged_store() {
    how.report = [this](const failure& x) { told.push_back(x); };
    db = must(store::open(how));
  }

  void damage(family where, const std::string& key) {
    overwrite(where, key, "?");
  }

  void overwrite(
    family where, const std::string& key, const std::string& value) {
    db.reset();
    {
      auto opened = must(open_database(how));
      BOOST_REQUIRE(
        opened.db->rocks().Put({}, opened.db->handle(where), key, value).ok());
    }
    db = must(store::open(how));
  }

  /// A contact of bob's that is no entry.
  void damage_contact(const user_address& contact) {
    db.reset();
    {
      auto opened = must(open_database(how));
      BOOST_REQUIRE(
        opened.db->rocks()
          .Merge({}, opened.db->handle(family::rosters), keys::contacts(bob),
            stored_contacts::change(contact.str(), "?"))
          .ok());
    }
    db = must(store::open(how));
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(roster_damage)

BOOST_AUTO_TEST_CASE(a_contact_that_cannot_be_read_does_not_hide_the_others) {
  damaged_store x;
  roster_head head;
  head.version.value = 5;
  commit(*x.db,
    {put_roster{bob, head}, put_contact{bob, make_item(alice, "A")},
      put_contact{bob, make_item(bob)}, put_contact{bob, make_item(carol)}});
  x.damage_contact(bob);
  for (int i = 0; i < 2; ++i) {
    auto roster = must(x.db->roster(bob));
    BOOST_TEST((roster.head == head));
    BOOST_TEST(
      (roster.items == std::vector{make_item(alice, "A"), make_item(carol)}));
  }
  // It is told of once.
  BOOST_REQUIRE(x.told.size() == 1u);
  BOOST_TEST((x.told[0].code == errc::store_corrupt));
  BOOST_TEST(x.told[0].text.find(bob.str()) != std::string::npos);
  BOOST_TEST(x.db->unreadable() == 1u);
  // It can be written anew, and removed.
  commit(*x.db, {put_contact{bob, make_item(bob, "B")}});
  BOOST_TEST(must(x.db->roster(bob)).items.size() == 3u);
  x.damage_contact(bob);
  commit(*x.db, {remove_contact{bob, bob}});
  BOOST_TEST(must(x.db->roster(bob)).items.size() == 2u);
  BOOST_TEST(x.db->unreadable() == 0u);
}

BOOST_AUTO_TEST_CASE(a_list_that_ends_too_early_is_read_to_there_and_goes_on) {
  damaged_store x;
  commit(*x.db,
    {put_roster{bob, {}}, put_contact{bob, make_item(alice)},
      put_contact{bob, make_item(carol)}});
  auto list = stored_contacts::empty();
  stored_contacts::append(
    list, {alice.str(), records::encode_contact(make_item(alice))});
  x.overwrite(family::rosters, keys::contacts(bob), list + "\x7f");
  BOOST_TEST(must(x.db->roster(bob)).items.size() == 1u);
  BOOST_TEST(x.told.size() == 1u);
  // What is put then is there, also when it was laid upon the damage; that
  // something is missing is told of at each start.
  commit(*x.db, {put_contact{bob, make_item(carol, "C")}});
  for (int i = 0; i < 3; ++i) {
    x.db.reset();
    x.told.clear();
    x.db = must(store::open(x.how));
    auto roster = must(x.db->roster(bob));
    BOOST_TEST(
      (roster.items == std::vector{make_item(alice), make_item(carol, "C")}));
    BOOST_REQUIRE(x.told.size() == 1u);
    BOOST_TEST((x.told[0].code == errc::store_corrupt));
    BOOST_TEST(x.told[0].text.find(bob.str()) != std::string::npos);
  }
}

// It did not tell of sharing.
BOOST_AUTO_TEST_CASE(where_a_head_is_of_an_older_form_the_roster_is_asked) {
  damaged_store x;
  roster_head head;
  head.privacy.sharing = sharing::off;
  commit(*x.db, {put_roster{alice, {}}, put_roster{bob, head}});
  x.overwrite(family::heads, keys::user(bob),
    "\2" + std::string(16, '\0') + std::string("\0\1\7\4\5", 5));
  auto found = rosters(*x.db);
  BOOST_REQUIRE(found.size() == 2u);
  BOOST_TEST((found[0].sharing == sharing::by_default));
  BOOST_TEST((found[1].sharing == sharing::off));
  BOOST_TEST(found[1].contacts == 7u);
  // It is written anew with an IM, and with its roster.
  commit(*x.db, {make_put(bob, 1, make_im(alice, "m", "x"))});
  BOOST_TEST((rosters(*x.db)[1].sharing == sharing::off));
  head.privacy.sharing = sharing::on;
  commit(*x.db, {put_roster{bob, head}});
  BOOST_TEST((rosters(*x.db)[1].sharing == sharing::on));
}

BOOST_AUTO_TEST_CASE(a_roster_without_its_head_shows_its_user_to_nobody) {
  damaged_store x;
  roster_head head;
  head.version.value = 30;
  head.privacy.approve = approval::allow;
  head.privacy.block = {alice};
  auto blocked = make_item(alice);
  blocked.what.listed = false;
  blocked.pretended = true;
  blocked.version.value = 20;
  auto watcher = make_item(carol);
  watcher.what.subscription.from = half::active;
  watcher.version.value = 10;
  auto asking = make_item(user("dave@example.org"));
  asking.what.listed = false;
  asking.what.subscription.from = half::pending;
  commit(*x.db,
    {put_account{bob, {}}, put_roster{bob, head}, put_contact{bob, blocked},
      put_contact{bob, watcher}, put_contact{bob, asking}});
  x.damage(family::rosters, keys::roster(bob));
  auto roster = must(x.db->roster(bob));
  BOOST_TEST((roster.items == std::vector{blocked, watcher, asking}));
  BOOST_TEST((roster.head.privacy.approve == approval::ask));
  BOOST_TEST((roster.head.privacy.sharing == sharing::off));
  // The blocked are those that were seen to be.
  BOOST_TEST((roster.head.privacy.block == std::vector{alice}));
  BOOST_TEST(roster.head.contacts == 1u);
  BOOST_TEST(roster.head.watchers == 2u);
  BOOST_TEST(roster.head.requests == 1u);
  // Every client gets the whole list, whatever version it knows.
  BOOST_TEST(roster.head.version.value > head.version.value);
  BOOST_TEST((roster.head.since == roster.head.version));

  auto users_head = must(x.db->head(bob));
  BOOST_TEST(users_head.exists);
  BOOST_REQUIRE(bool(users_head.blocks));
  BOOST_TEST((*users_head.blocks == roster.head.privacy));
  BOOST_TEST(x.told.size() == 1u);
  BOOST_TEST(x.db->unreadable() == 1u);

  // The next that is written is as good as any.
  commit(*x.db, {put_roster{bob, head}});
  BOOST_TEST((must(x.db->roster(bob)).head == head));
  BOOST_TEST((*must(x.db->head(bob)).blocks == head.privacy));
}

BOOST_AUTO_TEST_CASE(an_account_whose_roster_is_damaged_can_be_removed) {
  damaged_store x;
  commit(*x.db,
    {put_account{bob, {}}, put_roster{bob, {}},
      put_contact{bob, make_item(alice)}});
  x.damage(family::rosters, keys::roster(bob));
  x.damage(family::rosters, keys::contacts(bob));
  commit(*x.db, {remove_account{bob, {}}});
  BOOST_TEST((must(x.db->roster(bob)).head == roster_head()));
  BOOST_TEST(must(x.db->roster(bob)).items.empty());
  BOOST_TEST(x.db->unreadable() == 0u);
}

BOOST_AUTO_TEST_CASE(a_users_damaged_head_does_not_hide_other_rosters) {
  damaged_store x;
  for (auto& user : {alice, bob, carol})
    commit(*x.db, {put_roster{user, {}}});
  x.damage(family::heads, keys::user(bob));
  for (size_t step = 1; step <= 4; ++step)
    BOOST_TEST(rosters(*x.db, step).size() == 2u);
  BOOST_TEST(x.told.size() == 1u);
  // It holds up what would change it, and nothing else.
  BOOST_TEST(
    (error_of(x.db->commit({put_roster{bob, {}}})) == errc::store_corrupt));
  commit(*x.db, {put_contact{bob, make_item(alice)}});
  BOOST_TEST(must(x.db->roster(bob)).items.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_note_that_cannot_be_read_goes_when_it_is_confirmed) {
  damaged_store x;
  auto first = make_note(alice, bob, kind::subscribe, 1);
  auto second = make_note(bob, alice, kind::subscribe, 2);
  auto third = make_note(carol, bob, kind::subscribed, 3);
  commit(*x.db, {first, second, third});
  x.damage(family::notes, keys::note(bob, true, alice));
  for (size_t step = 1; step <= 4; ++step)
    BOOST_TEST((notes(*x.db, step)
      == std::vector<subscription_note>{first.what, third.what}));
  BOOST_REQUIRE(x.told.size() == 1u);
  BOOST_TEST(x.told[0].text.find(bob.str()) != std::string::npos);
  commit(*x.db, {remove_note{second.what}});
  x.db.reset();
  x.db = must(store::open(x.how));
  BOOST_TEST(notes(*x.db).size() == 2u);
  BOOST_TEST(x.db->unreadable() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
