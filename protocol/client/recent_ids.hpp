#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace parley {

/// Remembers which IMs came last, by (sender user, id): a server that crashed
/// may hand one out again. Holds keyed 64-bit fingerprints (SipHash-2-4), so
/// that no sender can make an id that hides another's IM; the oldest is
/// forgotten beyond `max`. Empty, it holds no memory.
class recent_ids {
public:
  /// Under a secret key of its own; throws std::runtime_error if OpenSSL has
  /// no randomness.
  explicit recent_ids(size_t max);
  /// Under a given key, for tests.
  recent_ids(std::array<uint64_t, 2> key, size_t max) noexcept;

  /// The fingerprint, never 0.
  uint64_t fingerprint(std::string_view sender, std::string_view id) const;

  /// False if it is remembered already.
  bool insert(uint64_t fingerprint);

  bool contains(uint64_t fingerprint) const noexcept;

  size_t memory() const noexcept;

private:
  size_t slot_of(uint64_t x) const noexcept;
  void put(uint64_t x) noexcept;
  void erase(uint64_t x) noexcept;
  void grow();

  std::array<uint64_t, 2> x_key;
  size_t x_max;
  /// In the order of arrival; a ring once it has `x_max` entries.
  std::vector<uint64_t> x_order;
  size_t x_oldest = 0;
  /// Open addressing, linear probing, a power of two in size, at most half
  /// full; 0 is a free slot.
  std::vector<uint64_t> x_table;
};

} // namespace parley
