#include "tests/persistence/fixture.hpp"

#include "persistence/database.hpp"
#include "persistence/keys.hpp"
#include "persistence/opening.hpp"

#include <rocksdb/db.h>

#include <string>
#include <vector>

using namespace parley;
using namespace parley::test;

namespace {

change_documents change(
  document_change what, document_totals max = {any_number, any_number}) {
  return {alice, std::move(what), max, at(7)};
}

change_documents writing(std::string id, std::string bytes,
  collection_wish wish = {}, document_totals max = {any_number, any_number}) {
  return change(write_document{"c", {std::move(id), std::move(bytes), {}},
                  std::move(wish), false},
    max);
}

struct keeping_store : memory_store {
  keeping_store() {
    parley::test::commit(*db, {put_account{alice, make_keys("a")}});
  }

  document_verdict judged(const change_documents& x) {
    auto report = must(db->commit({x}));
    BOOST_REQUIRE(report.documents.size() == 1u);
    return report.documents[0];
  }
  errc refused(const change_documents& x) { return judged(x).why.code; }
  void done(const change_documents& x) {
    BOOST_REQUIRE((refused(x) == errc::none));
  }
  std::vector<std::string> ids(std::vector<std::string> which = {},
    uint64_t max = any_number, uint64_t bytes_max = any_number) {
    std::vector<std::string> out;
    for (auto& x :
      must(db->documents(alice, {"c", std::move(which), max}, bytes_max)).what)
      out.push_back(x.id);
    return out;
  }
  document_totals totals() { return must(db->documents_of(alice)); }
};

using ids = std::vector<std::string>;
const collection_wish ten_kept{.documents_max = any_number};

} // namespace

BOOST_AUTO_TEST_SUITE(documents)

BOOST_AUTO_TEST_CASE(what_was_written_is_read_again_after_a_restart) {
  keeping_store x;
  x.done(writing("i", "bytes", {.who = readers::everybody}));
  x.reopen();
  auto found = must(x->documents(alice, {"c", {}, any_number}, any_number));
  BOOST_REQUIRE(found.rules.has_value());
  BOOST_TEST((found.rules->who == readers::everybody));
  BOOST_REQUIRE(found.what.size() == 1u);
  BOOST_TEST((found.what[0] == document{"i", "bytes", at(7)}));
  BOOST_TEST((x.totals() == document_totals{2, 1 + 1 + 5}));
  BOOST_TEST(!must(x->documents(bob, {"c", {}, 9}, 9)).rules.has_value());
}

BOOST_AUTO_TEST_CASE(the_newest_come_first_and_as_many_as_are_wanted) {
  keeping_store x;
  for (auto* id : {"a", "b", "c"})
    x.done(writing(id, "1234", ten_kept));
  x.done(writing("a", "again", ten_kept));
  BOOST_TEST((x.ids() == ids{"a", "c", "b"}));
  BOOST_TEST((x.ids({}, 2) == ids{"a", "c"}));
  BOOST_TEST((x.ids({"b", "none", "a"}) == ids{"b", "a"}));
  // One at least, however large it is.
  BOOST_TEST((x.ids({}, any_number, 11) == ids{"a", "c"}));
  BOOST_TEST((x.ids({}, any_number, 1) == ids{"a"}));
}

BOOST_AUTO_TEST_CASE(of_too_many_the_oldest_go) {
  keeping_store x;
  for (auto* id : {"a", "b", "c"})
    x.done(writing(id, "1234", ten_kept));
  x.done(change(change_collection{"c", {.documents_max = 2}}));
  BOOST_TEST((x.ids() == ids{"c", "b"}));
  x.done(writing("d", "1234"));
  x.done(writing("c", "1234"));
  BOOST_TEST((x.ids() == ids{"c", "d"}));
  BOOST_TEST((x.totals() == document_totals{3, 1 + 2 * 5}));
}

BOOST_AUTO_TEST_CASE(a_collection_keeps_the_rules_it_was_made_with) {
  keeping_store x;
  x.done(writing("i", "1", {.who = readers::owner, .documents_max = 5}));
  BOOST_TEST((x.judged(writing("j", "1")).rules.who == readers::owner));
  x.done(writing("j", "1", {.documents_max = 5}));
  BOOST_TEST((x.refused(writing("k", "1", {.who = readers::everybody}))
    == errc::other_rules));
  BOOST_TEST((x.ids() == ids{"j", "i"}));
  BOOST_TEST((x.refused(change(make_collection{"c", {}})) == errc::exists));
}

BOOST_AUTO_TEST_CASE(what_is_not_to_be_kept_is_not) {
  keeping_store x;
  x.done(writing("i", "1", {.keeps = false}));
  BOOST_TEST(x.ids().empty());
  BOOST_TEST(x.totals().count == 1u);
}

BOOST_AUTO_TEST_CASE(what_is_no_longer_to_be_kept_goes) {
  keeping_store x;
  for (auto* id : {"a", "b"})
    x.done(writing(id, "1234", ten_kept));
  x.done(change(change_collection{"c", {.keeps = false}}));
  BOOST_TEST(x.ids().empty());
  BOOST_TEST((x.totals() == document_totals{1, 1}));
}

BOOST_AUTO_TEST_CASE(limits_are_told_and_leave_all_as_it_was) {
  keeping_store x;
  x.done(writing("a", "1234", ten_kept));
  x.done(writing("b", "1234", ten_kept));
  auto before = x.totals();
  auto full = x.judged(writing("c", "1234", ten_kept, {3, any_number}));
  BOOST_TEST((full.why.code == errc::quota_exceeded));
  BOOST_TEST(full.why.limit.value() == 3u);
  BOOST_TEST(full.why.value.value() == 4u);
  auto fat = x.judged(writing("b", "12345", ten_kept, {3, before.bytes}));
  BOOST_TEST((fat.why.code == errc::quota_exceeded));
  BOOST_TEST(fat.why.limit.value() == before.bytes);
  BOOST_TEST(fat.why.value.value() == before.bytes + 1);
  BOOST_TEST((x.totals() == before));
  BOOST_TEST((x.ids() == ids{"b", "a"}));
  // Beyond a lowered limit one may replace and remove.
  x.done(writing("b", "4321", ten_kept, {1, 1}));
  x.done(change(remove_document{"c", "a", false}, {0, 0}));
  BOOST_TEST((x.refused(change(make_collection{"d", {}}, {2, any_number}))
    == errc::quota_exceeded));
}

BOOST_AUTO_TEST_CASE(what_is_removed_is_gone_and_counts_no_more) {
  keeping_store x;
  for (auto* id : {"a", "b", "c"})
    x.done(writing(id, "1234", ten_kept));
  x.done(change(remove_document{"c", "b", false}));
  BOOST_TEST(
    (x.refused(change(remove_document{"c", "b", false})) == errc::not_found));
  BOOST_TEST((x.ids() == ids{"c", "a"}));
  x.done(change(remove_collection{"c", true, false}));
  BOOST_TEST(x.ids().empty());
  BOOST_TEST(x.totals().count == 1u);
  x.done(change(remove_collection{"c", false, false}));
  BOOST_TEST((x.totals() == document_totals{}));
  BOOST_TEST((x.refused(change(remove_collection{"c", false, false}))
    == errc::not_found));
}

BOOST_AUTO_TEST_CASE(several_changes_of_one_batch_see_each_other) {
  keeping_store x;
  auto report = must(x->commit({writing("a", "1", ten_kept),
    writing("a", "2", ten_kept), writing("b", "1", ten_kept, {2, any_number}),
    change(remove_document{"c", "a", false}),
    change(remove_document{"c", "a", false})}));
  std::vector<errc> codes;
  for (auto& v : report.documents)
    codes.push_back(v.why.code);
  BOOST_TEST((codes
    == std::vector{errc::none, errc::none, errc::quota_exceeded, errc::none,
      errc::not_found}));
  BOOST_TEST(x.ids().empty());
}

BOOST_AUTO_TEST_CASE(collections_are_listed_by_how_they_begin) {
  keeping_store x;
  for (auto* name : {"node:b", "node:a", "private", "node"})
    x.done(change(make_collection{name, {}}));
  auto found = must(x->collections(alice, "node:"));
  std::sort(found.begin(), found.end());
  BOOST_TEST((found == ids{"node:a", "node:b"}));
}

BOOST_AUTO_TEST_CASE(nothing_is_kept_for_who_has_no_account) {
  keeping_store x;
  x.done(writing("a", "1"));
  // As one that was under way when the account was removed.
  auto report = must(x->commit({remove_account{alice, {}}, writing("a", "1")}));
  BOOST_TEST((report.documents[0].why.code == errc::no_such_user));
  BOOST_TEST((x.refused(writing("a", "1")) == errc::no_such_user));
  parley::test::commit(*x, {put_account{alice, make_keys("a")}});
  BOOST_TEST((x.totals() == document_totals{}));
  BOOST_TEST(must(x->collections(alice, "")).empty());
}

BOOST_AUTO_TEST_CASE(many_documents_go_with_the_account_too) {
  keeping_store x;
  std::vector<store_operation> batch;
  for (int i = 0; i < 3000; ++i)
    batch.push_back(writing(std::to_string(i), "x", ten_kept));
  must(x->commit(batch));
  BOOST_TEST(x.totals().count == 3001u);
  must(x->commit({remove_account{alice, {}}}));
  parley::test::commit(*x, {put_account{alice, make_keys("a")}});
  BOOST_TEST((x.totals() == document_totals{}));
  BOOST_TEST(must(x->collections(alice, "")).empty());
  x.done(writing("a", "1"));
  BOOST_TEST((x.ids() == ids{"a"}));
}

BOOST_AUTO_TEST_CASE(a_damaged_count_is_made_anew) {
  keeping_store x;
  x.done(writing("a", "1234", ten_kept));
  auto before = x.totals();
  x.db.reset();
  {
    auto opened = must(open_database({.path = "/store", .env = x.env.get()}));
    rocksdb::WriteOptions how;
    how.sync = true;
    BOOST_REQUIRE(opened.db->rocks()
                    .Put(how, opened.db->handle(family::documents),
                      keys::documents(alice), "?")
                    .ok());
  }
  x.reopen();
  BOOST_TEST((error_of(x->documents_of(alice)) == errc::store_corrupt));
  x.done(writing("a", "4321", ten_kept));
  BOOST_TEST((x.totals() == before));
}

BOOST_AUTO_TEST_CASE(who_watches_an_owner_is_acquainted_with_it) {
  keeping_store x;
  roster_head head;
  head.privacy.block = {carol};
  auto watches = make_item(bob);
  watches.what.subscription.from = half::active;
  auto pretended = make_item(carol);
  pretended.pretended = true;
  parley::test::commit(*x,
    {put_roster{alice, head}, put_contact{alice, watches},
      put_contact{alice, pretended}});
  BOOST_TEST(must(x->acquainted(alice, bob)).watches);
  BOOST_TEST(!must(x->acquainted(alice, carol)).watches);
  BOOST_TEST(!must(x->acquainted(bob, alice)).watches);
  BOOST_TEST(
    (must(x->acquainted(alice, bob)).privacy.block == head.privacy.block));
}

BOOST_AUTO_TEST_SUITE_END()
