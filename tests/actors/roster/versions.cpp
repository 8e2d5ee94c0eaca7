#include <boost/test/unit_test.hpp>

#include <chrono>
#include <random>
#include <set>

#include "protocol/defaults.hpp"

#include "tests/actors/roster/desk.hpp"

namespace parley::test {

namespace {

using kind = subscription_note::kind;
using view = std::map<user_address, contact>;

/// A client's list, as it keeps it from one answer or push to the next.
struct client {
  roster_version version;
  view contacts;

  void take(const contact_list& x) {
    if (x.since == roster_version{})
      contacts.clear();
    else
      BOOST_REQUIRE((x.since == version));
    std::set<user_address> named;
    for (const auto& c : x.contacts) {
      BOOST_REQUIRE(named.insert(c.address).second);
      contacts.insert_or_assign(c.address, c);
    }
    for (const auto& whom : x.removed) {
      BOOST_REQUIRE(named.insert(whom).second);
      contacts.erase(whom);
    }
    BOOST_REQUIRE((x.version >= version));
    version = x.version;
  }
};

/// Something that changes the list, or does not.
void happen(desk& d, std::mt19937_64& random) {
  auto pick = [&](size_t n) {
    return std::uniform_int_distribution<size_t>{0, n - 1}(random);
  };
  auto one = nth(pick(12));
  switch (pick(10)) {
  case 0:
    d.add({{one, "n" + std::to_string(pick(3)), {"g"}}});
    break;
  case 1: {
    std::vector<std::string> whom;
    for (size_t n = 1 + pick(6); n > 0; --n)
      whom.push_back(nth(pick(12)));
    d.remove(whom);
    break;
  }
  case 2:
    d.add(wanted(pick(6), 6 + pick(7)));
    break;
  case 3:
    d.subscribe(one);
    break;
  case 4:
    d.unsubscribe(one);
    break;
  case 5:
    d.asks(one);
    break;
  case 6:
    d.leaves(one);
    break;
  case 7:
    d.approve(one);
    break;
  case 8:
    d.deny(one);
    break;
  default:
    if (d.find(one))
      d.says(one, pick(2) ? kind::subscribed : kind::unsubscribed);
  }
}

} // namespace

BOOST_AUTO_TEST_SUITE(versions)

BOOST_AUTO_TEST_CASE(pushes_and_differences_lead_to_the_whole_list) {
  auto seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937_64 random{seed};
  size_t differences = 0;
  for (size_t round = 0; round < 20; ++round) {
    desk d;
    d.limits.presence_auto_approve = round % 2;
    client follower;
    follower.take(d.list());
    std::vector<client> former{follower};
    for (size_t step = 0; step < 300; ++step) {
      auto before = d.head().version;
      happen(d, random);
      BOOST_REQUIRE(d.last.pushes.size() <= 1u);
      for (const auto& x : d.last.pushes)
        follower.take(x);
      BOOST_REQUIRE_MESSAGE((d.head().version == follower.version), seed);
      client whole;
      whole.take(d.list());
      BOOST_REQUIRE_MESSAGE(whole.contacts == follower.contacts, seed);
      BOOST_REQUIRE((whole.version == follower.version));
      if (before != d.head().version)
        former.push_back(follower);
      if (step % 20 != 0)
        continue;
      // From any version that a client ever knew.
      for (auto x : former) {
        auto got = d.list(x.version);
        differences += got.since != roster_version{};
        x.take(got);
        BOOST_REQUIRE_MESSAGE(x.contacts == whole.contacts, seed);
        BOOST_REQUIRE((x.version == whole.version));
      }
    }
    BOOST_REQUIRE(d.head().removals.size() <= defaults::removals_max);
  }
  BOOST_TEST(differences > 1'000u);
}

BOOST_AUTO_TEST_CASE(who_knows_too_old_a_version_gets_everything) {
  desk d;
  d.limits.contacts_max = unlimited;
  auto n = defaults::removals_max;
  d.add(wanted(0, 2 * n + 1));
  auto known = d.head().version;
  for (size_t i = 0; i < n; ++i)
    d.remove({nth(i)});
  auto x = d.list(known);
  BOOST_TEST((x.since == known));
  BOOST_TEST(x.removed.size() == n);
  BOOST_TEST(x.contacts.empty());
  d.remove({nth(n)});
  x = d.list(known);
  BOOST_TEST((x.since == roster_version{}));
  BOOST_TEST(x.contacts.size() == n);
  BOOST_TEST(x.removed.empty());
  // One version later it need not.
  x = d.list(roster_version{known.value + 1});
  BOOST_TEST(x.removed.size() == n);
}

BOOST_AUTO_TEST_CASE(who_knows_a_version_that_never_was_gets_everything) {
  desk d;
  d.add(wanted(0, 3));
  auto x = d.list(roster_version{d.head().version.value + 1});
  BOOST_TEST((x.since == roster_version{}));
  BOOST_TEST(x.contacts.size() == 3u);
}

BOOST_AUTO_TEST_CASE(
  who_knows_a_version_of_an_earlier_account_gets_everything) {
  // Of the account before it a client knows any version up to the 50th.
  constexpr roster_version before_first{1'000};
  desk d;
  d.rules.load({}, before_first);
  for (size_t i = 0; i < 60; ++i)
    d.add(nth(i));
  for (uint64_t known = 1; known <= 50; ++known) {
    auto x = d.list(roster_version{known});
    BOOST_TEST((x.since == roster_version{}));
    BOOST_TEST(x.contacts.size() == 60u);
  }
  // Of this one it gets what it lacks.
  auto x = d.list(roster_version{before_first.value + 59});
  BOOST_TEST(x.contacts.size() == 1u);
}

BOOST_AUTO_TEST_CASE(what_changes_nothing_is_no_version) {
  desk d;
  d.add({{nth(0), "x", {}}});
  auto version = d.head().version;
  d.add({{nth(0), "x", {}}});
  d.remove({nth(1)});
  d.unsubscribe(nth(0));
  d.deny(nth(0));
  d.leaves(nth(0));
  d.review();
  BOOST_TEST((d.head().version == version));
  BOOST_TEST(d.last.writes.empty());
}

BOOST_AUTO_TEST_CASE(one_request_is_one_push) {
  desk d;
  d.add(wanted(0, 50));
  BOOST_REQUIRE(d.last.pushes.size() == 1u);
  BOOST_TEST(d.last.pushes[0].contacts.size() == 50u);
  BOOST_TEST(d.head().version.value == 1u);
  std::vector<std::string> whom;
  for (size_t i = 0; i < 50; ++i)
    whom.push_back(nth(i));
  d.remove(whom);
  BOOST_REQUIRE(d.last.pushes.size() == 1u);
  BOOST_TEST(d.last.pushes[0].removed.size() == 50u);
}

BOOST_AUTO_TEST_CASE(ten_thousand_at_once_are_as_quick_as_few_each) {
  auto n = defaults::contacts_at_once;
  desk d;
  d.limits.contacts_max = unlimited;
  auto start = std::chrono::steady_clock::now();
  auto took = [&](const char* what) {
    auto now = std::chrono::steady_clock::now();
    BOOST_TEST_MESSAGE(what
      << ": "
      << std::chrono::duration_cast<std::chrono::microseconds>(now - start)
           .count()
      << " us");
    start = std::chrono::steady_clock::now();
  };
  BOOST_TEST(d.add(wanted(0, n)).refused.empty());
  took("added");
  BOOST_TEST(d.head().contacts == n);
  auto x = d.import(wanted(0, n));
  took("subscribed to");
  BOOST_TEST(d.last.notes.size() == n);
  std::vector<std::string> whom;
  for (size_t i = 0; i < n; ++i)
    whom.push_back(nth(i));
  d.remove(whom);
  took("removed");
  BOOST_TEST(d.head().contacts == 0u);
  BOOST_TEST(d.head().removals.size() == defaults::removals_max);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace parley::test
