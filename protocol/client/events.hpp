#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/address.hpp"
#include "protocol/client/contact_book.hpp"
#include "protocol/errors.hpp"
#include "protocol/vocabulary.hpp"

/// What a client is told: the callbacks of client_core and of client.
namespace parley {

/// The caller's own name for a request; comes back with its answer. Any value,
/// also the same one twice.
struct request_tag {
  uint64_t value = 0;
  auto operator<=>(const request_tag&) const = default;
};

/// Names one received IM towards `acknowledge`, over reconnects too.
struct delivery_ticket {
  uint64_t value = 0;
  auto operator<=>(const delivery_ticket&) const = default;
};

/// As payload, but a view; see there.
struct payload_view {
  std::string_view type;
  std::string_view data;
};

/// An IM that came in. The views live until the callback returns.
struct received_im {
  /// user@domain/endpoint of the sender.
  std::string_view from;
  /// As it was addressed.
  std::string_view to;
  /// The sender's name for it.
  std::string_view id;
  std::string_view body;
  std::span<const payload_view> payloads;
  /// When the server took it.
  wall_time sent_at{};
  /// It waited in the store.
  bool offline = false;
  delivery_ticket ticket;

  /// A reader tells how far it has read: `payloads` is the id of the last IM
  /// that it has seen, under the type `read`, and nothing else.
  bool is_read_marker() const noexcept {
    return body.empty() && payloads.size() == 1
      && payloads.front().type == "read";
  }

  /// The user of `from`: all before the `/`.
  std::string_view from_user() const noexcept {
    return from.substr(0, from.find('/'));
  }
};

/// An IM to be sent; copied before `send` returns. Bytes of body and payloads
/// are judged by the server.
struct outgoing_im {
  /// 1 to 128 bytes of UTF-8, never used before by this user for other
  /// content: `client_core::new_id` makes one.
  std::string_view id;
  /// user@domain or user@domain/endpoint.
  std::string_view to;
  std::string_view body;
  std::span<const payload_view> payloads;
  /// Wants receipts per endpoint.
  bool receipts = false;
};

/// Who implements this is told what happens to a client. All is called on the
/// thread that called into the client, and may call back into it; it must not
/// destroy it. Every function does nothing unless overridden.
class client_events {
public:
  virtual ~client_events() = default;

  /// Signed in, available as asked. `resumed`: the session goes on, nothing
  /// was lost; else it is a new one (which loses nothing either: IMs without
  /// outcome are sent again under their ids).
  virtual void on_ready(const address& self, bool resumed);

  /// An IM, not seen before. Acknowledged when this returns, or by
  /// `acknowledge` (acknowledging::manual).
  virtual void on_message(const received_im& message);

  /// What became of a sent IM: exactly once for each. What the server refused
  /// as a request, or what does not fit into a frame, counts as rejected.
  virtual void on_outcome(request_tag tag, std::string_view id,
    std::string_view to, const outcome& what);

  /// What became of a broadcast: one line for each distinct recipient.
  virtual void on_broadcast(request_tag tag, std::string_view id,
    const std::vector<recipient_outcome>& outcomes);

  /// `set_availability`, `unsubscribe`, `approve` or `deny` is in force at the
  /// server.
  virtual void on_done(request_tag tag);

  /// What became of `add_contacts`, `remove_contacts` or `subscribe`.
  virtual void on_contacts_changed(
    request_tag tag, const contacts_changed& what);

  /// The contact list, or what changed in it: the answer to `list_contacts`, or
  /// without a tag a change. With `follow_contacts` `contacts()` has it all,
  /// and a change that rests on what is not known here is not told: the list is
  /// asked for, and its answer is told without a tag.
  virtual void on_contacts(
    std::optional<request_tag> tag, const contact_list& what);

  /// What a change of the contact list means for the subscriptions with `who`;
  /// after on_contacts, and with `follow_contacts` alone.
  virtual void on_subscription(
    const user_address& who, subscription_event what);

  /// A `watch` is in force for so many seconds; 0: it is over.
  virtual void on_watching(request_tag tag, uint64_t seconds);

  /// A watch is over, whether it was ended or got lost. With `follow_contacts`
  /// once for each, also where a new session knows nothing of it; then, too, an
  /// *unknown* comes before it, unless the user is subscribed.
  virtual void on_watch_ended(const user_address& whom);

  /// The user's privacy: the answer to `set_privacy`, or without a tag as
  /// another endpoint has changed it.
  virtual void on_privacy(std::optional<request_tag> tag, const privacy& what);

  /// Somebody's presence. With `follow_contacts` also *unavailable* of each
  /// endpoint that was available, when that is void: after a reconnect. Who is
  /// still there is told of again, right after.
  virtual void on_presence(const presence_notice& what);

  /// Whatever was told of presence is void; before the notices that say so.
  virtual void on_presence_reset();

  /// Any request but an IM was refused as a whole. `whose`: the one whose
  /// contact list is full, where the server says so.
  virtual void on_refused(
    request_tag tag, const failure& why, const user_address& whose);

  /// To senders that asked: what an endpoint did with an IM.
  virtual void on_receipt(
    std::string_view id, std::string_view endpoint, receipt::kind what);

  /// `from` (user@domain/endpoint) is writing.
  virtual void on_typing(std::string_view from);

  /// Every policy value by name; at sign-in and on change.
  virtual void on_policy(
    const std::vector<std::pair<std::string, std::string>>& values);

  /// The server complains about something that no request of ours names;
  /// nothing ends.
  virtual void on_error(const failure& why);

  /// The connection is lost, refused or could not be made; the next try comes
  /// by itself after `retry_in`. A code of `none` means that no word of the
  /// server came before; `text` says what happened.
  virtual void on_disconnected(
    const failure& why, std::chrono::milliseconds retry_in);

  /// The end, and the last call: signed out (`signed_out`), the sign-in was
  /// refused, or the session ended for good (`replaced`, `account_removed`,
  /// `kicked`, …). IMs without outcome get none: `open_ims` has them.
  virtual void on_gone(const failure& why);
};

} // namespace parley
