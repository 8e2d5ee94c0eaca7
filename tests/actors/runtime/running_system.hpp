#pragma once

#include "actors/runtime/scheduler.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <thread>

namespace parley::test {

/// Counts its instances: members of actor states, to see whether all of these
/// were destroyed.
class counted {
public:
  counted() noexcept { ++alive_; }
  counted(const counted&) noexcept { ++alive_; }
  counted& operator=(const counted&) noexcept = default;
  ~counted() { --alive_; }

  static int alive() noexcept { return alive_; }

private:
  static inline std::atomic<int> alive_{0};
};

/// An actor system on our scheduler, which ends without waiting for actors.
class running_system {
public:
  explicit running_system(
    size_t workers, std::chrono::microseconds spin = worker_limits::spin)
    : config_(workers, spin), system_(config_) {
    system_.await_actors_before_shutdown(false);
  }

  caf::actor_system& system() noexcept { return system_; }
  io_scheduler& scheduler() noexcept { return *io_scheduler::of(system_); }
  timer_clock& clock() noexcept {
    return static_cast<timer_clock&>(system_.clock());
  }
  worker& at(size_t i) noexcept { return scheduler().at(i); }

private:
  struct config : caf::actor_system_config {
    config(size_t workers, std::chrono::microseconds spin) {
      io_scheduler::configure(*this, workers, spin);
    }
  };

  config config_;
  caf::actor_system system_;
};

/// Waits until `done()`, for which other threads work; false if that does not
/// happen within what even a loaded machine needs.
template <class F>
bool eventually(F done) {
  using namespace std::chrono_literals;
  auto deadline = std::chrono::steady_clock::now() + 60s;
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline)
      return false;
    std::this_thread::sleep_for(100us);
  }
  return true;
}

} // namespace parley::test
