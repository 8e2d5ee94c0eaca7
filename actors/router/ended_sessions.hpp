#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "actors/router/ids.hpp"
#include "protocol/address.hpp"

namespace parley {

/// How much of what was asked was done in the sessions that ended last, for
/// clients that would have gone on with one of them. The oldest are forgotten.
class ended_sessions {
public:
  explicit ended_sessions(size_t max) : x_max(max) {}

  /// Empty proof: nobody may ask for it.
  void add(session_id id, const std::string& proof, const user_address& user);
  /// Nothing happens if it was forgotten meanwhile.
  void set_done(session_id id, uint64_t done);
  /// Nothing: it is not known, or not this user's.
  std::optional<uint64_t> done(
    session_id id, std::string_view proof, const user_address& user) const;

private:
  struct ended {
    std::string proof;
    user_address user;
    std::optional<uint64_t> done;
  };

  size_t x_max;
  std::unordered_map<session_id, ended> x_sessions;
  /// The oldest first.
  std::deque<session_id> x_order;
};

} // namespace parley
