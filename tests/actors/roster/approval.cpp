#include <boost/test/unit_test.hpp>

#include "actors/roster/privacy_rules.hpp"

#include "tests/actors/roster/desk.hpp"

namespace parley::test {

namespace {

using kind = subscription_note::kind;

constexpr std::string_view watcher = "watcher@example.net";

/// All that may be said of one watcher, each part by itself.
struct word {
  bool block = false;
  bool allow = false;
  approval domain = approval::by_default;
  approval own = approval::by_default;
  bool setting = true;

  /// Requirements, section 4: "in this order".
  verdict decides() const {
    if (block)
      return verdict::block;
    if (allow)
      return verdict::allow;
    for (auto x : {domain, own}) {
      if (x == approval::block)
        return verdict::block;
      if (x == approval::allow)
        return verdict::allow;
      if (x == approval::ask)
        return verdict::ask;
    }
    return setting ? verdict::allow : verdict::ask;
  }

  policy rules() const {
    policy p;
    p.presence_auto_approve = setting;
    return p;
  }

  /// Among what is said of others.
  parley::privacy privacy() const {
    auto list = [](bool with) {
      std::vector xs{person("a@example.net"), person("z@example.net")};
      if (with)
        xs.insert(xs.begin() + 1, person(watcher));
      return xs;
    };
    parley::privacy p;
    p.approve = own;
    p.block = list(block);
    p.allow = list(allow);
    p.domains = {{"elsewhere.org", approval::block}, {"net", approval::block},
      {"zone.org", approval::allow}};
    if (domain != approval::by_default)
      p.domains.insert(p.domains.begin() + 1, {"example.net", domain});
    return p;
  }

  set_privacy change() const {
    auto p = privacy();
    set_privacy x;
    x.approve = p.approve;
    x.allow = p.allow;
    x.block = p.block;
    x.domains = p.domains;
    return x;
  }
};

std::vector<word> all_words() {
  std::vector<word> xs;
  for (bool block : {false, true})
    for (bool allow : {false, true})
      for (auto domain :
        {approval::by_default, approval::allow, approval::ask, approval::block})
        for (auto own : {approval::by_default, approval::allow, approval::ask})
          for (bool setting : {false, true})
            xs.push_back({block, allow, domain, own, setting});
  return xs;
}

/// What a watcher is, as its presentity has it.
enum class standing : uint8_t { none, active, pending, pretended };

standing standing_of(const desk& d) {
  auto* x = d.find(std::string{watcher});
  if (!x)
    return standing::none;
  if (x->pretended)
    return x->what.subscription.from == half::none ? standing::pretended
                                                   : standing::none;
  switch (x->what.subscription.from) {
  case half::active:
    return standing::active;
  case half::pending:
    return standing::pending;
  default:
    return standing::none;
  }
}

standing given(verdict x) {
  return x == verdict::allow ? standing::active
    : x == verdict::ask      ? standing::pending
                             : standing::pretended;
}

/// Where one stands after the owner said something else.
standing moved(standing now, verdict later) {
  // Whoever is let in stays in, and a block is a mask.
  return now == standing::active ? now : given(later);
}

set_privacy only_blocks(const std::string& whom) {
  set_privacy x;
  x.block.emplace({person(whom)});
  return x;
}

} // namespace

BOOST_AUTO_TEST_SUITE(approval_order)

BOOST_AUTO_TEST_CASE(each_combination_is_decided_by_the_first_that_says_so) {
  auto who = person(watcher);
  auto words = all_words();
  BOOST_TEST(words.size() == 96u);
  for (const auto& w : words) {
    auto p = w.privacy();
    BOOST_REQUIRE((judge_watcher(p, who, w.rules()) == w.decides()));
    BOOST_REQUIRE(is_blocked(p, who) == (w.decides() == verdict::block));
  }
}

BOOST_AUTO_TEST_CASE(a_request_is_answered_as_that_says) {
  for (const auto& w : all_words()) {
    desk d;
    d.limits = w.rules();
    d.privacy(w.change());
    auto answer = d.asks(std::string{watcher});
    BOOST_REQUIRE((standing_of(d) == given(w.decides())));
    // Who is blocked is told what others are.
    if (w.decides() == verdict::ask)
      BOOST_REQUIRE(!answer);
    else
      BOOST_REQUIRE((answer == kind::subscribed));
    auto why =
      d.rules.refuses_watch(person("watcher2@example.net"), false, d.limits);
    auto same = w;
    same.block = same.allow = false;
    BOOST_REQUIRE(bool(why) == (same.decides() == verdict::ask));
  }
}

BOOST_AUTO_TEST_CASE(a_change_of_any_part_decides_what_waits_at_once) {
  auto words = all_words();
  for (const auto& before : words)
    for (const auto& after : words) {
      desk d;
      d.limits = before.rules();
      d.privacy(before.change());
      d.asks(std::string{watcher});
      auto was = standing_of(d);
      d.limits = after.rules();
      d.privacy(after.change());
      auto told = d.last.notes;
      d.review();
      told.insert(told.end(), d.last.notes.begin(), d.last.notes.end());
      auto expected = moved(was, after.decides());
      BOOST_REQUIRE((standing_of(d) == expected));
      // One that waited is told once; one that was told is not again.
      bool waited = was == standing::pending && expected != standing::pending;
      // One that was approved for show has to ask again.
      bool opened = was == standing::pretended && expected == standing::pending;
      BOOST_REQUIRE(told.size() == size_t{waited || opened});
      if (waited || opened)
        BOOST_REQUIRE(
          (told[0].what == (waited ? kind::subscribed : kind::ask_again)));
      BOOST_REQUIRE(d.head().requests == size_t{expected == standing::pending});
      BOOST_REQUIRE(d.head().watchers == size_t{expected != standing::pending});
    }
}

BOOST_AUTO_TEST_CASE(auto_approval_turned_on_decides_all_that_wait) {
  desk d;
  d.limits.presence_auto_approve = false;
  for (size_t i = 0; i < 10; ++i)
    BOOST_TEST(!d.asks(nth(i)));
  d.review();
  BOOST_TEST(d.head().requests == 10u);
  d.limits.presence_auto_approve = true;
  d.review();
  BOOST_TEST(d.head().requests == 0u);
  BOOST_TEST(d.head().watchers == 10u);
  BOOST_TEST(d.last.notes.size() == 10u);
  BOOST_TEST(d.last.views.size() == 10u);
}

BOOST_AUTO_TEST_CASE(one_who_is_blocked_is_in_no_list) {
  desk d;
  d.privacy(only_blocks(std::string{watcher}));
  auto version = d.head().version;
  d.asks(std::string{watcher});
  BOOST_TEST(d.head().watchers == 1u);
  BOOST_TEST((d.head().version == version));
  BOOST_TEST(d.last.pushes.empty());
  BOOST_TEST(d.list().contacts.empty());
}

BOOST_AUTO_TEST_CASE(one_who_is_blocked_is_removed_like_any_other) {
  auto whom = std::string{watcher};
  for (bool listed : {false, true})
    for (bool blocked : {false, true}) {
      desk d;
      if (listed)
        d.add(whom);
      if (blocked)
        d.privacy(only_blocks(whom));
      BOOST_TEST((d.asks(whom) == kind::subscribed));
      auto heard = d.find(whom)->heard;
      BOOST_TEST(d.remove({whom}).refused.empty());
      // Which is all that the watcher hears.
      BOOST_REQUIRE(d.last.notes.size() == 1u);
      BOOST_TEST((d.last.notes[0].what == kind::unsubscribed));
      BOOST_TEST(d.last.notes[0].number == heard);
      BOOST_TEST(!d.find(whom));
      BOOST_TEST(d.head().watchers == 0u);
      // Nobody is told that one is gone of whom nobody was told.
      BOOST_TEST(d.last.pushes.empty() == (blocked && !listed));
      d.remove({whom, whom});
      BOOST_TEST(d.last.notes.empty());
      BOOST_TEST((d.asks(whom) == kind::subscribed));
    }
}

BOOST_AUTO_TEST_CASE(an_approval_given_beforehand_is_used_up_once) {
  desk d;
  d.limits.presence_auto_approve = false;
  BOOST_TEST((d.approve(nth(0)).code == errc::none));
  BOOST_TEST(d.find(nth(0))->what.preapproved);
  BOOST_TEST((d.asks(nth(0)) == kind::subscribed));
  BOOST_TEST(!d.find(nth(0))->what.preapproved);
  d.leaves(nth(0));
  BOOST_TEST(!d.asks(nth(0)));
  // A refusal takes one back.
  d.deny(nth(0));
  d.approve(nth(0));
  d.deny(nth(0));
  BOOST_TEST(!d.asks(nth(0)));
}

BOOST_AUTO_TEST_CASE(an_approval_beforehand_ends_with_the_account_it_was_for) {
  // When the account of that name was removed: never, before the approval, at
  // the same time, after it.
  for (auto [removed, holds] : {std::pair{-9, true}, std::pair{-1, true},
         std::pair{0, false}, std::pair{1, false}}) {
    desk d;
    d.limits.presence_auto_approve = false;
    d.approve(nth(0));
    auto approved_at = d.find(nth(0))->approved_at;
    BOOST_TEST(approved_at == d.now);
    auto since =
      removed == -9 ? 0 : approved_at + static_cast<uint64_t>(removed);
    BOOST_TEST((d.asks(nth(0), since) == kind::subscribed) == holds);
    BOOST_TEST(d.head().requests == size_t{!holds});
    // Either way it is used up, which its user is told.
    BOOST_TEST(!d.find(nth(0))->what.preapproved);
    BOOST_TEST(d.disk.items.at(person(nth(0))).approved_at == 0u);
    BOOST_REQUIRE(d.last.pushes.size() == 1u);
    BOOST_TEST(!d.last.pushes[0].contacts.at(0).preapproved);
  }
}

BOOST_AUTO_TEST_CASE(an_approval_given_anew_is_for_the_account_that_is_there) {
  desk d;
  d.limits.presence_auto_approve = false;
  d.approve(nth(0));
  auto removed = ++d.now;
  d.approve(nth(0));
  BOOST_TEST((d.asks(nth(0), removed) == kind::subscribed));
}

BOOST_AUTO_TEST_CASE(an_approval_without_a_time_holds_until_any_removal) {
  for (uint64_t removed : {0, 1}) {
    desk d;
    d.limits.presence_auto_approve = false;
    roster_item old;
    old.what.address = person(nth(0));
    old.what.preapproved = true;
    d.disk.items[old.what.address] = old;
    d.disk.head.contacts = 1;
    d.rules.load(d.disk.read());
    BOOST_TEST((d.asks(nth(0), removed) == kind::subscribed) == (removed == 0));
  }
}

// Whoever that was may be gone when others have answered.
BOOST_AUTO_TEST_CASE(an_approval_is_for_who_was_there_when_it_was_asked_for) {
  recorder fx;
  roster_rules r{person("owner@example.org"), 0, fx};
  r.approve(session_id{1}, {}, person(nth(0)), {}, 5);
  auto checks = fx.take().checks;
  BOOST_REQUIRE(checks.size() == 1u);
  r.checked(checks[0].ticket, {contact_verdict{}}, {}, 9);
  BOOST_REQUIRE(r.items().find(person(nth(0))));
  BOOST_TEST(r.items().find(person(nth(0)))->approved_at == 5u);
}

BOOST_AUTO_TEST_CASE(an_approval_of_one_who_is_blocked_ends_with_its_account) {
  auto whom = std::string{watcher};
  set_privacy nobody;
  nobody.block.emplace();
  desk d;
  d.limits.presence_auto_approve = false;
  d.privacy(only_blocks(whom));
  d.approve(whom);
  BOOST_TEST((d.asks(whom, d.now + 1) == kind::subscribed));
  BOOST_TEST((standing_of(d) == standing::pretended));
  BOOST_TEST(!d.find(whom)->what.preapproved);
  d.privacy(nobody);
  BOOST_TEST((standing_of(d) == standing::pending));
}

BOOST_AUTO_TEST_CASE(who_saw_by_an_earlier_account_asks_like_anybody) {
  for (bool blocked : {false, true}) {
    auto whom = std::string{watcher};
    desk d;
    if (blocked)
      d.privacy(only_blocks(whom));
    BOOST_TEST((d.asks(whom) == kind::subscribed));
    set_privacy asking;
    asking.approve = approval::ask;
    asking.block.emplace();
    d.privacy(asking);
    if (blocked)
      d.approve(whom);
    // Whose last word has not come yet.
    d.now += 10;
    const auto removed = d.now;
    d.now += 10;
    BOOST_TEST(!d.asks(whom, removed));
    BOOST_TEST((standing_of(d) == standing::pending));
    BOOST_TEST(d.head().watchers == 0u);
    BOOST_TEST(d.last.views.size() == 1u);
    d.approve(whom);
    BOOST_TEST((d.asks(whom, removed) == kind::subscribed));
    BOOST_TEST((standing_of(d) == standing::active));
  }
}

BOOST_AUTO_TEST_CASE(an_earlier_account_takes_no_place_from_a_later_one) {
  desk d;
  d.limits.watchers_max = 1;
  BOOST_TEST((d.asks(nth(0)) == kind::subscribed));
  d.now += 10;
  const auto removed = d.now;
  d.now += 10;
  BOOST_TEST((d.asks(nth(0), removed) == kind::subscribed));
  BOOST_TEST(d.head().watchers == 1u);
}

BOOST_AUTO_TEST_CASE(each_wish_says_when_its_name_was_removed) {
  desk d{"owner@example.org", 300};
  d.absent.insert(person(nth(1)));
  auto said = [&d] { return d.last.notes.at(0); };
  d.subscribe(nth(0));
  BOOST_TEST((said().what == kind::subscribe));
  BOOST_TEST(said().since == 300u);
  BOOST_TEST(said().number > 300u);
  d.import(wanted(1, 2));
  BOOST_TEST((said().what == kind::subscribe_ahead));
  BOOST_TEST(said().since == 300u);
  d.says(nth(0), kind::subscribed);
  d.says(nth(0), kind::ask_again);
  BOOST_TEST((said().what == kind::subscribe));
  BOOST_TEST(said().since == 300u);
  d.unsubscribe(nth(0));
  BOOST_TEST(said().since == 0u);
}

BOOST_AUTO_TEST_CASE(an_approval_of_one_who_is_blocked_holds_from_its_end_on) {
  auto whom = std::string{watcher};
  set_privacy nobody;
  nobody.block.emplace();
  for (bool listed : {false, true})
    for (bool asked_first : {false, true}) {
      desk d;
      d.limits.presence_auto_approve = false;
      if (listed)
        d.add(whom);
      d.privacy(only_blocks(whom));
      if (asked_first)
        BOOST_TEST((d.asks(whom) == kind::subscribed));
      BOOST_TEST((d.approve(whom).code == errc::none));
      // The watcher hears nothing of it.
      BOOST_TEST(d.last.notes.empty());
      BOOST_TEST(d.last.views.empty());
      if (!asked_first)
        BOOST_TEST((d.asks(whom) == kind::subscribed));
      BOOST_TEST((standing_of(d) == standing::pretended));
      // What its user is told is what it is told of anybody who has not asked.
      auto told = d.list().contacts;
      BOOST_REQUIRE(told.size() == 1u);
      BOOST_TEST(told[0].listed);
      BOOST_TEST(told[0].preapproved);
      BOOST_TEST((told[0].subscription == subscription_state{}));
      d.privacy(nobody);
      BOOST_TEST(d.last.notes.empty());
      BOOST_TEST(d.last.views.size() == 1u);
      BOOST_TEST((standing_of(d) == standing::active));
      BOOST_TEST(!d.find(whom)->what.preapproved);
      BOOST_TEST(d.head().watchers == 1u);
      BOOST_TEST(d.head().requests == 0u);
    }
}

BOOST_AUTO_TEST_CASE(an_approval_of_one_who_is_blocked_can_be_taken_back) {
  auto whom = std::string{watcher};
  set_privacy nobody;
  nobody.block.emplace();
  desk d;
  d.limits.presence_auto_approve = false;
  d.privacy(only_blocks(whom));
  d.asks(whom);
  d.approve(whom);
  d.deny(whom);
  BOOST_TEST(!d.find(whom)->what.preapproved);
  d.asks(whom);
  d.privacy(nobody);
  BOOST_TEST((standing_of(d) == standing::pending));
}

BOOST_AUTO_TEST_CASE(sharing_is_general_unless_one_may_say_otherwise) {
  for (bool general : {false, true})
    for (bool override : {false, true})
      for (auto own : {sharing::by_default, sharing::on, sharing::off}) {
        policy p;
        p.presence_sharing = general;
        p.presence_sharing_override = override;
        parley::privacy x;
        x.sharing = own;
        bool expected = own == sharing::off ? false
          : general                         ? true
                                            : own == sharing::on && override;
        BOOST_TEST(shares_presence(x.sharing, p) == expected);
      }
}

BOOST_AUTO_TEST_CASE(privacy_is_told_to_others_and_only_if_it_changed) {
  desk d;
  set_privacy p;
  p.approve = approval::ask;
  d.privacy(p);
  BOOST_REQUIRE(d.last.privacies.size() == 1u);
  BOOST_TEST((d.last.privacies[0].second.approve == approval::ask));
  BOOST_TEST(d.last.all_views == 1u);
  BOOST_TEST((d.disk.head.privacy.approve == approval::ask));
  d.privacy(p);
  BOOST_TEST(d.last.privacies.empty());
  BOOST_TEST(d.last.writes.empty());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace parley::test
