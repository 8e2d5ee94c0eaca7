#include "actors/gateway/connection_places.hpp"

#include <algorithm>

#include <sys/resource.h>

#include "protocol/defaults.hpp"

namespace parley {

connection_places::place::~place() {
  if (!x_of)
    return;
  signed_in();
  --(x_is_over ? x_of->x_over : x_of->x_taken);
}

void connection_places::place::signed_in() noexcept {
  if (x_of && !x_stranger_from.empty())
    x_of->give_back(std::exchange(x_stranger_from, {}));
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

size_t connection_places::strangers_max() const noexcept {
  constexpr size_t share = 8;
  return std::max<size_t>(x_max / share, 1);
}

bool connection_places::take_one(const std::string& source) {
  const std::lock_guard guard{x_mutex};
  const auto known = x_strangers.find(source);
  const bool few_are_left = x_taken >= x_max - x_max / 4;
  if (few_are_left && known != x_strangers.end()
    && known->second >= strangers_max())
    return false;
  if (!count_up(x_taken, x_max))
    return false;
  ++x_strangers[source];
  return true;
}

void connection_places::give_back(const std::string& stranger_from) noexcept {
  const std::lock_guard guard{x_mutex};
  const auto i = x_strangers.find(stranger_from);
  if (i != x_strangers.end() && --i->second == 0)
    x_strangers.erase(i);
}

std::optional<connection_places::place> connection_places::take(
  const std::shared_ptr<connection_places>& x, const std::string& source) {
  if (x->take_one(source))
    return place{x, source, false};
  ++x->x_refused;
  if (count_up(x->x_over, x->x_over_max))
    return place{x, {}, true};
  return std::nullopt;
}

} // namespace parley
