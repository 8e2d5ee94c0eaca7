#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

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
  /// Passwords that wait to be hashed.
  uint64_t passwords = 0;
  /// Bytes of IMs without outcome on the worker that has most of them.
  uint64_t fullest_worker_bytes = 0;
  uint64_t workers = 0;
  /// Workers whose figures are old: they did not answer in time.
  uint64_t silent_workers = 0;
};

/// In Prometheus' text format, 0.0.4. Names, labels and help stand here alone.
std::string as_prometheus(const engine_reading& x);

/// The setting that a rejected IM or a refused request has run into; empty for
/// all other reasons.
std::string_view limit_of(errc why) noexcept;

} // namespace parley
