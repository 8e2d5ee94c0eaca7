#include "actors/gateway/connection_places.hpp"

#include <sys/resource.h>

#include "protocol/defaults.hpp"

namespace parley {

connection_places::place::~place() {
  if (x_of)
    --(x_is_over ? x_of->x_over : x_of->x_taken);
}

size_t connection_places::max_by_descriptors() noexcept {
  rlimit x{};
  if (::getrlimit(RLIMIT_NOFILE, &x) != 0)
    return defaults::descriptors_reserve;
  const auto all = static_cast<size_t>(x.rlim_cur);
  return all / 2 > defaults::descriptors_reserve
    ? all - defaults::descriptors_reserve
    : all / 2;
}

bool connection_places::count_up(std::atomic<size_t>& x, size_t max) noexcept {
  auto n = x.load();
  while (n < max)
    if (x.compare_exchange_weak(n, n + 1))
      return true;
  return false;
}

std::optional<connection_places::place> connection_places::take(
  const std::shared_ptr<connection_places>& x) {
  if (count_up(x->x_taken, x->x_max))
    return place{x, false};
  if (count_up(x->x_over, defaults::turned_away_max))
    return place{x, true};
  return std::nullopt;
}

} // namespace parley
