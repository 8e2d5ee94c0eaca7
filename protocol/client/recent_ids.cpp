#include "protocol/client/recent_ids.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

#include "protocol/client/secret_random.hpp"

namespace parley {

namespace {

/// The smallest table.
constexpr size_t first_slots = 32;

std::array<uint64_t, 2> secret_key() {
  std::array<unsigned char, 2 * sizeof(uint64_t)> octets;
  random_octets(octets);
  return std::bit_cast<std::array<uint64_t, 2>>(octets);
}

struct sip_state {
  uint64_t v0, v1, v2, v3;

  void round() noexcept {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }

  void take(uint64_t word) noexcept {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
};

/// SipHash-2-4 (Aumasson and Bernstein, 2012).
uint64_t sip_hash(const std::array<uint64_t, 2>& key, std::string_view text) {
  sip_state s{key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
    key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
  auto size = text.size();
  for (; text.size() >= 8; text.remove_prefix(8)) {
    uint64_t word;
    std::memcpy(&word, text.data(), 8);
    s.take(word);
  }
  uint64_t last = 0;
  std::memcpy(&last, text.data(), text.size());
  s.take(last | static_cast<uint64_t>(size) << 56);
  s.v2 ^= 0xff;
  for (int i = 0; i < 4; ++i)
    s.round();
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

} // namespace

recent_ids::recent_ids(size_t max) : recent_ids(secret_key(), max) {}

recent_ids::recent_ids(std::array<uint64_t, 2> key, size_t max) noexcept
  : x_key(key), x_max(max) {}

uint64_t recent_ids::fingerprint(
  std::string_view sender, std::string_view id) const {
  thread_local std::string text;
  // 0xff is no part of UTF-8, so that the border is unambiguous.
  text.assign(sender).push_back('\xff');
  text.append(id);
  return std::max<uint64_t>(sip_hash(x_key, text), 1);
}

bool recent_ids::insert(uint64_t x) {
  if (contains(x))
    return false;
  if (x_order.size() < x_max) {
    if ((x_order.size() + 1) * 2 > x_table.size())
      grow();
    x_order.push_back(x);
  } else {
    erase(x_order[x_oldest]);
    x_order[x_oldest] = x;
    x_oldest = (x_oldest + 1) % x_max;
  }
  put(x);
  return true;
}

bool recent_ids::contains(uint64_t x) const noexcept {
  return !x_table.empty() && x_table[slot_of(x)] == x;
}

size_t recent_ids::memory() const noexcept {
  return (x_order.capacity() + x_table.capacity()) * sizeof(uint64_t);
}

size_t recent_ids::slot_of(uint64_t x) const noexcept {
  auto mask = x_table.size() - 1;
  auto i = x & mask;
  while (x_table[i] != 0 && x_table[i] != x)
    i = (i + 1) & mask;
  return i;
}

void recent_ids::put(uint64_t x) noexcept {
  x_table[slot_of(x)] = x;
}

void recent_ids::erase(uint64_t x) noexcept {
  auto mask = x_table.size() - 1;
  auto hole = slot_of(x);
  x_table[hole] = 0;
  // What follows in the same run may have been pushed past the hole.
  for (auto i = (hole + 1) & mask; x_table[i] != 0; i = (i + 1) & mask) {
    auto moved = x_table[i];
    x_table[i] = 0;
    put(moved);
  }
}

void recent_ids::grow() {
  auto size = std::max(first_slots, x_table.size() * 2);
  x_table.assign(size, 0);
  for (auto x : x_order)
    put(x);
}

} // namespace parley
