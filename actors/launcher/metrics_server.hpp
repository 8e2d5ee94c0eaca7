#pragma once

#include <memory>
#include <string>
#include <vector>

#include <caf/actor_system.hpp>

#include "actors/launcher/bound_socket.hpp"
#include "actors/launcher/engine_sources.hpp"
#include "protocol/errors.hpp"

namespace parley {

/// What machines read off the server, by HTTP, in a thread of its own:
/// `/metrics` for Prometheus, `/healthz` (the process answers), `/readyz`
/// (clients can be served; else 503 and why). Nothing can be changed there.
/// Bounded in clients, in the bytes of a request and in time.
class metrics_server {
public:
  /// Listens on sockets that are bound. `bad_address` if it cannot.
  static result<std::unique_ptr<metrics_server>> start(
    caf::actor_system& system, std::vector<bound_socket> at,
    engine_sources from);

  /// In the order of the sockets.
  const std::vector<std::string>& listening() const noexcept;
  /// Begins to end, from any thread: waits for actors no more, but tells on
  /// that the server stops.
  void stop_soon();
  /// Ends the thread.
  ~metrics_server();

private:
  struct impl;
  explicit metrics_server(std::unique_ptr<impl> x);
  std::unique_ptr<impl> x_impl;
};

} // namespace parley
