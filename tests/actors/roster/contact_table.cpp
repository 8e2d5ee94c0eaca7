#include <boost/test/unit_test.hpp>

#include <map>
#include <string>
#include <utility>

#include "actors/roster/contact_table.hpp"
#include "persistence/records.hpp"
#include "persistence/stored_contacts.hpp"
#include "tests/actors/roster/desk.hpp"

namespace parley::test {

namespace {

roster_item entry_of(const std::string& whom, uint64_t asked) {
  roster_item x;
  x.what.address = person(whom);
  x.what.name = "name of " + whom;
  x.what.groups = {"a", "b"};
  x.what.subscription = {half::active, half::pending};
  x.pretended = asked % 2 == 0;
  x.version.value = asked + 7;
  x.asked = asked;
  x.heard = asked / 2;
  return x;
}

/// Entries 0, 2, 4, … below `end`, as they come from disk.
contact_rows even_ones(int end) {
  contact_rows x;
  for (int i = 0; i < end; i += 2)
    x.append(entry_of(nth(i), static_cast<uint64_t>(i)));
  return x;
}

std::map<user_address, roster_item> copy_of(const contact_table& x) {
  std::map<user_address, roster_item> all;
  x.each(everything, [&all](const roster_item& item) {
    BOOST_TEST(all.emplace(item.what.address, item).second);
  });
  return all;
}

} // namespace

BOOST_AUTO_TEST_SUITE(contact_tables)

BOOST_AUTO_TEST_CASE(what_was_loaded_is_found_whole_and_in_short) {
  contact_table x;
  x.load(even_ones(8));
  for (int i = 0; i < 8; ++i) {
    auto whom = person(nth(i));
    auto brief = x.brief(whom);
    BOOST_TEST(brief.has_value() == (i % 2 == 0));
    auto* item = std::as_const(x).find(whom);
    BOOST_TEST((item != nullptr) == (i % 2 == 0));
    if (!item || !brief)
      continue;
    auto expected = entry_of(nth(i), static_cast<uint64_t>(i));
    BOOST_TEST((*item == expected));
    BOOST_TEST((*brief == contact_brief::of(expected)));
  }
  BOOST_TEST(x.brief(person(nth(99))).has_value() == false);
}

BOOST_AUTO_TEST_CASE(changes_are_seen_by_every_way_of_reading) {
  contact_table x;
  x.load(even_ones(8));
  auto changed = person(nth(2));
  auto gone = person(nth(4));
  auto fresh = person(nth(5));
  x.find(changed)->what.subscription = {};
  x.erase(gone);
  x.make(fresh).asked = 77;
  x.make(changed).heard = 78; // is there already
  BOOST_TEST((x.brief(changed)->subscription == subscription_state{}));
  BOOST_TEST(x.brief(changed)->heard == 78u);
  BOOST_TEST(!x.brief(gone));
  BOOST_TEST(x.find(gone) == nullptr);
  BOOST_TEST(x.brief(fresh)->asked == 77u);
  std::map<std::string, uint64_t> seen;
  x.each_standing([&](const address_ref& who, const contact_standing& s) {
    BOOST_TEST(who.hash == person(who.text).hash());
    auto brief = x.brief(person(who.text)).value();
    BOOST_TEST((s == contact_standing{brief}));
    BOOST_TEST(seen.emplace(std::string{who.text}, brief.asked).second);
  });
  decltype(seen) expected{{nth(0), 0}, {nth(2), 2}, {nth(5), 77}, {nth(6), 6}};
  BOOST_TEST((seen == expected));
  auto copy = copy_of(x);
  BOOST_TEST((x.all() == copy));
  BOOST_TEST((copy_of(x) == copy));
  for (const auto& [whom, item] : copy)
    x.erase(whom);
  BOOST_TEST(x.empty());
  BOOST_TEST(copy_of(x).empty());
}

BOOST_AUTO_TEST_CASE(rows_know_each_standing_and_the_last_wish) {
  contact_rows x;
  BOOST_TEST(x.last_asked() == 0u);
  std::vector<roster_item> all;
  for (auto to : {half::none, half::pending, half::active})
    for (auto from : {half::none, half::pending, half::active})
      for (unsigned flags = 0; flags < 8; ++flags) {
        auto item = entry_of(nth(100 + all.size()), 1);
        item.what.subscription = {to, from};
        item.what.listed = flags & 1;
        item.what.preapproved = flags & 2;
        item.pretended = flags & 4;
        item.asked = all.size() == 40 ? 1'000'000 : all.size();
        all.push_back(item);
      }
  for (const auto& item : all)
    x.append(item);
  BOOST_REQUIRE(x.size() == all.size());
  for (size_t i = 0; i < all.size(); ++i)
    BOOST_TEST((x.standing(i) == contact_standing::of(all[i])));
  BOOST_TEST(x.last_asked() == 1'000'000u);
}

BOOST_AUTO_TEST_CASE(what_is_no_entry_is_not_taken) {
  const auto value = records::encode_contact(entry_of(nth(3), 1));
  const auto cut = value.substr(0, value.size() - 1);
  const auto longer = value + 'x';
  const std::string far_too_long(70'000, 'x');
  auto list = stored_contacts::empty();
  for (const auto& [address, entry] :
    {std::pair{nth(1), cut}, {nth(1), longer}, {nth(1), std::string()},
      {std::string(), value}, {nth(3), value}, {nth(3), value}, {nth(2), value},
      {far_too_long, value}, {nth(4), value}})
    stored_contacts::append(list, {address, entry});

  contact_rows x;
  x.append(entry_of(nth(9), 1));
  std::vector<std::string> refused;
  auto note = [&](std::string_view who) { refused.emplace_back(who); };
  x.assign(list, 1, note);
  BOOST_REQUIRE(x.size() == 2u);
  BOOST_TEST((x.item(0) == entry_of(nth(3), 1)));
  BOOST_TEST(x.address(1).text == nth(4));
  BOOST_TEST((refused
    == std::vector{
      nth(1), nth(1), nth(1), std::string(), nth(3), nth(2), far_too_long}));

  // What is no list to its end is one up to there.
  refused.clear();
  x.assign(list.substr(0, list.size() - 1), 1, note);
  BOOST_TEST(x.size() == 1u);
  BOOST_REQUIRE(!refused.empty());
  BOOST_TEST(refused.back() == "");
  x.assign({}, 0, note);
  BOOST_TEST(x.empty());
}

BOOST_AUTO_TEST_CASE(an_entry_can_share_the_address_of_others) {
  contact_table x;
  x.load(even_ones(8));
  auto mine = person(nth(2));
  x.find(mine);
  x.share_address(mine);
  BOOST_TEST(&x.find(mine)->what.address.str() == &mine.str());
  BOOST_TEST(&x.all().find(mine)->first.str() == &mine.str());
  BOOST_TEST(x.all().size() == 4u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace parley::test
