#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "actors/accounts/password_line.hpp"
#include "actors/gateway/connection_places.hpp"
#include "actors/gateway/limits_hit.hpp"
#include "actors/interfaces.hpp"
#include "actors/memory/memory_budget.hpp"
#include "actors/observation/commit_meter.hpp"
#include "persistence/store.hpp"

namespace parley {

/// How far the server is, for other threads.
struct server_stage {
  /// The listeners accept.
  std::atomic<bool> accepts = false;
  std::atomic<bool> stops = false;
};

/// Where operators' threads read off how the engine fares. Holds handles of
/// detached actors, which end only once nobody has them.
struct engine_sources {
  std::vector<router_actor> routers;
  std::vector<gateway_actor> gateways;
  admission_actor admission;
  store_writer_actor writer;
  std::shared_ptr<const commit_meter> commits;
  std::shared_ptr<const password_line> passwords;
  std::shared_ptr<const connection_places> places;
  std::shared_ptr<const limits_hit> hits;
  std::shared_ptr<const memory_budget> budget;
  std::shared_ptr<const server_stage> stage;
  const store* db = nullptr;
  wall_time started{};
};

} // namespace parley
