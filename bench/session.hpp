#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "bench/event_loop.hpp"
#include "bench/frames.hpp"
#include "bench/link.hpp"
#include "bench/scram.hpp"

namespace parley::wire {
class ServerFrame;
} // namespace parley::wire

namespace parley::bench {

/// What is spoken with the server.
enum class client_protocol : uint8_t { native, xmpp };

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
  client_protocol protocol = client_protocol::native;
  /// XMPP: with acknowledgements (XEP-0198).
  bool managed = false;
};

/// One endpoint, signed in to a server (or a peer behind the relay). Leaner and
/// stricter than what people use: it neither reconnects nor drops duplicates,
/// because a checker has to see both.
///
/// Acknowledges after each read what came with it, before what its owner sends
/// on. Output waits for `flush`, which is called by itself after each read.
class session : public event_loop::handler {
public:
  class owner {
  public:
    virtual ~owner() = default;
    virtual void opened(session& who) = 0;
    virtual void im_arrived(session& who, const im_view& im) = 0;
    /// A *REQUEST* error counts as a rejection. XMPP has no outcomes.
    virtual void outcome_arrived(
      session& who, uint64_t request, const outcome_view& what) = 0;
    /// XMPP: an IM comes back with an error.
    virtual void im_refused(session&, std::string_view, std::string_view) {}
    /// One part of the outcomes of a broadcast.
    virtual void broadcast_arrived(session&, const wire::ServerFrame&) {}
    /// What others see of somebody.
    virtual void presence_arrived(session&, const presence_view&) {}
    /// A request that asks for nothing more is done. Of XMPP: a presence, which
    /// its sender is told of too.
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
  virtual uint64_t send(const outgoing_im& im, int64_t sent_at_ms) = 0;
  virtual uint64_t broadcast(std::string_view id,
    std::span<const std::string> to, std::string_view body) = 0;
  /// Behind the relay the others get what a server would tell them.
  virtual uint64_t set_presence(uint32_t show, std::string_view status) = 0;
  /// Ends the session; `closed` follows.
  virtual void sign_out() = 0;
  void close();

  void flush();
  /// Heartbeat; call it every second or so.
  virtual void tick(int64_t) {}

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

  void ready(uint32_t events) final;

protected:
  // -- what a protocol does

  /// The connection is there: say the first thing.
  virtual void begin() = 0;
  /// Hands out the whole frames in `bytes`; returns how many bytes they have.
  virtual size_t consume(std::string_view bytes) = 0;
  /// Acknowledges what came; only while it is open.
  virtual void acknowledge() = 0;

  // -- what it has for that

  owner& who_owns() noexcept { return x_owner; }
  const target& where() const noexcept { return *x_target; }
  const std::string& endpoint() const noexcept { return x_endpoint; }
  std::string& out() noexcept { return x_out; }
  bool is_answering() const noexcept { return x_answering; }
  int64_t last_traffic() const noexcept { return x_last_traffic; }
  void traffic_at(int64_t now) noexcept { x_last_traffic = now; }
  void grant(uint32_t requests, uint64_t bytes) noexcept {
    x_requests_granted = requests;
    x_bytes_granted = bytes;
  }
  /// The sign-in is complete.
  void opened(std::string address);
  /// It is over.
  void fail(const std::string& why);

private:
  enum class stage : uint8_t { unopened, connecting, signing_in, open, closed };

  void connect_further();
  void read();
  void wait_for_output(bool wanted);

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
  uint32_t x_requests_granted = 0;
  uint64_t x_bytes_granted = 0;
  int64_t x_last_traffic = 0;
  int64_t x_opened_at = 0;
};

/// A session of either protocol, not opened yet.
std::unique_ptr<session> make_session(client_protocol protocol,
  event_loop& loop, session::owner& o, uint32_t number, std::string user,
  std::string endpoint);

/// What nobody else says at the same time.
std::string fresh_nonce();

} // namespace parley::bench
