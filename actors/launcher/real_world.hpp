#pragma once

#include "actors/router/router.hpp"

namespace parley {

/// The system's clock and OpenSSL's randomness. From any thread.
class real_world final : public surroundings {
public:
  wall_time wall_clock() override;
  uint64_t wall_clock_us() override;
  /// Throws std::runtime_error if the system has none to give.
  std::string random_octets(size_t n) override;
};

} // namespace parley
