#include <memory>
#include <string>

#include "bench/bench_run.hpp"
#include "bench/im_load.hpp"
#include "bench/measure.hpp"
#include "bench/presence_load.hpp"
#include "bench/scenarios.hpp"

namespace parley::bench {

namespace {

acquaintances people_of(const options& what) {
  return what.users > 0 ? acquaintances::ring(what.users, what.contacts)
                        : acquaintances::star(what.watchers);
}

void describe(const options& what, const acquaintances& people, report& to) {
  if (what.users > 0) {
    to.parameter("users", what.users);
    to.parameter("contacts", people.watchers_of(0));
  } else {
    to.parameter("watchers", what.watchers);
  }
  to.parameter("loop", std::string{what.presence.rate ? "open" : "closed"});
  if (what.presence.rate)
    to.parameter("rate_per_s", *what.presence.rate);
  to.parameter("window", what.presence.window);
  to.parameter("seconds", what.seconds);
  to.parameter("warmup_seconds", what.warmup);
  to.parameter("rounds", what.rounds);
}

/// Two loads at once; what is measured is the IMs.
struct both_loads {
  im_load& ims;
  presence_load& presence;
  /// What was counted of presence while IMs were measured.
  presence_counts told = {};

  void start() {
    presence.start();
    ims.start();
  }
  void run(double seconds) { ims.run(seconds); }
  void clear() {
    ims.clear();
    presence.clear();
  }
  const im_counts& counts() const { return ims.counts(); }
  void settle() {
    told = presence.counts();
    ims.settle();
    presence.settle();
  }
};

double value_of(const figures& in, const std::string& name) {
  for (const auto& f : in)
    if (f.name == name)
      return f.value;
  return 0;
}

/// What is told of the IMs of one leg of a round.
void add_ims(figures& to, const std::string& leg, const figures& in) {
  for (const auto* name :
    {"im_per_s", "receive_p50_us", "receive_p99_us", "outcome_p50_us",
      "outcome_p99_us", "cpu_percent", "bench_cpu_percent"})
    to.push_back({leg + name, value_of(in, name)});
}

void add_times_alone(figures& to, const std::string& leg, const figures& in,
  const figures& alone) {
  for (const auto* name : {"receive_p99_us", "outcome_p99_us"})
    if (const auto before = value_of(alone, name); before > 0)
      to.push_back({leg + name + "_times_alone", value_of(in, name) / before});
}

void add_presence(figures& to, const std::string& leg,
  const presence_counts& told, double seconds) {
  to.push_back({leg + "notifications_per_s",
    static_cast<double>(told.notifications) / seconds});
  add_latency(to, leg + "seen", told.seen);
}

/// Opened, or null if it could not be.
std::unique_ptr<presence_load> open_presence(const options& what,
  bench_run& run, event_loop& loop, const target& to,
  const acquaintances& people) {
  auto load = std::make_unique<presence_load>(
    loop, to, people, what.presence, what.names, run.faults());
  if (!load->open()) {
    load->finish();
    load.reset();
  }
  return load;
}

/// IMs alone, with the same presence told by a relay beside the server, and
/// with presence, in turns. By the relay's it is seen what as many notices cost
/// IMs when a process that has nothing to do with them tells them.
int measure_ims(
  const options& what, bench_run& run, const acquaintances& people) {
  auto& result = run.result();
  im_parameters ims = what.im;
  ims.rate = what.im_rate;
  result.parameter("im_rate_per_s", what.im_rate);
  result.parameter("pairs", ims.pairs);
  // Watchers are other people's machines: what reading for them costs here must
  // not count as an IM's latency.
  event_loop watching;
  run.loop().put_behind(watching);
  auto senders = what.names;
  senders.first += people.users();
  std::unique_ptr<presence_load> relayed;
  if (what.compare_relay
    && !(relayed = open_presence(
           what, run, watching, run.start_relay(people.users()), people)))
    return run.end();
  auto presence = open_presence(what, run, watching, *run.server(), people);
  im_load load{run.loop(), *run.server(), ims, senders, run.bodies(), run.ids(),
    run.faults()};
  if (!presence || !load.open())
    return run.end();
  const auto cpu = [&] { return run.server_cpu(); };
  for (uint32_t i = 0; i < what.rounds && run.faults().total() == 0; ++i) {
    figures out;
    const auto alone = measure(load, what, cpu);
    add_ims(out, "alone_", alone);
    if (relayed) {
      both_loads both{load, *relayed};
      const auto beside = measure(both, what, cpu);
      add_ims(out, "beside_relay_", beside);
      add_presence(out, "beside_relay_", both.told, what.seconds);
      add_times_alone(out, "beside_relay_", beside, alone);
    }
    both_loads both{load, *presence};
    const auto with = measure(both, what, cpu);
    add_ims(out, "with_presence_", with);
    add_times_alone(out, "", with, alone);
    add_presence(out, "", both.told, what.seconds);
    out.push_back({"coalesced", static_cast<double>(both.told.coalesced)});
    result.round(std::move(out), {});
  }
  load.finish();
  if (relayed)
    relayed->finish();
  presence->finish();
  if (!load.sign_out() || !presence->sign_out())
    run.faults().add(
      fault_kind::connection, "sessions stay after they signed out");
  return run.end();
}

} // namespace

int run_presence(const options& what) {
  const auto people = people_of(what);
  // Behind the others are those who send IMs and know nobody.
  const auto everybody = acquaintances::side_by_side(
    {people, acquaintances::strangers(what.ims ? 2 * what.im.pairs : 0)});
  const bool with_relay = what.compare_relay || what.relay_only;
  bench_run run{what, everybody,
    everybody.users() + (with_relay ? uint64_t{people.users()} : 0)};
  describe(what, people, run.result());
  if (what.ims)
    return measure_ims(what, run, people);
  const auto make = [&](const target& to) {
    auto load = open_presence(what, run, run.loop(), to, people);
    if (load && load->window() < what.presence.window) {
      run.result().note(
        "the server grants a window of " + std::to_string(load->window()));
    }
    return load;
  };
  return measure_in_turns(what, run, people.users(), make);
}

} // namespace parley::bench
