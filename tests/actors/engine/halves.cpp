#include "tests/actors/engine/halves.hpp"

#include <boost/test/unit_test.hpp>

namespace parley::test {

namespace {

std::string text_of(half x) {
  return x == half::none ? "none" : x == half::pending ? "pending" : "active";
}

} // namespace

roster_item entry_of(
  store& db, const user_address& user, const user_address& whom) {
  auto found = db.roster(user);
  BOOST_REQUIRE(found);
  for (auto& item : found->items)
    if (item.what.address == whom)
      return item;
  roster_item none;
  none.what.listed = false;
  return none;
}

std::vector<std::string> disagreements(
  store& db, const std::vector<user_address>& users) {
  std::vector<std::string> xs;
  for (const auto& watcher : users)
    for (const auto& presentity : users) {
      auto to = entry_of(db, watcher, presentity).what.subscription.to;
      auto item = entry_of(db, presentity, watcher);
      auto from = item.pretended ? half::active : item.what.subscription.from;
      if (to != from)
        xs.push_back(watcher.str() + " has " + text_of(to) + " to "
          + presentity.str() + ", who has " + text_of(from));
    }
  return xs;
}

size_t open_notes(store& db) {
  size_t n = 0;
  auto end = db.each_note({}, 1'000, [&n](const subscription_note&) { ++n; });
  BOOST_REQUIRE(end);
  return n;
}

} // namespace parley::test
