#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <unistd.h>

#include "bench/bench_run.hpp"
#include "bench/im_load.hpp"
#include "bench/options.hpp"
#include "bench/process.hpp"

namespace parley::bench {

/// The figures of `counts`, `seconds` long; `cpu` and `own_cpu` in nanoseconds
/// of the server (absent: unknown) and of this process.
figures figures_of(const im_counts& counts, double seconds,
  std::optional<int64_t> cpu, int64_t own_cpu);

/// Warms up, measures, and lets everything come to rest.
template <class Load>
figures measure(Load& load, const options& what,
  const std::function<std::optional<int64_t>()>& cpu) {
  load.start();
  load.run(what.warmup);
  load.clear();
  const auto cpu_before = cpu();
  const int64_t own_before = cpu_time(::getpid()).value_or(0);
  const int64_t start = now_ns();
  load.run(what.seconds);
  const double seconds = ns_to_seconds(now_ns() - start);
  std::optional<int64_t> used;
  if (const auto cpu_after = cpu(); cpu_after && cpu_before)
    used = *cpu_after - *cpu_before;
  const int64_t own = cpu_time(::getpid()).value_or(0) - own_before;
  auto out = figures_of(load.counts(), seconds, used, own);
  load.settle();
  return out;
}

/// Opens a load at the relay and one at the server, as far as `what` wants
/// them, measures them in turns, checks that nothing is missing in the end,
/// and ends the run; the exit code. `make(target)` makes an opened load, or
/// null if it could not be opened (the faults say why).
template <class Make>
int measure_in_turns(
  const options& what, bench_run& run, uint32_t relay_group, Make&& make) {
  decltype(make(*run.server())) relay;
  decltype(make(*run.server())) server;
  if ((what.compare_relay || what.relay_only)
    && !(relay = make(run.start_relay(relay_group))))
    return run.end();
  if (const auto* to = run.server()) {
    const auto before = run.server_memory();
    if (!(server = make(*to)))
      return run.end();
    const auto after = run.server_memory();
    const auto sessions = server->sessions();
    // Of a few, what a server allocates once would be the most.
    if (before && after && sessions >= limits::sessions_for_memory)
      run.result().single("memory_bytes_per_session",
        (static_cast<double>(*after) - static_cast<double>(*before))
          / static_cast<double>(sessions));
  }
  for (uint32_t i = 0; i < what.rounds && run.faults().total() == 0; ++i) {
    figures of_relay;
    figures of_server;
    if (relay)
      of_relay = measure(*relay, what, [&] { return run.relay_cpu(); });
    if (server)
      of_server = measure(*server, what, [&] { return run.server_cpu(); });
    run.result().round(std::move(of_server), std::move(of_relay));
  }
  for (auto* load : {relay.get(), server.get()})
    if (load)
      load->finish();
  if (server && !server->sign_out())
    run.faults().add(
      fault_kind::connection, "sessions stay after they signed out");
  return run.end();
}

} // namespace parley::bench
