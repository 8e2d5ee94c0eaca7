#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/defaults_memory.hpp"
#include "protocol/held_bytes.hpp"

namespace parley {

/// What the server holds memory for, as far as clients can make it grow.
enum class held_for : uint8_t {
  /// Bytes that wait to be written to connections.
  outputs,
  /// Frames that are not whole, requests that no session has taken, TLS.
  connections,
  /// What sessions keep until their clients have it, IMs' contents apart.
  sessions,
  /// Presence that is held back while its client reads slowly.
  presence,
  /// IMs without outcome and those that wait at their recipients, contents
  /// apart; conversations.
  routing,
  /// Ids that are known again.
  retries,
  /// Contact lists in memory and live subscriptions.
  rosters,
  /// Messages that actors have not handled.
  mailboxes,
  /// What the store has been asked to write and has not.
  store,
  /// Contents of IMs, each once, whoever holds it.
  ims,
};

inline constexpr size_t held_kinds = 10;

std::string_view to_string(held_for x) noexcept;

using held_by_kind = std::array<uint64_t, held_kinds>;

/// What one worker holds, in bytes, about. Written on that worker's thread
/// alone, save for `ims`; read by any.
class worker_book {
public:
  void add(held_for what, uint64_t n) noexcept { set(what, of(what) + n); }
  void subtract(held_for what, uint64_t n) noexcept { set(what, of(what) - n); }
  void set(held_for what, uint64_t n) noexcept {
    auto& x = x_bytes[static_cast<size_t>(what)];
    auto before = x.load(std::memory_order_relaxed);
    x.store(n, std::memory_order_relaxed);
    x_sum.store(x_sum.load(std::memory_order_relaxed) + n - before,
      std::memory_order_relaxed);
  }
  uint64_t of(held_for what) const noexcept {
    return what == held_for::ims
      ? x_ims.value()
      : x_bytes[static_cast<size_t>(what)].load(std::memory_order_relaxed);
  }
  uint64_t total() const noexcept {
    return x_sum.load(std::memory_order_relaxed) + x_ims.value();
  }
  byte_count& ims() noexcept { return x_ims; }

private:
  std::array<std::atomic<uint64_t>, held_kinds> x_bytes{};
  std::atomic<uint64_t> x_sum = 0;
  byte_count x_ims;
};

/// Keeps a worker's book right about something that grows and shrinks.
class book_entry {
public:
  book_entry() = default;
  /// Null: nobody counts.
  book_entry(std::shared_ptr<worker_book> in, held_for what) noexcept
    : x_in(std::move(in)), x_what(what) {}
  book_entry(book_entry&& x) noexcept
    : x_in(std::move(x.x_in)),
      x_what(x.x_what),
      x_bytes(std::exchange(x.x_bytes, 0)) {}
  book_entry& operator=(book_entry&& x) noexcept {
    std::swap(x_in, x.x_in);
    std::swap(x_what, x.x_what);
    std::swap(x_bytes, x.x_bytes);
    return *this;
  }
  ~book_entry() { is(0); }

  void is(uint64_t bytes) noexcept {
    if (x_in && bytes != x_bytes)
      x_in->set(x_what, x_in->of(x_what) + bytes - x_bytes);
    x_bytes = bytes;
  }
  uint64_t bytes() const noexcept { return x_bytes; }

private:
  std::shared_ptr<worker_book> x_in;
  held_for x_what = held_for::sessions;
  uint64_t x_bytes = 0;
};

/// One bound for all that clients can make the server hold. Thread-safe.
class memory_budget {
public:
  memory_budget(uint64_t max_bytes, size_t workers);

  uint64_t max() const noexcept { return x_max; }
  size_t workers() const noexcept { return x_books.size(); }
  const std::shared_ptr<worker_book>& of(size_t worker) const noexcept {
    return x_books[worker % x_books.size()];
  }

  uint64_t total() const noexcept;
  held_by_kind by_kind() const noexcept;

  /// The highest total that anybody saw.
  uint64_t highest() const noexcept { return x_highest; }
  void saw(uint64_t total) noexcept;

  // What was done for want of memory, since the start.
  std::atomic<uint64_t> refused_connections = 0;
  std::atomic<uint64_t> refused_sign_ins = 0;
  std::atomic<uint64_t> ended_sessions = 0;
  std::atomic<uint64_t> reads_held_back = 0;

private:
  const uint64_t x_max;
  std::vector<std::shared_ptr<worker_book>> x_books;
  std::atomic<uint64_t> x_highest = 0;
};

/// The budget as one worker sees it: its own part as it is, that of others as
/// it was when it looked last. On that worker's thread only.
///
/// Who holds something may hold an eighth of what is free, less the reserve:
/// the more all hold together, the less one may, so that the largest holder is
/// stopped first. Who holds little goes on until nothing is left.
class budget_view {
public:
  /// Null: all is allowed.
  budget_view() = default;
  budget_view(std::shared_ptr<memory_budget> of, size_t worker);

  /// Every sweep.
  void look() noexcept;
  uint64_t total() noexcept;
  /// Whether more may be read from who holds so many bytes.
  bool allows(uint64_t held) noexcept;
  /// The reserve is near: nobody may fill it with what others do not take.
  bool is_tight() noexcept;
  /// The reserve is touched: nobody new is let in.
  bool is_short() noexcept;
  /// Nothing is left: the largest holders have to go.
  bool is_exceeded() noexcept;
  memory_budget* budget() const noexcept { return x_of.get(); }

private:
  uint64_t reserve() const noexcept {
    return x_of->max() / defaults::budget_reserve_share;
  }

  std::shared_ptr<memory_budget> x_of;
  std::shared_ptr<worker_book> x_own;
  uint64_t x_others = 0;
  /// Of its own when it looked last.
  uint64_t x_seen = 0;
};

} // namespace parley
