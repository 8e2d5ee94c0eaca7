#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/client/events.hpp"
#include "protocol/errors.hpp"
#include "protocol/sasl.hpp"
#include "protocol/vocabulary.hpp"

namespace parley {

using steady_time = std::chrono::steady_clock::time_point;

/// When a received IM counts as safe at the client.
enum class acknowledging : uint8_t {
  /// When on_message returned. Answers and receipts likewise.
  after_callback,
  /// When the owner calls `acknowledge`. Acknowledgement on the wire is
  /// cumulative: it stops before the first IM that is not acknowledged, and
  /// with it the acknowledgement of later answers, so that at some time the
  /// windows of both directions are full. Answers before that IM are
  /// acknowledged by themselves.
  manual,
};

/// What a sign-out does with requests that wait to be sent.
enum class leaving : uint8_t {
  /// It waits behind them.
  after_all,
  /// It passes them over; they are not sent any more, nor answered.
  at_once,
};

/// What many clients have in common.
struct client_core_config {
  /// Name and version of the software, for the server's operator.
  std::string software;
  /// What may be unacknowledged towards this client; all zero: as much as the
  /// server allows.
  window wanted;
  acknowledging acknowledge = acknowledging::after_callback;
  /// Asks for the contact list after each sign-in and keeps it, tells what its
  /// changes mean (on_subscription), and keeps who is available, so that nobody
  /// stays so when what was told is void.
  bool follow_contacts = false;
};

/// What can be asked about contacts, presence of others, and privacy.
using contacts_request = std::variant<add_contacts, remove_contacts, subscribe,
  unsubscribe, approve, deny, watch, parley::set_privacy>;

/// An IM that was sent, or a broadcast, and has no outcome. The views live
/// until the client does anything.
struct open_im {
  request_tag tag;
  std::string_view id;
  /// As it was written.
  std::vector<std::string_view> to;
  bool is_broadcast = false;
};

/// Who signs in, and as what.
struct client_account {
  /// user@domain; without @ the server adds its domain.
  std::string user;
  std::string password;
  /// Empty: the server makes a name.
  std::string endpoint;
  /// How the endpoint shows itself from the sign-in on.
  availability presence;
};

/// The client's side of the native protocol without socket and clock: bytes
/// in, bytes out, `tick(now)`. It signs in or resumes, numbers, acknowledges,
/// keeps to the windows, beats, keeps every request until its answer and sends
/// it again after a reconnect (same number in a resumed session, same IM id in
/// a new one), drops duplicates by (sender user, id), and says when to
/// connect again. Total on any input. Not thread-safe.
class client_core {
public:
  /// What the core asks of the one who holds the socket.
  class transport {
  public:
    virtual ~transport() = default;
    /// Make a connection; answered by `connected` or `disconnected`.
    virtual void connect_wanted() = 0;
    /// Output is waiting; called once until `output()` was taken empty.
    virtual void output_ready() = 0;
    /// Write what is in `output()`, then close, and never call `disconnected`
    /// for this connection: the core has already taken it as lost.
    virtual void close_wanted() = 0;
  };

  /// `seed`: where the randomness starts that nobody need be kept from knowing
  /// (jitter, nonces of heartbeats); another one for each client, or all come
  /// back at the same time. What is to be secret comes from OpenSSL; throws
  /// std::runtime_error if it has none.
  client_core(std::shared_ptr<const client_core_config> config,
    client_account account, client_events& events, transport& below,
    uint64_t seed);
  ~client_core();
  client_core(const client_core&) = delete;
  client_core& operator=(const client_core&) = delete;

  // -- towards the transport --------------------------------------------------

  /// Wants a connection at once. Once, first.
  void start(steady_time now);
  /// The connection is up, TLS included.
  void connected(sasl_channel channel, steady_time now);
  /// The connection ended or could not be made. `tls_failed` before the first
  /// session ends the client: the certificate is not trusted.
  void disconnected(failure why, steady_time now);
  /// Bytes from the connection.
  void receive(std::span<const char> bytes, steady_time now);
  /// Deadlines: reconnecting, sign-in, heartbeat. Call every
  /// `client_sweep_interval` or so.
  void tick(steady_time now);
  /// Bytes for the connection; `written(n)` erases from the front.
  std::string_view output() const noexcept;
  void written(size_t n);

  // -- requests; before `on_ready` and while disconnected they wait

  /// Answered by on_outcome, once; maybe from within this call if the IM
  /// cannot be sent at all.
  void send(const outgoing_im& message, request_tag tag = {});
  /// One IM to all of `to`; `message.to` is ignored. Answered by on_broadcast
  /// or on_refused.
  void broadcast(const outgoing_im& message, std::span<const std::string> to,
    request_tag tag = {});
  /// Answered by on_done or on_refused. The last one holds after reconnects.
  void set_availability(const availability& what, request_tag tag = {});
  /// Answered by on_contacts_changed (add_contacts, remove_contacts,
  /// subscribe), on_watching, on_privacy or on_done, or by on_refused; maybe
  /// from within this call if it cannot be sent at all.
  void ask(contacts_request what, request_tag tag = {});
  /// Answered by on_contacts or on_refused: what changed in the list after what
  /// is known, without `follow_contacts` all of it.
  void list_contacts(request_tag tag = {});
  /// Says that the user is writing to `to`. Dropped while disconnected.
  void typing(std::string_view to);
  /// Tells `to` that the user has seen its IM `id` and all before: an IM with
  /// the payload `read`. Answered by on_outcome under the id `own_id`.
  void mark_read(std::string_view to, std::string_view id,
    std::string_view own_id, request_tag tag = {});
  /// An IM is safe; only with acknowledging::manual.
  void acknowledge(delivery_ticket ticket);
  /// Changes what may be unacknowledged towards this client; 0 messages stop
  /// the stream.
  void set_window(const window& wanted);
  /// Acknowledges, ends the session for good and closes. Needs no room in the
  /// window. IMs that come meanwhile are not shown: they are there at the next
  /// sign-in. Ends in on_gone(signed_out).
  void sign_out(leaving how = leaving::after_all);
  /// Gives the connection up and connects again as after a failure.
  void drop_connection();

  // -- state

  bool is_ready() const noexcept;
  bool is_gone() const noexcept;
  /// There is a connection, signed in or not.
  bool is_connected() const noexcept;
  /// With `follow_contacts`: the contact list as far as it came.
  const contact_book& contacts() const noexcept;
  /// Requests without an answer, waiting ones included.
  size_t unanswered() const noexcept;
  /// In the order in which they were sent. Also after the end.
  std::vector<open_im> open_ims() const;
  /// Requests wait that the window has no room for before an IM is
  /// acknowledged by hand; all that was sent is answered.
  bool is_held_back() const noexcept;
  /// As the server prepared it; empty before the first on_ready.
  const address& self() const noexcept;
  /// An id that no other client makes, and that nobody can guess: 16
  /// characters of base64 as in RFC 4648, 5.
  message_id new_id();
  /// Bytes held beside the object itself.
  size_t memory() const noexcept;

private:
  class impl;
  std::unique_ptr<impl> x_impl;
};

} // namespace parley
