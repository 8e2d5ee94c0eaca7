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

/// Limits that sessions of one worker ran into, since the start; shared by all
/// of them.
struct session_limits {
  /// Requests beyond the window; sign-ins beyond the endpoints of a user.
  uint64_t windows = 0;
  uint64_t endpoints = 0;
  /// Typing notices and what is passed on beyond the rate, receipts that nobody
  /// takes, lists for who leaves too much untaken, and documents read and
  /// changed beyond the rate.
  uint64_t typing = 0;
  uint64_t receipts = 0;
  uint64_t lists = 0;
  uint64_t documents = 0;
  auto fields() {
    return std::tie(windows, endpoints, typing, receipts, lists, documents);
  }
  session_limits& operator+=(const session_limits& x) noexcept {
    windows += x.windows;
    endpoints += x.endpoints;
    typing += x.typing;
    receipts += x.receipts;
    lists += x.lists;
    documents += x.documents;
    return *this;
  }
};

/// Of what users keep, since the start.
struct document_counters {
  uint64_t readings = 0;
  uint64_t changes = 0;
  /// Changes that were not carried out, and those among them that were beyond
  /// the limits.
  uint64_t refused = 0;
  uint64_t full = 0;
  /// Handed to sessions.
  uint64_t notices = 0;
  auto fields() { return std::tie(readings, changes, refused, full, notices); }
  document_counters& operator+=(const document_counters& x) noexcept {
    readings += x.readings;
    changes += x.changes;
    refused += x.refused;
    full += x.full;
    notices += x.notices;
    return *this;
  }
};

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
  session_limits limits;
  document_counters documents;
  auto fields() {
    return std::tie(connected, suspended, users, pending_ims, pending_bytes,
      unwritten, counters, presence, limits, documents);
  }
};

/// One worker's connections, at this moment.
struct connection_counts {
  uint64_t signing_in = 0;
  uint64_t signed_in = 0;
  uint64_t closing = 0;
  /// Those that are not read from for now, since too much is held or under way.
  uint64_t held_back = 0;
  // Since the start: who did not read, who did not sign in in time, and
  // passwords for which there was no room in the line.
  uint64_t slow_consumers = 0;
  uint64_t sign_in_timeouts = 0;
  uint64_t passwords_full = 0;
  auto fields() {
    return std::tie(signing_in, signed_in, closing, held_back, slow_consumers,
      sign_in_timeouts, passwords_full);
  }
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
  uint64_t endpoints_max = 0;
  auto fields() {
    return std::tie(offline_max, contacts_max, watchers_max, endpoints_max);
  }
};

struct limits_found {
  /// IMs that wait.
  std::vector<user_address> offline;
  std::vector<user_address> contacts;
  std::vector<user_address> watchers;
  /// Suspended ones count.
  std::vector<user_address> endpoints;
  failure why;
  auto fields() {
    return std::tie(offline, contacts, watchers, endpoints, why);
  }
};

} // namespace parley
