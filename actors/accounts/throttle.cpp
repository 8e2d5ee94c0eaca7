#include "actors/accounts/throttle.hpp"

#include <algorithm>

#include "protocol/defaults.hpp"

namespace parley {

using std::chrono::milliseconds;

milliseconds throttle::delay(const std::string& key, time_point now) {
  auto i = x_entries.find(key);
  if (i == x_entries.end())
    return milliseconds{0};
  if (now - i->second.last >= defaults::failure_memory) {
    i->second.failures = 0; // its place in x_order stays
    return milliseconds{0};
  }
  auto failures = i->second.failures;
  if (failures < defaults::free_failures)
    return milliseconds{0};
  milliseconds wait = defaults::failure_delay_first;
  for (auto n = defaults::free_failures;
       n < failures && wait < defaults::failure_delay_max; ++n)
    wait *= 2;
  return std::min<milliseconds>(wait, defaults::failure_delay_max);
}

void throttle::failed(const std::string& key, time_point now) {
  auto [i, is_new] = x_entries.try_emplace(key);
  if (is_new)
    x_order.push_back(key);
  ++i->second.failures;
  i->second.last = now;
  while (x_order.size() > defaults::failure_entries_max) {
    x_entries.erase(x_order.front());
    x_order.pop_front();
  }
}

void throttle::succeeded(const std::string& key) {
  auto i = x_entries.find(key);
  if (i != x_entries.end())
    i->second.failures = 0;
}

void throttle::relent(const std::string& key) {
  auto i = x_entries.find(key);
  if (i != x_entries.end() && i->second.failures > 0)
    --i->second.failures;
}

} // namespace parley
