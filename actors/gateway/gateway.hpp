#pragma once

#include <utility> // Boost 1.74 needs it first

#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "actors/accounts/password_line.hpp"
#include "actors/gateway/connection_places.hpp"
#include "actors/gateway/late_reads.hpp"
#include "actors/gateway/limits_hit.hpp"
#include "actors/gateway/reached_looks.hpp"
#include "actors/interfaces.hpp"
#include "actors/memory/memory_budget.hpp"
#include "actors/router/router.hpp"
#include "actors/runtime/pinned.hpp"
#include "actors/runtime/round_robin.hpp"
#include "actors/runtime/seldom.hpp"
#include "protocol/client_connection.hpp"
#include "protocol/decoys.hpp"
#include "protocol/defaults.hpp"

namespace parley {

class client_socket;

/// What all connections of one worker share. Used on that worker's thread
/// only, save for what is said to be for other threads.
class connections : public std::enable_shared_from_this<connections> {
public:
  struct settings {
    // Never changed once started, so that other threads may read them.

    worker* home = nullptr;
    /// Of every worker, this one included; in the routers' order.
    std::vector<std::weak_ptr<connections>> all;
    /// Of all listeners.
    std::shared_ptr<connection_places> places;
    /// Of all workers.
    std::shared_ptr<limits_hit> hits = std::make_shared<limits_hit>();
    /// Of the password actor.
    std::shared_ptr<password_line> line;
    /// Bytes of IMs without outcome on this worker, as its router counts them.
    /// May be null: they are not looked at.
    std::shared_ptr<const uint64_t> pending_bytes;
    /// For all that clients make the server hold. May be null.
    std::shared_ptr<memory_budget> budget;
    /// Of this worker among them.
    size_t index = 0;

    // Let go of at the end.

    /// Of this worker.
    local_router_actor router;
    size_t routers = 1;
    store_reader_actor reader;
    password_actor passwords;
    admission_actor admission;
    /// May be null: strangers get no accounts.
    registrar_actor registrar;
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

  /// Takes a connected socket, or only tells it that there is no room.
  void adopt(int native_socket, bool is_v6, std::string peer,
    connection_places::place place, wire_protocol protocol);
  /// Takes a connection that an other worker has led through its sign-in.
  void adopt(std::shared_ptr<client_socket> x, int native_socket, bool is_v6);

  void found(const account_found& x);
  void checked(const password_checked& x);
  void let_in(const admitted& x);
  void registered(const account_made& x);
  /// What falls due: each connection has its turn every second.
  void sweep();
  void set_protocol(std::shared_ptr<const connection_config> x);

  /// Whether more may be read from a client that makes the server hold so many
  /// bytes: not while clients have too much under way on this worker, its
  /// actors are too far behind, or memory is short.
  bool may_read(uint64_t held) noexcept;
  /// Calls `budget_returned` of that connection when to ask again.
  void wait_for_budget(link_id id, bool anew);
  /// Nobody new is let in, for want of memory.
  bool is_short() noexcept { return x_memory.is_short(); }
  /// Whether a session may send its client an event behind so many bytes: the
  /// less memory there is, the fewer may wait.
  bool may_fill(size_t output_waiting) noexcept;
  failure out_of_memory() const;
  std::shared_ptr<worker_book> book() const;
  /// Why a connection was closed, and that there was no room for a password.
  void count_closed(errc why) noexcept {
    x_counts.slow_consumers += why == errc::slow_consumer;
    x_with.hits->frames += why == errc::frame_too_large;
  }
  void count_sign_in_timeout() noexcept { ++x_counts.sign_in_timeouts; }
  void signed_in(link_id id) { x_strangers.erase(id.value); }
  void count_password_full() noexcept { ++x_counts.passwords_full; }
  bool is_tight() noexcept { return x_memory.is_tight(); }
  /// Calls its `read` when the worker has done all that is for others.
  void read_later(late_reads::line line, std::weak_ptr<late_reader> who,
    std::shared_ptr<const bool> here) {
    if (x_late_reads)
      x_late_reads->add(line, std::move(who), std::move(here));
  }
  /// Looks after so long what has reached this one's peer.
  void watch_reached(link_id id, std::chrono::milliseconds after);
  /// A line of the log that strangers can cause.
  void log_failed_handshake(const std::string& peer, const failure& why);

  size_t size() const noexcept { return x_sockets.size(); }
  connection_counts counts() const;
  const settings& with() const noexcept { return x_with; }
  const gateway_actor& actor() const noexcept { return x_self; }
  bool stopping() const noexcept { return x_stopping; }
  void forget(link_id id);

private:
  struct delayed {
    std::chrono::steady_clock::time_point when;
    uint64_t ticket;
  };

  /// Deadlines of connections: a few at each drain's end, until as many have
  /// had their turn as are due.
  struct deadlines final : drained_hook {
    explicit deadlines(connections& x) : of(x) {}
    void drained() override { of.tick_some(); }
    connections& of;
  };

  std::shared_ptr<client_socket> find(uint64_t ticket) const;
  void add(std::shared_ptr<client_socket> x);
  void tick_some();
  size_t turn_away(
    std::vector<std::shared_ptr<client_socket>> whom, size_t max);
  void look_what_reached();
  void wait_for_looks();
  void let_in_delayed(std::chrono::steady_clock::time_point now);
  void let_waiting_go_on();

  settings x_with;
  gateway_actor x_self;
  std::unordered_map<uint64_t, std::shared_ptr<client_socket>> x_sockets;
  std::unordered_set<uint64_t> x_strangers;
  round_robin<uint64_t> x_round;
  size_t x_ticks_due = 0;
  std::optional<deadlines> x_deadlines;
  std::vector<delayed> x_delayed;
  /// For the budget, who waits longest first; and the same once more, since
  /// some ask again before their turn comes.
  std::vector<uint64_t> x_waiting;
  std::unordered_set<uint64_t> x_is_waiting;
  budget_view x_memory;
  /// Those that only rise.
  connection_counts x_counts;
  /// Until the bytes without outcome have fallen far enough.
  bool x_too_much_pending = false;
  std::optional<late_reads> x_late_reads;
  reached_looks x_looks;
  std::unique_ptr<boost::asio::steady_timer> x_reached_timer;
  seldom x_log{defaults::stranger_log_interval};
  uint64_t x_next_link;
  bool x_stopping = false;
  bool x_cleared = false;
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
