#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "actors/memory/memory_budget.hpp"
#include "actors/observation/commit_meter.hpp"
#include "actors/observation/messages.hpp"
#include "protocol/errors.hpp"

namespace parley {

/// What can be read off the engine at one moment: the sum over its workers.
struct engine_reading {
  std::string version;
  /// When the process started.
  wall_time started{};
  router_counts routers;
  connection_counts connections;
  sign_in_counts sign_ins;
  /// Null: nothing is known of the store's writer.
  std::shared_ptr<const commit_meter> commits;
  /// Records that cannot be read.
  uint64_t unreadable = 0;
  /// Connections: those there is room for, and those there was none for.
  uint64_t places = 0;
  uint64_t turned_away = 0;
  /// What clients sent beyond what the protocol allows, and accounts that
  /// strangers asked for beyond their number.
  uint64_t frames_too_large = 0;
  uint64_t requests_too_large = 0;
  uint64_t registrations_refused = 0;
  /// Passwords that wait to be hashed.
  uint64_t passwords = 0;
  /// Bytes that clients make the server hold: by what for, the bound for all
  /// together, and the most there ever were.
  held_by_kind held{};
  uint64_t held_max = 0;
  uint64_t held_highest = 0;
  /// What was done for want of memory.
  uint64_t memory_refused_connections = 0;
  uint64_t memory_refused_sign_ins = 0;
  uint64_t memory_ended_sessions = 0;
  uint64_t reads_held_back = 0;
  /// Bytes of IMs without outcome on the worker that has most of them.
  uint64_t fullest_worker_bytes = 0;
  uint64_t workers = 0;
  /// Workers whose figures are old: they did not answer in time.
  uint64_t silent_workers = 0;
};

uint64_t held_in_all(const engine_reading& x) noexcept;

/// In Prometheus' text format, 0.0.4. Names, labels and help stand here alone.
std::string as_prometheus(const engine_reading& x);

/// The setting that a rejected IM or a refused request has run into; empty for
/// all other reasons.
std::string_view limit_of(errc why) noexcept;

} // namespace parley
