#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include <tl/expected.hpp>

namespace parley {

/// Why something was refused. The lower-case name of a code (`to_string`) is
/// what clients, scripts and operators see as the *reason*, and what travels.
enum class errc : uint8_t {
  /// No error. Never sent.
  none = 0,

  // -- an IM is rejected: reasons of an outcome, in the order of checking ----
  /// Another IM with other content was sent under this id to this user.
  id_conflict = 1,
  /// The body is longer than `im.body_max`; `limit` and `value` in bytes.
  too_large = 2,
  /// Not an address as RFC 6122 prepares them, or a part over 255 bytes.
  bad_address = 3,
  /// An operator switched IMs off (`im.enabled`).
  im_disabled = 4,
  /// Nobody has this address.
  no_such_user = 5,
  /// The recipient does not want IMs from this sender.
  refused = 6,
  /// More IMs a second than `im.rate` allows; `retry_after` says when again.
  rate_limited = 7,
  /// Nobody of the recipient is signed in and `im.store_offline` is off.
  recipient_offline = 8,
  /// The recipient has `im.offline_max` IMs waiting, or the user as many
  /// documents, or bytes of them, as the settings allow; `limit` and `value`.
  quota_exceeded = 9,
  /// The disk refused: the IM is not safe anywhere.
  store_failed = 10,

  // -- a request is refused --------------------------------------------------
  /// A field is missing, out of its range or not valid UTF-8; `text` says
  /// which.
  bad_request = 20,
  /// This server does not know this kind of request.
  unknown_request = 21,
  /// More unanswered requests than the window allows; `limit`.
  window_exceeded = 22,
  /// More recipients than `im.broadcast_max`; `limit` and `value`.
  too_many_recipients = 23,
  /// The server has no room for this now; `retry_after` says when to ask again.
  overloaded = 24,
  /// Not for this user to ask.
  not_authorised = 25,
  /// There is already what was to be made.
  exists = 26,
  /// A contact list has `contacts.max` entries; `limit` and `value`, and whose
  /// list it is.
  contact_list_full = 27,
  /// The presentity has `watchers.max` watchers; `limit` and `value`.
  watcher_limit = 28,
  /// The user has `presence.adhoc_max` ad-hoc watches; `limit` and `value`.
  watch_limit = 29,
  /// An operator switched ad-hoc watches off (`presence.adhoc`).
  watch_disabled = 30,
  /// There is no such document, or collection, for the one who asks.
  not_found = 31,
  /// The collection is kept by other rules than those wished.
  other_rules = 32,

  // -- sign-in fails ---------------------------------------------------------
  /// Wrong user name or wrong password, not told apart; or the exchange broke
  /// off. `retry_after` when further tries are being slowed.
  authentication_failed = 40,
  /// The user has `session.endpoints_max` endpoints signed in.
  too_many_endpoints = 41,
  /// This mechanism is not offered here; PLAIN, for instance, without TLS.
  mechanism_unavailable = 42,
  /// The resume token is unknown or expired: sign in anew.
  resume_failed = 43,

  // -- a connection ends -----------------------------------------------------
  /// The first bytes are not Parley's magic; `text` says what was expected.
  bad_magic = 60,
  /// A frame that is no protobuf message of the expected type.
  bad_frame = 61,
  /// A frame longer than 256 KiB; `limit` and `value` in bytes.
  frame_too_large = 62,
  /// No protocol version in common; `text` says which the server speaks.
  unsupported_version = 63,
  /// A request that needs a sign-in came before it, or hello came twice.
  not_signed_in = 64,
  /// The peer was silent for 2.5 heartbeats, or slow to sign in.
  timed_out = 65,
  /// The peer does not read what it asked for; `limit` in bytes.
  slow_consumer = 66,
  /// The TLS handshake failed, or its peer spoke something else.
  tls_failed = 67,
  /// Too many connections; `limit`, `retry_after`.
  too_many_connections = 68,

  // -- a session ends --------------------------------------------------------
  /// Another client signed in under the same endpoint name, or resumed this
  /// session on another connection.
  replaced = 80,
  /// An operator removed the account.
  account_removed = 81,
  /// An operator ended the session.
  kicked = 82,
  /// The server stops; `retry_after` says when to come back.
  server_stopping = 83,
  /// The resume window passed.
  expired = 84,
  /// The client signed out.
  signed_out = 85,

  // -- persistence and start-up, shown to operators ---------------------------
  /// Another process holds the data folder.
  store_locked = 100,
  /// A newer Parley wrote the data folder.
  schema_too_new = 101,
  /// The data folder is damaged.
  store_corrupt = 102,
  /// The data folder could not be read or written.
  store_unavailable = 103,
};

/// The reason as it is written everywhere: `no_such_user`.
std::string_view to_string(errc code) noexcept;

/// The code of a written reason, `errc::none` if there is no such reason.
errc errc_from_string(std::string_view text) noexcept;

/// What an error ends.
enum class error_scope : uint8_t {
  /// One request; everything else goes on.
  request = 0,
  /// The connection closes after this; the session can be resumed.
  connection = 1,
  /// The session is over, and with it the connection.
  session = 2,
};

/// One refusal with all that helps its reader. Sent as `Error` (parley.proto).
struct failure {
  failure() = default;
  explicit failure(errc c, std::string t = {}) : code(c), text(std::move(t)) {}

  errc code = errc::none;
  /// For a person; one sentence, may be empty.
  std::string text;
  /// The limit that was hit and what came instead, in the unit of the reason.
  std::optional<uint64_t> limit;
  std::optional<uint64_t> value;
  /// When it may work.
  std::optional<std::chrono::milliseconds> retry_after;

  auto fields() { return std::tie(code, text, limit, value, retry_after); }
  bool operator==(const failure&) const = default;
};

template <class T>
using result = tl::expected<T, failure>;

inline tl::unexpected<failure> fail(errc code, std::string text = {}) {
  return tl::unexpected<failure>(failure{code, std::move(text)});
}

} // namespace parley
