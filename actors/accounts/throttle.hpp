#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "actors/accounts/secret_hash.hpp"

namespace parley {

/// How a try to sign in ended.
enum class try_end : uint8_t {
  /// The password was right, wrong or never shown.
  right,
  wrong,
  /// The server's own trouble came between.
  undecided,
  /// Nobody waited for the turn, or for what comes first at it.
  left,
};

/// Slows down guessing at one kind of key, such as account or source address:
/// who failed more often than `free_failures` waits, twice as long each time,
/// and tries at the same time take turns. Rules only. Bounded: the entry that
/// came first gives way.
class throttle {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using milliseconds = std::chrono::milliseconds;

  /// `tries_at_once` may be under way without harm, as long as there are no
  /// more than the free failures; each further one counts as a failure until it
  /// is answered. Nothing: none does.
  explicit throttle(std::optional<uint32_t> tries_at_once)
    : x_tries_at_once(tries_at_once) {}

  /// How long a try would have to wait for its turn now; takes none.
  milliseconds wait(std::string_view key, time_point now) const;
  /// Takes the next turn: the same wait. `end` has to follow. `pause` is the
  /// time from this turn to the next one's.
  milliseconds take(std::string_view key, time_point now, milliseconds& pause);
  void end(std::string_view key, try_end how, time_point now);
  /// The turn at `turn` is not used: whoever comes next has it, unless there is
  /// somebody behind it. `pause` is as `take` said.
  void give_back(std::string_view key, time_point turn, milliseconds pause);
  /// One failure is forgiven: somebody else behind the same key was right.
  void relent(std::string_view key, time_point now);
  /// A failure without a turn.
  void fail(std::string_view key, time_point now);

  /// Whether nothing is held against it: no failures, and nothing under way.
  bool is_fresh(std::string_view key, time_point now) const;
  uint32_t under_way(std::string_view key) const;
  size_t size() const noexcept { return x_entries.size(); }

private:
  struct entry {
    uint32_t failures = 0;
    uint32_t under_way = 0;
    /// The next turn is not before it.
    time_point next;
    /// Of the last failure.
    time_point last;
  };

  const entry* find(std::string_view key) const;
  entry* find(std::string_view key);
  entry& make(std::string_view key);
  static uint32_t failures(const entry& x, time_point now) noexcept;
  /// Those under way that count as failures.
  uint32_t suspects(const entry& x, time_point now) const noexcept;
  void count_failure(entry& x, time_point now) noexcept;

  std::optional<uint32_t> x_tries_at_once;
  secret_hash x_hash;
  /// Two keys of one hash would share a fate; strangers name the keys, and
  /// cannot find two.
  std::unordered_map<uint64_t, entry> x_entries;
  std::deque<uint64_t> x_order;
};

/// Remembers for a while which keys were used rightly. Bounded likewise.
class known_keys {
public:
  using time_point = throttle::time_point;

  void add(std::string_view key, time_point now);
  bool contains(std::string_view key, time_point now) const;
  size_t size() const noexcept { return x_entries.size(); }

private:
  /// As in `throttle`: one of the same hash would be known.
  secret_hash x_hash;
  std::unordered_map<uint64_t, time_point> x_entries;
  std::deque<uint64_t> x_order;
};

} // namespace parley
