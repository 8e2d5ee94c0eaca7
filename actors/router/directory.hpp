#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "actors/interfaces.hpp"

namespace parley {

/// Which router serves which slot: an immutable value; a change comes as a new
/// one with a higher epoch. No number of threads or machines is part of any
/// key.
struct directory {
  uint64_t epoch = 1;
  /// One for each worker of this process, in order.
  std::vector<router_actor> routers;

  size_t index_of(uint32_t slot) const noexcept {
    return slot % routers.size();
  }
  const router_actor& at(uint32_t slot) const noexcept {
    return routers[index_of(slot)];
  }
};

using directory_ptr = std::shared_ptr<const directory>;

} // namespace parley

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(parley::directory_ptr)
