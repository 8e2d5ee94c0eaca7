#pragma once

#include <boost/test/unit_test.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <iostream>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace parley::test {

/// An actor system without threads, for use in a Boost.Test case. Which actor
/// runs next is drawn from a seed, and time stands still until told to go on:
/// the same seed gives the same run. Failures within its life name the seed.
class deterministic_system {
public:
  using duration = caf::actor_clock::duration_type;
  using time_point = caf::actor_clock::time_point;
  using configure = std::function<void(caf::actor_system_config&)>;

  /// Steps after which `settle` takes the actors for running in a circle.
  static constexpr size_t settle_max = 1'000'000;

  /// `setup` registers message types and sets options before the start.
  explicit deterministic_system(uint64_t seed, const configure& setup = {})
    : seed_(seed),
      random_(seed),
      config_(setup),
      system_(config_),
      scheduler_(
        dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler())),
      context_(boost::unit_test::framework::add_context(
        BOOST_TEST_LAZY_MSG("seed " << seed), true)) {
    system_.await_actors_before_shutdown(false);
  }

  deterministic_system(const deterministic_system&) = delete;
  deterministic_system& operator=(const deterministic_system&) = delete;

  ~deterministic_system() {
    try {
      end();
    } catch (const std::exception& e) {
      BOOST_ERROR(e.what());
    }
    if (std::uncaught_exceptions() > exceptions_)
      std::cerr << "failed with seed " << seed_ << '\n';
    boost::unit_test::framework::clear_context(context_);
  }

  /// Kills what it owns, in the order of owning, lets all actors run, and
  /// drops delayed messages, which hold their receivers. An actor that is
  /// still there then is an error of the test: nobody would have ended it. The
  /// destructor does this too.
  void end() {
    for (auto& actor : std::exchange(owned_, {}))
      caf::anon_send_exit(actor, caf::exit_reason::kill);
    settle();
    scheduler_.clock().cancel_all();
    settle();
    auto left = system_.registry().running();
    BOOST_TEST(left == 0u, left << " actors outlive their owners");
  }

  /// For spawning, registry and the like; there are no workers.
  caf::actor_system& system() noexcept { return system_; }

  /// What this run was made from.
  uint64_t seed() const noexcept { return seed_; }

  /// Source of all chance in this run, the order of jobs included.
  std::mt19937_64& random() noexcept { return random_; }

  /// The steady time that actors see.
  time_point now() { return scheduler_.clock().now(); }

  /// Has `handle` killed at the end.
  template <class Handle>
  Handle own(Handle handle) {
    owned_.push_back(caf::actor_cast<caf::strong_actor_ptr>(handle));
    return handle;
  }

  /// Spawns `fun(self, args…)` and owns it.
  template <class F, class... Ts>
  auto spawn(F fun, Ts&&... args) {
    return own(system_.spawn(std::move(fun), std::forward<Ts>(args)...));
  }

  /// Lets one actor, drawn at random, handle one message; false if none has
  /// any.
  bool step() {
    auto& jobs = scheduler_.jobs;
    if (jobs.empty())
      return false;
    std::swap(jobs.front(), jobs[random_() % jobs.size()]);
    return scheduler_.try_run_once();
  }

  /// What some steps more do, a line each: receiver and message.
  std::string next_steps() {
    std::string lines;
    for (int i = 0; i < 40 && !scheduler_.jobs.empty(); ++i) {
      auto* next = dynamic_cast<caf::scheduled_actor*>(scheduler_.jobs.front());
      auto* what = next ? next->peek_at_next_mailbox_element() : nullptr;
      if (what)
        lines += '\n' + std::to_string(next->id()) + ' '
          + caf::to_string(what->content()).substr(0, 200);
      scheduler_.try_run_once();
    }
    return lines;
  }

  /// Steps until nothing is left to do at this time; returns how often.
  /// @throws std::runtime_error after `max` steps
  size_t settle(size_t max = settle_max) {
    size_t steps = 0;
    while (step())
      if (++steps == max)
        throw std::runtime_error("actors never come to rest:" + next_steps());
    return steps;
  }

  /// Settles, then lets `d` pass, settling at every time at which a timeout or
  /// delayed message is due.
  void advance(duration d) {
    auto& clock = scheduler_.clock();
    auto until = clock.now() + d;
    settle();
    for (auto& due = clock.schedule();
         !due.empty() && due.begin()->first <= until;) {
      auto next = std::max(due.begin()->first, clock.now());
      clock.advance_time(next - clock.now());
      settle();
    }
    clock.advance_time(until - clock.now());
    settle();
  }

private:
  struct testing_config : caf::actor_system_config {
    explicit testing_config(const configure& setup) {
      if (setup)
        setup(*this);
      set("scheduler.policy", caf::atom("testing"));
    }
  };

  uint64_t seed_;
  std::mt19937_64 random_;
  testing_config config_;
  caf::actor_system system_;
  caf::scheduler::test_coordinator& scheduler_;
  std::vector<caf::strong_actor_ptr> owned_;
  int context_;
  int exceptions_ = std::uncaught_exceptions();
};

} // namespace parley::test
