#pragma once

#include <chrono>
#include <memory>
#include <span>

#include "actors/interfaces.hpp"
#include "protocol/client_connection.hpp"

namespace parley {

/// What a session sees of its connection. Called on the session's worker only.
class client_link {
public:
  virtual ~client_link() = default;
  /// The client is in; from now on what it says goes to `session`, and its end
  /// as `client_lost`.
  /// `legacy`: what the connection before has left; may be null. Returns up to
  /// which event the client has all, where the session cannot know that.
  virtual sequence accept(const signed_in& what, session_actor session,
    std::unique_ptr<connection_legacy> legacy) = 0;
  /// A sign-in or resume is refused; the client may try otherwise.
  virtual void refuse(const failure& why) = 0;
  /// `number` is 0 for what is not numbered. True: the client will not
  /// acknowledge this one, it is safe already.
  virtual bool send(sequence number, const event& what) = 0;
  /// Whether presence may be sent now: not much output waits. If not,
  /// `client_drained` comes once it may.
  virtual bool takes_presence() = 0;
  /// Whether numbered events may be sent now: not much output waits, and less
  /// while memory is short. If not, `client_drained` comes once they may.
  virtual bool takes_events() { return true; }
  /// The session has handled a message of what one read brought: requests, an
  /// acknowledgement, or a window. It keeps so many bytes for this client.
  virtual void handled(uint64_t) {}
  /// It keeps less than it said last, though the client said nothing.
  virtual void holds(uint64_t) {}
  /// Bytes that wait to be written.
  virtual uint64_t waits_to_be_written() const noexcept { return 0; }
  /// To be told of each byte that its client has taken, by growing. May be
  /// null.
  virtual void report_taken_to(std::shared_ptr<uint64_t>) {}
  virtual void send_window(const window& requests) = 0;
  virtual void send_going_away(std::chrono::milliseconds come_back_after) = 0;
  virtual void set_heartbeat(std::chrono::milliseconds interval) = 0;
  /// A heartbeat at once; `client_lost` if it is not answered in time.
  virtual void probe(std::chrono::milliseconds timeout) = 0;
  /// The session is over, `close` follows; see `client_connection`.
  virtual last_words end_session(std::span<const request_number>) { return {}; }
  /// The last call; no `client_lost` follows.
  virtual void close(const failure& why, error_scope scope) = 0;
  /// Whether the client may come back to this session.
  virtual bool is_resumable() const noexcept = 0;
  /// For the link that comes after it; may be null.
  virtual std::unique_ptr<connection_legacy> take_legacy() = 0;
  virtual link_id id() const noexcept = 0;
};

using link_ptr = std::shared_ptr<client_link>;

} // namespace parley
