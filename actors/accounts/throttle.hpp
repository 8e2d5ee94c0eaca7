#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

namespace parley {

/// Slows down guessing: who failed more often than `free_failures` waits,
/// twice as long each time. Rules only; one for accounts, one for source
/// addresses. Bounded: the entry that came first gives way.
class throttle {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// How long the next try of `key` has to wait.
  std::chrono::milliseconds delay(const std::string& key, time_point now);
  void failed(const std::string& key, time_point now);
  void succeeded(const std::string& key);
  /// Forgives one failure: somebody else behind the same address was right.
  void relent(const std::string& key);
  size_t size() const noexcept { return x_entries.size(); }

private:
  struct entry {
    uint32_t failures = 0;
    time_point last;
  };

  std::unordered_map<std::string, entry> x_entries;
  std::deque<std::string> x_order;
};

} // namespace parley
