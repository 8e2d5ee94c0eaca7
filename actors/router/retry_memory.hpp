#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "protocol/defaults.hpp"
#include "protocol/vocabulary.hpp"

namespace parley {

/// The ids that one sender used lately, with their outcome: 16 bytes each in
/// the order of use, found by hash. Keeps the latest `delivered_memory_max` of
/// the last `delivered_memory`.
class retry_memory {
public:
  using time_point = std::chrono::steady_clock::time_point;

  struct entry {
    /// The upper 62 bits of the content's hash.
    uint64_t content : 62;
    /// An outcome::kind; never *rejected*.
    uint64_t kind : 2;

    outcome::kind what() const noexcept {
      return static_cast<outcome::kind>(kind);
    }
    bool same_content(uint64_t content_hash) const noexcept {
      return content == content_hash >> 2;
    }
  };

  std::optional<entry> find(uint64_t retry_hash) const noexcept;
  /// `find` is asked for this soon. The tables of thousands of senders are in
  /// no cache.
  void prefetch(uint64_t retry_hash) const noexcept {
    if (!x_table.empty())
      __builtin_prefetch(&x_table[tag_of(retry_hash) & (x_table.size() - 1)]);
  }

  /// Remembers an outcome; returns how many ids were forgotten for want of
  /// room: of `room` for its own, which may shrink, a few at a time. The hash
  /// must not be known already.
  size_t insert(uint64_t retry_hash, uint64_t content_hash, outcome::kind what,
    time_point now, size_t room = defaults::delivered_memory_max);

  /// Forgets what is too old. Cheap when nothing is.
  void expire(time_point now);

  size_t size() const noexcept { return x_kept ? x_kept->ring.size() : 0; }

private:
  struct slot {
    uint64_t retry_hash;
    entry what;
  };
  /// All that came since `since` and before the next mark.
  struct mark {
    time_point since;
    uint64_t first;
  };

  struct kept {
    std::deque<slot> ring;
    std::deque<mark> marks;
  };

  /// A place in the table, in 32 bits: used or not; 17 bits of the retry hash,
  /// which tell most misses and where it belongs; the serial modulo 2^14.
  using place = uint32_t;
  static constexpr unsigned serial_bits = 14;
  static constexpr uint32_t serial_mask = (1u << serial_bits) - 1;
  static constexpr uint32_t tag_mask = (1u << 17) - 1;
  static constexpr uint32_t used = 1u << 31;
  static_assert(defaults::delivered_memory_max < serial_mask);

  static uint32_t tag_of(uint64_t retry_hash) noexcept {
    return static_cast<uint32_t>(retry_hash) & tag_mask;
  }
  static uint32_t tag_of(place x) noexcept {
    return x >> serial_bits & tag_mask;
  }
  uint64_t end() const noexcept { return x_first + size(); }
  const slot& at(place x) const noexcept {
    return x_kept->ring[(x - x_first) & serial_mask];
  }
  void put(uint64_t serial, uint64_t retry_hash) noexcept;
  void pop_oldest() noexcept;
  void rebuild(size_t slots);

  /// Null: nothing. Two queues hold a kilobyte while they are empty, and most
  /// users are silent.
  std::unique_ptr<kept> x_kept;
  /// The serial of the ring's front.
  uint64_t x_first = 0;
  /// Open addressing, linear probing; at most three quarters full.
  std::vector<place> x_table;
};

} // namespace parley
