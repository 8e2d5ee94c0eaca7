#include "actors/accounts/registrations.hpp"

#include <algorithm>

#include "protocol/defaults.hpp"

namespace parley {

std::optional<failure> registrations::begin(
  const user_address& user, const std::string& source, time_point now) {
  using std::chrono::milliseconds;
  forget_old(now);
  const auto known = x_tries.find(source);
  if (known != x_tries.end()
    && known->second >= defaults::registrations_per_source) {
    failure why{errc::rate_limited, "too many accounts were asked for"};
    why.limit = defaults::registrations_per_source;
    const auto oldest = std::find_if(x_when.begin(), x_when.end(),
      [&source](const auto& x) { return x.second == source; });
    why.retry_after = std::chrono::ceil<milliseconds>(
      oldest->first + defaults::registration_memory - now);
    return why;
  }
  if (known == x_tries.end()
    && x_tries.size() >= defaults::registration_sources_max) {
    failure why{errc::overloaded, "too many ask for accounts"};
    why.retry_after = defaults::registration_memory;
    return why;
  }
  ++x_tries[source];
  x_when.emplace_back(now, source);
  if (!x_under_way.insert(user).second)
    return failure{errc::exists, "somebody is making this account"};
  return std::nullopt;
}

void registrations::forget_old(time_point now) {
  while (!x_when.empty()
    && now - x_when.front().first >= defaults::registration_memory) {
    const auto i = x_tries.find(x_when.front().second);
    if (--i->second == 0)
      x_tries.erase(i);
    x_when.pop_front();
  }
}

} // namespace parley
