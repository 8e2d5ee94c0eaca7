#include <algorithm>

#include "bench/bench_run.hpp"
#include "bench/scenarios.hpp"

namespace parley::bench {

namespace {

/// Sessions that do nothing but beat; whatever comes to them is a fault.
class idle_load final : session::owner {
public:
  idle_load(bench_run& run, const options& what)
    : x_run(run), x_names(what.names), x_pool(run.loop(), what.protocol) {}

  /// Signs users in until there are `sessions`.
  bool grow(uint32_t sessions) {
    while (x_pool.size() < sessions) {
      const auto number = static_cast<uint32_t>(x_pool.size());
      x_pool.add(*this, x_names.user(number), "idle");
    }
    return x_pool.open(*x_run.server());
  }

  /// How long the last `grow` took.
  double seconds() const noexcept { return x_pool.seconds_to_open(); }

  void rest(double seconds) {
    const int64_t end = now_ns() + seconds_to_ns(seconds);
    for (int64_t now = now_ns(); now < end; now = now_ns()) {
      x_pool.tick(now);
      x_run.loop().turn(std::min(end, now + seconds_to_ns(1)));
    }
  }

  bool sign_out() {
    x_over = true;
    return x_pool.sign_out();
  }

private:
  void opened(session&) override {}
  void im_arrived(session& who, const im_view&) override {
    x_run.faults().add(
      fault_kind::unknown, who.address() + " got an IM that nobody sent");
  }
  void outcome_arrived(session& who, uint64_t, const outcome_view&) override {
    x_run.faults().add(
      fault_kind::unknown, who.address() + " got an answer to nothing");
  }
  void closed(session& who, const std::string& why) override {
    if (!x_over)
      x_run.faults().add(fault_kind::connection, who.address() + ": " + why);
  }

  bench_run& x_run;
  user_names x_names;
  session_pool x_pool;
  bool x_over = false;
};

uint32_t sessions_of(const options& what) {
  if (what.sessions)
    return *what.sessions;
  const uint64_t limit = raise_descriptor_limit();
  const uint64_t room =
    limit - std::min<uint64_t>(limit, limits::spare_descriptors);
  return static_cast<uint32_t>(
    std::min<uint64_t>(limits::sessions_default, room));
}

} // namespace

int run_idle(const options& what) {
  const uint32_t sessions = sessions_of(what);
  bench_run run{what, sessions, sessions};
  auto& result = run.result();
  result.parameter("sessions", sessions);
  result.parameter("seconds", what.seconds);
  if (!what.sessions && sessions < limits::sessions_default)
    result.note("the limit of open files allows no more sessions (ulimit -n)");
  idle_load load{run, what};
  const uint32_t first = std::min(limits::sessions_first, sessions / 2);
  if (!load.grow(first))
    return run.end();
  const auto memory_before = run.server_memory();
  const auto cpu_before = run.server_cpu();
  if (!load.grow(sessions))
    return run.end();
  const auto cpu_after = run.server_cpu();
  const double grown = sessions - first;
  result.single("sign_ins_per_s", grown / load.seconds());
  if (cpu_before && cpu_after)
    result.single("cpu_us_per_sign_in",
      static_cast<double>(*cpu_after - *cpu_before) / 1e3 / grown);
  const auto memory_after = run.server_memory();
  if (memory_before && memory_after) {
    const auto before = static_cast<double>(*memory_before);
    const auto after = static_cast<double>(*memory_after);
    result.single("memory_bytes_per_session", (after - before) / grown);
    result.single("memory_bytes_first", before);
    result.single("memory_bytes", after);
  }
  const auto idle_before = run.server_cpu();
  load.rest(what.seconds);
  const auto idle_after = run.server_cpu();
  if (idle_before && idle_after)
    result.single("cpu_percent_idle",
      static_cast<double>(*idle_after - *idle_before) / 1e7 / what.seconds);
  if (!load.sign_out())
    run.faults().add(
      fault_kind::connection, "sessions stay after they signed out");
  return run.end();
}

} // namespace parley::bench
