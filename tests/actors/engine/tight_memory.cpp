#include "tests/actors/engine/cases.hpp"

#include "protocol/defaults.hpp"
#include "protocol/defaults_memory.hpp"

// Who has to go where memory is tight.
namespace parley::test {

namespace {

using namespace std::chrono_literals;
using habit = simulated_client::habit;

BOOST_AUTO_TEST_SUITE(tight_memory)

policy patient_rules() {
  policy x;
  x.session_buffer = 300;
  x.im_grace_ms = 600'000;
  return x;
}

/// Carol and bob leave as much untaken, and nobody else anything.
void leave_untaken(engine& e, uint64_t ims) {
  for (auto& name : {alice, carol, bob})
    e.make_account(name);
  auto& a = e.sign_in(alice, "desk");
  for (auto& name : {carol, bob}) {
    e.sign_in(name, "desk").acknowledging = habit::silent;
    for (uint64_t i = 0; i < ims; ++i)
      a.send(name);
  }
  e.settle();
}

BOOST_AUTO_TEST_CASE(where_memory_is_tight_who_takes_nothing_has_to_go) {
  constexpr uint64_t ims = 60;
  constexpr auto patience = defaults::budget_patience;
  const auto rules = patient_rules();
  engine plenty{1, rules};
  leave_untaken(plenty, ims);
  const auto held = plenty.budget->total();
  plenty.advance(2 * patience);
  BOOST_TEST(plenty.budget->ended_sessions == 0u);

  // Just before the reserve.
  constexpr auto parts = defaults::budget_reserve_share;
  engine e{1, rules, held * parts / (parts - 1) + 1024};
  leave_untaken(e, ims);
  const auto max = e.budget->max();
  BOOST_REQUIRE(e.budget->total() < max - max / parts);
  BOOST_REQUIRE(e.budget->total() >= max - max / defaults::budget_tight_share);
  auto &c = *e.clients[1], &b = *e.clients[2];
  e.advance(patience - 1s);
  BOOST_TEST(e.budget->ended_sessions == 0u);
  b.acknowledge(5);
  e.advance(2s);
  BOOST_TEST(e.budget->ended_sessions == 1u);
  BOOST_TEST(c.closed == "overloaded");
  // There is enough now, and what carol has not taken is on disk.
  e.advance(2 * patience);
  BOOST_TEST(b.is_in());
  BOOST_TEST(e.on_disk(carol).size() == ims);
}

/// Others hold so much that memory is tight.
book_entry fill_until_tight(engine& e) {
  const auto max = e.budget->max();
  book_entry x{e.budget->of(0), held_for::outputs};
  x.is(max - max / defaults::budget_tight_share);
  return x;
}

BOOST_AUTO_TEST_CASE(who_was_idle_before_has_all_its_time_to_take_it) {
  constexpr size_t ims = 60;
  constexpr auto patience = defaults::budget_patience;
  engine e{1, patient_rules()};
  auto others = fill_until_tight(e);
  e.make_account(alice);
  e.make_account(bob);
  auto& a = e.sign_in(alice, "desk");
  auto& b = e.sign_in(bob, "desk");
  b.acknowledging = habit::silent;
  e.advance(3 * patience);
  for (size_t i = 0; i < ims; ++i)
    a.send(bob);
  e.advance(patience - 1s);
  BOOST_TEST(b.is_in());
  e.advance(2s);
  BOOST_TEST(b.closed == "overloaded");
  BOOST_TEST(a.is_in());
  BOOST_TEST(e.on_disk(bob).size() == ims);
}

BOOST_AUTO_TEST_CASE(who_is_away_and_takes_nothing_loses_the_session_alone) {
  constexpr size_t ims = 60;
  constexpr auto patience = defaults::budget_patience;
  engine e{1, patient_rules()};
  auto others = fill_until_tight(e);
  leave_untaken(e, 0);
  auto &a = *e.clients[0], &c = *e.clients[1], &b = *e.clients[2];
  for (auto* x : {&c, &b}) {
    x->acknowledge();
    x->take_nothing(true);
    for (size_t i = 0; i < ims; ++i)
      a.send(x->name);
  }
  e.settle();
  for (auto* x : {&c, &b})
    x->cut();
  e.advance(patience - 1s);
  b.resume();
  // Who has come back has time to take it.
  e.advance(patience - 1s);
  BOOST_TEST(e.budget->ended_sessions == 1u);
  BOOST_TEST(b.resumed);
  for (auto* x : {&c, &b}) {
    x->take_nothing(false);
    x->acknowledging = habit::prompt;
  }
  c.resume();
  e.settle();
  BOOST_TEST(!c.resumed);
  for (auto* x : {&c, &b}) {
    BOOST_TEST(x->is_in());
    BOOST_TEST(x->got.size() == ims);
    BOOST_TEST(x->again.empty());
  }
}

BOOST_AUTO_TEST_CASE(who_takes_something_at_the_last_moment_stays) {
  constexpr size_t ims = 60;
  constexpr auto patience = defaults::budget_patience;
  size_t last_moments = 0;
  for (auto late = 0ms; late < 2s; late += 50ms) {
    engine e{1, patient_rules()};
    auto others = fill_until_tight(e);
    leave_untaken(e, ims);
    auto& b = *e.clients[2];
    e.advance(patience + late);
    if (!b.is_in())
      continue;
    ++last_moments;
    b.acknowledge(5);
    e.advance(patience - 2s);
    BOOST_TEST(b.is_in(), late.count());
  }
  BOOST_TEST(last_moments >= 10u);
  BOOST_TEST(last_moments < 40u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
