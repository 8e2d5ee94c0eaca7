#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include <caf/response_promise.hpp>

#include "actors/interfaces.hpp"
#include "actors/router/id_filter.hpp"
#include "persistence/store.hpp"

namespace parley {

struct store_sweeper_state {
  store_sweeper_state() {}
  static inline const char* name = "sweeper";

  /// A `step` to itself is under way.
  bool armed = false;

  // -- the round under way, or the last one
  shared<policy> rules;
  wall_time now{};
  std::vector<router_actor> routers;
  bool expiring = false;
  bool forgetting = false;
  /// Goes on from round to round.
  store::expiry_look look;
  /// IMs that this round has told routers of.
  size_t expired = 0;

  // -- the filter over all ids
  /// Ids that went into the filter which routers have, and those put until
  /// then; and how many were forgotten since.
  uint64_t in_filter = 0;
  uint64_t put_before = 0;
  uint64_t forgotten = 0;
  std::chrono::steady_clock::time_point next_scan{};
  /// Routers that have yet to say that they keep new ids apart.
  size_t unanswered = 0;

  struct scan {
    id_filter found;
    std::string from;
    uint64_t put_before = 0;
    uint64_t forgotten_before = 0;
  };
  /// While a new one is made.
  std::optional<scan> scanning;

  // -- rosters
  /// Notes that nobody has confirmed are sent again.
  bool resending = false;
  /// Those, too, that wait for an account.
  bool resending_all = false;
  /// Rounds of it, and accounts put before the last one that was for all.
  unsigned resendings = 0;
  std::optional<uint64_t> accounts_before;
  bool cleaning_up = false;
  std::string next_note;
  /// Requests that wait in rosters are looked at again.
  bool reviewing = false;
  user_address reviewed;

  // -- what operators wait for
  struct listing {
    caf::typed_response_promise<accounts_found> promise;
    accounts_found found;
  };
  std::deque<listing> listings;

  /// Users at their limits: by their accounts, then by their rosters.
  struct limits_look {
    caf::typed_response_promise<limits_found> promise;
    limits_wanted wanted;
    limits_found found;
    user_address last;
    bool accounts_done = false;
  };
  std::deque<limits_look> limits;

  /// A page of contact lists in the making.
  struct rosters_look {
    caf::typed_response_promise<rosters_found> promise;
    rosters_found found;
    /// Read so far.
    size_t entries = 0;
  };
  std::deque<rosters_look> rosters;
};

/// Sweeps out of the store what has expired, makes the routers' filter over its
/// ids anew when most of them are gone, sends again what one half of a
/// subscription owes to the other, and lists accounts: whatever goes over much
/// of the store, in bounded steps, each a message, so that an end need not
/// wait. Spawn it detached; `db` outlives it. `in_filter`: ids in the filter
/// that the routers began with.
store_sweeper_actor::behavior_type store_sweeper(
  store_sweeper_actor::stateful_pointer<store_sweeper_state> self, store* db,
  uint64_t in_filter);

} // namespace parley
