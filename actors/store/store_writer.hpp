#pragma once

#include <caf/response_promise.hpp>

#include <vector>

#include "actors/interfaces.hpp"
#include "persistence/store.hpp"

namespace parley {

struct store_writer_state {
  store_writer_state() {}
  static inline const char* name = "writer";

  /// What waits for the next commit.
  operations batch;

  /// A router and what it asked for, in order.
  struct asker {
    router_actor who;
    std::vector<shared<operations>> what;
  };
  std::vector<asker> askers;
  std::vector<caf::typed_response_promise<write_result>> promises;
  bool armed = false;

  asker& of(const router_actor& who);
};

/// Group commit: the first operation of a batch has the writer send itself
/// `commit`; all that lies before that in the mailbox goes into one synced
/// write. Spawn it detached; `db` outlives it.
store_writer_actor::behavior_type store_writer(
  store_writer_actor::stateful_pointer<store_writer_state> self, store* db);

} // namespace parley
