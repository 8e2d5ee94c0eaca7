#include "actors/roster/subscription_table.hpp"

#include <array>

namespace parley {

namespace {

struct cell {
  half next;
  bool passes;
};

/// One half is wished by its user and decided by the other.
using row = std::array<cell, 3>; // by half: none, pending, active

constexpr auto none = half::none;
constexpr auto pending = half::pending;
constexpr auto active = half::active;

/// Each event touches one half and leaves the other as it is.
struct rule {
  half subscription_state::*touches;
  row cells;
};

constexpr std::array<rule, 8> table{{
  // A.2.1 sends subscribe
  {&subscription_state::to,
    {{{pending, true}, {pending, true}, {active, true}}}},
  // A.2.2 sends unsubscribe
  {&subscription_state::to, {{{none, true}, {none, true}, {none, true}}}},
  // A.2.3 sends subscribed
  {&subscription_state::from,
    {{{none, false}, {active, true}, {active, false}}}},
  // A.2.4 sends unsubscribed
  {&subscription_state::from, {{{none, false}, {none, true}, {none, true}}}},
  // A.3.1 gets subscribe
  {&subscription_state::from,
    {{{pending, true}, {pending, false}, {active, false}}}},
  // A.3.2 gets unsubscribe
  {&subscription_state::from, {{{none, false}, {none, true}, {none, true}}}},
  // A.3.3 gets subscribed
  {&subscription_state::to, {{{none, false}, {active, true}, {active, false}}}},
  // A.3.4 gets unsubscribed
  {&subscription_state::to, {{{none, false}, {none, true}, {none, true}}}},
}};

} // namespace

subscription_step step(
  subscription_state from, subscription_event what) noexcept {
  const auto& r = table[static_cast<size_t>(what)];
  const auto& c = r.cells[static_cast<size_t>(from.*r.touches)];
  from.*r.touches = c.next;
  return {from, c.passes};
}

} // namespace parley
