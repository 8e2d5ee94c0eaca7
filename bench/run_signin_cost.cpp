#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include "bench/bench_run.hpp"
#include "bench/scenarios.hpp"
#include "bench/signin_load.hpp"

namespace parley::bench {

namespace {

/// Users that sign in together, and out again.
struct kind {
  std::string name;
  uint32_t first = 0;
  uint32_t count = 0;
};

} // namespace

int run_signin_cost(const options& what) {
  constexpr auto count = limits::cost_users;
  constexpr auto seen = limits::cost_users_seen;
  const auto offline =
    acquaintances::two_sides(count, what.contacts, limits::cost_absent);
  const auto online =
    acquaintances::two_sides(seen, what.contacts, what.contacts);
  const auto people = acquaintances::side_by_side(
    {acquaintances::strangers(count), offline, online});
  bench_run run{what, people, people.users()};
  auto& result = run.result();
  result.parameter("contacts", what.contacts);
  result.parameter("users", count);
  result.parameter("users_with_contacts_online", seen);
  result.parameter("rounds", what.rounds);
  const kind kinds[]{{"no_contacts", 0, count},
    {"contacts_offline", count, count},
    {"contacts_online", count + offline.users(), seen}};
  signin_load load{run.loop(), *run.server(), people, what.names, run.faults()};
  // The contacts of the last.
  const uint32_t there = people.users() - what.contacts;
  if (!load.enter(there, people.users()))
    return run.end();
  constexpr double rest = 0.3;
  // Of each kind the cheapest round: what else the machine does only adds.
  std::map<std::string, double> at_best;
  // The first round warms up.
  for (uint32_t i = 0; i <= what.rounds; ++i) {
    figures out;
    std::optional<double> alone;
    for (const auto& k : kinds) {
      load.rest(rest);
      const auto before = run.server_cpu();
      if (!load.enter(k.first, k.first + k.count))
        return run.end();
      load.rest(rest);
      const auto after = run.server_cpu();
      const auto told = static_cast<double>(load.notifications());
      std::optional<double> one_told;
      if (told > 0) {
        if (!load.change(k.first, k.first + k.count))
          return run.end();
        const auto changed = run.server_cpu();
        if (after && changed)
          one_told = static_cast<double>(*changed - *after) / 1e3
            / static_cast<double>(load.notifications());
      }
      if (!load.leave(k.first, k.first + k.count))
        return run.end();
      if (!before || !after)
        continue;
      const double cpu = static_cast<double>(*after - *before) / 1e3 / k.count;
      out.push_back({k.name + "_cpu_us_per_sign_in", cpu});
      if (i > 0) {
        auto& best = at_best.try_emplace(k.name, cpu).first->second;
        best = std::min(best, cpu);
      }
      if (!alone) {
        alone = cpu;
        continue;
      }
      out.push_back({k.name + "_more_us_per_sign_in", cpu - *alone});
      if (told > 0) {
        const double each = (cpu - *alone) * k.count / told;
        out.push_back({k.name + "_more_us_per_notification", each});
        if (one_told) {
          out.push_back({"change_us_per_notification", *one_told});
          out.push_back({k.name + "_more_times_change", each / *one_told});
        }
      }
    }
    if (i > 0)
      result.round(std::move(out), {});
  }
  if (const auto none = at_best.find(kinds[0].name); none != at_best.end())
    for (const auto& k : kinds)
      if (const auto some = at_best.find(k.name); some != none)
        result.single("at_best_" + k.name + "_more_us_per_sign_in",
          some->second - none->second);
  load.leave(there, people.users());
  return run.end();
}

} // namespace parley::bench
