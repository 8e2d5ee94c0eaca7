#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/errors.hpp"
#include "protocol/held_bytes.hpp"
#include "protocol/scram_keys.hpp"
#include "protocol/signing_in.hpp"
#include "protocol/vocabulary.hpp"

namespace parley {

class decoys;
class tls_context;

using steady_time = std::chrono::steady_clock::time_point;

/// What a server tells and grants to those who connect; shared by all
/// connections of a listener.
struct connection_config {
  /// The domain of user names without one.
  std::string domain;
  /// Bytes of a body, recipients of a broadcast: told in the welcome.
  uint32_t body_max = 0;
  uint32_t broadcast_max = 0;
  /// Strangers may ask for accounts of this domain.
  bool registration = false;
  /// Null: plain TCP.
  std::shared_ptr<tls_context> tls;
  /// What is shown to who names an unknown user.
  std::shared_ptr<const parley::decoys> decoys;
  /// Told in the welcome.
  std::string software = "Parley";
  /// Where the bytes of IMs that clients send count; outlives them. May be
  /// null.
  byte_count* held_ims = nullptr;
};

/// What is left to be said when a session is over whose client did not end it.
struct last_words {
  /// In the client's name.
  std::vector<pass_on> what;
  /// How much of what the client asked is done, where its protocol counts that:
  /// told to a client that asks for the session later.
  std::optional<uint64_t> done;
};

/// What one connection leaves to the one that resumes its session: whatever it
/// knows beside the session. Seen by connections of its own protocol only.
class connection_legacy {
public:
  virtual ~connection_legacy() = default;
  /// Bytes that it holds; for the budget.
  virtual size_t memory() const noexcept = 0;
  /// The session is over. `answered`: requests with answers that the connection
  /// was not given.
  virtual last_words end_session(std::span<const request_number>) { return {}; }
};

/// The server's side of one connection, whatever protocol it speaks: bytes in,
/// bytes out, no socket, no clock, no actor. Total on any input; it never
/// allocates more than it was granted.
///
/// Not thread-safe; the owner calls from one thread at a time. It may go over
/// to another thread with `sign_in_wanted` or `resume_wanted`, and at any time
/// in a session, but not in the middle of a SASL exchange. From within the
/// owner's functions it may call everything here, but must not destroy the
/// connection before the call that led there has returned; so also in `closed`.
/// Once closed, every call does nothing, so that late answers need no care.
class client_connection {
public:
  /// What a connection asks of the gateway that owns it.
  class owner {
  public:
    virtual ~owner() = default;

    /// Asks for the keys of `user`; answered by `keys_found` or
    /// `authentication_refused`.
    virtual void find_keys(const user_address& user) = 0;
    /// Asks whether PLAIN's password fits; answered by `password_checked` or
    /// `authentication_refused`. For an unknown user the password is to be
    /// tried on its decoy, or the time tells who has an account.
    virtual void check_password(
      const user_address& user, std::string password) = 0;
    /// A stranger asks for an account; answered by `registered`.
    virtual void register_wanted(const user_address&, std::string) {}
    /// A proof was right or wrong; for slowing down. The connection says to the
    /// peer what is to be said. `user` is empty if the name was no address or
    /// the exchange broke off before it. Returns how long a further try has to
    /// wait, which the peer is told if it failed; zero for not at all.
    virtual std::chrono::milliseconds authenticated(
      const user_address& user, bool success) = 0;
    /// Answered by `accept` or `refuse`. These two are the last thing that a
    /// call does: nothing of the connection is in use any more.
    virtual void sign_in_wanted(sign_in what) = 0;
    virtual void resume_wanted(resume what) = 0;

    // Within a session, at most one call of each for the bytes of one
    // `receive`, in this order:

    /// All events up to `upto` are safe at the client; never more than were
    /// sent.
    virtual void acknowledged(sequence upto) = 0;
    /// The client changes its window.
    virtual void window_changed(window what) = 0;
    /// Requests of one read, in order; never empty. Number 0 for typing alone.
    virtual void requests_received(std::vector<numbered_request> what) = 0;

    /// Output is waiting; called once until `output()` was taken empty.
    virtual void output_ready() = 0;
    /// The connection is over: write what is in `output()`, then close the
    /// socket. Called once, the last call of all. Code none: the peer closed.
    virtual void closed(const failure& why) = 0;
  };

  virtual ~client_connection() = default;

  /// Bytes from the socket. `wall` becomes the time of sending of the IMs in
  /// them.
  virtual void receive(
    std::span<const char> bytes, steady_time now, wall_time wall) = 0;
  /// The peer closed its side, or the socket failed.
  virtual void disconnected() = 0;
  /// Deadlines: sign-in, heartbeat, probes. Call every `sweep_interval`.
  virtual void tick(steady_time now) = 0;
  /// The owner stops reading from the socket for a while, or goes on: silence
  /// in between is not the peer's.
  virtual void reading(bool goes_on) = 0;

  /// Bytes for the socket; the owner erases from the front what it wrote by
  /// `written(n)`. With TLS what was sent since the last call is encrypted
  /// here, so that it fills records: better called once a batch. The view ends
  /// with the next call of anything.
  virtual std::string_view output() = 0;
  virtual void written(size_t n) = 0;
  /// Bytes that wait to be written, encrypted or not. While there are more than
  /// `output_pause` the owner should read nothing; what the peer takes counts
  /// as a sign of its life then.
  virtual size_t output_waiting() const noexcept = 0;
  /// Nothing of it can be written before its session has sent what it owes.
  virtual bool holds_output_back() const noexcept { return false; }

  /// Whether it has room for what the peer may send: if not, the owner should
  /// read nothing until `output_ready`.
  virtual bool takes_input() const noexcept { return true; }
  /// Whether it wants to be told by `reached` what the peer's system has taken.
  virtual bool asks_what_reached() const noexcept { return false; }
  /// The peer's system has acknowledged all bytes but the last `n` of those
  /// that were written.
  virtual void reached_all_but(size_t) {}

  // -- answers of the gateway before the session ------------------------------

  /// Unknown user: null. A decoy is used then, and the exchange goes on.
  virtual void keys_found(const scram_keys* keys) = 0;
  /// The store could not be asked, or `overloaded`: the exchange ends.
  virtual void authentication_refused(const failure& why) = 0;
  virtual void password_checked(bool fits) = 0;
  /// Code none: the account that was asked for is there.
  virtual void registered(const failure&) {}
  /// `legacy`: of the connection before, if it resumes; may be null. Returns up
  /// to which event the client has all, where only connections know that.
  virtual sequence accept(const signed_in& what,
    std::unique_ptr<connection_legacy> legacy = nullptr) = 0;
  /// A refused sign-in or resume. The client may try again on this connection,
  /// `sign_in_tries` times in all.
  virtual void refuse(const failure& why) = 0;

  // -- the session's side; nothing happens outside of a session ---------------

  /// Encodes one event. `number` is 0 for what is not numbered. True: the
  /// client will not acknowledge this one, it is safe already.
  virtual bool send(sequence number, const event& what) = 0;
  virtual void send_window(const window& requests) = 0;
  /// Says when to come back; the connection stays open.
  virtual void send_going_away(std::chrono::milliseconds come_back_after) = 0;
  /// Tells the peer why and closes. `signed_out` is told by the answer to the
  /// request, sent before, alone.
  virtual void close(const failure& why, error_scope scope) = 0;
  /// A heartbeat at once; `closed(timed_out)` if nothing comes within
  /// `timeout`.
  virtual void probe(std::chrono::milliseconds timeout, steady_time now) = 0;
  /// How long a silence may last from now on. The client keeps to what it was
  /// told at the sign-in.
  virtual void heartbeat_changed(std::chrono::milliseconds interval) = 0;

  /// Whether its session may wait for the client to come back.
  virtual bool is_resumable() const noexcept { return true; }
  /// Of a connection that is over or about to be closed for another one.
  virtual std::unique_ptr<connection_legacy> take_legacy() { return nullptr; }
  /// The session is over, `close` follows. `answered`: as of its legacy.
  virtual last_words end_session(std::span<const request_number>) { return {}; }

  virtual bool in_session() const noexcept = 0;
  virtual bool is_closed() const noexcept = 0;
  /// Bytes held for this connection beside the object itself; for the budget.
  virtual size_t memory() const noexcept = 0;
};

} // namespace parley
