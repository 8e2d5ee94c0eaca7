#include "actors/router/failed_removals.hpp"

#include <algorithm>
#include <variant>

#include "protocol/defaults.hpp"

namespace parley {

failed_removals::key failed_removals::key_of(const store_operation& what) {
  if (auto* im = std::get_if<remove_im>(&what))
    return {im->recipient, im->order};
  return {std::get<remove_account>(what).user, std::nullopt};
}

bool failed_removals::begun(const store_operation& what) {
  auto [i, is_new] = x_entries.try_emplace(key_of(what));
  if (is_new) {
    i->second.what = what;
    i->second.under_way = true;
  }
  return is_new;
}

void failed_removals::refused(const store_operation& what, time_point now) {
  auto& x = x_entries[key_of(what)];
  x.what = what;
  x.wait = x.wait.count() == 0
    ? defaults::removal_retry_first
    : std::min(2 * x.wait, defaults::removal_retry_max);
  x.due = now + x.wait;
  x.under_way = false;
  x_next = std::min(x_next, x.due);
}

std::vector<store_operation> failed_removals::due(time_point now) {
  std::vector<store_operation> xs;
  if (now < x_next)
    return xs;
  x_next = time_point::max();
  for (auto& [key, x] : x_entries) {
    if (x.under_way)
      continue;
    if (x.due <= now) {
      x.under_way = true;
      xs.push_back(x.what);
    } else {
      x_next = std::min(x_next, x.due);
    }
  }
  return xs;
}

} // namespace parley
