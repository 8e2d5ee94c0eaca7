#pragma once

#include <memory>

#include "actors/interfaces.hpp"

namespace parley::test {

/// Passes all on to `reader`; where `is_blind`, of rosters it says instead that
/// they cannot be read.
store_reader_actor::behavior_type blind_reader(store_reader_actor::pointer self,
  store_reader_actor reader, std::shared_ptr<const bool> is_blind);

} // namespace parley::test
