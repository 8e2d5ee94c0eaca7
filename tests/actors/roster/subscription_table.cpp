#include "actors/roster/subscription_table.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace parley::test {

namespace {

/// The states of RFC 6121, A.1: None, To, From, Both; then what is pending:
/// Out, In.
constexpr std::pair<std::string_view, subscription_state> states[] = {
  {"N", {half::none, half::none}},
  {"NO", {half::pending, half::none}},
  {"NI", {half::none, half::pending}},
  {"NOI", {half::pending, half::pending}},
  {"T", {half::active, half::none}},
  {"TI", {half::active, half::pending}},
  {"F", {half::none, half::active}},
  {"FO", {half::pending, half::active}},
  {"B", {half::active, half::active}},
};

/// A.2: what the user sends; A.3: what comes from the contact.
constexpr std::pair<std::string_view, subscription_event> events[] = {
  {"A.2.1", subscription_event::sends_subscribe},
  {"A.2.2", subscription_event::sends_unsubscribe},
  {"A.2.3", subscription_event::sends_subscribed},
  {"A.2.4", subscription_event::sends_unsubscribed},
  {"A.3.1", subscription_event::gets_subscribe},
  {"A.3.2", subscription_event::gets_unsubscribe},
  {"A.3.3", subscription_event::gets_subscribed},
  {"A.3.4", subscription_event::gets_unsubscribed},
};

/// The state after each event; `!`: it is routed (A.2) or delivered (A.3).
constexpr std::string_view tables[][9] = {
  // clang-format off
  //       A.2.1   A.2.2   A.2.3   A.2.4   A.3.1   A.3.2   A.3.3   A.3.4
  {"N",    "NO!",  "N!",   "N",    "N",    "NI!",  "N",    "N",    "N"},
  {"NO",   "NO!",  "N!",   "NO",   "NO",   "NOI!", "NO",   "T!",   "N!"},
  {"NI",   "NOI!", "NI!",  "F!",   "N!",   "NI",   "N!",   "NI",   "NI"},
  {"NOI",  "NOI!", "NI!",  "FO!",  "NO!",  "NOI",  "NO!",  "TI!",  "NI!"},
  {"T",    "T!",   "N!",   "T",    "T",    "TI!",  "T",    "T",    "N!"},
  {"TI",   "TI!",  "NI!",  "B!",   "T!",   "TI",   "T!",   "TI",   "NI!"},
  {"F",    "FO!",  "F!",   "F",    "N!",   "F",    "N!",   "F",    "F"},
  {"FO",   "FO!",  "F!",   "FO",   "NO!",  "FO",   "NO!",  "B!",   "F!"},
  {"B",    "B!",   "F!",   "B",    "T!",   "B",    "T!",   "B",    "F!"},
  // clang-format on
};

subscription_state state_of(std::string_view name) {
  for (const auto& [n, s] : states)
    if (n == name)
      return s;
  throw std::runtime_error{"no state " + std::string{name}};
}

std::string_view name_of(subscription_state x) {
  for (const auto& [n, s] : states)
    if (s == x)
      return n;
  return "?";
}

} // namespace

BOOST_AUTO_TEST_SUITE(subscription_table)

BOOST_AUTO_TEST_CASE(each_cell_of_the_rfcs_tables_is_kept) {
  size_t cells = 0;
  for (const auto& row : tables)
    for (size_t e = 0; e < std::size(events); ++e) {
      auto cell = row[e + 1];
      bool passes = cell.back() == '!';
      if (passes)
        cell.remove_suffix(1);
      auto got = step(state_of(row[0]), events[e].second);
      BOOST_TEST(name_of(got.next) == cell,
        row[0] << " at " << events[e].first << ": " << name_of(got.next)
               << ", not " << cell);
      BOOST_TEST(got.passes == passes,
        row[0] << " at " << events[e].first << ": passes");
      ++cells;
    }
  BOOST_TEST(cells == 72u);
}

BOOST_AUTO_TEST_CASE(every_state_can_be_reached_from_none) {
  std::set<std::string_view> reached{"N"};
  for (size_t before = 0; before != reached.size();) {
    before = reached.size();
    for (auto name : std::set{reached})
      for (const auto& [_, e] : events)
        reached.insert(name_of(step(state_of(name), e).next));
  }
  BOOST_TEST(reached.size() == std::size(states));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace parley::test
