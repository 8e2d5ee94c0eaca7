#include "actors/roster/presentity.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <random>

namespace parley::test {

namespace {

const user_address& who() {
  static const auto x = *user_address::parse("who@example.org");
  return x;
}

endpoint_presence at(const std::string& name, show what,
  const std::string& status = {}, int8_t priority = 0) {
  return {endpoint_name::from_prepared(name), {what, status, priority}};
}

/// A watcher's screen.
struct screen {
  std::map<std::string, availability> endpoints;
  bool unknown = false;
  /// Of the last notice.
  show composed = show::unavailable;
  std::string composed_status;
  size_t unavailable = 0;

  void take(const std::vector<shared<presence_notice>>& xs) {
    for (const auto& n : xs) {
      BOOST_REQUIRE((n->from.user == who()));
      auto name = n->from.endpoint.str();
      composed = n->composed;
      composed_status = n->composed_status;
      unknown = n->what.show == show::unknown;
      if (name.empty()) {
        BOOST_REQUIRE((unknown || n->what.show == show::unavailable));
        endpoints.clear();
      } else if (n->what.show == show::unavailable) {
        // Once, and only of one that was there.
        ++unavailable;
        BOOST_REQUIRE(endpoints.erase(name) == 1u);
      } else {
        endpoints[name] = n->what;
      }
    }
  }

  void check(const presentity& truth) const {
    std::map<std::string, availability> expected;
    for (const auto& e : truth.endpoints)
      expected[e->from.endpoint.str()] = e->what;
    BOOST_REQUIRE(endpoints == expected);
    BOOST_REQUIRE(unknown == truth.unknown);
    if (!truth.endpoints.empty()) {
      BOOST_REQUIRE((composed == truth.endpoints[0]->composed));
      BOOST_REQUIRE(composed_status == truth.endpoints[0]->composed_status);
    } else if (!truth.unknown) {
      BOOST_REQUIRE((composed == show::unavailable));
      BOOST_REQUIRE(composed_status.empty());
    }
  }
};

presentity unknown(uint64_t version) {
  presentity x;
  x.who = who();
  x.version = version;
  x.unknown = true;
  return x;
}

} // namespace

BOOST_AUTO_TEST_SUITE(presentity_rules)

BOOST_AUTO_TEST_CASE(do_not_disturb_rules_the_line_then_the_most_reachable) {
  constexpr show ranks[] = {
    show::dnd, show::chat, show::available, show::away, show::xa};
  for (size_t i = 0; i < std::size(ranks); ++i)
    for (size_t k = i + 1; k < std::size(ranks); ++k)
      for (bool turned : {false, true}) {
        // Priority counts among equals alone.
        std::vector xs{at("a", ranks[i], "first", 0), at("b", ranks[k], "", 9)};
        if (turned)
          std::swap(xs[0].what, xs[1].what);
        auto x = compose(xs);
        BOOST_TEST((x.show == ranks[i]));
        BOOST_TEST(x.status == "first");
      }
  BOOST_TEST((compose({}).show == show::unavailable));
}

BOOST_AUTO_TEST_CASE(of_equals_the_higher_priority_gives_the_status) {
  std::vector xs{at("a", show::away, "a", 1), at("b", show::away, "b", 2),
    at("c", show::away, "c", 2)};
  BOOST_TEST(compose(xs).status == "b");
  xs[0].what.priority = 3;
  BOOST_TEST(compose(xs).status == "a");
}

BOOST_AUTO_TEST_CASE(do_not_disturb_of_one_leaves_the_others_as_they_are) {
  std::vector xs{at("a", show::available), at("b", show::dnd, "busy")};
  auto p = make_presentity(who(), 1, xs, {});
  BOOST_REQUIRE(p.endpoints.size() == 2u);
  BOOST_TEST((p.endpoints[0]->what.show == show::available));
  BOOST_TEST((p.endpoints[0]->composed == show::dnd));
  BOOST_TEST(p.endpoints[0]->composed_status == "busy");
}

BOOST_AUTO_TEST_CASE(a_notice_that_says_the_same_is_the_same) {
  std::vector xs{at("a", show::available), at("b", show::away)};
  auto p = make_presentity(who(), 1, xs, {});
  xs[1].what.show = show::xa;
  auto q = make_presentity(who(), 2, xs, p);
  BOOST_TEST((p.endpoints[0] == q.endpoints[0]));
  BOOST_TEST(!(p.endpoints[1] == q.endpoints[1]));
  auto d = difference(&p, q);
  BOOST_REQUIRE(d.size() == 1u);
  BOOST_TEST((d[0] == q.endpoints[1]));
  BOOST_TEST(difference(&q, q).empty());
}

BOOST_AUTO_TEST_CASE(who_leaves_has_a_last_word_and_no_part_in_the_line) {
  std::vector xs{at("a", show::xa), at("b", show::chat)};
  auto p = make_presentity(who(), 1, xs, {});
  xs[1].what = {show::unavailable, "bye", 9};
  auto q = make_presentity(who(), 2, xs, p);
  BOOST_TEST(q.endpoints.size() == 1u);
  BOOST_TEST((q.endpoints[0]->composed == show::xa));
  BOOST_TEST(q.endpoints[0]->composed_status.empty());
  auto d = difference(&p, q);
  BOOST_REQUIRE(d.size() == 1u);
  BOOST_TEST((d[0]->what == availability{show::unavailable, "bye", 0}));
  xs[1].what.status = "again";
  BOOST_TEST(difference(&q, make_presentity(who(), 3, xs, q)).empty());
}

BOOST_AUTO_TEST_CASE(who_was_told_nothing_hears_of_no_absence) {
  auto nobody = make_presentity(who(), 1, {}, {});
  BOOST_TEST(difference(nullptr, nobody).empty());
}

BOOST_AUTO_TEST_CASE(unknown_is_told_once_from_the_bare_address) {
  auto p = make_presentity(who(), 1, std::vector{at("a", show::chat)}, {});
  auto u = unknown(2);
  for (const auto* before : {static_cast<const presentity*>(nullptr),
         static_cast<const presentity*>(&p)}) {
    auto d = difference(before, u);
    BOOST_REQUIRE(d.size() == 1u);
    BOOST_TEST(d[0]->from.endpoint.empty());
    BOOST_TEST((d[0]->what.show == show::unknown));
  }
  BOOST_TEST(difference(&u, unknown(3)).empty());
  // And back, to whoever is there and to nobody.
  BOOST_TEST((difference(&u, p) == p.endpoints));
  auto d = difference(&u, make_presentity(who(), 4, {}, {}));
  BOOST_REQUIRE(d.size() == 1u);
  BOOST_TEST((d[0]->what.show == show::unavailable));
}

BOOST_AUTO_TEST_CASE(whatever_versions_are_skipped_the_truth_is_shown) {
  auto seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937_64 random{seed};
  auto pick = [&](size_t n) {
    return std::uniform_int_distribution<size_t>{0, n - 1}(random);
  };
  constexpr std::string_view names[] = {"a", "b", "c", "d"};
  struct watcher {
    screen shows;
    presentity told;
    bool any = false;
  };
  size_t gone = 0;
  for (size_t round = 0; round < 200; ++round) {
    std::map<std::string, availability> now;
    presentity truth;
    truth.who = who();
    std::vector<watcher> watchers(5);
    for (uint64_t version = 1; version < 100; ++version) {
      auto name = std::string{names[pick(std::size(names))]};
      if (pick(3) == 0)
        now.erase(name);
      else
        now[name] = {
          show(pick(5)), pick(2) ? "s" : "", static_cast<int8_t>(pick(2))};
      std::vector<endpoint_presence> xs;
      for (const auto& [n, a] : now)
        xs.push_back({endpoint_name::from_prepared(n), a});
      auto next = pick(15) == 0 ? unknown(version)
                                : make_presentity(who(), version, xs, truth);
      truth = next;
      for (size_t i = 0; i < watchers.size(); ++i) {
        auto& w = watchers[i];
        // The first misses nothing; others see ever fewer versions.
        if (pick(i + 1) != 0)
          continue;
        w.shows.take(difference(w.any ? &w.told : nullptr, truth));
        w.shows.check(truth);
        w.told = truth;
        w.any = true;
      }
    }
    for (const auto& w : watchers)
      gone += w.shows.unavailable;
  }
  BOOST_TEST(gone > 1'000u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace parley::test
