#pragma once

#include <caf/actor_clock.hpp>
#include <caf/detail/unique_function.hpp>
#include <caf/fwd.hpp>

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

namespace parley {

/// Delivers delayed messages and timeouts from a thread of its own. No call
/// ever waits for that thread, and none runs foreign code under its lock, so
/// it can be used from anywhere at any time, also by actors that die in it.
class timer_clock final : public caf::actor_clock {
public:
  timer_clock() = default;
  ~timer_clock() override;

  timer_clock(const timer_clock&) = delete;
  timer_clock& operator=(const timer_clock&) = delete;

  /// Starts the thread.
  void start();

  /// Ends the thread and drops all that is pending; what comes later is
  /// dropped at once.
  void stop();

  /// Number of entries that are not yet due.
  size_t pending() const;

  void set_ordinary_timeout(time_point t, caf::abstract_actor* self,
    caf::atom_value type, uint64_t id) override;
  void set_multi_timeout(time_point t, caf::abstract_actor* self,
    caf::atom_value type, uint64_t id) override;
  void set_request_timeout(
    time_point t, caf::abstract_actor* self, caf::message_id id) override;
  void cancel_ordinary_timeout(
    caf::abstract_actor* self, caf::atom_value type) override;
  void cancel_request_timeout(
    caf::abstract_actor* self, caf::message_id id) override;
  void cancel_timeouts(caf::abstract_actor* self) override;
  void schedule_message(time_point t, caf::strong_actor_ptr receiver,
    caf::mailbox_element_ptr content) override;
  void schedule_message(time_point t, caf::group target,
    caf::strong_actor_ptr sender, caf::message content) override;
  void cancel_all() override;

private:
  enum class kind { ordinary, multi, request, message };

  struct entry;
  using schedule = std::multimap<time_point, entry>;
  using deliver = caf::detail::unique_function<void()>;

  /// Names a timeout among those of its actor: an ordinary one by its type, a
  /// request's by its message id. What is no timeout cannot be cancelled.
  struct key {
    kind what;
    uint64_t value;
    bool operator==(const key&) const = default;
  };

  struct entry {
    deliver ship;
    key name;
    caf::actor_id owner;
  };

  using index = std::unordered_multimap<caf::actor_id, schedule::iterator>;
  using nodes = std::vector<schedule::node_type>;

  void add(time_point t, caf::actor_id owner, key name, deliver ship);
  void cancel(caf::actor_id owner, key name);
  index::iterator find(caf::actor_id owner, key name);
  schedule::node_type extract(index::iterator i);
  schedule::node_type extract_first();
  void run();

  mutable std::mutex mutex_; // guards all but the thread
  std::condition_variable wake_;
  schedule schedule_;
  index index_; // timeouts by actor
  bool stopped_ = false;
  std::thread thread_;
};

} // namespace parley
