#include "actors/gateway/connection_places.hpp"

#include <algorithm>

#include <sys/resource.h>

#include "protocol/defaults.hpp"

namespace parley {

connection_places::place::~place() {
  if (x_of)
    --(x_is_over ? x_of->x_over : x_of->x_taken);
}

std::shared_ptr<connection_places> connection_places::by_descriptors() {
  rlimit x{};
  size_t all = 2 * defaults::descriptors_reserve;
  if (::getrlimit(RLIMIT_NOFILE, &x) == 0)
    all = static_cast<size_t>(x.rlim_cur);
  const auto reserve = std::min(defaults::descriptors_reserve, all / 2);
  return std::make_shared<connection_places>(
    all - reserve, std::min(defaults::turned_away_max, reserve / 4));
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
  ++x->x_refused;
  if (count_up(x->x_over, x->x_over_max))
    return place{x, true};
  return std::nullopt;
}

} // namespace parley
