#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/byte_channel.hpp"
#include "protocol/client_connection.hpp"
#include "protocol/peer_patience.hpp"
#include "protocol/sign_in_exchange.hpp"
#include "protocol/xmpp/dialogue.hpp"
#include "protocol/xmpp/make_stream.hpp"
#include "protocol/xmpp/sasl2.hpp"
#include "protocol/xmpp/stanza_reader.hpp"
#include "protocol/xmpp/websocket.hpp"

namespace parley::xmpp {

/// The server's side of one XMPP connection (RFC 6120): TLS from the first byte
/// or by STARTTLS, SASL, resource binding or resumption (XEP-0198), then a
/// session, whose stanzas are the matter of `dialogue`. In parts: stream.cpp
/// (bytes, time and the end), stream_websocket.cpp, stream_registration.cpp,
/// stream_sign_in.cpp, stream_sasl2.cpp and stream_session.cpp.
class stream final : public client_connection {
public:
  stream(std::shared_ptr<const connection_config> config, owner& o,
    std::string peer, steady_time now, carrier by = carrier::tcp);
  ~stream() override;
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;

  void receive(
    std::span<const char> bytes, steady_time now, wall_time wall) override;
  void disconnected() override;
  void tick(steady_time now) override;
  void reading(bool goes_on) override;
  std::string_view output() override;
  void written(size_t n) override;
  size_t output_waiting() const noexcept override;
  bool holds_output_back() const noexcept override;
  bool takes_input() const noexcept override;
  bool asks_what_reached() const noexcept override;
  void reached_all_but(size_t n) override;

  void keys_found(const scram_keys* keys) override;
  void authentication_refused(const failure& why) override;
  void registered(const failure& why) override;
  void password_checked(bool fits) override;
  sequence accept(const signed_in& what,
    std::unique_ptr<connection_legacy> legacy = nullptr) override;
  void refuse(const failure& why) override;

  bool send(sequence number, const event& what) override;
  void send_window(const window& requests) override;
  void send_going_away(std::chrono::milliseconds) override {}
  void close(const failure& why, error_scope scope) override;
  void probe(std::chrono::milliseconds timeout, steady_time now) override;
  void heartbeat_changed(std::chrono::milliseconds interval) override;
  bool is_resumable() const noexcept override;
  std::unique_ptr<connection_legacy> take_legacy() override;
  last_words end_session(std::span<const request_number> answered) override;

  bool in_session() const noexcept override { return x_dialogue != nullptr; }
  bool is_closed() const noexcept override { return x_closed; }
  size_t memory() const noexcept override;

private:
  using turn = sign_in_exchange::turn;

  /// What is needed until the session begins, and no longer.
  struct sign_in_state {
    sign_in_state(owner& o, std::string whence)
      : peer(std::move(whence)), exchange(o) {}

    std::string peer;
    sign_in_exchange exchange;
    /// Who proved to be it.
    user_address user;
    /// What comes with the sign-in that is under way (XEP-0388); null: nothing.
    std::unique_ptr<whole_sign_in> whole;
    /// Of the exchange that is under way, or was last.
    std::string_view profile = ns::sasl;
    /// Of the stanza that asked for an endpoint.
    std::string bind_id;
    /// Of the resumption: which session, and how much the client has of it.
    std::string previous;
    uint32_t handled = 0;
    /// What came while somebody's answer is awaited.
    std::string held;
  };

  /// A call from outside. The outermost asks the owner for a session, if that
  /// came of it, when nothing of the stream is in use any more.
  class call;

  // -- bytes, time and the end

  void receive_plain(std::string_view bytes);
  void read(std::string_view bytes);
  /// Takes a header, a stanza or the end from the front of `bytes`; false if
  /// none is whole, or the stream is over by it.
  bool take_next(std::string_view& bytes);
  /// Nothing is taken before somebody has answered.
  bool awaits_answer() const noexcept {
    return x_sign_in && x_sign_in->exchange.whose() != turn::client;
  }
  /// Where elements are said.
  std::string& sink() { return x_web ? x_web->text() : x_bytes.sink(); }
  size_t waiting() const noexcept {
    return x_bytes.waiting() + (x_web ? x_web->waiting() : 0);
  }
  /// Keeps what came out of turn, up to a bound.
  void hold(std::string_view bytes);
  void appended();
  /// Ends it with a stream error; an empty condition: with none.
  void fail_stream(std::string_view condition, std::string_view text,
    const failure& why, std::string_view detail = {});
  void fail_stream(std::string_view condition, std::string text);
  void fail_stream(const stream_fault& what);
  void end(const failure& why);
  /// The client ends its stream.
  void close_stream();
  /// The peer is gone; what it asked and what waits for room is still asked.
  void drain();
  void ask_for_life();

  // -- over a WebSocket; x_web is not null

  void read_frames(std::string_view bytes);
  bool open_websocket(std::string_view& bytes);
  void read_message(const frame_reader::text& x);
  /// `<open/>` or `<close/>`.
  void take_framing(const element& x);
  void fail_frame(const frame_fault& why);
  void refuse_websocket(const failure& why);

  // -- up to the session

  void open(const element& header);
  void put_header();
  void append_header(std::string& out) const;
  void put_trailer(std::string& out) const;
  void put_features();
  void before_session(element stanza);
  /// <auth/> or <authenticate/>, <response/> or <abort/>.
  void take_sasl(const element& x);
  void say(sign_in_exchange::word what);
  void take_in(sign_in_exchange::success who);
  void try_again(const failure& why);
  void put_sasl_failure(std::string_view condition, const failure& why);
  void count_failure();
  void begin_tls();
  void take_registration(const element& iq, const element& query);
  void bind(const element& iq);
  void want_session(endpoint_name endpoint);
  void begin_resume(const element& resume);
  /// False: it says nothing that can be resumed.
  bool want_resumption(const element& resume);
  /// Resumes or binds, as was asked for with the sign-in.
  void go_in();
  void go_in_anew();
  void put_bound(const whole_sign_in& whole, const address& self);
  static std::string session_features();
  /// For operators.
  std::string transport() const;

  // -- in a session

  /// Hands to the owner what is to be asked.
  void deliver();
  void go_on_reading();

  std::shared_ptr<const connection_config> x_config;
  owner& x_owner;
  byte_channel x_bytes;
  /// Null: TCP carries it.
  std::unique_ptr<websocket> x_web;
  stanza_reader x_reader;
  std::unique_ptr<sign_in_state> x_sign_in;
  std::unique_ptr<dialogue> x_dialogue;
  /// Of the call that is being served, until they are delivered.
  std::vector<numbered_request> x_requests;
  /// The domain that the client speaks to.
  std::string x_domain;

  peer_patience x_patience;
  steady_time x_last_asked;
  wall_time x_wall{};
  /// Acknowledged by the client, not yet told to the owner.
  sequence x_acknowledged;

  unsigned char x_calls = 0;
  bool x_closed = false;
  /// The peer is gone, and something waits for room.
  bool x_draining = false;
  bool x_any_bytes = false;
  /// The client's header has come, and ours has gone.
  bool x_opened = false;
  bool x_header_sent = false;
  /// The owner knows of the output.
  bool x_output_told = false;
};

} // namespace parley::xmpp
