#include "persistence/stored_contacts.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <random>
#include <string>
#include <vector>

using namespace parley;

namespace {

using elements = std::vector<std::pair<std::string, std::string>>;

elements elements_of(std::string_view list, bool whole = true) {
  elements out;
  stored_contacts::reader in{list};
  while (const auto x = in.next())
    out.emplace_back(x->address, x->entry);
  BOOST_TEST(in.complete() == whole);
  return out;
}

std::string list_of(const elements& all) {
  auto out = stored_contacts::empty();
  for (const auto& [address, entry] : all)
    stored_contacts::append(out, {address, entry});
  return out;
}

std::string with(const std::string& list, const elements& changes) {
  std::vector<std::string> bytes;
  for (const auto& [address, entry] : changes)
    bytes.push_back(stored_contacts::change(address, entry));
  return stored_contacts::with_changes(
    list, std::vector<std::string_view>(bytes.begin(), bytes.end()));
}

} // namespace

BOOST_AUTO_TEST_SUITE(stored_contacts_as_bytes)

BOOST_AUTO_TEST_CASE(their_form_is_that_of_the_readme) {
  BOOST_TEST(stored_contacts::empty() == "\1");
  BOOST_TEST(stored_contacts::change("a@b", "xy") == "\1\3a@b\2xy");
  BOOST_TEST(stored_contacts::change("a@b", {}) == std::string("\1\3a@b\0", 6));
}

BOOST_AUTO_TEST_CASE(one_is_found_by_its_address) {
  const auto list = list_of({{"b", "1"}, {"d", "2"}});
  BOOST_TEST(stored_contacts::find(list, "d") == "2");
  for (const auto* other : {"a", "c", "e", "", "dd"})
    BOOST_TEST(stored_contacts::find(list, other) == "");
}

BOOST_AUTO_TEST_CASE(changes_add_replace_and_remove_in_order_of_address) {
  const auto list = list_of({{"b", "1"}, {"d", "2"}, {"f", "3"}});
  BOOST_TEST((elements_of(with(list, {{"a", "4"}, {"c", "5"}, {"g", "6"}}))
    == elements{
      {"a", "4"}, {"b", "1"}, {"c", "5"}, {"d", "2"}, {"f", "3"}, {"g", "6"}}));
  BOOST_TEST((elements_of(with(list, {{"b", ""}, {"d", "x"}, {"e", ""}}))
    == elements{{"d", "x"}, {"f", "3"}}));
  // The later one counts.
  BOOST_TEST(
    (elements_of(with(list, {{"b", ""}, {"f", "7"}, {"b", "8"}, {"f", ""}}))
      == elements{{"b", "8"}, {"d", "2"}}));
  BOOST_TEST(with(list, {}) == list);
  BOOST_TEST((elements_of(stored_contacts::with_changes(
                std::nullopt, {stored_contacts::change("a", "1")}))
    == elements{{"a", "1"}}));
}

// RocksDB joins changes when it likes, and lays them on in pieces.
BOOST_AUTO_TEST_CASE(joined_or_one_by_one_they_make_the_same) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::map<std::string, std::string> model;
    auto name = [&] { return std::string(1, char('a' + random() % 12)); };
    for (int i = 0; i < 6; ++i)
      model[name()] = std::to_string(random());
    const auto list = list_of({model.begin(), model.end()});
    std::vector<std::string> changes;
    for (unsigned n = random() % 9; n > 0; --n) {
      const auto whom = name();
      const auto entry = random() % 3 ? std::to_string(random()) : "";
      changes.push_back(stored_contacts::change(whom, entry));
      model.erase(whom);
      if (!entry.empty())
        model[whom] = entry;
    }
    const std::vector<std::string_view> all(changes.begin(), changes.end());
    const auto expected = list_of({model.begin(), model.end()});
    BOOST_TEST(stored_contacts::with_changes(list, all) == expected);
    const auto cut =
      all.begin() + static_cast<long>(random() % (all.size() + 1));
    const auto first = stored_contacts::join({all.begin(), cut});
    const auto second = stored_contacts::join({cut, all.end()});
    BOOST_TEST(
      stored_contacts::with_changes(list, {first, second}) == expected);
    BOOST_TEST(stored_contacts::with_changes(
                 stored_contacts::with_changes(list, {first}), {second})
      == expected);
    BOOST_TEST(stored_contacts::with_changes(
                 list, {stored_contacts::join({first, second})})
      == expected);
  }
}

BOOST_AUTO_TEST_CASE(what_precedes_damage_counts_and_the_rest_is_kept) {
  const auto list = list_of({{"b", "1"}, {"d", "2"}});
  const auto cut = list.substr(0, list.size() - 1);
  const std::string rest = "\1d\1";
  BOOST_TEST((elements_of(cut, false) == elements{{"b", "1"}}));
  const auto after = with(cut, {{"a", "3"}, {"e", "4"}});
  BOOST_TEST((elements_of(after)
    == elements{{"", rest}, {"a", "3"}, {"b", "1"}, {"e", "4"}}));
  BOOST_TEST((elements_of(with(after, {{"b", ""}}))
    == elements{{"", rest}, {"a", "3"}, {"e", "4"}}));
  for (const auto& bad : {std::string("\2"), std::string("?xyz")}) {
    BOOST_TEST((
      elements_of(with(bad, {{"a", "3"}})) == elements{{"", bad}, {"a", "3"}}));
    // A damaged change takes nothing away.
    BOOST_TEST((elements_of(stored_contacts::with_changes(list, {bad}))
      == elements{{"", bad}, {"b", "1"}, {"d", "2"}}));
  }
  BOOST_TEST(
    (elements_of(with({}, {{"a", "3"}})) == elements{{"", "?"}, {"a", "3"}}));
}

BOOST_AUTO_TEST_CASE(a_list_out_of_order_is_put_in_order) {
  const auto list = list_of({{"d", "1"}, {"b", "2"}, {"f", "3"}, {"b", "4"}});
  BOOST_TEST((elements_of(with(list, {{"c", "5"}, {"f", ""}}))
    == elements{{"b", "4"}, {"c", "5"}, {"d", "1"}}));
}

BOOST_AUTO_TEST_SUITE_END()
