#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/acquaintances.hpp"
#include "bench/presence_check.hpp"
#include "bench/session_pool.hpp"

namespace parley::bench {

/// Users with one endpoint each who sign in and out, and what they see of each
/// other meanwhile, checked.
class signin_load final : session::owner {
public:
  signin_load(event_loop& loop, const target& to, const acquaintances& who,
    const user_names& names, fault_log& faults);

  /// Signs users `first` to `last`, without that one, in at once and waits
  /// until everybody sees everybody that it may. False, with a fault, if that
  /// does not come.
  bool enter(uint32_t first, uint32_t last);
  /// Signs each `step`-th of the users out that are in, and waits until those
  /// who may see so do.
  bool leave(uint32_t first, uint32_t last, uint32_t step = 1);
  /// Has each of these users, who are in, change its show and status once, one
  /// after the other, and waits for each until all who may see it do. False,
  /// with a fault, if that does not come.
  bool change(uint32_t first, uint32_t last);
  /// Lets time pass in which nothing should come.
  void rest(double seconds);

  /// Of the last `enter` or `leave`: until all were signed in (out), and until
  /// the last notice came, from the beginning.
  double seconds() const noexcept { return x_seconds; }
  double seconds_to_converge() const noexcept { return x_converged; }
  /// Notices that came in the last `enter`, `leave` or `change`.
  uint64_t notifications() const noexcept { return x_notifications; }
  uint64_t repeated() const noexcept { return x_check.repeated(); }
  uint64_t pairs_online() const noexcept { return x_check.pairs_online(); }

private:
  bool converge(int64_t start);
  void tick();

  void opened(session&) override {}
  void im_arrived(session& who, const im_view& im) override;
  void outcome_arrived(
    session& who, uint64_t request, const outcome_view& what) override;
  void presence_arrived(session& who, const presence_view& what) override;
  void closed(session& who, const std::string& why) override;

  event_loop& x_loop;
  const target& x_target;
  const acquaintances& x_who;
  user_names x_names;
  fault_log& x_faults;
  presence_check x_check;
  /// By user; those who left stay here, closed, until they come again.
  std::vector<std::unique_ptr<session>> x_sessions;
  int64_t x_last_tick = 0;
  int64_t x_last_news = 0;
  double x_seconds = 0;
  double x_converged = 0;
  uint64_t x_notifications = 0;
  std::string x_status;
};

} // namespace parley::bench
