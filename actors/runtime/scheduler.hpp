#pragma once

#include "actors/runtime/clock.hpp"

#include <boost/intrusive/list.hpp>
#include <caf/actor_config.hpp>
#include <caf/actor_system.hpp>
#include <caf/detail/type_list.hpp>
#include <caf/execution_unit.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace parley {

/// What a worker is given to do at most before it looks at something else.
struct worker_limits {
  /// Messages that one actor handles in a row before the next actor's turn.
  static constexpr size_t max_throughput = 50;

  /// Time for which a drain runs actors while I/O waits.
  static constexpr std::chrono::microseconds drain_time{200};

  /// Actors run between two looks at the clock in a drain.
  static constexpr size_t jobs_per_look = 8;

  /// Of those behind: actors that a drain runs while others wait for I/O, and
  /// at least, if all others have taken its time; and hooks that it calls.
  static constexpr size_t jobs_behind = 32;
  static constexpr size_t jobs_behind_min = 16;
  static constexpr size_t hooks_behind = 8;

  /// No more of these hooks once they have taken so long: one that writes much
  /// to a socket takes twice that.
  static constexpr std::chrono::microseconds behind_time{50};

  /// Drains that a worker told to stop still makes while actors keep it busy.
  static constexpr size_t drains_to_stop = 64;

  /// How long an idle worker polls before it sleeps, unless the setting
  /// `parley.spin-us` says otherwise: waking a sleeping thread costs more.
  static constexpr std::chrono::microseconds spin{20};

  /// The most that `parley.spin-us` can ask for.
  static constexpr std::chrono::microseconds spin_max{10'000};
};

/// Something with work that is done once after many messages, such as a
/// connection that writes what its session put into it. Lives on one worker's
/// thread, and unmarks itself when destroyed.
class drained_hook
  : public boost::intrusive::list_base_hook<
      boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
  drained_hook() = default;
  drained_hook(const drained_hook&) = delete;
  drained_hook& operator=(const drained_hook&) = delete;

  /// Called on the worker's thread, once after `worker::mark`, at the end of
  /// the drain. May mark itself or others, for the next drain, and may destroy
  /// any hook, itself included.
  virtual void drained() = 0;

protected:
  virtual ~drained_hook() = default;

private:
  friend class worker;
  enum class turn : uint8_t { next, behind, last };
  turn turn_ = turn::next;
};

/// One thread: an io_context and a run queue of actors. Lives as long as the
/// actor system, since pinned actors point to it; its io_context does not.
class worker final : public caf::execution_unit {
public:
  /// `spin`: how long to poll before sleeping, zero for not at all.
  worker(caf::actor_system& system, size_t index, size_t max_throughput,
    std::chrono::microseconds spin);
  ~worker() override;

  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  /// The worker whose thread this is, or null.
  static worker* current() noexcept;

  /// Where an actor spawned by `cfg` shall live: on the host if that is a
  /// worker, else on the calling worker, else on each in turn. Null for a
  /// detached actor and where the scheduler has no workers.
  static worker* home_for(const caf::actor_config& cfg);

  /// For sockets and timers of this thread. Its objects are made and used on
  /// this thread only; `post` is safe from any thread that ends before the
  /// scheduler stops: then it is destroyed with all handlers pending in it.
  boost::asio::io_context& io() noexcept { return *io_; }

  /// Position among the scheduler's workers, from 0.
  size_t index() const noexcept { return index_; }

  /// Has `hook` called at the end of this drain, or soon if none is going on;
  /// marking it twice is marking it once. On this worker's thread only; off
  /// it, which happens when the scheduler has stopped and drops what is left,
  /// it does nothing.
  void mark(drained_hook& hook);

  /// The same for what may wait: after all others, a few a drain, and no
  /// further one after `behind_time`, so that I/O goes on between. `mark` takes
  /// it out of there.
  void mark_behind(drained_hook& hook);

  /// Whether some of these are left for the next drain. On this worker's thread
  /// only.
  bool leaves_behind() const noexcept { return !marked_behind_.empty(); }

  /// The same for one that has much to do and does a little at a time: once a
  /// drain, at its very end, however many wait before it.
  void mark_last(drained_hook& hook);

  /// Queues a job, from any thread: CAF calls it on the sender's unit, pinned
  /// actors on their home. Once the worker is closed, ends the job's actor.
  void exec_later(caf::resumable* job) override;

  /// The same for one of many that may wait: a drain runs all others first, and
  /// of these a few.
  void exec_behind(caf::resumable* job);

  /// Messages that its actors were sent and have not handled; right whenever
  /// it has nothing to do, else about: those to actors that have ended count
  /// until then. From any thread.
  uint64_t backlog() const noexcept;
  /// An actor of its own is sent a message, from any thread; has handled one,
  /// on this one.
  void sent() noexcept;
  void handled() noexcept { bump(handled_); }

private:
  friend class io_scheduler;

  /// There is one writer: no locked instruction is needed.
  static void bump(std::atomic<uint64_t>& x) noexcept {
    x.store(x.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  void run();
  void stop();
  void close();

  void arm();
  void enqueue(caf::resumable* job, bool behind);
  void mark(drained_hook& hook, drained_hook::turn when);
  void take_remote();
  void drain();
  void run_first(std::deque<caf::resumable*>& queue);
  bool idle() const noexcept;
  bool has_jobs() const noexcept;
  void flush();
  void end(caf::resumable* job);
  void end_remote();

  std::unique_ptr<boost::asio::io_context> io_;
  const size_t index_;
  const size_t max_throughput_;
  const std::chrono::microseconds spin_;

  using hooks = boost::intrusive::list<drained_hook,
    boost::intrusive::constant_time_size<false>>;

  // Of this thread only.
  std::deque<caf::resumable*> local_;
  std::deque<caf::resumable*> behind_;
  std::vector<std::pair<caf::resumable*, bool>> batch_;
  hooks marked_;
  hooks marked_behind_;
  hooks marked_last_;
  size_t drains_left_ = 0; // counts down when stopping
  bool armed_ = false;
  bool draining_ = false;
  bool stopping_ = false;

  // Messages: from here, from elsewhere, and handled.
  std::atomic<uint64_t> sent_here_ = 0;
  std::atomic<uint64_t> sent_there_ = 0;
  std::atomic<uint64_t> handled_ = 0;

  std::mutex mutex_;                                     // guards the rest
  std::vector<std::pair<caf::resumable*, bool>> remote_; // and whether behind
  bool open_ = true;
  bool ending_ = false;
};

/// CAF's scheduler on I/O threads. Takes the number of workers from CAF's
/// option `scheduler.max-threads`, and from `parley.spin-us` for how many
/// microseconds an idle worker polls before it sleeps.
class io_scheduler final : public caf::scheduler::abstract_coordinator {
public:
  using super = caf::scheduler::abstract_coordinator;

  explicit io_scheduler(caf::actor_system& system);
  ~io_scheduler() override;

  /// Has systems made from `cfg` use this scheduler. A `spin` of zero means no
  /// polling; a single worker never polls.
  static void configure(caf::actor_system_config& cfg, size_t workers,
    std::chrono::microseconds spin = worker_limits::spin);

  /// The system's scheduler if it is one of these, else null.
  static io_scheduler* of(caf::actor_system& system);

  /// Number of workers, at least one.
  size_t size() const noexcept { return workers_.size(); }

  /// The worker `i` modulo their number.
  worker& at(size_t i) noexcept { return *workers_[i % workers_.size()]; }

  /// The worker that calls, or else each in turn. From any thread.
  worker& here_or_next() noexcept;

  /// Runs a job there.
  void enqueue(caf::resumable* job) override;

  caf::actor_clock& clock() noexcept override { return clock_; }

  void init(caf::actor_system_config& cfg) override;
  void start() override;

  /// Called by the actor system's destructor. Runs what is runnable, within
  /// bounds, then drops pending I/O, ends actors that are still queued, and
  /// last drops what is delayed. An actor that was neither ended nor runnable
  /// nor held by any of these is its owner's to end beforehand. Once more does
  /// nothing.
  void stop() override;

  /// What `cfg.load` calls.
  static caf::actor_system::module* make(
    caf::actor_system& system, caf::detail::type_list<>);

private:
  timer_clock clock_;
  std::vector<std::unique_ptr<worker>> workers_;
  std::vector<std::thread> threads_;
};

} // namespace parley
