#pragma once

#include <atomic>
#include <cstdint>

namespace parley {

/// How often what clients sent was refused by a limit that nobody behind the
/// connections sees, since the start, on all workers.
struct limits_hit {
  /// Longer than any frame may be; the connection ended by it.
  std::atomic<uint64_t> frames = 0;
  /// With more entries, or a longer text, than a request may have.
  std::atomic<uint64_t> requests = 0;
  /// Accounts that strangers asked for, too many in an hour.
  std::atomic<uint64_t> registrations = 0;
};

} // namespace parley
