#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/acquaintances.hpp"
#include "bench/event_loop.hpp"
#include "bench/faults.hpp"
#include "bench/histogram.hpp"
#include "bench/presence_check.hpp"
#include "bench/report.hpp"
#include "bench/schedule.hpp"
#include "bench/session_pool.hpp"

namespace parley::bench {

/// What the `presence` scenario puts on a server.
struct presence_parameters {
  /// Changes of one user that not all of its watchers have seen, or that are
  /// not answered.
  uint32_t window = 1;
  /// Changes a second in total; absent: closed loop.
  std::optional<double> rate;
};

/// What was counted between two moments.
struct presence_counts {
  /// Changes that all watchers have seen.
  uint64_t changes = 0;
  uint64_t notifications = 0;
  /// States that a watcher was not told of, since a later one was there.
  uint64_t coalesced = 0;
  /// From the intended time of a change until a watcher has seen it, or a later
  /// one; each watcher counts.
  histogram seen;
};

/// Users with one endpoint each, of whom those that are watched change show and
/// status; what their watchers are told is checked.
class presence_load final : session::owner, event_loop::handler {
public:
  presence_load(event_loop& loop, const target& to, const acquaintances& who,
    const presence_parameters& parameters, const user_names& names,
    fault_log& faults);
  ~presence_load() override;

  /// Signs all users in, and waits until everybody sees everybody that it may.
  bool open();
  void start();
  /// Goes on for so long; stops early when too much is wrong.
  void run(double seconds);
  /// Stops changing and waits until all is told, then for a while for what
  /// should not come.
  void settle();
  /// To be called last: what is not as it should be is a fault.
  void finish();
  bool sign_out();

  void clear() { x_counts = {}; }
  const presence_counts& counts() const noexcept { return x_counts; }
  size_t sessions() const noexcept { return x_pool.size(); }
  uint32_t window() const noexcept { return x_window; }
  uint64_t repeated() const noexcept { return x_check.repeated(); }

private:
  struct change {
    int64_t intended = 0;
    uint32_t unseen = 0;
  };
  struct presentity {
    session* self = nullptr;
    /// The last change that was made, that all have seen, that is answered.
    uint64_t made = 0;
    uint64_t all_seen = 0;
    uint64_t answered = 0;
    /// Changes to make as soon as the window allows, and those that the
    /// schedule had made.
    uint64_t owed = 0;
    uint64_t turn = 0;
    /// By number modulo the window.
    std::vector<change> under_way;
  };

  void pump(uint32_t user);
  void make_change(presentity& p, uint32_t user);
  bool told() const noexcept;
  void arm();

  void ready(uint32_t events) override;
  void opened(session&) override {}
  void im_arrived(session& who, const im_view& im) override;
  void outcome_arrived(
    session& who, uint64_t request, const outcome_view& what) override;
  void presence_arrived(session& who, const presence_view& what) override;
  void done_arrived(session& who, uint64_t request) override;
  void read_done(session& who) override;
  void closed(session& who, const std::string& why) override;

  event_loop& x_loop;
  const target& x_target;
  const acquaintances& x_who;
  presence_parameters x_parameters;
  fault_log& x_faults;
  uint32_t x_window;
  presence_check x_check;
  session_pool x_pool;
  std::vector<presentity> x_users;
  /// Users that are watched: they change.
  std::vector<uint32_t> x_changing;
  /// Those that a window opened for during one read.
  std::vector<uint32_t> x_pumped;
  std::optional<open_loop_schedule> x_schedule;
  /// Wakes for the schedule.
  int x_timer;
  bool x_sending = false;
  bool x_over = false;
  presence_counts x_counts;
  std::string x_status;
};

/// As those of an im_load.
figures figures_of(const presence_counts& counts, double seconds,
  std::optional<int64_t> cpu, int64_t own_cpu);

} // namespace parley::bench
