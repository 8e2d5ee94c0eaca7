#include "actors/session/directed_presence.hpp"

#include <utility>

#include "protocol/content_bytes.hpp"
#include "protocol/defaults.hpp"

namespace parley {

bool directed_presence::keep(const passed_on& x) {
  const auto& from = x.message->from;
  if (x_kept.contains(from))
    return true; // once is enough
  const auto bytes = content_bytes(*x.message);
  if (x_kept.size() >= defaults::taken_back_max
    || x_kept_bytes + bytes > defaults::taken_back_bytes_max)
    return false;
  x_kept.emplace(from, x);
  x_kept_bytes += bytes;
  return true;
}

void directed_presence::forget(const address& who) {
  auto i = x_kept.find(who);
  if (i == x_kept.end())
    return;
  x_kept_bytes -= content_bytes(*i->second.message);
  x_kept.erase(i);
}

passed_on directed_presence::take() {
  auto i = x_kept.begin();
  auto what = std::move(i->second);
  x_kept_bytes -= content_bytes(*what.message);
  x_kept.erase(i);
  return what;
}

} // namespace parley
