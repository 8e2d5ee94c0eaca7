#include "actors/router/retry_memory.hpp"

#include <algorithm>

#include "protocol/defaults.hpp"

namespace parley {

namespace {

constexpr auto mark_every = std::chrono::minutes{1};
constexpr size_t smallest_table = 16;

/// More than comes, so that what is too much goes.
constexpr size_t forgotten_at_once = 2;

} // namespace

std::optional<retry_memory::entry> retry_memory::find(
  uint64_t retry_hash) const noexcept {
  if (x_table.empty())
    return std::nullopt;
  auto mask = x_table.size() - 1;
  auto tag = tag_of(retry_hash);
  for (auto i = tag & mask; x_table[i] != 0; i = (i + 1) & mask)
    if (tag_of(x_table[i]) == tag && at(x_table[i]).retry_hash == retry_hash)
      return at(x_table[i]).what;
  return std::nullopt;
}

void retry_memory::put(uint64_t serial, uint64_t retry_hash) noexcept {
  auto mask = x_table.size() - 1;
  auto tag = tag_of(retry_hash);
  auto i = tag & mask;
  while (x_table[i] != 0)
    i = (i + 1) & mask;
  x_table[i] =
    used | tag << serial_bits | static_cast<uint32_t>(serial & serial_mask);
}

size_t retry_memory::insert(uint64_t retry_hash, uint64_t content_hash,
  outcome::kind what, time_point now, size_t room) {
  if (!x_kept)
    x_kept = std::make_unique<kept>();
  auto& [ring, marks] = *x_kept;
  size_t forgotten = 0;
  while (ring.size() >= defaults::delivered_memory_max
    || (ring.size() >= room && !ring.empty()
      && forgotten < forgotten_at_once)) {
    pop_oldest();
    ++forgotten;
  }
  while (marks.size() > 1 && marks[1].first <= x_first)
    marks.pop_front();
  if (3 * x_table.size() < 4 * (ring.size() + 1))
    rebuild(std::max(smallest_table, 2 * x_table.size()));
  if (marks.empty() || now - marks.back().since >= mark_every)
    marks.push_back({now, end()});
  put(end(), retry_hash);
  entry e;
  e.content = content_hash >> 2;
  e.kind = static_cast<uint64_t>(what);
  ring.push_back({retry_hash, e});
  if (ring.size() == defaults::delivered_memory_max)
    prefetch(ring.front().retry_hash); // goes at the next one
  return forgotten;
}

void retry_memory::expire(time_point now) {
  if (!x_kept)
    return;
  auto& [ring, marks] = *x_kept;
  // A mark's entries are as old as the next mark at the most.
  while (!marks.empty()
    && now - marks.front().since >= defaults::delivered_memory + mark_every) {
    auto upto = marks.size() > 1 ? marks[1].first : end();
    while (x_first < upto && !ring.empty())
      pop_oldest();
    marks.pop_front();
  }
  if (ring.empty()) {
    x_table = {};
    x_kept.reset();
  }
}

void retry_memory::pop_oldest() noexcept {
  auto mask = x_table.size() - 1;
  auto tag = tag_of(x_kept->ring.front().retry_hash);
  auto mine =
    used | tag << serial_bits | static_cast<uint32_t>(x_first & serial_mask);
  auto hole = tag & mask;
  while (x_table[hole] != mine)
    hole = (hole + 1) & mask;
  // Backward shift (Knuth, 6.4, algorithm R): no tombstones.
  x_table[hole] = 0;
  for (auto i = (hole + 1) & mask; x_table[i] != 0; i = (i + 1) & mask) {
    auto home = tag_of(x_table[i]) & mask;
    if (((i - home) & mask) >= ((i - hole) & mask)) {
      x_table[hole] = x_table[i];
      x_table[i] = 0;
      hole = i;
    }
  }
  x_kept->ring.pop_front();
  ++x_first;
}

void retry_memory::rebuild(size_t slots) {
  x_table.assign(slots, 0);
  for (size_t n = 0; n < size(); ++n)
    put(x_first + n, x_kept->ring[n].retry_hash);
}

} // namespace parley
