#pragma once

#include <memory>
#include <string>
#include <vector>

#include <caf/actor_system.hpp>

#include "actors/interfaces.hpp"
#include "actors/launcher/engine_sources.hpp"
#include "actors/router/router.hpp"
#include "protocol/errors.hpp"

namespace parley {

class decoys;
class tls_context;

/// The operators' entrance: a Unix socket that only the owner of the data
/// folder can open (its folder has mode 700, the socket 600). One JSON object a
/// line in, one a line out, in a thread of its own. Any number of operators
/// are connected, up to `admin_clients_max`; their requests are served one
/// after another, in turn.
class admin_server {
public:
  struct actors {
    std::vector<router_actor> routers;
    store_writer_actor writer;
    store_reader_actor reader;
    store_sweeper_actor sweeper;
    password_actor passwords;
    settings_actor settings;
    std::shared_ptr<surroundings> world;
    /// Of user names without one.
    std::string domain;
    /// Learns the keys of new accounts.
    std::shared_ptr<decoys> unknown_users;
    engine_sources engine;
    /// The data folder.
    std::string folder;
    /// What clients connect by, and the file of its certificate; without TLS
    /// neither.
    std::shared_ptr<const tls_context> tls;
    std::string certificate;
    /// What becomes of IMs is kept.
    bool traces = true;
  };

  /// `store_unavailable` if the socket cannot be made.
  static result<std::unique_ptr<admin_server>> start(
    caf::actor_system& system, std::string path, actors reach);

  /// Begins to end, from any thread, and does not wait: the request that is
  /// being served breaks off at its next step, further ones are not taken.
  void stop_soon();

  /// Ends the thread and removes the socket.
  ~admin_server();

private:
  struct impl;
  explicit admin_server(std::unique_ptr<impl> x);
  std::unique_ptr<impl> x_impl;
};

} // namespace parley
