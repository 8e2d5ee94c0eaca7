#include "persistence/defaults.hpp"
#include "protocol/defaults.hpp"
#include "tests/persistence/fixture.hpp"

using namespace parley;
using namespace parley::test;

namespace {

store_operation removal(const user_address& who, uint64_t at_us) {
  return remove_account{who, {}, at_us};
}

uint64_t removed_at(memory_store& db, const user_address& who) {
  return must(db->head(who)).removed_at;
}

} // namespace

BOOST_AUTO_TEST_SUITE(removed_names)

BOOST_AUTO_TEST_CASE(a_name_keeps_when_its_account_was_removed) {
  memory_store db;
  commit(*db, {put_account{bob, {}}});
  BOOST_TEST(removed_at(db, bob) == 0u);
  commit(*db, {removal(bob, 500)});
  for (int i = 0; i < 2; ++i) {
    auto head = must(db->head(bob));
    BOOST_TEST(head.removed_at == 500u);
    BOOST_TEST(!head.exists);
    BOOST_TEST(!head.roster);
    BOOST_TEST((head.last == im_order{}));
    BOOST_TEST(rosters(*db).empty());
    BOOST_TEST(ims_before(*db, at(1000)).empty());
    db.reopen();
  }
  // What a later account has and does changes nothing of it.
  roster_head list;
  list.contacts = 3;
  list.privacy.block = {carol};
  commit(*db,
    {put_account{bob, {}}, make_put(bob, 7, make_im(alice, "m", "x")),
      put_roster{bob, list}});
  BOOST_TEST(removed_at(db, bob) == 500u);
  commit(*db, {make_remove(bob, 7)});
  db.reopen();
  auto head = must(db->head(bob));
  BOOST_TEST(head.removed_at == 500u);
  BOOST_TEST(head.exists);
  BOOST_TEST(head.contacts == 3u);
  BOOST_TEST(bool(head.blocks));
  BOOST_TEST(rosters(*db).size() == 1u);
}

BOOST_AUTO_TEST_CASE(only_the_removal_of_an_account_counts) {
  memory_store db;
  commit(*db, {put_account{bob, {}}, removal(carol, 400)});
  BOOST_TEST(removed_at(db, carol) == 0u);
  commit(*db, {removal(bob, 500)});
  // As one that is tried again.
  commit(*db, {removal(bob, 900)});
  BOOST_TEST(removed_at(db, bob) == 500u);
  commit(*db, {put_account{bob, {}}, removal(bob, 600), put_account{bob, {}}});
  BOOST_TEST(removed_at(db, bob) == 600u);
  // After the clock was set back.
  commit(*db, {removal(bob, 550)});
  BOOST_TEST(removed_at(db, bob) == 600u);
}

BOOST_AUTO_TEST_CASE(it_stays_when_what_the_account_has_left_is_taken_out) {
  memory_store db;
  std::vector<store_operation> batch{put_account{bob, {}}};
  for (uint64_t i = 1; i <= defaults::remove_account_page; ++i)
    batch.push_back(make_put(bob, i, make_im(alice, "m", "x")));
  commit(*db, batch);
  commit(*db, {removal(bob, 500)});
  BOOST_TEST(removed_at(db, bob) == 500u);
  while (must(db->remove_left()))
    BOOST_TEST(removed_at(db, bob) == 500u);
  db.reopen();
  auto head = must(db->head(bob));
  BOOST_TEST(head.removed_at == 500u);
  BOOST_TEST((head.last == im_order{}));
}

BOOST_AUTO_TEST_SUITE_END()
