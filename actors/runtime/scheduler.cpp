#include <utility> // Boost.Asio 1.74 forgets it

#include "actors/runtime/scheduler.hpp"

#include "actors/runtime/lean_base.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/exit_reason.hpp>
#include <caf/local_actor.hpp>
#include <caf/scheduled_actor.hpp>

#include <pthread.h>

#include <algorithm>
#include <string>

namespace parley {

namespace {

thread_local worker* this_worker = nullptr;

constexpr auto spin_option = "parley.spin-us";

using steady = std::chrono::steady_clock;

} // namespace

// -- worker -------------------------------------------------------------------

worker::worker(caf::actor_system& system, size_t index, size_t max_throughput,
  std::chrono::microseconds spin)
  : execution_unit(&system),
    io_(std::make_unique<boost::asio::io_context>(1)),
    index_(index),
    max_throughput_(max_throughput),
    spin_(spin) {}

worker::~worker() = default;

worker* worker::current() noexcept {
  return this_worker;
}

worker* worker::home_for(const caf::actor_config& cfg) {
  if (!cfg.host || cfg.flags & caf::abstract_actor::is_detached_flag)
    return nullptr;
  if (auto home = dynamic_cast<worker*>(cfg.host))
    return home;
  auto scheduler = io_scheduler::of(cfg.host->system());
  return scheduler ? &scheduler->here_or_next() : nullptr;
}

void worker::mark(drained_hook& hook) {
  mark(hook, drained_hook::turn::next);
}

void worker::mark_behind(drained_hook& hook) {
  mark(hook, drained_hook::turn::behind);
}

void worker::mark_last(drained_hook& hook) {
  mark(hook, drained_hook::turn::last);
}

void worker::mark(drained_hook& hook, drained_hook::turn when) {
  using turn = drained_hook::turn;
  if (this_worker != this)
    return;
  if (hook.is_linked()) {
    if (when >= hook.turn_)
      return;
    hook.unlink();
  }
  hook.turn_ = when;
  auto& those = when == turn::next ? marked_
    : when == turn::behind         ? marked_behind_
                                   : marked_last_;
  those.push_back(hook);
  if (!draining_)
    arm();
}

uint64_t worker::backlog() const noexcept {
  auto sent = sent_here_.load(std::memory_order_relaxed)
    + sent_there_.load(std::memory_order_relaxed);
  auto handled = handled_.load(std::memory_order_relaxed);
  // Somebody may be sending while these are read.
  return sent > handled ? sent - handled : 0;
}

void worker::sent() noexcept {
  if (this_worker == this)
    bump(sent_here_);
  else
    sent_there_.fetch_add(1, std::memory_order_relaxed);
}

void worker::exec_later(caf::resumable* job) {
  enqueue(job, false);
}

void worker::exec_behind(caf::resumable* job) {
  enqueue(job, true);
}

void worker::enqueue(caf::resumable* job, bool behind) {
  if (this_worker == this) {
    (behind ? behind_ : local_).push_back(job);
    if (!draining_)
      arm();
    return;
  }
  {
    std::lock_guard guard{mutex_};
    remote_.emplace_back(job, behind);
    if (open_) {
      if (remote_.size() == 1) // in the lock: close() takes io_ away
        boost::asio::post(*io_, [this] { drain(); });
      return;
    }
    if (ending_)
      return;
    ending_ = true;
  }
  end_remote();
}

void worker::run() {
  this_worker = this;
  pthread_setname_np(
    pthread_self(), ("worker." + std::to_string(index_)).c_str());
  system().thread_started();
  auto guard = boost::asio::make_work_guard(*io_);
  if (spin_ == spin_.zero()) {
    io_->run();
  } else {
    auto sleep_at = steady::now() + spin_;
    while (!io_->stopped()) {
      if (io_->poll() > 0) {
        sleep_at = steady::now() + spin_;
      } else if (steady::now() < sleep_at) {
        std::this_thread::yield(); // who is waited for may need this core
      } else {
        io_->run_one();
        sleep_at = steady::now() + spin_;
      }
    }
  }
  system().thread_terminates();
  this_worker = nullptr;
}

void worker::stop() {
  boost::asio::post(*io_, [this] {
    stopping_ = true;
    drains_left_ = worker_limits::drains_to_stop;
    drain();
  });
}

void worker::close() {
  {
    std::lock_guard guard{mutex_};
    open_ = false;
    ending_ = true;
  }
  io_.reset();
  marked_.clear();
  marked_behind_.clear();
  marked_last_.clear();
  for (auto* queue : {&local_, &behind_})
    while (!queue->empty()) {
      auto job = queue->front();
      queue->pop_front();
      end(job);
    }
  end_remote();
}

void worker::arm() {
  if (armed_)
    return;
  armed_ = true;
  boost::asio::post(*io_, [this] {
    armed_ = false;
    drain();
  });
}

void worker::take_remote() {
  {
    std::lock_guard guard{mutex_};
    batch_.swap(remote_);
  }
  for (auto [job, behind] : batch_)
    (behind ? behind_ : local_).push_back(job);
  batch_.clear();
}

void worker::run_first(std::deque<caf::resumable*>& queue) {
  auto job = queue.front();
  queue.pop_front();
  switch (job->resume(this, max_throughput_)) {
  case caf::resumable::resume_later:
    queue.push_back(job);
    break;
  case caf::resumable::shutdown_execution_unit:
    break;
  case caf::resumable::awaiting_message:
  case caf::resumable::done:
    caf::intrusive_ptr_release(job);
    break;
  }
}

void worker::drain() {
  draining_ = true;
  take_remote();
  auto until = steady::now() + worker_limits::drain_time;
  size_t behind = 0;
  for (size_t n = 1;; ++n) {
    if (!local_.empty()) {
      run_first(local_);
    } else if (!behind_.empty() && behind < worker_limits::jobs_behind) {
      run_first(behind_);
      ++behind;
    } else {
      break;
    }
    if (n % worker_limits::jobs_per_look == 0 && steady::now() >= until)
      break; // I/O is due
  }
  for (; behind < worker_limits::jobs_behind_min && !behind_.empty(); ++behind)
    run_first(behind_);
  flush();
  draining_ = false;
  if (!has_jobs()) // what is not handled now never will be
    handled_.store(sent_here_.load(std::memory_order_relaxed)
        + sent_there_.load(std::memory_order_relaxed),
      std::memory_order_relaxed);
  if (stopping_ && (idle() || --drains_left_ == 0))
    io_->stop();
  else if (!idle())
    arm();
}

bool worker::has_jobs() const noexcept {
  return !local_.empty() || !behind_.empty();
}

bool worker::idle() const noexcept {
  return !has_jobs() && marked_.empty() && marked_behind_.empty()
    && marked_last_.empty();
}

void worker::flush() {
  // What is marked meanwhile is for the next drain.
  const auto call = [](hooks& due) {
    while (!due.empty()) {
      auto& hook = due.front();
      due.pop_front();
      hook.drained();
    }
  };
  hooks due;
  due.swap(marked_);
  call(due);
  for (size_t n = 0; n < worker_limits::hooks_behind && !marked_behind_.empty();
       ++n)
    due.splice(due.end(), marked_behind_, marked_behind_.begin());
  const auto until = steady::now() + worker_limits::behind_time;
  while (!due.empty()) {
    auto& hook = due.front();
    due.pop_front();
    hook.drained();
    if (steady::now() >= until)
      break;
  }
  marked_behind_.splice(marked_behind_.begin(), due);
  due.swap(marked_last_);
  call(due);
}

/// CAF's own cleanup_and_release keeps an actor's state and behavior, and with
/// them the handles in these, and forgets to release whom it had to tell.
void worker::end(caf::resumable* job) {
  if (auto actor = dynamic_cast<caf::scheduled_actor*>(job)) {
    actor->context(this);
    actor->quit(caf::exit_reason::user_shutdown);
    actor->finalize();
  } else if (auto lean = dynamic_cast<lean_base*>(job)) {
    lean->stop(this);
  } else if (auto other = dynamic_cast<caf::local_actor*>(job)) {
    other->context(this);
    other->on_exit();
    other->cleanup(caf::exit_reason::user_shutdown, this);
  }
  caf::intrusive_ptr_release(job);
}

/// One thread at a time, with `ending_` set by the caller: an actor that ends
/// can make others runnable, which are ended in turn and not within it.
void worker::end_remote() {
  for (;;) {
    {
      std::lock_guard guard{mutex_};
      if (remote_.empty()) {
        ending_ = false;
        return;
      }
      batch_.swap(remote_);
    }
    for (auto [job, behind] : batch_)
      end(job);
    batch_.clear();
  }
}

// -- io_scheduler -------------------------------------------------------------

io_scheduler::io_scheduler(caf::actor_system& system) : super(system) {}

io_scheduler::~io_scheduler() = default;

void io_scheduler::configure(caf::actor_system_config& cfg, size_t workers,
  std::chrono::microseconds spin) {
  cfg.load<io_scheduler>();
  cfg.set("scheduler.max-threads", workers);
  // cfg.set refuses names that are none of CAF's
  caf::put(cfg.content, spin_option,
    static_cast<caf::config_value::integer>(spin.count()));
}

io_scheduler* io_scheduler::of(caf::actor_system& system) {
  return dynamic_cast<io_scheduler*>(&system.scheduler());
}

void io_scheduler::init(caf::actor_system_config& cfg) {
  super::init(cfg); // reads max-threads and max-throughput
  using std::chrono::microseconds;
  num_workers_ = std::max<size_t>(num_workers_, 1);
  max_throughput_ =
    std::clamp<size_t>(max_throughput_, 1, worker_limits::max_throughput);
  microseconds spin{caf::get_or(
    cfg, spin_option, caf::config_value::integer{worker_limits::spin.count()})};
  spin = std::clamp(spin, microseconds::zero(), worker_limits::spin_max);
  if (num_workers_ == 1)
    spin = microseconds::zero(); // nobody else to wait for
  for (size_t i = 0; i < num_workers_; ++i)
    workers_.push_back(
      std::make_unique<worker>(system(), i, max_throughput_, spin));
}

void io_scheduler::start() {
  for (auto& w : workers_)
    threads_.emplace_back([&w = *w] { w.run(); });
  clock_.start();
  super::start();
}

// The order matters: threads end before anything of theirs is destroyed, and
// pending I/O goes before the queues, since its handlers hold actors that end
// with it.
void io_scheduler::stop() {
  if (threads_.empty())
    return;
  for (auto& w : workers_)
    w->stop();
  stop_actors();
  for (auto& t : threads_)
    t.join();
  threads_.clear();
  for (auto& w : workers_)
    w->close();
  clock_.stop();
}

void io_scheduler::enqueue(caf::resumable* job) {
  here_or_next().exec_later(job);
}

worker& io_scheduler::here_or_next() noexcept {
  if (this_worker && &this_worker->system() == &system())
    return *this_worker;
  return at(next_worker_++);
}

caf::actor_system::module* io_scheduler::make(
  caf::actor_system& system, caf::detail::type_list<>) {
  return new io_scheduler(system);
}

} // namespace parley
