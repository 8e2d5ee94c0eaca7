#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "bench/event_loop.hpp"
#include "bench/frames.hpp"
#include "bench/link.hpp"
#include "bench/scram.hpp"

namespace parley::wire {
class ClientFrame;
class ServerFrame;
} // namespace parley::wire

namespace parley::bench {

/// Where sessions go, and what they have in common.
struct target {
  loopback_address address;
  /// Null: plain TCP.
  const tls_client* tls = nullptr;
  /// The other end is the relay: no sign-in; each side sends what the server
  /// would send to the other one.
  bool relay = false;
  std::string password;
  secret_cache* secrets = nullptr;
};

/// One endpoint, signed in to a server (or a peer behind the relay). A leaner
/// and stricter one than the client library: it neither reconnects nor drops
/// duplicates, because a checker has to see both.
///
/// Acknowledges after each read what came with it, before what its owner sends
/// on. Output waits for `flush`, which is called by itself after each read.
class session final : public event_loop::handler {
public:
  class owner {
  public:
    virtual ~owner() = default;
    virtual void opened(session& who) = 0;
    virtual void im_arrived(session& who, const im_view& im) = 0;
    /// A *REQUEST* error counts as a rejection.
    virtual void outcome_arrived(
      session& who, uint64_t request, const outcome_view& what) = 0;
    /// One part of the outcomes of a broadcast.
    virtual void broadcast_arrived(session& who, const wire::ServerFrame& part);
    /// What others see of somebody.
    virtual void presence_arrived(session&, const presence_view&) {}
    /// A request that asks for nothing more is done.
    virtual void done_arrived(session&, uint64_t) {}
    /// All of one read was handed out and acknowledged: time to send.
    virtual void read_done(session&) {}
    /// The connection is gone; also after `close` or `sign_out`.
    virtual void closed(session& who, const std::string& why) = 0;
  };

  /// `user` is a bare address. `number` is the owner's own name for it.
  session(event_loop& loop, owner& o, uint32_t number, std::string user,
    std::string endpoint);
  ~session() override;
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  /// Connects and signs in; answered by `opened` or `closed`.
  void open(const target& to);

  /// These append to the output and return the number of the request.
  uint64_t send(const outgoing_im& im, int64_t sent_at_ms);
  uint64_t broadcast(std::string_view id, std::span<const std::string> to,
    std::string_view body);
  /// Behind the relay the others get what a server would tell them.
  uint64_t set_presence(uint32_t show, std::string_view status);
  /// Ends the session; `closed` follows.
  void sign_out();
  void close();

  void flush();
  /// Heartbeat; call it every second or so.
  void tick(int64_t now);

  /// False: IMs are acknowledged, but behind the relay not answered.
  void set_answering(bool x) noexcept { x_answering = x; }

  uint32_t number() const noexcept { return x_number; }
  const std::string& user() const noexcept { return x_user; }
  /// user@domain/endpoint.
  const std::string& address() const noexcept { return x_address; }
  bool is_open() const noexcept { return x_stage == stage::open; }
  bool is_closed() const noexcept { return x_stage == stage::closed; }
  /// Requests that the server lets this session have unanswered.
  uint32_t requests_granted() const noexcept { return x_requests_granted; }
  uint64_t bytes_granted() const noexcept { return x_bytes_granted; }
  /// When the sign-in was complete.
  int64_t opened_at() const noexcept { return x_opened_at; }

  void ready(uint32_t events) override;

private:
  enum class stage : uint8_t {
    unopened,
    connecting,
    magic,
    welcome,
    sasl,
    open,
    closed,
  };

  void connect_further();
  void begin();
  void read();
  /// Hands out the whole frames in `bytes`; returns how many bytes they have.
  size_t consume(std::string_view bytes);
  void handle(std::string_view bytes);
  void handle_im(const frame_view& frame);
  void handle_outcome(const frame_view& frame);
  void handle_presence(const frame_view& frame);
  void handle_rare(std::string_view bytes);
  void authenticate();
  void challenge(std::string_view data);
  void write_frame(const wire::ClientFrame& frame);
  void acknowledge();
  void wait_for_output(bool wanted);
  void fail(const std::string& why);

  event_loop& x_loop;
  owner& x_owner;
  uint32_t x_number;
  std::string x_user;
  std::string x_endpoint;
  std::string x_address;
  const target* x_target = nullptr;
  link x_link;
  stage x_stage = stage::unopened;
  bool x_answering = true;
  bool x_output_wanted = false;
  std::string x_in;
  std::string x_out;
  std::unique_ptr<scram_exchange> x_scram;
  uint64_t x_last_request = 0;
  /// Behind the relay: the number of this side's last answer.
  uint64_t x_own_answer = 0;
  uint64_t x_last_event = 0;
  uint64_t x_acknowledged = 0;
  uint32_t x_requests_granted = 0;
  uint64_t x_bytes_granted = 0;
  int64_t x_heartbeat = 0;
  int64_t x_last_traffic = 0;
  int64_t x_opened_at = 0;
};

} // namespace parley::bench
