#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <memory>
#include <random>

#include "tests/actors/roster/pair.hpp"

namespace parley::test {

namespace {

/// Two rosters that go ahead of their disks: effects are held back until what
/// was asked for before them is written, questions are answered later, and a
/// crash takes whatever is not written.
class live_pair {
public:
  explicit live_pair(uint64_t seed) : x_random(seed) {
    start(0);
    start(1);
  }

  void go(size_t steps) {
    for (size_t i = 0; i < steps; ++i)
      one_step();
    rest();
  }

  /// What is wrong at rest.
  std::optional<std::string> wrong() {
    for (size_t i = 0; i < 2; ++i) {
      auto& s = x_sides[i];
      if (counted(*s.rules) != counts(s.rules->head()))
        return "the head's counts are wrong";
      if (!s.disk.holds(s.rules->items()) || s.rules->head() != s.disk.head)
        return "what is on disk is not what is known";
      for (const auto& [whom, sees] : s.sees) {
        auto x = s.rules->items().brief(whom);
        if (sees != (x && x->subscription.to == half::active))
          return "is told wrongly whom it sees";
      }
    }
    pair_state x;
    x.disks = {x_sides[0].disk, x_sides[1].disk};
    x.now = x_now;
    x.auto_approve = x_policy.presence_auto_approve;
    for (const auto& d : x.disks)
      if (!d.notes.empty())
        return "a note is never confirmed";
    auto w = x.wrong_for_good(pick(2));
    return w ? *w + x.text() : w;
  }

  size_t crashes = 0;
  size_t repeated = 0;

private:
  struct side {
    roster_disk disk;
    std::unique_ptr<recorder> fx;
    std::unique_ptr<roster_rules> rules;
    /// Asked for, not written.
    std::deque<asked_for> batches;
    std::vector<asked_for::check> checks;
    std::map<user_address, bool> sees;
  };

  size_t pick(size_t n) {
    return std::uniform_int_distribution<size_t>{0, n - 1}(x_random);
  }

  void start(size_t i) {
    auto& s = x_sides[i];
    s.fx = std::make_unique<recorder>();
    s.rules = std::make_unique<roster_rules>(one_of_pair(i), 0, *s.fx);
    s.rules->load(s.disk.read());
    s.batches.clear();
    s.checks.clear();
    s.sees.clear();
  }

  void collect(size_t i) {
    x_sides[i].batches.push_back(x_sides[i].fx->take());
  }

  void write(size_t i) {
    auto& s = x_sides[i];
    if (s.batches.empty())
      return;
    auto x = std::move(s.batches.front());
    s.batches.pop_front();
    for (const auto& w : x.writes)
      s.disk.apply(one_of_pair(i), w);
    // On disk, but nobody was told.
    if (pick(150) == 0)
      return crash(i);
    for (auto& n : x.notes)
      x_net.push_back({false, n});
    for (auto& n : x.confirmed)
      x_net.push_back({true, n});
    for (auto& c : x.checks)
      s.checks.push_back(c);
    for (const auto& [whom, on] : x.watches)
      s.sees[whom] = on;
  }

  /// One loses its memory, and all that is on its way is lost; then both send
  /// again what they keep.
  void crash(size_t i) {
    ++crashes;
    x_net.clear();
    start(i);
    for (auto& s : x_sides)
      for (const auto& [_, n] : s.disk.notes)
        x_net.push_back({false, n});
  }

  void deliver() {
    if (x_net.empty())
      return;
    auto at = static_cast<ptrdiff_t>(pick(x_net.size()));
    auto m = x_net[static_cast<size_t>(at)];
    if (!x_resting && pick(5) == 0)
      ++repeated; // and comes again
    else
      x_net.erase(x_net.begin() + at);
    const auto& to = m.confirms ? m.note.from : m.note.to;
    size_t i = to == one_of_pair(1);
    if (m.confirms) {
      x_sides[i].disk.apply(to, remove_note{m.note});
      return;
    }
    x_sides[i].rules->receive(m.note, x_policy, ++x_now);
    collect(i);
  }

  void answer(size_t i) {
    auto& s = x_sides[i];
    if (s.checks.empty())
      return;
    auto c = s.checks.back();
    s.checks.pop_back();
    auto why = why_not(x_sides[1 - i].disk, c.watched, x_policy);
    s.rules->checked(c.ticket, {why}, x_policy, ++x_now);
    collect(i);
  }

  void one_step() {
    auto i = pick(2);
    switch (pick(12)) {
    case 0:
      x_policy.presence_auto_approve = pick(2);
      for (size_t k = 0; k < 2; ++k) {
        x_sides[k].rules->review(x_policy);
        collect(k);
      }
      break;
    case 1:
      if (pick(10) == 0)
        crash(i);
      break;
    case 2:
    case 3:
    case 4: {
      auto d = deed(pick(deeds));
      perform(*x_sides[i].rules, d, one_of_pair(1 - i), x_policy, ++x_now);
      collect(i);
      break;
    }
    case 5:
      answer(i);
      break;
    case 6:
    case 7:
    case 8:
      write(i);
      break;
    default:
      deliver();
      break;
    }
  }

  bool is_busy() const {
    if (!x_net.empty())
      return true;
    return std::any_of(x_sides.begin(), x_sides.end(),
      [](const side& s) { return !s.batches.empty() || !s.checks.empty(); });
  }

  void rest() {
    x_resting = true;
    while (is_busy()) {
      auto i = pick(2);
      write(i);
      answer(i);
      deliver();
    }
  }

  std::mt19937_64 x_random;
  std::array<side, 2> x_sides;
  std::vector<in_flight> x_net;
  policy x_policy;
  uint64_t x_now = 1;
  bool x_resting = false;
};

} // namespace

BOOST_AUTO_TEST_SUITE(random_pair)

BOOST_AUTO_TEST_CASE(both_halves_agree_after_crashes_losses_and_repetitions) {
  size_t crashes = 0;
  size_t repeated = 0;
  auto first = std::random_device{}();
  for (uint64_t seed = first; seed < first + 20'000ull; ++seed) {
    live_pair x{seed};
    x.go(20 + seed % 200);
    auto w = x.wrong();
    BOOST_REQUIRE_MESSAGE(!w, "seed " << seed << ": " << *w);
    crashes += x.crashes;
    repeated += x.repeated;
  }
  BOOST_TEST_MESSAGE(crashes << " crashes, " << repeated << " repeated");
  BOOST_TEST(crashes > 1'000u);
  BOOST_TEST(repeated > 1'000u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace parley::test
