#pragma once

#include <string>
#include <utility>
#include <vector>

#include "actors/gateway/listener.hpp"
#include "protocol/errors.hpp"

namespace parley {

/// A TCP socket that has its address and does not listen yet. Made before the
/// server gives up its privileges, which a low port may need.
class bound_socket {
public:
  /// One for each address that the host stands for, in the order of the
  /// system's answer; those of a family that this machine does not have are
  /// left out. Port 0 picks one port for all. `bad_address` with the system's
  /// words if one cannot be bound, or none is left.
  static result<std::vector<bound_socket>> bind_all(const listen_address& at);

  bound_socket(bound_socket&& x) noexcept;
  bound_socket& operator=(bound_socket&& x) noexcept;
  ~bound_socket();

  bool is_v6() const noexcept { return x_is_v6; }
  /// Gives the descriptor away.
  int release() noexcept { return std::exchange(x_fd, -1); }

private:
  friend class socket_binder;
  bound_socket(int fd, bool is_v6) noexcept : x_fd(fd), x_is_v6(is_v6) {}

  int x_fd = -1;
  bool x_is_v6 = false;
};

} // namespace parley
