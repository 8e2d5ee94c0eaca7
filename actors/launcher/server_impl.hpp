#pragma once

#include "actors/launcher/server.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include "actors/gateway/gateway.hpp"
#include "actors/launcher/admin_server.hpp"
#include "actors/launcher/bound_socket.hpp"
#include "actors/launcher/engine_sources.hpp"
#include "actors/launcher/metrics_server.hpp"
#include "actors/launcher/real_world.hpp"
#include "actors/memory/memory_budget.hpp"
#include "actors/router/router.hpp"
#include "actors/runtime/scheduler.hpp"
#include "persistence/store.hpp"
#include "protocol/tls.hpp"

namespace parley {

/// What a server consists of: started in server.cpp, in this order, and stopped
/// in server_stopping.cpp.
struct server::impl {
  serve_options options;
  /// Outlives all that counts in it.
  std::shared_ptr<memory_budget> budget;
  std::unique_ptr<store> db;
  std::shared_ptr<tls_context> tls;
  /// Its file.
  std::string certificate;
  std::shared_ptr<decoys> unknown_users;
  std::shared_ptr<surroundings> world = std::make_shared<real_world>();
  /// As in `router_config`, until there are routers.
  std::shared_ptr<const sharing_users> sharing_of;

  caf::actor_system_config cfg;
  std::unique_ptr<caf::actor_system> system;

  store_writer_actor writer;
  std::vector<store_reader_actor> readers;
  store_sweeper_actor sweeper;
  password_actor passwords;
  admission_actor admissions;
  registrar_actor registrations;
  std::vector<local_router_actor> routers;
  std::vector<std::shared_ptr<connections>> sockets;
  std::vector<gateway_actor> gateways;
  settings_actor policies;
  std::vector<bound_socket> ports;
  std::vector<bound_socket> xmpp_ports;
  std::vector<bound_socket> xmpp_ws_ports;
  std::vector<bound_socket> metrics_ports;
  std::vector<std::shared_ptr<listener>> listeners;
  std::unique_ptr<metrics_server> metrics;
  std::unique_ptr<admin_server> admin;
  /// What operators' threads read.
  std::shared_ptr<server_stage> stage = std::make_shared<server_stage>();
  engine_sources sources;
  bool stopped = false;

  io_scheduler& scheduler() { return *io_scheduler::of(*system); }

  /// All that may need privileges; gives them up.
  result<void> prepare();
  result<void> prepare_tls();
  std::function<std::shared_ptr<const connection_config>(const policy&)>
  make_connection_config(size_t worker);
  result<void> open_store(shared<policy>& rules, shared<id_filter>& known);
  result<void> find_sharing();
  void spawn_actors(
    const shared<policy>& rules, const shared<id_filter>& known);
  result<void> listen();
  result<void> listen(std::vector<bound_socket>& on, wire_protocol protocol);
  std::vector<std::string> listening(wire_protocol protocol) const;
  void settle();
  void await_last_words();
  void close_sockets();
  void stop();
};

} // namespace parley
