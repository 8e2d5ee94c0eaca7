#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "actors/router/router.hpp"
#include "protocol/connection.hpp"
#include "tests/support/deterministic.hpp"

namespace parley::test {

class served;

/// A connection that another worker has led through its sign-in.
struct moved_in {
  std::shared_ptr<served> who;
};

using front_actor = gateway_actor::extend<caf::reacts_to<moved_in>>;

/// What the gateway of one worker is without sockets: its connections, and
/// what they need. See actors/gateway/gateway.hpp.
struct front {
  size_t index = 0;
  deterministic_system* system = nullptr;
  std::shared_ptr<surroundings> world;
  std::shared_ptr<const connection_config> protocol;
  local_router_actor router;
  store_reader_actor reader;
  admission_actor admission;
  front_actor self;
  /// Of every worker, in the routers' order.
  const std::vector<std::shared_ptr<front>>* all = nullptr;
  std::map<uint64_t, std::shared_ptr<served>> sockets;
  struct delayed {
    steady_time when;
    uint64_t ticket;
  };
  std::vector<delayed> waiting;
  bool stopping = false;
  /// Bytes that wait for a client before its session waits too: few, so that
  /// it happens.
  static constexpr size_t output_ahead = 1024;

  void let_in(const admitted& x);
  void sweep();
  std::shared_ptr<served> find(uint64_t ticket) const;
  steady_time now() const { return system->now(); }
};

struct front_state {
  front_state() {}
  static inline const char* name = "front";
};

front_actor::behavior_type front_of(
  front_actor::stateful_pointer<front_state> self, std::shared_ptr<front> all,
  std::function<std::shared_ptr<const connection_config>(const policy&)>
    make_config);

/// The server's side of one connection, as `client_socket` is it, but that the
/// simulated network takes its output and brings its input.
class served final : public connection::owner,
                     public client_link,
                     public std::enable_shared_from_this<served> {
public:
  served(front& home, link_id id, std::string peer);

  // -- the network's side

  /// Whether it takes what comes.
  bool reads();
  void receive(std::string_view bytes);
  bool has_output() const { return !x_gone && x_protocol.output_waiting() > 0; }
  /// Up to `max` bytes for the network.
  std::string take(size_t max);
  /// The connection ended at the other side.
  void peer_left();
  /// Its last words are said: the socket is shut.
  bool has_finished() const { return x_closed && !has_output(); }
  bool is_gone() const { return x_gone; }
  bool is_closing() const { return x_closed; }
  size_t output_waiting() const { return x_protocol.output_waiting(); }
  size_t memory() const { return x_protocol.memory(); }
  /// The power is off.
  void die();
  void tick();

  // -- from the front's actor

  void admitted(const failure& why);
  void found(const account_found& x);
  void move_in(front& home);

  // -- client_link

  sequence accept(const signed_in& what, session_actor session,
    std::unique_ptr<connection_legacy> legacy) override;
  void refuse(const failure& why) override;
  bool send(sequence number, const event& what) override;
  bool takes_presence() override;
  bool takes_events() override;
  void send_window(const window& requests) override;
  void send_going_away(std::chrono::milliseconds come_back_after) override;
  void set_heartbeat(std::chrono::milliseconds interval) override;
  void probe(std::chrono::milliseconds timeout) override;
  void close(const failure& why, error_scope scope) override;
  bool is_resumable() const noexcept override {
    return x_protocol.is_resumable();
  }
  std::unique_ptr<connection_legacy> take_legacy() override {
    return x_protocol.take_legacy();
  }
  link_id id() const noexcept override { return x_id; }

  // -- connection::owner

  void find_keys(const user_address& user) override;
  void check_password(const user_address& user, std::string password) override;
  std::chrono::milliseconds authenticated(
    const user_address& user, bool success) override;
  void sign_in_wanted(sign_in what) override;
  void resume_wanted(resume what) override;
  void acknowledged(sequence upto) override;
  void window_changed(window what) override;
  void requests_received(std::vector<numbered_request> what) override;
  void output_ready() override {}
  void closed(const failure& why) override;

private:
  bool refuse_for_stop();
  void end_try(try_end how);
  void give_up_try();
  /// To the worker of its session, as a message.
  void go_to(size_t index);
  void ask_router();
  void drop();

  front* x_home;
  link_id x_id;
  std::string x_peer;
  user_address x_who;
  enum class trying : uint8_t { not_at_all, waiting, in_exchange };
  trying x_trying = trying::not_at_all;
  std::optional<sign_in> x_wish;
  std::optional<resume> x_again;
  session_actor x_session;
  bool x_held = false;
  bool x_owes_drained = false;
  bool x_closed = false;
  bool x_gone = false;
  steady_time x_closing{};
  connection x_protocol;
};

} // namespace parley::test

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(parley::test::moved_in)
