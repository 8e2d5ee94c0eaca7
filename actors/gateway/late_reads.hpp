#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <utility>

#include "actors/runtime/scheduler.hpp"

namespace parley {

/// One whose bytes have come and may wait.
class late_reader {
public:
  virtual void read() = 0;

protected:
  virtual ~late_reader() = default;
};

/// The reads of one worker that wait behind all else, those of clients that
/// have not signed in or that say much: a few a drain, in the order in which
/// they were asked for, however many come at once. On the worker's thread only.
class late_reads final : public drained_hook {
public:
  /// Reads a drain, fewer if these take a drain's time.
  static constexpr size_t max_a_drain = 4;

  explicit late_reads(worker& on) : x_on(on) {}

  /// `here`: false once the reader has left this worker; it is neither called
  /// nor held then.
  void add(std::weak_ptr<late_reader> who, std::shared_ptr<const bool> here) {
    x_all.push_back({std::move(who), std::move(here)});
    x_on.mark_last(*this);
  }

  void drained() override {
    const auto until =
      std::chrono::steady_clock::now() + worker_limits::behind_time;
    for (size_t n = 0; n < max_a_drain && !x_all.empty(); ++n) {
      if (n > 0 && std::chrono::steady_clock::now() >= until)
        break;
      auto next = std::move(x_all.front());
      x_all.pop_front();
      if (*next.here)
        if (const auto who = next.who.lock())
          who->read();
    }
    if (!x_all.empty())
      x_on.mark_last(*this);
  }

private:
  struct waiting {
    std::weak_ptr<late_reader> who;
    std::shared_ptr<const bool> here;
  };

  worker& x_on;
  std::deque<waiting> x_all;
};

} // namespace parley
