#pragma once

#include <utility> // Boost 1.74 needs it first

#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/gateway/gateway.hpp"
#include "actors/runtime/scheduler.hpp"
#include "protocol/client_connection.hpp"
#include "protocol/defaults.hpp"

namespace parley {

/// One accepted socket: waits, reads and writes; the protocol's connection does
/// the rest. First it belongs to the worker that adopted it, after the sign-in
/// to the worker of its session.
class client_socket final : public client_link,
                            public client_connection::owner,
                            public drained_hook,
                            public late_reader,
                            public std::enable_shared_from_this<client_socket> {
public:
  using tcp = boost::asio::ip::tcp;

  /// Bytes of a read: of one in its turn, and of any other at least.
  static constexpr uint32_t least_read_bytes = 4 * 1024;

  /// Bytes of a read at most.
  static constexpr uint32_t most_read_bytes = 64 * 1024;

  client_socket(std::shared_ptr<connections> home, link_id id, std::string peer,
    connection_places::place place, wire_protocol protocol);
  ~client_socket() override;

  /// Starts reading; on the home's worker.
  void start(int native_socket, bool is_v6);
  /// On the new home's worker: goes on there, and asks for its session.
  void move_in(
    std::shared_ptr<connections> home, int native_socket, bool is_v6);
  void tick(steady_time now);
  /// Reads on, if the worker's budget kept it from that.
  void budget_returned();
  /// For want of memory it has not been read from for long: not even its end
  /// would be noticed.
  bool is_held_for(
    std::chrono::milliseconds time, steady_time now) const noexcept;
  /// Bytes that are held for it, its session's included.
  uint64_t held_bytes() const noexcept {
    return x_session_holds + x_booked_output.bytes() + x_booked_rest.bytes();
  }
  /// Tells the connection what has reached the peer, if it asks.
  void look_what_reached();
  /// Says that there are `max` connections already, and closes.
  void turn_away(size_t max);
  void turn_away(const failure& why);

  // Answers on the way in.
  void next_try_at(steady_time x) noexcept { x_next_try = x; }
  void admitted(const failure& why);
  void found(const account_found& x);
  void checked(const password_checked& x);
  void registered(const failure& why);

  /// Closes the socket without a word.
  void drop();

  bool is_signed_in() const noexcept { return x_session != nullptr; }
  bool is_closing() const noexcept { return x_closed; }

  // client_link
  sequence accept(const signed_in& what, session_actor session,
    std::unique_ptr<connection_legacy> legacy) override;
  void refuse(const failure& why) override;
  bool send(sequence number, const event& what) override;
  void send_window(const window& requests) override;
  void send_going_away(std::chrono::milliseconds come_back_after) override;
  void set_heartbeat(std::chrono::milliseconds interval) override;
  void probe(std::chrono::milliseconds timeout) override;
  last_words end_session(std::span<const request_number> answered) override;
  void close(const failure& why, error_scope scope) override;
  bool takes_presence() override;
  bool takes_events() override;
  void report_taken_to(std::shared_ptr<uint64_t> x) override {
    x_taken = std::move(x);
  }
  void handled(uint64_t session_holds) override;
  void holds(uint64_t session_holds) override;
  uint64_t waits_to_be_written() const noexcept override;
  bool is_resumable() const noexcept override;
  std::unique_ptr<connection_legacy> take_legacy() override;
  link_id id() const noexcept override { return x_id; }

  // client_connection::owner
  void find_keys(const user_address& user) override;
  void check_password(const user_address& user, std::string password) override;
  void register_wanted(const user_address& user, std::string password) override;
  std::chrono::milliseconds authenticated(
    const user_address& user, bool success) override;
  void sign_in_wanted(sign_in what) override;
  void resume_wanted(resume what) override;
  void requests_received(std::vector<numbered_request> what) override;
  void acknowledged(sequence upto) override;
  void window_changed(window what) override;
  void output_ready() override;
  void closed(const failure& why) override;

  // drained_hook
  void drained() override;

  // late_reader
  void read() override;

private:
  std::unique_ptr<client_connection> make_connection(
    wire_protocol protocol, client_connection::owner& o) const;
  /// Whether more may be read, given that so much output may wait.
  bool takes_input(size_t output_max) const noexcept;
  /// Reads on, unless there is a reason not to: its peer leaves much output
  /// unread, its session has not taken what came, or too much is under way.
  void go_on();
  /// How much it holds now.
  void book();
  void wait_readable();
  bool says_much();
  void write();
  void write_on();
  void finish();
  /// Its peer has ended what it says, while nothing is read on the way in.
  bool has_left_unread() const;
  /// How far a try to sign in has come at the admission actor.
  enum class trying : uint8_t { not_at_all, waiting, in_exchange };
  /// What keeps it from reading: what waits in its connection, its session or
  /// the worker's budget.
  enum class held : uint8_t {
    not_at_all,
    by_connection,
    by_session,
    by_budget
  };

  void ask_for_keys(const user_address& user);
  /// Tells the admission actor.
  void end_try(try_end how);
  /// The exchange was broken off.
  void give_up_try();
  void give_up_registration();
  /// It ends for the server's own trouble.
  void refuse_try(const failure& why);
  /// Before a password is sent to be hashed. Why it must not be, if there is no
  /// room.
  std::optional<failure> enter_line();
  /// True if the server stops: then the connection is closed.
  bool refuse_for_stop();
  /// The session's worker, or null if this is it.
  std::shared_ptr<connections> elsewhere(size_t index) const;
  void leave_for(const std::shared_ptr<connections>& to);
  void move_out(const std::shared_ptr<connections>& to);
  /// Passes on what waits for the right worker.
  void ask_router();

  std::shared_ptr<connections> x_home;
  link_id x_id;
  std::string x_peer;
  connection_places::place x_place;
  std::unique_ptr<tcp::socket> x_socket;
  std::unique_ptr<client_connection> x_connection;
  /// Of the connection before, where this one was over too soon to take it.
  std::unique_ptr<connection_legacy> x_legacy;
  /// The session, once there is one. Set before the router is asked.
  session_actor x_session;

  /// What the connection awaits on the way in.
  struct pending_sign_in {
    user_address user;
    std::string password;
    bool with_password = false;
    std::optional<sign_in> what;
    std::optional<resume> again;
  };
  std::unique_ptr<pending_sign_in> x_pending;
  /// Who is trying.
  user_address x_who;
  /// When a further try would be let in.
  steady_time x_next_try{};

  /// False once the socket has left this worker: what its handlers look at
  /// first, since the rest may be in use by another thread by then.
  std::shared_ptr<bool> x_here;
  trying x_trying = trying::not_at_all;
  held x_held = held::not_at_all;
  bool x_writing = false;
  bool x_may_wait = false;
  /// The end of what may not wait, as x_written counts.
  uint64_t x_lone_until = 0;
  /// A registration is under way, and may be in the line of passwords.
  bool x_registers = false;
  /// The session holds presence back until output has been taken.
  bool x_owes_drained = false;
  /// It is looked what has reached the peer.
  bool x_looks = false;
  look_again x_look_again;
  /// Bytes that the socket has taken.
  uint64_t x_written = 0;
  /// Of its session; may be null.
  std::shared_ptr<uint64_t> x_taken;
  bool x_is_v6 = false;
  /// Messages to its session that it has not handled.
  uint32_t x_untaken = 0;
  /// Bytes of the next read: fewer after one that took long, for the others of
  /// its worker wait meanwhile.
  uint32_t x_read_bytes = least_read_bytes;
  /// Its reads are late; when one brought much last.
  bool x_says_much = false;
  steady_time x_said_much{};
  /// What the session keeps for this client.
  uint64_t x_session_holds = 0;
  /// Since when it is held by the budget.
  steady_time x_held_since{};
  book_entry x_booked_output;
  book_entry x_booked_rest;
  /// No more is read from it or said to its session.
  bool x_closed = false;
  /// When its last words began to be written.
  std::optional<std::chrono::steady_clock::time_point> x_closing;
};

} // namespace parley
