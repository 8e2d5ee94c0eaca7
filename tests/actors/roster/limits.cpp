#include <algorithm>

#include <boost/test/unit_test.hpp>

#include "actors/roster/privacy_rules.hpp"
#include "protocol/defaults.hpp"
#include "tests/actors/roster/desk.hpp"

namespace parley::test {

namespace {

using kind = subscription_note::kind;

parley::set_privacy by_default(approval x) {
  parley::set_privacy p;
  p.approve = x;
  return p;
}

parley::set_privacy blocking(std::vector<std::string> whom) {
  parley::set_privacy p;
  p.block.emplace();
  for (const auto& x : whom)
    p.block->push_back(person(x));
  return p;
}

std::vector<user_address> sorted_people(size_t count) {
  std::vector<user_address> x;
  for (size_t i = 0; i < count; ++i)
    x.push_back(person(nth(i)));
  std::sort(x.begin(), x.end());
  return x;
}

void check_full(const refused_contact& x, const std::string& address,
  const user_address& whose) {
  BOOST_TEST(x.address == address);
  BOOST_TEST((x.why.code == errc::contact_list_full));
  BOOST_TEST((x.whose == whose));
}

/// As the refusal of an approval says.
user_address whose_list(const desk& d) {
  BOOST_REQUIRE(d.last.replies.size() == 1u);
  auto* x = std::get_if<refused_request>(&d.last.replies[0].what);
  BOOST_REQUIRE(x);
  return x->whose;
}

/// A desk of the setting `watchers.max`, with as many watchers.
struct full_of_watchers : desk {
  explicit full_of_watchers(size_t max) {
    limits.watchers_max = max;
    for (size_t i = 0; i < max; ++i)
      BOOST_REQUIRE((asks(nth(i)) == kind::subscribed));
    BOOST_REQUIRE(head().watchers == max);
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(limits)

BOOST_AUTO_TEST_CASE(of_six_added_to_195_the_sixth_is_refused_by_name) {
  desk d;
  BOOST_TEST(d.add(wanted(0, 195)).refused.empty());
  auto x = d.add(wanted(195, 201));
  BOOST_REQUIRE(x.refused.size() == 1u);
  check_full(x.refused[0], nth(200), d.owner());
  BOOST_TEST(x.refused[0].why.limit.value() == 200u);
  BOOST_TEST(x.refused[0].why.value.value() == 201u);
  BOOST_TEST(d.head().contacts == 200u);
  BOOST_TEST(!d.find(nth(200)));
  BOOST_TEST(d.find(nth(199)));
}

BOOST_AUTO_TEST_CASE(nobody_adds_one_whose_list_is_full) {
  desk d;
  auto full = person(nth(1));
  d.refused[full] = failure{errc::contact_list_full};
  auto x = d.add(wanted(0, 3));
  BOOST_REQUIRE(x.refused.size() == 1u);
  check_full(x.refused[0], nth(1), full);
  auto y = d.subscribe(nth(1));
  BOOST_REQUIRE(y.refused.size() == 1u);
  check_full(y.refused[0], nth(1), full);
  BOOST_TEST((d.approve(nth(1)).code == errc::contact_list_full));
  BOOST_TEST((whose_list(d) == full));
  BOOST_TEST(d.head().contacts == 2u);
  BOOST_TEST(!d.find(nth(1)));
}

BOOST_AUTO_TEST_CASE(who_is_approved_beforehand_needs_room_as_a_contact) {
  desk d;
  d.limits.contacts_max = 1;
  d.limits.presence_auto_approve = false;
  BOOST_TEST((d.approve(nth(0)).code == errc::none));
  BOOST_TEST(d.find(nth(0))->what.listed);
  auto why = d.approve(nth(1));
  BOOST_TEST((why.code == errc::contact_list_full));
  BOOST_TEST(why.limit.value() == 1u);
  BOOST_TEST((whose_list(d) == d.owner()));
  BOOST_TEST(!d.find(nth(1)));
  // Whoever has asked needs none.
  d.asks(nth(2));
  BOOST_TEST((d.approve(nth(2)).code == errc::none));
  BOOST_TEST(!d.find(nth(2))->what.listed);
  // Nor does one that is there.
  BOOST_TEST((d.approve(nth(0)).code == errc::none));
  d.refused[person(nth(3))] = failure{errc::no_such_user};
  BOOST_TEST((d.approve(nth(3)).code == errc::no_such_user));
  BOOST_TEST(std::holds_alternative<failure>(d.last.replies[0].what));
}

BOOST_AUTO_TEST_CASE(one_with_a_full_list_who_is_a_contact_is_subscribed_to) {
  desk d;
  d.add(nth(1));
  d.refused[person(nth(1))] = failure{errc::contact_list_full};
  BOOST_TEST(d.subscribe(nth(1)).refused.empty());
  BOOST_TEST((d.find(nth(1))->what.subscription.to == half::pending));
  // Whoever has no place for a watcher has none for a contact's either.
  d.add(nth(2));
  d.refused[person(nth(2))] = failure{errc::watcher_limit};
  auto x = d.subscribe(nth(2));
  BOOST_REQUIRE(x.refused.size() == 1u);
  BOOST_TEST((x.refused[0].why.code == errc::watcher_limit));
  BOOST_TEST(x.refused[0].whose.empty());
}

BOOST_AUTO_TEST_CASE(whoever_has_no_account_is_refused_alone) {
  desk d;
  d.refused[person(nth(1))] = failure{errc::no_such_user};
  auto x = d.add({{nth(0), {}, {}}, {nth(1), {}, {}}, {"no address", {}, {}},
    {d.owner().str(), {}, {}}, {nth(2), {}, {}}});
  std::vector<std::pair<std::string, errc>> why;
  for (const auto& r : x.refused)
    why.emplace_back(r.address, r.why.code);
  decltype(why) expected{{nth(1), errc::no_such_user},
    {"no address", errc::bad_address}, {d.owner().str(), errc::bad_request}};
  BOOST_TEST((why == expected));
  BOOST_TEST(d.head().contacts == 2u);
}

BOOST_AUTO_TEST_CASE(a_request_to_one_without_account_says_so_until_answered) {
  desk d;
  d.absent = {person(nth(1))};
  d.subscribe(nth(0));
  d.subscribe(nth(1));
  const auto& notes = d.disk.notes;
  BOOST_REQUIRE(notes.size() == 2u);
  BOOST_TEST((notes.at({person(nth(0)), true}).what == kind::subscribe));
  BOOST_TEST((notes.at({person(nth(1)), true}).what == kind::subscribe_ahead));
  // By who has the account now.
  d.says(nth(1), kind::subscribed);
  BOOST_TEST((d.find(nth(1))->what.subscription.to == half::active));
  BOOST_TEST(notes.size() == 1u);
}

BOOST_AUTO_TEST_CASE(whoever_has_a_bad_name_is_refused_alone) {
  desk d;
  auto x = d.add({{nth(0), "Ann", {}}, {nth(1), std::string(256, 'n'), {}},
    {nth(2), "", {"work", "a\x01z"}}, {nth(3), "", {"work"}}});
  BOOST_REQUIRE(x.refused.size() == 2u);
  BOOST_TEST(x.refused[0].address == nth(1));
  BOOST_TEST(x.refused[0].why.limit.value() == 255u);
  BOOST_TEST(x.refused[1].address == nth(2));
  BOOST_TEST((x.refused[1].why.code == errc::bad_request));
  BOOST_TEST(d.head().contacts == 2u);
  // One that is there keeps what it had.
  BOOST_TEST(d.add({{nth(0), "x\x1b", {}}}).refused.size() == 1u);
  BOOST_TEST(d.find(nth(0))->what.name == "Ann");
}

BOOST_AUTO_TEST_CASE(at_a_full_list_names_and_groups_are_still_changed) {
  desk d;
  d.limits.contacts_max = 2;
  d.add(wanted(0, 2));
  auto x = d.add({{nth(1), "Ann", {"a", "b", "c"}}});
  BOOST_TEST(x.refused.empty());
  BOOST_TEST(d.find(nth(1))->what.name == "Ann");
  BOOST_TEST(d.find(nth(1))->what.groups.size() == 3u);
  // In several groups it counts once.
  BOOST_TEST(d.head().contacts == 2u);
}

BOOST_AUTO_TEST_CASE(the_same_address_twice_in_one_request_counts_once) {
  desk d;
  d.limits.contacts_max = 2;
  auto x = d.add({{nth(0), "first", {}}, {"C0@EXAMPLE.org", "second", {}},
    {nth(1), {}, {}}});
  BOOST_TEST(x.refused.empty());
  BOOST_TEST(d.head().contacts == 2u);
  BOOST_TEST(d.find(nth(0))->what.name == "second");
}

BOOST_AUTO_TEST_CASE(a_lowered_maximum_removes_nobody) {
  desk d;
  d.add(wanted(0, 5));
  for (size_t i = 10; i < 15; ++i)
    d.asks(nth(i));
  d.limits.contacts_max = 3;
  d.limits.watchers_max = 3;
  d.review();
  BOOST_TEST(d.head().contacts == 5u);
  BOOST_TEST(d.head().watchers == 5u);
  BOOST_TEST(d.add(nth(9)).refused.size() == 1u);
  d.remove({nth(0), nth(1)});
  BOOST_TEST(d.add(nth(9)).refused.size() == 1u);
  d.remove({nth(2)});
  BOOST_TEST(d.add(nth(9)).refused.empty());
}

BOOST_AUTO_TEST_CASE(whoever_only_watches_counts_for_watchers_alone) {
  desk d;
  d.limits.contacts_max = 1;
  BOOST_TEST((d.asks(nth(0)) == kind::subscribed));
  BOOST_TEST((d.asks(nth(1)) == kind::subscribed));
  BOOST_TEST(d.head().contacts == 0u);
  BOOST_TEST(d.head().watchers == 2u);
  BOOST_TEST(d.add(nth(0)).refused.empty());
  BOOST_TEST(d.head().contacts == 1u);
  auto x = d.add(nth(1));
  BOOST_REQUIRE(x.refused.size() == 1u);
  check_full(x.refused[0], nth(1), d.owner());
}

BOOST_AUTO_TEST_CASE(subscribing_to_a_stranger_adds_it_or_fails_likewise) {
  desk d;
  d.limits.contacts_max = 1;
  BOOST_TEST(d.subscribe(nth(0)).refused.empty());
  BOOST_TEST(d.find(nth(0))->what.listed);
  auto x = d.subscribe(nth(1));
  BOOST_REQUIRE(x.refused.size() == 1u);
  check_full(x.refused[0], nth(1), d.owner());
  BOOST_TEST(d.last.notes.empty());
  // An import subscribes to those that there is room for.
  d.limits.contacts_max = 3;
  BOOST_TEST(d.import(wanted(1, 4)).refused.size() == 1u);
  BOOST_TEST(d.last.notes.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_request_beyond_the_watchers_is_refused) {
  full_of_watchers d{3};
  BOOST_TEST((d.asks("x@example.org") == kind::unsubscribed));
  BOOST_TEST(!d.find("x@example.org"));
  // Those who are in are answered as before.
  BOOST_TEST((d.asks(nth(1)) == kind::subscribed));
  d.leaves(nth(0));
  BOOST_TEST((d.asks("x@example.org") == kind::subscribed));
  BOOST_TEST(d.head().watchers == 3u);
}

BOOST_AUTO_TEST_CASE(approving_beyond_the_watchers_is_refused_to_the_user) {
  full_of_watchers d{2};
  d.privacy(by_default(approval::ask));
  BOOST_TEST(!d.asks("x@example.org"));
  auto f = d.approve("x@example.org");
  BOOST_TEST((f.code == errc::watcher_limit));
  BOOST_TEST(f.limit.value() == 2u);
  BOOST_TEST(f.value.value() == 3u);
  BOOST_TEST(d.head().requests == 1u);
  d.deny(nth(0));
  BOOST_TEST((d.approve("x@example.org").code == errc::none));
  BOOST_TEST(d.head().watchers == 2u);
  BOOST_TEST(d.head().requests == 0u);
}

BOOST_AUTO_TEST_CASE(one_approved_beforehand_is_refused_if_there_is_no_room) {
  full_of_watchers d{2};
  d.privacy(by_default(approval::ask));
  BOOST_TEST((d.approve("x@example.org").code == errc::none));
  BOOST_TEST((d.asks("x@example.org") == kind::unsubscribed));
  d.leaves(nth(0));
  BOOST_TEST((d.asks("x@example.org") == kind::subscribed));
}

BOOST_AUTO_TEST_CASE(a_review_lets_in_as_many_as_there_is_room_for) {
  desk d;
  d.limits.presence_auto_approve = false;
  d.limits.watchers_max = 3;
  for (size_t i = 0; i < 5; ++i)
    BOOST_TEST(!d.asks(nth(i)));
  BOOST_TEST(d.head().requests == 5u);
  d.limits.presence_auto_approve = true;
  d.review();
  BOOST_TEST(d.head().watchers == 3u);
  BOOST_TEST(d.head().requests == 2u);
  BOOST_TEST(d.last.notes.size() == 3u);
  d.leaves(nth(0)); // which makes room for one
  BOOST_TEST(d.head().watchers == 3u);
  BOOST_TEST(d.head().requests == 1u);
  d.limits.watchers_max = unlimited;
  d.review();
  BOOST_TEST(d.head().watchers == 4u);
  BOOST_TEST(d.head().requests == 0u);
}

BOOST_AUTO_TEST_CASE(ad_hoc_watchers_count_with_those_that_are_subscribed) {
  full_of_watchers d{2};
  d.limits.watchers_max = 4;
  auto stranger = person("x@example.org");
  d.adhoc() = {person("a@example.org")};
  BOOST_TEST(!d.rules.refuses_watch(stranger, false, d.limits));
  d.adhoc().insert(person("b@example.org"));
  auto f = d.rules.refuses_watch(stranger, false, d.limits);
  BOOST_REQUIRE(f);
  BOOST_TEST((f->code == errc::watcher_limit));
  BOOST_TEST(f->limit.value() == 4u);
  BOOST_TEST(f->value.value() == 5u);
  // Who is subscribed takes no second place, nor who watches already.
  BOOST_TEST(!d.rules.refuses_watch(person(nth(0)), false, d.limits));
  d.adhoc().insert(stranger);
  BOOST_TEST(!d.rules.refuses_watch(stranger, true, d.limits));
  d.privacy(by_default(approval::ask));
  auto u = d.rules.refuses_watch(stranger, true, d.limits);
  BOOST_REQUIRE(u);
  BOOST_TEST((u->code == errc::not_authorised));
}

BOOST_AUTO_TEST_CASE(who_would_subscribe_finds_ad_hoc_watchers_counted) {
  full_of_watchers d{2};
  d.limits.watchers_max = 3;
  d.adhoc() = {person("a@example.org")};
  auto f = d.rules.refuses_contact(person("x@example.org"), true, d.limits);
  BOOST_TEST((f.code == errc::watcher_limit));
  BOOST_TEST(f.value.value() == 4u);
  BOOST_TEST((d.asks("x@example.org") == kind::unsubscribed));
  // Its own watch becomes the subscription.
  f = d.rules.refuses_contact(person("a@example.org"), true, d.limits);
  BOOST_TEST((f.code == errc::none));
  BOOST_TEST((d.asks("a@example.org") == kind::subscribed));
  BOOST_TEST(d.head().watchers == 3u);
  // To be listed alone takes no place.
  f = d.rules.refuses_contact(person("x@example.org"), false, d.limits);
  BOOST_TEST((f.code == errc::none));
}

// A full list does not concern who is on it, and must not hide what does.
BOOST_AUTO_TEST_CASE(where_both_are_full_the_watchers_are_told_of) {
  full_of_watchers d{2};
  d.limits.contacts_max = d.head().contacts;
  auto f = d.rules.refuses_contact(person("x@example.org"), true, d.limits);
  BOOST_TEST((f.code == errc::watcher_limit));
  f = d.rules.refuses_contact(person("x@example.org"), false, d.limits);
  BOOST_TEST((f.code == errc::contact_list_full));
}

BOOST_AUTO_TEST_CASE(nor_are_they_let_in_past_ad_hoc_watchers) {
  desk d;
  d.privacy(by_default(approval::ask));
  d.limits.watchers_max = 1;
  d.asks(nth(0));
  d.adhoc() = {person(nth(1))};
  BOOST_TEST((d.approve(nth(0)).code == errc::watcher_limit));
  d.adhoc().clear();
  BOOST_TEST((d.approve(nth(0)).code == errc::none));
}

BOOST_AUTO_TEST_CASE(a_blocked_watcher_is_answered_like_others_at_the_limit) {
  for (bool blocked : {false, true}) {
    desk d;
    d.limits.watchers_max = 2;
    if (blocked)
      d.privacy(blocking({nth(0), nth(1), nth(2)}));
    BOOST_TEST((d.asks(nth(0)) == kind::subscribed));
    BOOST_TEST(!d.rules.refuses_watch(person(nth(1)), false, d.limits));
    BOOST_TEST((d.asks(nth(1)) == kind::subscribed));
    BOOST_TEST(d.head().watchers == 2u);
    BOOST_TEST((d.asks(nth(2)) == kind::unsubscribed));
    auto f = d.rules.refuses_watch(person(nth(2)), false, d.limits);
    BOOST_REQUIRE(f);
    BOOST_TEST((f->code == errc::watcher_limit));
    // And again, once it is in.
    BOOST_TEST((d.asks(nth(0)) == kind::subscribed));
    BOOST_TEST(!d.rules.refuses_watch(person(nth(0)), false, d.limits));
  }
}

BOOST_AUTO_TEST_CASE(a_request_that_comes_while_its_approval_is_asked_is_met) {
  // Its approval waits for word of the other, and its request comes before.
  recorder fx;
  roster_rules r{person("owner@example.org"), 0, fx};
  policy p;
  p.presence_auto_approve = false;
  auto other = person(nth(0));
  r.approve(session_id{1}, {}, other, p, 1);
  auto checks = fx.take().checks;
  BOOST_REQUIRE(checks.size() == 1u);
  r.receive({other, r.user(), kind::subscribe, 5}, p, 2);
  BOOST_REQUIRE(
    (r.items().find(other)->what.subscription.from == half::pending));
  fx.take();
  r.checked(checks[0].ticket, {failure{}}, p, 3);
  auto x = fx.take();
  BOOST_TEST((r.items().find(other)->what.subscription.from == half::active));
  BOOST_REQUIRE(x.notes.size() == 1u);
  BOOST_TEST((x.notes[0].what == kind::subscribed));
  BOOST_TEST(x.notes[0].number == 5u);
}

BOOST_AUTO_TEST_CASE(no_list_of_privacy_grows_beyond_its_limit) {
  constexpr auto most = defaults::privacy_entries_max;
  const auto people = [](size_t count, auto set_privacy::*list) {
    set_privacy p;
    p.*list = sorted_people(count);
    return p;
  };
  const auto domains = [](size_t count) {
    set_privacy p;
    p.domains.emplace();
    for (size_t i = 0; i < count; ++i)
      p.domains->emplace_back(std::to_string(i) + ".org", approval::block);
    return p;
  };
  for (const auto& x : {people(most + 1, &set_privacy::allow),
         people(most + 1, &set_privacy::block), domains(most + 1)}) {
    desk d;
    const auto why = d.refused_privacy(x);
    BOOST_TEST((why.code == errc::bad_request));
    BOOST_TEST(why.limit.value() == most);
    BOOST_TEST(why.value.value() == most + 1);
    BOOST_TEST((d.head().privacy == privacy{}));
    BOOST_TEST(d.last.writes.empty());
  }
  desk d;
  d.privacy(people(most, &set_privacy::allow));
  d.privacy(people(most, &set_privacy::block));
  d.privacy(domains(most));
  BOOST_TEST(d.head().privacy.block.size() == most);
}

BOOST_AUTO_TEST_CASE(changes_of_a_block_list_add_up_to_its_limit) {
  constexpr auto most = defaults::privacy_entries_max;
  const auto all = sorted_people(most + 1);
  const auto more = [](std::vector<user_address> whom) {
    set_privacy p;
    p.block_more = std::move(whom);
    return p;
  };
  desk d;
  d.privacy(more({all.begin(), all.end() - 2}));
  // Another endpoint does not know of those.
  d.privacy(more({all[0], all[most - 1]}));
  BOOST_TEST(d.head().privacy.block.size() == most);
  BOOST_TEST(std::is_sorted(
    d.head().privacy.block.begin(), d.head().privacy.block.end()));
  const auto why = d.refused_privacy(more({all[most]}));
  BOOST_TEST((why.code == errc::bad_request));
  BOOST_TEST(why.value.value() == most + 1);
  // Who is in it already makes it no longer.
  d.privacy(more({all[0]}));
  set_privacy less;
  less.block_less = {all[1], all[most]};
  d.privacy(less);
  BOOST_TEST(d.head().privacy.block.size() == most - 1);
  BOOST_TEST(!is_blocked(d.head().privacy, all[1]));
  d.privacy(blocking({}));
  d.privacy(more({all[1]}));
  BOOST_TEST(d.head().privacy.block.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_list_of_privacy_that_is_too_long_may_only_shrink) {
  constexpr auto stored = defaults::privacy_entries_max + 10;
  desk d;
  packed_roster before;
  before.head.privacy.block = sorted_people(stored);
  d.disk.head = before.head;
  d.rules.load(std::move(before), {});
  const auto block = [](size_t count) {
    set_privacy p;
    p.block = sorted_people(count);
    return p;
  };
  BOOST_TEST((d.refused_privacy(block(stored + 1)).code == errc::bad_request));
  // What leaves it alone is no growth.
  d.privacy(by_default(approval::ask));
  d.privacy(block(stored - 1));
  BOOST_TEST(d.head().privacy.block.size() == stored - 1);
  BOOST_TEST((d.refused_privacy(block(stored)).code == errc::bad_request));
  d.privacy(block(0));
  BOOST_TEST(d.head().privacy.block.empty());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace parley::test
