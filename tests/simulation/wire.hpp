#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace parley::test {

class device;
class served;

/// One connection through a network that delivers in order, when it likes,
/// until it breaks.
struct wire {
  using time_point = std::chrono::steady_clock::time_point;

  /// What a network holds for who does not read, a direction.
  static constexpr size_t room = 2048;

  struct direction {
    std::string bytes;
    /// So many more pass, then the connection breaks.
    uint64_t fuse = UINT64_MAX;
    /// Nothing arrives before.
    time_point stalled_until{};
  };

  uint64_t number = 0;
  /// Client to server, and back.
  direction up;
  direction down;
  /// The server's side; null once it has let go.
  std::shared_ptr<served> server;
  /// Null once it has let go.
  device* client = nullptr;
  /// Nothing passes any more.
  bool broken = false;
  /// The server's side is not told.
  bool silent = false;
};

} // namespace parley::test
