#include <algorithm>
#include <optional>
#include <string>

#include "bench/bench_run.hpp"
#include "bench/scenarios.hpp"
#include "bench/signin_load.hpp"

namespace parley::bench {

namespace {

/// What it takes to bring users in, and what they then hold.
class bill {
public:
  explicit bill(const bench_run& run)
    : x_run(run), x_memory(run.server_memory()), x_cpu(run.server_cpu()) {}

  void stop_cpu() { x_cpu_after = x_run.server_cpu(); }
  /// Microseconds.
  std::optional<double> cpu_us() const {
    if (!x_cpu || !x_cpu_after)
      return std::nullopt;
    return static_cast<double>(*x_cpu_after - *x_cpu) / 1e3;
  }
  std::optional<double> memory_bytes() const {
    const auto after = x_run.server_memory();
    if (!x_memory || !after)
      return std::nullopt;
    return static_cast<double>(*after) - static_cast<double>(*x_memory);
  }

private:
  const bench_run& x_run;
  std::optional<uint64_t> x_memory;
  std::optional<int64_t> x_cpu;
  std::optional<int64_t> x_cpu_after;
};

void add(report& to, const std::string& name, std::optional<double> value) {
  if (value)
    to.single(name, *value);
}

std::optional<double> over(std::optional<double> value, double by) {
  return value && by > 0 ? std::optional{*value / by} : std::nullopt;
}

std::optional<double> less(
  std::optional<double> value, std::optional<double> by) {
  return value && by ? std::optional{*value - *by} : std::nullopt;
}

/// Those with contacts.
uint32_t users_of(const options& what, report* notes) {
  if (what.users > 0)
    return what.users;
  const uint64_t others =
    limits::spare_descriptors + limits::sessions_first + limits::strangers;
  const uint64_t limit = raise_descriptor_limit();
  const uint64_t room = limit - std::min(limit, others);
  if (notes && room < limits::sessions_default)
    notes->note("the limit of open files allows no more users (ulimit -n)");
  return static_cast<uint32_t>(
    std::min<uint64_t>(limits::sessions_default, room));
}

} // namespace

int run_signin(const options& what) {
  const uint32_t users = users_of(what, nullptr);
  const auto people = acquaintances::side_by_side(
    {acquaintances::strangers(limits::sessions_first + limits::strangers),
      acquaintances::ring(users, what.contacts)});
  bench_run run{what, people, people.users()};
  auto& result = run.result();
  users_of(what, &result);
  const uint32_t contacts = people.watchers_of(people.users() - 1);
  result.parameter("users", users);
  result.parameter("contacts", contacts);
  result.parameter("strangers", limits::strangers);
  signin_load load{run.loop(), *run.server(), people, what.names, run.faults()};
  constexpr uint32_t second = limits::sessions_first;
  constexpr uint32_t third = second + limits::strangers;
  if (!load.enter(0, second))
    return run.end();
  bill strangers{run};
  if (!load.enter(second, third))
    return run.end();
  strangers.stop_cpu();
  const auto cpu_alone = over(strangers.cpu_us(), limits::strangers);
  bill friends{run};
  if (!load.enter(third, people.users()))
    return run.end();
  friends.stop_cpu();
  const double told = static_cast<double>(load.notifications());
  const double pairs = static_cast<double>(load.pairs_online());
  result.single("sign_ins_per_s", users / load.seconds());
  result.single("seconds_to_sign_in", load.seconds());
  result.single("seconds_to_converge", load.seconds_to_converge());
  result.single("notifications", told);
  result.single("subscriptions", pairs);
  const auto cpu = over(friends.cpu_us(), users);
  add(result, "cpu_us_per_sign_in", cpu);
  add(result, "cpu_us_per_sign_in_without_contacts", cpu_alone);
  add(result, "cpu_us_per_notification",
    over(less(cpu, cpu_alone), told / users));
  add(result, "memory_bytes_per_session", over(friends.memory_bytes(), users));
  bill leaving{run};
  if (!load.leave(third, people.users(), 2))
    return run.end();
  leaving.stop_cpu();
  result.single("leaving_seconds_to_converge", load.seconds_to_converge());
  add(result, "cpu_us_per_sign_out", over(leaving.cpu_us(), users / 2.0));
  load.rest(ns_to_seconds(to_ns(limits::linger)));
  result.single("repeated", static_cast<double>(load.repeated()));
  load.leave(0, people.users());
  return run.end();
}

} // namespace parley::bench
