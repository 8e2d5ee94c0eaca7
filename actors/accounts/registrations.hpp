#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "protocol/address.hpp"
#include "protocol/errors.hpp"

namespace parley {

/// Which strangers may make an account now: so many tries in a time from each
/// source, of whatever end, and one at a time of each name. Rules only.
class registrations {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// `rate_limited` with when to come back, `overloaded` if there are too many
  /// sources, `exists` if somebody is making it. None: `end` follows.
  std::optional<failure> begin(
    const user_address& user, const std::string& source, time_point now);
  void end(const user_address& user) { x_under_way.erase(user); }

  size_t sources() const noexcept { return x_tries.size(); }

private:
  void forget_old(time_point now);

  /// Tries that count, by source.
  std::unordered_map<std::string, uint32_t> x_tries;
  /// When they were, the oldest first.
  std::deque<std::pair<time_point, std::string>> x_when;
  std::set<user_address> x_under_way;
};

} // namespace parley
