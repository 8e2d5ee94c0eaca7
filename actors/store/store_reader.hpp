#pragma once

#include "actors/interfaces.hpp"
#include "actors/runtime/seldom.hpp"
#include "persistence/defaults.hpp"
#include "persistence/store.hpp"

namespace parley {

struct store_reader_state {
  store_reader_state() {}
  static inline const char* name = "reader";

  /// For operators: who asked does not say it on.
  void log(const failure& why, seldom::time_point now);

  seldom told{defaults::damage_log_interval};
};

/// The log has what cannot be read. Spawn it detached; `db` outlives it.
store_reader_actor::behavior_type store_reader(
  store_reader_actor::stateful_pointer<store_reader_state> self, store* db);

} // namespace parley
