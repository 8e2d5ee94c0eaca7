#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "protocol/presence.hpp"

namespace parley {

/// What one group of watchers may see of a user at a time: an immutable value,
/// handed to all of them.
struct presentity {
  user_address who;
  /// Greater is later, whatever way it came.
  uint64_t version = 0;
  /// Of available endpoints, in order of address.
  std::vector<shared<presence_notice>> endpoints;
  /// Of those that were available just before, with their last words.
  std::vector<shared<presence_notice>> left;
  /// Not to be told; `endpoints` is empty then.
  bool unknown = false;
  auto fields() { return std::tie(who, version, endpoints, left, unknown); }
};

/// One endpoint; if it is unavailable, with what it said when it became so.
struct endpoint_presence {
  endpoint_name name;
  availability what;
};

/// The one line for a whole user: *dnd* if any endpoint says so, else the most
/// reachable: chat, available, away, xa. Of equals the higher priority, then
/// the first, gives the status. *unavailable* if there are none.
availability compose(std::span<const endpoint_presence> endpoints);

/// What `now`, sorted by name, looks like after `before` was told; notices of
/// endpoints that say the same as before are the same objects.
presentity make_presentity(const user_address& who, uint64_t version,
  std::span<const endpoint_presence> now, const presentity& before);

/// The notices that lead a watcher from `before` to `after`, in order; `before`
/// is null for one who was told nothing.
std::vector<shared<presence_notice>> difference(
  const presentity* before, const presentity& after);

/// *unknown*, or *unavailable*, from the bare address.
shared<presence_notice> bare_notice(const user_address& who, show what);

} // namespace parley
