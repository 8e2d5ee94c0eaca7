#pragma once

#include "actors/interfaces.hpp"
#include "actors/observation/commit_meter.hpp"
#include "actors/runtime/seldom.hpp"
#include "persistence/defaults.hpp"
#include "persistence/store.hpp"

#include <caf/response_promise.hpp>

#include <cstddef>
#include <memory>
#include <vector>

namespace parley {

struct store_writer_state {
  store_writer_state() {}
  static inline const char* name = "writer";

  /// Operations and who waits to hear of them: a router, of each by itself, or
  /// somebody with a request, for which they belong together.
  struct piece {
    shared<operations> what;
    router_actor router;
    caf::typed_response_promise<write_result> promise;
  };

  /// What waits for the next commit, in the order in which it came.
  std::vector<piece> waiting;
  /// Operations in it.
  size_t size = 0;
  /// A `commit` to itself is under way.
  bool armed = false;
  std::shared_ptr<commit_meter> meter;
  /// Commits that the disk refused since it took one.
  uint64_t refused = 0;
  seldom damage_told{defaults::damage_log_interval};
};

/// Group commit: the first operation of a batch has the writer send itself
/// `commit`; all that lies before that in the mailbox goes into one synced
/// write, up to `commit_max` operations. A disk that refuses answers all of
/// them with its error, and the log has when that began and ended; a damaged
/// record answers those that need it: of a router single operations, of others
/// all that they asked for. Spawn it detached; `db` outlives it. `meter` is
/// told how commits went; it may be null.
store_writer_actor::behavior_type store_writer(
  store_writer_actor::stateful_pointer<store_writer_state> self, store* db,
  std::shared_ptr<commit_meter> meter);

} // namespace parley
