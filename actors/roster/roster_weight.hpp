#pragma once

#include <cstdint>
#include <unordered_map>

#include "persistence/store.hpp"
#include "protocol/vocabulary.hpp"

namespace parley {

/// What the rosters of one worker hold for their users, in bytes, about, apart
/// from `roster_bytes` each. Kept by the rosters.
class roster_weights {
public:
  /// 0: nothing any more.
  void set(const user_address& whom, uint64_t bytes);
  uint64_t of(const user_address& whom) const noexcept;
  /// Beyond what everybody may have.
  uint64_t excess_of(const user_address& whom) const noexcept;
  uint64_t total() const noexcept { return x_total; }

private:
  std::unordered_map<user_address, uint64_t> x_bytes;
  uint64_t x_total = 0;
};

/// What one roster holds, in bytes, about: the list, and what waits until the
/// disk has what was asked for before.
class roster_weight {
public:
  /// As it was counted; what is written later is added to it.
  void counted(uint64_t list, uint64_t privacy) noexcept;
  void written(const store_operation& x) noexcept;
  /// So much was added that the list is to be counted anew.
  bool is_stale() const noexcept;

  /// Waits with those before it; false, and nothing is taken, if they would be
  /// more than `max` bytes. The first one always has room.
  bool take(const request& x, uint64_t max) noexcept;
  /// What waits is written now, and what comes waits for the next time.
  void commit() noexcept;
  /// That is over; `all`: nothing else waits either.
  void committed(bool all) noexcept;

  uint64_t waiting() const noexcept { return x_waiting + x_under_way; }
  uint64_t total() const noexcept {
    return x_list + x_added + x_privacy + waiting();
  }

private:
  uint64_t x_list = 0;
  uint64_t x_added = 0;
  uint64_t x_privacy = 0;
  uint64_t x_waiting = 0;
  uint64_t x_under_way = 0;
};

uint64_t bytes_of(const contact& x) noexcept;
uint64_t bytes_of(const privacy& x) noexcept;

} // namespace parley
