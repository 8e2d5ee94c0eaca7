#include "bench/bench_run.hpp"
#include "bench/offline_load.hpp"
#include "bench/scenarios.hpp"

namespace parley::bench {

namespace {

/// Bytes of an IM on disk beside its body: addresses, id, time.
constexpr size_t around_body = 100;
/// Seconds of single synced puts, before and after each storing.
constexpr double probe_seconds = 1;

} // namespace

int run_offline(const options& what) {
  const uint32_t users = what.senders + what.recipients;
  bench_run run{what, users, users};
  auto& result = run.result();
  result.parameter("senders", what.senders);
  result.parameter("recipients", what.recipients);
  result.parameter("ims_each", what.each);
  result.parameter("window", what.im.window);
  result.parameter("rounds", what.rounds);
  result.parameter("disk", what.root);
  constexpr uint32_t offline_max_default = 1000;
  if (what.each > offline_max_default)
    run.set("im.offline_max", what.each);
  offline_load load{run.loop(), *run.server(),
    {.senders = what.senders,
      .recipients = what.recipients,
      .each = what.each,
      .window = what.im.window},
    what.names, run.bodies(), run.ids(), run.faults()};
  if (!load.open())
    return run.end();
  if (load.window() < what.im.window)
    result.note(
      "the server grants a window of " + std::to_string(load.window()));
  const auto ims = static_cast<double>(load.ims_per_round());
  const auto value = static_cast<size_t>(run.bodies().mean()) + around_body;
  double before = synced_puts_per_second(what.root, value, probe_seconds);
  for (uint32_t i = 0; i < what.rounds && run.faults().total() == 0; ++i) {
    load.clear();
    const auto cpu_before = run.server_cpu();
    if (!load.store())
      break;
    const auto cpu_stored = run.server_cpu();
    const double after =
      synced_puts_per_second(what.root, value, probe_seconds);
    const auto cpu_rested = run.server_cpu();
    if (!load.drain())
      break;
    const auto cpu_drained = run.server_cpu();
    const double puts = (before + after) / 2;
    const double stored = ims / load.seconds_to_store();
    const double drained = ims / load.seconds_to_drain();
    figures out{{"stored_per_s", stored}, {"single_synced_puts_per_s", puts},
      {"stored_times_single_puts", stored / puts}, {"drained_per_s", drained},
      {"drained_times_stored", drained / stored}};
    add_latency(out, "stored_outcome", load.outcomes());
    if (cpu_before && cpu_stored && cpu_rested && cpu_drained) {
      const auto us = [&](int64_t ns) {
        return static_cast<double>(ns) / 1e3 / ims;
      };
      out.push_back({"cpu_us_per_stored", us(*cpu_stored - *cpu_before)});
      out.push_back({"cpu_us_per_drained", us(*cpu_drained - *cpu_rested)});
    }
    result.round(std::move(out), {});
    before = after;
  }
  load.finish();
  if (!load.sign_out())
    run.faults().add(
      fault_kind::connection, "sessions stay after they signed out");
  return run.end();
}

} // namespace parley::bench
