#include <boost/test/unit_test.hpp>

#include <map>
#include <set>

#include "tests/actors/roster/desk.hpp"
#include "tests/actors/roster/pair.hpp"

namespace parley::test {

namespace {

using kind = subscription_note::kind;

} // namespace

BOOST_AUTO_TEST_SUITE(dissolving)

BOOST_AUTO_TEST_CASE(everybody_concerned_is_told_and_nobody_else) {
  desk d;
  d.add(nth(0));       // listed alone
  d.subscribe(nth(1)); // wished
  d.subscribe(nth(2));
  d.says(nth(2), kind::subscribed); // seen
  d.asks(nth(3));                   // watches
  d.asks(nth(2));
  parley::set_privacy p;
  p.approve = approval::ask;
  p.block.emplace({person(nth(5))});
  d.privacy(p);
  d.asks(nth(4)); // waits
  d.asks(nth(5)); // blocked, and does not know
  std::map<std::string, roster_item> before;
  for (int i = 0; i < 6; ++i)
    if (auto* item = d.find(nth(i)))
      before[nth(i)] = *item;
  d.dissolve();
  std::set<std::pair<std::string, kind>> told;
  for (const auto& n : d.last.notes) {
    BOOST_TEST((n.from == d.owner()));
    told.emplace(n.to.str(), n.what);
    // A wish is a later one; a verdict is about the one that was heard.
    auto* item = &before.at(n.to.str());
    if (n.is_wish())
      BOOST_TEST(n.number > item->asked);
    else
      BOOST_TEST(n.number == item->heard);
  }
  decltype(told) expected{{nth(1), kind::unsubscribe},
    {nth(2), kind::unsubscribe}, {nth(2), kind::unsubscribed},
    {nth(3), kind::unsubscribed}, {nth(4), kind::unsubscribed},
    {nth(5), kind::unsubscribed}};
  BOOST_TEST((told == expected));
  // They are kept until they are confirmed.
  for (const auto& n : d.last.notes)
    BOOST_TEST((d.disk.notes.at({n.to, n.is_wish()}) == n));
}

BOOST_AUTO_TEST_CASE(what_it_owed_before_stays_owed) {
  desk d;
  d.subscribe(nth(1));
  d.unsubscribe(nth(1));
  auto owed = d.disk.notes;
  BOOST_REQUIRE(owed.size() == 1u);
  d.dissolve();
  BOOST_TEST((d.disk.notes == owed));
}

BOOST_AUTO_TEST_CASE(the_other_half_of_each_state_is_gone) {
  // Each with a later account of the same name that knows nothing.
  for (size_t state = 0; state < 8; ++state) {
    pair_state x;
    if (state & 4)
      BOOST_REQUIRE(!x.perform(1, deed::ask_by_default));
    if (state & 1)
      BOOST_REQUIRE(!x.perform(0, deed::subscribe));
    if (state & 2)
      BOOST_REQUIRE(!x.perform(1, deed::subscribe));
    BOOST_REQUIRE(!x.settle());
    BOOST_REQUIRE(!x.run(0, [](roster_rules& r) { r.dissolve(); }));
    auto owed = std::move(x.disks[0].notes);
    x.disks[0] = {};
    x.disks[0].notes = std::move(owed);
    BOOST_REQUIRE(!x.settle());
    auto w = x.wrong();
    BOOST_TEST(!w, "state " << state << ": " << w.value_or("") << x.text());
    auto& left = x.disks[1].items;
    BOOST_TEST((left.empty()
      || left.begin()->second.what.subscription == subscription_state{}));
    BOOST_TEST(x.disks[1].head.watchers == 0u);
  }
}

BOOST_AUTO_TEST_CASE(if_the_account_stays_after_all_both_halves_have_ended) {
  for (size_t state = 0; state < 8; ++state) {
    pair_state x;
    if (state & 4)
      BOOST_REQUIRE(!x.perform(1, deed::ask_by_default));
    if (state & 1)
      BOOST_REQUIRE(!x.perform(0, deed::subscribe));
    if (state & 2)
      BOOST_REQUIRE(!x.perform(1, deed::subscribe));
    BOOST_REQUIRE(!x.settle());
    BOOST_REQUIRE(!x.run(0, [](roster_rules& r) { r.dissolve(); }));
    BOOST_REQUIRE(!x.settle());
    auto w = x.wrong();
    BOOST_TEST(!w, "state " << state << ": " << w.value_or("") << x.text());
    for (auto& disk : x.disks)
      for (auto& [whom, item] : disk.items)
        BOOST_TEST((item.what.subscription == subscription_state{}));
  }
}

BOOST_AUTO_TEST_CASE(a_later_account_of_the_name_starts_anew) {
  pair_state x;
  BOOST_REQUIRE(!x.perform(0, deed::subscribe));
  BOOST_REQUIRE(!x.settle());
  BOOST_REQUIRE(!x.run(0, [](roster_rules& r) { r.dissolve(); }));
  x.disks[0].head = {};
  x.disks[0].items.clear();
  // Its wish comes behind the end of the former one.
  BOOST_REQUIRE(!x.perform(0, deed::subscribe));
  BOOST_REQUIRE(!x.settle());
  BOOST_TEST(!x.wrong());
  BOOST_TEST(x.disks[1].head.watchers == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace parley::test
