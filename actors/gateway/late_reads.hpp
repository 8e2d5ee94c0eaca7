#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
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
/// have not signed in or that say much: a few a drain, of both in turn, in the
/// order in which they were asked for. On the worker's thread only.
class late_reads final : public drained_hook {
public:
  /// Reads a drain, fewer if these take what a drain has for them.
  static constexpr size_t max_a_drain = 4;

  enum class line : uint8_t { strangers, who_says_much };

  explicit late_reads(worker& on) : x_on(on) {}

  /// `here`: false once the reader has left this worker; it is neither called
  /// nor held then.
  void add(line where, std::weak_ptr<late_reader> who,
    std::shared_ptr<const bool> here) {
    of(where).push_back({std::move(who), std::move(here)});
    x_on.mark_last(*this);
  }

  void drained() override {
    const auto until =
      std::chrono::steady_clock::now() + worker_limits::behind_time;
    for (size_t n = 0; n < max_a_drain && !is_empty(); ++n) {
      if (n > 0 && std::chrono::steady_clock::now() >= until)
        break;
      x_turn = other(x_turn);
      auto& whose = of(x_turn).empty() ? of(other(x_turn)) : of(x_turn);
      auto next = std::move(whose.front());
      whose.pop_front();
      if (*next.here)
        if (const auto who = next.who.lock())
          who->read();
    }
    if (!is_empty())
      x_on.mark_last(*this);
  }

private:
  struct waiting {
    std::weak_ptr<late_reader> who;
    std::shared_ptr<const bool> here;
  };

  static line other(line x) noexcept {
    return x == line::strangers ? line::who_says_much : line::strangers;
  }
  std::deque<waiting>& of(line x) noexcept {
    return x == line::strangers ? x_strangers : x_much;
  }
  bool is_empty() const noexcept {
    return x_strangers.empty() && x_much.empty();
  }

  worker& x_on;
  std::deque<waiting> x_strangers;
  std::deque<waiting> x_much;
  /// Whose turn the last one was, also if others took it.
  line x_turn = line::strangers;
};

} // namespace parley
