#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "tests/actors/roster/pair.hpp"

namespace parley::test {

namespace {

/// How the network treats what is on its way.
enum class order : uint8_t {
  /// From one to the other in the order of sending.
  kept,
  any,
};

/// All states that a pair can come to by so many deeds, with each order of
/// deliveries between them; breadth first, so that what is found is short.
class walk {
public:
  walk(order how, size_t deeds_max, size_t crashes_max)
    : x_how(how),
      x_deeds_max(deeds_max),
      x_crashes_max(crashes_max),
      x_levels(deeds_max + 1) {}

  /// Calls `at_rest` with each state in which nothing is on its way; what that
  /// finds wrong ends it.
  template <class F>
  void go(F at_rest) {
    add({}, none, "", 0, 0);
    // All states of fewer deeds come first: each is looked at once.
    for (size_t made = 0; made <= x_deeds_max; ++made)
      for (size_t i = 0; i < x_levels[made].size() && x_wrong.empty(); ++i)
        leave(x_levels[made][i], at_rest);
    BOOST_TEST(x_wrong.empty(), x_wrong);
  }

  size_t resting = 0;
  size_t states() const noexcept { return x_nodes.size(); }

private:
  static constexpr size_t none = SIZE_MAX;
  struct node {
    size_t parent;
    std::string by;
    size_t deeds;
    size_t crashes;
  };

  template <class F>
  void leave(size_t at, F& at_rest) {
    auto n = x_nodes[at];
    auto here = std::move(x_states[at]);
    if (here->is_quiet()) {
      ++resting;
      if (auto w = at_rest(*here))
        fail(at, *w + here->text());
    }
    for (size_t side = 0; side < 2; ++side) {
      auto choices = x_how == order::kept
        ? std::min<size_t>(here->net[side].size(), 1)
        : here->net[side].size();
      for (size_t i = 0; i < choices; ++i)
        next(at, *here, "", n.deeds, n.crashes,
          [&](pair_state& x) { return x.deliver(side, i, false); });
    }
    if (n.crashes < x_crashes_max && !here->is_quiet())
      next(at, *here, "crash", n.deeds, n.crashes + 1,
        [](pair_state& x) -> std::optional<std::string> {
          x.crash();
          return std::nullopt;
        });
    if (n.deeds == x_deeds_max)
      return;
    for (size_t side = 0; side < 2; ++side)
      for (size_t d = 0; d < deeds; ++d)
        next(at, *here,
          one_of_pair(side).str() + " " + std::string{to_string(deed(d))},
          n.deeds + 1, n.crashes,
          [&](pair_state& x) { return x.perform(side, deed(d)); });
    next(at, *here, "auto-approval turned", n.deeds + 1, n.crashes,
      [](pair_state& x) { return x.turn_auto_approval(); });
  }

  template <class F>
  void next(size_t at, const pair_state& from, std::string by, size_t made,
    size_t crashes, F act) {
    auto x = from;
    if (by.empty() && !from.is_quiet())
      by = "delivery";
    if (auto w = act(x))
      fail(at, by + ": " + *w + x.text());
    else
      add(std::move(x), at, std::move(by), made, crashes);
  }

  void add(
    pair_state x, size_t parent, std::string by, size_t made, size_t crashes) {
    auto key = x.key();
    key.push_back(static_cast<char>(crashes));
    if (!x_seen.insert(std::move(key)).second)
      return;
    x_levels[made].push_back(x_nodes.size());
    x_nodes.push_back({parent, std::move(by), made, crashes});
    x_states.push_back(std::make_unique<pair_state>(std::move(x)));
  }

  void fail(size_t at, const std::string& what) {
    std::string trail;
    for (auto i = at; i != none; i = x_nodes[i].parent)
      trail = "\n  " + x_nodes[i].by + trail;
    if (x_wrong.empty())
      x_wrong = "after" + trail + "\n" + what;
  }

  order x_how;
  size_t x_deeds_max;
  size_t x_crashes_max;
  std::unordered_set<std::string> x_seen;
  std::vector<node> x_nodes;
  std::vector<std::unique_ptr<pair_state>> x_states;
  std::vector<std::vector<size_t>> x_levels;
  std::string x_wrong;
};

/// What comes late, when the end of it was forgotten, leaves a half behind.
std::optional<std::string> in_the_end(const pair_state& x, size_t& healed) {
  if (!x.wrong())
    return std::nullopt;
  ++healed;
  auto w = x.wrong_for_good(true);
  return w ? w : x.wrong_for_good(false);
}

} // namespace

BOOST_AUTO_TEST_SUITE(every_order)

BOOST_AUTO_TEST_CASE(both_halves_agree_once_everything_has_arrived) {
  walk w{order::kept, 4, 0};
  w.go([](const pair_state& x) { return x.wrong(); });
  BOOST_TEST_MESSAGE(w.states() << " states, " << w.resting << " at rest");
  BOOST_TEST(w.resting > 1'000u);
}

BOOST_AUTO_TEST_CASE(both_halves_agree_after_crashes) {
  walk w{order::kept, 3, 2};
  size_t healed = 0;
  w.go([&](const pair_state& x) { return in_the_end(x, healed); });
  BOOST_TEST_MESSAGE(w.states() << " states, " << w.resting << " at rest, "
                                << healed << " healed when they met");
  BOOST_TEST(w.resting > 500u);
}

BOOST_AUTO_TEST_CASE(both_halves_agree_though_notes_overtake_each_other) {
  walk w{order::any, 3, 1};
  size_t healed = 0;
  w.go([&](const pair_state& x) { return in_the_end(x, healed); });
  BOOST_TEST_MESSAGE(w.states() << " states, " << w.resting << " at rest, "
                                << healed << " healed when they met");
  BOOST_TEST(w.resting > 500u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace parley::test
