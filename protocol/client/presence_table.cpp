#include "protocol/client/presence_table.hpp"

#include <utility>

namespace parley {

void presence_table::take(const presence_notice& x) {
  auto available =
    x.what.show != show::unavailable && x.what.show != show::unknown;
  if (available) {
    x_available.insert(x.from);
    return;
  }
  if (x.from.is_full()) {
    x_available.erase(x.from);
    return;
  }
  auto begin = x_available.lower_bound(x.from);
  auto end = begin;
  while (end != x_available.end() && end->user == x.from.user)
    ++end;
  x_available.erase(begin, end);
}

std::vector<presence_notice> presence_table::reset() {
  std::vector<presence_notice> out;
  for (auto& who : std::exchange(x_available, {})) {
    presence_notice x;
    x.from = who;
    x.what.show = show::unavailable;
    out.push_back(std::move(x));
  }
  return out;
}

size_t presence_table::memory() const noexcept {
  // A node has three pointers and a colour beside its value.
  constexpr size_t node = 4 * sizeof(void*);
  size_t n = 0;
  for (auto& x : x_available)
    n += node + sizeof(x) + x.user.str().size() + x.endpoint.str().size();
  return n;
}

} // namespace parley
