#pragma once

#include "actors/interfaces.hpp"
#include "persistence/store.hpp"

namespace parley {

struct store_reader_state {
  store_reader_state() {}
  static inline const char* name = "reader";
};

/// Spawn it detached; `db` outlives it.
store_reader_actor::behavior_type store_reader(
  store_reader_actor::stateful_pointer<store_reader_state> self, store* db);

} // namespace parley
