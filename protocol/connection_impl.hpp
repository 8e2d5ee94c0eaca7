#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/byte_channel.hpp"
#include "protocol/codec.hpp"
#include "protocol/connection.hpp"
#include "protocol/defaults.hpp"
#include "protocol/framing.hpp"
#include "protocol/parts.hpp"
#include "protocol/peer_patience.hpp"
#include "protocol/sign_in_exchange.hpp"

/// Internal to the connection, in three parts: connection.cpp (bytes, time and
/// the end), connection_sign_in.cpp and connection_session.cpp.
namespace parley {

class connection::impl {
public:
  impl(std::shared_ptr<const connection_config> config, owner& o,
    std::string peer, steady_time now);

  // As in connection.

  void receive(std::string_view bytes, steady_time now, wall_time wall);
  void disconnected();
  void tick(steady_time now);
  void reading(bool goes_on);
  std::string_view output();
  void written(size_t n);
  size_t waiting() const noexcept { return x_bytes.waiting(); }

  void keys_found(const scram_keys* keys);
  void authentication_refused(const failure& why);
  void password_checked(bool fits);
  void accept(const signed_in& what);
  void refuse(const failure& why);

  void send(sequence number, const event& what);
  void send_window(const window& requests);
  void send_going_away(std::chrono::milliseconds come_back_after);
  void close(const failure& why, error_scope scope);
  void probe(std::chrono::milliseconds timeout, steady_time now);
  void heartbeat_changed(std::chrono::milliseconds interval);

  bool in_session() const noexcept { return x_stage == stage::session; }
  bool is_closed() const noexcept { return x_stage == stage::closed; }
  size_t memory() const noexcept;

private:
  enum class stage : uint8_t { tls, magic, hello, sign_in, session, closed };

  using turn = sign_in_exchange::turn;

  /// What is needed until the session begins, and no longer.
  struct sign_in_state {
    sign_in_state(owner& o, std::string whence)
      : peer(std::move(whence)), exchange(o) {}

    /// The beginning of the magic.
    std::string first_bytes;
    std::string peer;
    std::string software;
    sign_in_exchange exchange;
    bool resume_refused = false;
    native::authenticate wish;
    endpoint_name endpoint;
    sequence last_event;
    /// The server's last SASL message.
    std::string last_message;
  };

  /// What the frames of one read ask of the session.
  struct inbox {
    sequence acknowledged;
    std::optional<window> client_window;
    std::vector<numbered_request> requests;
  };

  /// An error ends the connection.
  using verdict = result<void>;

  /// A call from outside. The outermost asks the owner for a session, if that
  /// came of it, when nothing of the connection is in use any more.
  class call;

  // -- bytes, time and the end (connection.cpp) --

  void start();
  /// True if they are of a client that speaks Parley without TLS, or may
  /// become so; nothing else is to be done with them then.
  bool is_unencrypted(std::string_view bytes);
  void receive_plain(std::string_view bytes);
  void receive_frames(std::string_view bytes);
  void end(const failure& why);
  std::string& sink();
  /// After something was appended to the sink.
  void appended();
  void put(const native::server_frame& what);
  void ping();

  // -- up to the session (connection_sign_in.cpp) --

  verdict match_magic(std::string_view& bytes);
  verdict before_session(native::client_frame what);
  verdict said_hello(const native::hello& what);
  verdict give_up_exchange();
  verdict begin_exchange(native::authenticate what);
  verdict begin_resume(native::resume_session what);
  void say(sign_in_exchange::word what);
  void want_session(sign_in_exchange::success who);
  void try_again(const failure& why);
  bool waits_for_session() const noexcept;

  // -- in a session (connection_session.cpp) --

  verdict in_session(native::client_frame what, inbox& in);
  void deliver(inbox& in);
  void put_refusal(request_number number, const failure& why);

  std::shared_ptr<const connection_config> x_config;
  owner& x_owner;
  byte_channel x_bytes;
  std::unique_ptr<sign_in_state> x_sign_in;
  /// Of a client that sends long lists in parts.
  std::unique_ptr<native::request_assembler> x_parts;
  native::frame_reader x_reader{defaults::stranger_frame_max};
  native::im_origin x_origin;

  peer_patience x_patience;
  steady_time x_last_sent;
  steady_time x_last_ping;
  /// What the client was told.
  std::chrono::milliseconds x_told_heartbeat{};
  sequence x_highest_sent;

  stage x_stage;
  unsigned char x_calls = 0;
  bool x_sent_since_tick = false;
  /// The owner knows of the output.
  bool x_output_told = false;
};

class connection::impl::call {
public:
  explicit call(impl& x) noexcept : x_impl(x) { ++x_impl.x_calls; }
  ~call() {
    if (--x_impl.x_calls == 0 && x_impl.x_sign_in
      && x_impl.x_sign_in->exchange.wants())
      x_impl.x_sign_in->exchange.ask();
  }
  call(const call&) = delete;
  call& operator=(const call&) = delete;

private:
  impl& x_impl;
};

} // namespace parley
