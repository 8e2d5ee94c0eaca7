#pragma once

#include <memory>
#include <string>
#include <vector>

#include "actors/gateway/gateway.hpp"
#include "protocol/errors.hpp"

namespace parley {

/// `HOST:PORT`, the host perhaps in brackets; a name is looked up.
struct listen_address {
  std::string host;
  uint16_t port = 0;

  /// `bad_address` with what was expected.
  static result<listen_address> parse(std::string_view text);
  std::string str() const;
  /// Whether everything that the host stands for is loopback.
  bool is_loopback() const;
};

/// Accepts connections on one worker and spreads them over all.
class listener : public std::enable_shared_from_this<listener> {
public:
  /// Listens on a socket that is bound, which is its own from now on;
  /// `bad_address` with the system's words if it cannot. Accepts once `start`
  /// is called.
  static result<std::shared_ptr<listener>> listen(worker& on, int bound,
    bool is_v6, std::vector<std::shared_ptr<connections>> to,
    wire_protocol protocol = wire_protocol::native);
  ~listener();

  void start();
  /// From any thread.
  void stop();
  /// With the port that was picked.
  std::string local_address() const;
  wire_protocol protocol() const noexcept;

private:
  struct impl;
  explicit listener(std::unique_ptr<impl> x);
  std::unique_ptr<impl> x_impl;
};

} // namespace parley
