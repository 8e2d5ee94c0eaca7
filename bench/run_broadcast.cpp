#include <memory>

#include <unistd.h>

#include "bench/bench_run.hpp"
#include "bench/broadcast_load.hpp"
#include "bench/measure.hpp"
#include "bench/scenarios.hpp"

namespace parley::bench {

int run_broadcast(const options& what) {
  const bool with_relay = what.compare_relay || what.relay_only;
  const uint32_t users = 1 + what.recipients;
  bench_run run{what, users, uint64_t{users} * (with_relay ? 2 : 1)};
  auto& result = run.result();
  result.parameter("recipients", what.recipients);
  result.parameter("window", what.im.window);
  result.parameter("seconds", what.seconds);
  result.parameter("warmup_seconds", what.warmup);
  result.parameter("rounds", what.rounds);
  constexpr uint32_t broadcast_max_default = 1000;
  if (what.recipients > broadcast_max_default)
    run.set("im.broadcast_max", what.recipients);
  const auto make = [&](const target& to) {
    auto load =
      std::make_unique<broadcast_load>(run.loop(), to, what.recipients,
        what.im.window, what.names, run.bodies(), run.ids(), run.faults());
    if (!load->open())
      load.reset();
    return load;
  };
  return measure_in_turns(what, run, users, make);
}

} // namespace parley::bench
