#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "actors/observation/im_trace.hpp"
#include "actors/roster/presence_counters.hpp"
#include "actors/router/routing.hpp"

/// What actors tell operators about the engine.
namespace parley {

/// One shard's, at this moment.
struct router_counts {
  /// Sessions.
  uint64_t connected = 0;
  uint64_t suspended = 0;
  /// Users that something is known of.
  uint64_t users = 0;
  /// IMs without outcome, and bytes of them.
  uint64_t pending_ims = 0;
  uint64_t pending_bytes = 0;
  /// Operations that the store has not done.
  uint64_t unwritten = 0;
  routing_counters counters;
  presence_counters presence;
  auto fields() {
    return std::tie(connected, suspended, users, pending_ims, pending_bytes,
      unwritten, counters, presence);
  }
};

/// One worker's connections, at this moment.
struct connection_counts {
  uint64_t signing_in = 0;
  uint64_t signed_in = 0;
  uint64_t closing = 0;
  auto fields() { return std::tie(signing_in, signed_in, closing); }
};

/// Tries to sign in since the start.
struct sign_in_counts {
  uint64_t right = 0;
  uint64_t wrong = 0;
  /// The client left before, or the server had its own trouble.
  uint64_t undecided = 0;
  /// Refused by `signin.rate`, and since too many waited.
  uint64_t over_rate = 0;
  uint64_t overloaded = 0;
  /// Not ended.
  uint64_t under_way = 0;
  auto fields() {
    return std::tie(right, wrong, undecided, over_rate, overloaded, under_way);
  }
};

/// Which IMs had this id; answered with these and when they were submitted.
struct trace_wanted {
  message_id id;
  /// Empty: anybody.
  user_address sender;
  auto fields() { return std::tie(id, sender); }
};

/// What became of these; answered with events alone.
struct trace_of {
  std::vector<traced_im> ims;
  auto fields() { return std::tie(ims); }
};

/// Who has so much or more; `unlimited`: nobody has.
struct limits_wanted {
  uint64_t offline_max = 0;
  uint64_t contacts_max = 0;
  uint64_t watchers_max = 0;
  auto fields() { return std::tie(offline_max, contacts_max, watchers_max); }
};

struct limits_found {
  /// IMs that wait.
  std::vector<user_address> offline;
  std::vector<user_address> contacts;
  std::vector<user_address> watchers;
  failure why;
  auto fields() { return std::tie(offline, contacts, watchers, why); }
};

} // namespace parley
