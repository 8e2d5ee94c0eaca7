#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "protocol/vocabulary.hpp"

namespace parley {

/// Wall clock and randomness, injected: real in the server, made up in tests.
class surroundings {
public:
  virtual ~surroundings() = default;
  virtual wall_time wall_clock() = 0;
  virtual uint64_t wall_clock_us() = 0;
  /// `n` random octets, unpredictable in the server.
  virtual std::string random_octets(size_t n) = 0;
};

} // namespace parley
