#pragma once

#include <vector>

#include "actors/launcher/actor_asker.hpp"
#include "actors/launcher/engine_sources.hpp"
#include "actors/observation/engine_reading.hpp"

namespace parley {

/// Reads the engine: asks all workers at once. Who does not answer within
/// `metrics_patience` counts with what it said last, so that no counter ever
/// falls.
class metrics_gathering {
public:
  /// `stopping`: see actor_asker.
  metrics_gathering(caf::actor_system& system, engine_sources from,
    const std::atomic<bool>& stopping);

  engine_reading read();

  /// Whether clients can be served: the listeners accept, the server does not
  /// stop, the disk takes writes. One that refused the last is tried; if
  /// it does not answer, why it refused is told.
  result<void> ready();

private:
  /// How many did not answer.
  template <class Answer, class Handle>
  uint64_t ask(const std::vector<Handle>& all, std::vector<Answer>& last);

  engine_sources x_from;
  actor_asker x_ask;
  std::vector<router_counts> x_routers;
  std::vector<connection_counts> x_connections;
  sign_in_counts x_sign_ins;
};

} // namespace parley
