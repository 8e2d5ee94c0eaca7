#include "actors/router/id_filter.hpp"

namespace parley {

namespace {

constexpr size_t first_capacity = 1'024;
constexpr size_t bits_per_id = 16;
constexpr unsigned probes = 8;

/// Calls `f` with each of the id's bits (double hashing).
template <class F>
bool all_bits(uint64_t hash, size_t bits, F f) {
  uint64_t step = (hash >> 32 | hash << 32) * 0x9e37'79b9'7f4a'7c15ull | 1;
  for (unsigned n = 0; n < probes; ++n, hash += step)
    if (!f(hash % bits))
      return false;
  return true;
}

} // namespace

void id_filter::insert(uint64_t retry_hash) {
  if (may_contain(retry_hash))
    return;
  if (x_stages.empty() || x_stages.back().used == x_stages.back().capacity) {
    stage s;
    s.capacity =
      x_stages.empty() ? first_capacity : 2 * x_stages.back().capacity;
    s.bits.resize(s.capacity * bits_per_id / 64 + 1);
    x_stages.push_back(std::move(s));
  }
  auto& s = x_stages.back();
  all_bits(retry_hash, s.bits.size() * 64, [&s](size_t bit) {
    s.bits[bit / 64] |= uint64_t{1} << bit % 64;
    return true;
  });
  ++s.used;
  ++x_size;
}

bool id_filter::may_contain(uint64_t retry_hash) const noexcept {
  for (const auto& s : x_stages)
    if (all_bits(retry_hash, s.bits.size() * 64,
          [&s](size_t bit) { return (s.bits[bit / 64] >> bit % 64 & 1) != 0; }))
      return true;
  return false;
}

} // namespace parley
