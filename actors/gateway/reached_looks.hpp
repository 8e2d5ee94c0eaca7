#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "protocol/defaults.hpp"

namespace parley {

/// When to look again what has reached a peer: soon at first and whenever
/// something moves, then ever more rarely, since a peer may be dead.
class look_again {
public:
  /// It begins anew.
  void begin() noexcept { x_after = {}; }
  /// After a look that found so many bytes there, of all that were written.
  std::chrono::milliseconds looked(uint64_t reached) noexcept {
    const bool moves = reached > std::exchange(x_reached, reached);
    x_after = moves || x_after.count() == 0
      ? defaults::reached_interval
      : std::min(2 * x_after, defaults::reached_interval_max);
    return x_after;
  }

private:
  std::chrono::milliseconds x_after{};
  uint64_t x_reached = 0;
};

/// Connections that ask what has reached their peers, and when to look.
class reached_looks {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// True: it is the next one now.
  bool add(uint64_t connection, time_point when) {
    const auto i = x_when.emplace(when, connection);
    return i == x_when.begin();
  }
  bool empty() const noexcept { return x_when.empty(); }
  /// Not if it is empty.
  time_point next() const { return x_when.begin()->first; }
  /// Takes out those whose time has come.
  std::vector<uint64_t> due(time_point now) {
    std::vector<uint64_t> xs;
    for (auto i = x_when.begin(); i != x_when.end() && i->first <= now;
         i = x_when.erase(i))
      xs.push_back(i->second);
    return xs;
  }

private:
  std::multimap<time_point, uint64_t> x_when;
};

} // namespace parley
