#include "actors/types.hpp"

namespace parley {

void add_message_types(caf::actor_system_config& cfg) {
  cfg.add_message_types<caf::id_block::parley>();
}

} // namespace parley
