#include "actors/accounts/throttle.hpp"

#include <algorithm>

#include "protocol/defaults.hpp"

namespace parley {

using std::chrono::milliseconds;

namespace {

/// More failures than these lengthen no delay, and forgiving them one by one
/// would take for ever.
constexpr uint32_t failures_max = [] {
  auto n = defaults::free_failures;
  for (auto delay = defaults::failure_delay_first;
       delay < defaults::failure_delay_max; delay *= 2)
    ++n;
  return n;
}();

/// From a turn to the next one, if its try is the `failures`-th failure.
milliseconds delay_after(uint32_t failures) noexcept {
  if (failures < defaults::free_failures)
    return milliseconds{0};
  auto delay = defaults::failure_delay_first;
  for (auto n = defaults::free_failures;
       n < failures && delay < defaults::failure_delay_max; ++n)
    delay *= 2;
  return std::min(delay, defaults::failure_delay_max);
}

/// Takes out those that came first.
template <class Map>
void bound(Map& entries, std::deque<uint64_t>& order) {
  while (order.size() > defaults::failure_entries_max) {
    entries.erase(order.front());
    order.pop_front();
  }
}

} // namespace

throttle::entry* throttle::find(std::string_view key) {
  auto i = x_entries.find(x_hash(key));
  return i == x_entries.end() ? nullptr : &i->second;
}

const throttle::entry* throttle::find(std::string_view key) const {
  auto i = x_entries.find(x_hash(key));
  return i == x_entries.end() ? nullptr : &i->second;
}

throttle::entry& throttle::make(std::string_view key) {
  auto h = x_hash(key);
  auto [i, is_new] = x_entries.try_emplace(h);
  if (is_new) {
    x_order.push_back(h);
    bound(x_entries, x_order); // never the one that came last
  }
  return i->second;
}

uint32_t throttle::failures(const entry& x, time_point now) noexcept {
  return now - x.last >= defaults::failure_memory ? 0 : x.failures;
}

uint32_t throttle::suspects(const entry& x, time_point now) const noexcept {
  if (!x_tries_at_once)
    return 0;
  if (failures(x, now) >= defaults::free_failures)
    return x.under_way;
  return x.under_way - std::min(x.under_way, *x_tries_at_once - 1);
}

milliseconds throttle::wait(std::string_view key, time_point now) const {
  const auto* x = find(key);
  if (!x || x->next <= now)
    return milliseconds{0};
  return std::chrono::ceil<milliseconds>(x->next - now);
}

milliseconds throttle::take(
  std::string_view key, time_point now, milliseconds& pause) {
  auto waits = wait(key, now);
  auto& x = make(key);
  pause = delay_after(failures(x, now) + 1 + suspects(x, now));
  ++x.under_way;
  if (pause.count() > 0)
    x.next = now + waits + pause;
  return waits;
}

void throttle::count_failure(entry& x, time_point now) noexcept {
  x.failures = std::min(failures(x, now) + 1, failures_max);
  x.last = now;
}

void throttle::end(std::string_view key, try_end how, time_point now) {
  auto* x = find(key);
  if (!x) // it gave way meanwhile
    return;
  x->under_way -= x->under_way > 0;
  if (how == try_end::wrong) {
    count_failure(*x, now);
  } else if (how == try_end::right) {
    x->failures = 0;
    x->next = {};
  }
}

void throttle::give_back(
  std::string_view key, time_point turn, milliseconds pause) {
  auto* x = find(key);
  if (x && x->next == turn + pause)
    x->next = turn;
}

void throttle::relent(std::string_view key, time_point now) {
  auto* x = find(key);
  if (!x)
    return;
  x->failures -= x->failures > 0;
  if (failures(*x, now) < defaults::free_failures)
    x->next = {};
}

void throttle::fail(std::string_view key, time_point now) {
  auto& x = make(key);
  count_failure(x, now);
  x.next = std::max(x.next, now + delay_after(x.failures));
}

bool throttle::is_fresh(std::string_view key, time_point now) const {
  const auto* x = find(key);
  return !x || (x->under_way == 0 && failures(*x, now) == 0);
}

uint32_t throttle::under_way(std::string_view key) const {
  const auto* x = find(key);
  return x ? x->under_way : 0;
}

void known_keys::add(std::string_view key, time_point now) {
  auto h = x_hash(key);
  if (x_entries.insert_or_assign(h, now).second) {
    x_order.push_back(h);
    bound(x_entries, x_order);
  }
}

bool known_keys::contains(std::string_view key, time_point now) const {
  auto i = x_entries.find(x_hash(key));
  return i != x_entries.end()
    && now - i->second < defaults::known_source_memory;
}

} // namespace parley
