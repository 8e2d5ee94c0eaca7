#include <memory>
#include <string>

#include "bench/bench_run.hpp"
#include "bench/im_load.hpp"
#include "bench/measure.hpp"
#include "bench/scenarios.hpp"

namespace parley::bench {

namespace {

void describe(const options& what, report& to) {
  to.parameter("traffic", std::string{to_string(what.im.kind)});
  to.parameter("loop", std::string{what.im.rate ? "open" : "closed"});
  if (what.im.rate)
    to.parameter("rate_per_s", *what.im.rate);
  to.parameter("pairs", what.im.pairs);
  to.parameter("endpoints", what.im.endpoints);
  to.parameter("window", what.im.window);
  to.parameter("seconds", what.seconds);
  to.parameter("warmup_seconds", what.warmup);
  to.parameter("rounds", what.rounds);
}

} // namespace

int run_im(const options& what) {
  const bool with_relay = what.compare_relay || what.relay_only;
  const bool one_way = what.im.kind == traffic::one_way;
  const uint32_t users = 2 * what.im.pairs;
  const uint64_t connections =
    uint64_t{users} * what.im.endpoints * (with_relay ? 2 : 1);
  bench_run run{what, users, connections};
  describe(what, run.result());
  constexpr uint32_t endpoints_max_default = 10;
  if (what.im.endpoints > endpoints_max_default)
    run.set("session.endpoints_max", what.im.endpoints);
  const auto make = [&](const target& to) {
    auto load = std::make_unique<im_load>(run.loop(), to, what.im, what.names,
      run.bodies(), run.ids(), run.faults());
    if (!load->open())
      load.reset();
    else if (load->window() < what.im.window)
      run.result().note(
        "the server grants a window of " + std::to_string(load->window()));
    return load;
  };
  return measure_in_turns(what, run, one_way ? 1 + what.im.endpoints : 2, make);
}

} // namespace parley::bench
