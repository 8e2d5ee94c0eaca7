#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/interfaces.hpp"
#include "actors/router/router.hpp"
#include "actors/runtime/pinned.hpp"
#include "protocol/connection.hpp"

namespace parley {

class client_socket;

/// What all connections of one worker share. Used on that worker's thread
/// only, save for `config`, which is set before it starts.
class connections : public std::enable_shared_from_this<connections> {
public:
  struct settings {
    worker* home = nullptr;
    /// Of every worker, this one included; in the routers' order.
    std::vector<std::weak_ptr<connections>> all;
    /// Of this worker.
    local_router_actor router;
    size_t routers = 1;
    store_reader_actor reader;
    password_actor passwords;
    admission_actor admission;
    std::shared_ptr<surroundings> world;
    std::shared_ptr<const connection_config> protocol;
  };

  explicit connections(uint64_t first_link) : x_next_link(first_link) {}
  ~connections();

  /// Before anything else.
  void start(settings x, gateway_actor self);
  /// From now on nothing is accepted, and no new sign-in passed on.
  void stop();
  /// Lets go of everything; the sockets close.
  void clear();

  /// Takes a connected socket.
  void adopt(int native_socket, bool is_v6, std::string peer);
  /// Takes a connection that an other worker has led through its sign-in.
  void adopt(std::shared_ptr<client_socket> x, int native_socket, bool is_v6);

  void found(const account_found& x);
  void checked(const password_checked& x);
  void let_in(const admitted& x);
  /// Deadlines of some of the connections: each has its turn every second.
  void sweep();
  void set_protocol(std::shared_ptr<const connection_config> x);

  size_t size() const noexcept { return x_sockets.size(); }
  const settings& with() const noexcept { return x_with; }
  const gateway_actor& actor() const noexcept { return x_self; }
  bool stopping() const noexcept { return x_stopping; }
  void forget(link_id id);

private:
  struct delayed {
    std::chrono::steady_clock::time_point when;
    uint64_t ticket;
  };

  std::shared_ptr<client_socket> find(uint64_t ticket) const;

  settings x_with;
  gateway_actor x_self;
  std::unordered_map<uint64_t, std::shared_ptr<client_socket>> x_sockets;
  std::vector<delayed> x_delayed;
  uint64_t x_next_link;
  uint64_t x_turn = 0;
  bool x_stopping = false;
};

struct gateway_state {
  gateway_state() {}
  static inline const char* name = "gateway";
  std::shared_ptr<connections> sockets;
};

gateway_actor::behavior_type gateway(
  pinned_pointer<gateway_actor, gateway_state> self,
  std::shared_ptr<connections> sockets,
  std::function<std::shared_ptr<const connection_config>(const policy&)>
    make_config);

} // namespace parley
