#include "actors/router/retry_memory.hpp"

#include <algorithm>

#include "protocol/defaults.hpp"

namespace parley {

namespace {

constexpr auto mark_every = std::chrono::minutes{1};
constexpr size_t none = SIZE_MAX;

} // namespace

// The table holds serials modulo 2^32; the ring is far shorter than that.
size_t retry_memory::index_of(uint64_t retry_hash) const noexcept {
  if (x_table.empty())
    return none;
  auto mask = x_table.size() - 1;
  for (auto i = retry_hash & mask; x_table[i] != 0; i = (i + 1) & mask) {
    auto at =
      static_cast<uint32_t>(x_table[i] - 1 - static_cast<uint32_t>(x_first));
    if (x_ring[at].retry_hash == retry_hash)
      return i;
  }
  return none;
}

std::optional<retry_memory::entry> retry_memory::find(
  uint64_t retry_hash) const noexcept {
  auto i = index_of(retry_hash);
  if (i == none)
    return std::nullopt;
  return x_ring[static_cast<uint32_t>(
                  x_table[i] - 1 - static_cast<uint32_t>(x_first))]
    .what;
}

size_t retry_memory::insert(uint64_t retry_hash, uint64_t content_hash,
  outcome::kind what, time_point now) {
  if (index_of(retry_hash) != none)
    return 0;
  size_t forgotten = 0;
  while (x_ring.size() >= defaults::delivered_memory_max) {
    pop_oldest();
    ++forgotten;
  }
  // Serial + 1 must not be 0 in 32 bits: skip that one.
  if (static_cast<uint32_t>(end()) == UINT32_MAX) {
    x_ring.push_back({0, {}});
    rebuild(std::max<size_t>(16, x_table.size()));
  }
  if (x_table.size() < 2 * (x_ring.size() + 1))
    rebuild(std::max<size_t>(16, 2 * x_table.size()));
  if (x_marks.empty() || now - x_marks.back().since >= mark_every)
    x_marks.push_back({now, end()});
  auto mask = x_table.size() - 1;
  auto i = retry_hash & mask;
  while (x_table[i] != 0)
    i = (i + 1) & mask;
  x_table[i] = static_cast<uint32_t>(end()) + 1;
  entry e;
  e.content = content_hash >> 2;
  e.kind = static_cast<uint64_t>(what);
  x_ring.push_back({retry_hash, e});
  return forgotten;
}

void retry_memory::expire(time_point now) {
  // A mark's entries are as old as the next mark at the most.
  while (!x_marks.empty()
    && now - x_marks.front().since >= defaults::delivered_memory + mark_every) {
    auto upto = x_marks.size() > 1 ? x_marks[1].first : end();
    while (x_first < upto && !x_ring.empty())
      pop_oldest();
    x_marks.pop_front();
  }
  if (x_ring.empty() && !x_table.empty()) {
    x_table = {};
    x_ring.shrink_to_fit();
  }
}

void retry_memory::pop_oldest() noexcept {
  auto mask = x_table.size() - 1;
  auto hole = index_of(x_ring.front().retry_hash);
  if (hole != none) {
    // Backward shift (Knuth, 6.4, algorithm R): no tombstones.
    x_table[hole] = 0;
    for (auto i = (hole + 1) & mask; x_table[i] != 0; i = (i + 1) & mask) {
      auto at =
        static_cast<uint32_t>(x_table[i] - 1 - static_cast<uint32_t>(x_first));
      auto home = x_ring[at].retry_hash & mask;
      if (((i - home) & mask) >= ((i - hole) & mask)) {
        x_table[hole] = x_table[i];
        x_table[i] = 0;
        hole = i;
      }
    }
  }
  x_ring.pop_front();
  ++x_first;
  while (x_marks.size() > 1 && x_marks[1].first <= x_first)
    x_marks.pop_front();
}

void retry_memory::rebuild(size_t slots) {
  x_table.assign(slots, 0);
  auto mask = slots - 1;
  for (size_t n = 0; n < x_ring.size(); ++n) {
    auto i = x_ring[n].retry_hash & mask;
    while (x_table[i] != 0)
      i = (i + 1) & mask;
    x_table[i] = static_cast<uint32_t>(x_first + n) + 1;
  }
}

} // namespace parley
