#pragma once

#include <optional>
#include <set>
#include <vector>

#include "protocol/client/backoff.hpp"
#include "protocol/client/core.hpp"
#include "protocol/client/event_position.hpp"
#include "protocol/client/hot_frames.hpp"
#include "protocol/client/presence_table.hpp"
#include "protocol/client/recent_ids.hpp"
#include "protocol/client/request_queue.hpp"
#include "protocol/codec.hpp"
#include "protocol/framing.hpp"
#include "protocol/parts.hpp"

/// Internal to client_core.
namespace parley {

class client_core::impl {
public:
  impl(std::shared_ptr<const client_core_config> config, client_account account,
    client_events& events, transport& below, uint64_t seed);

  // As in client_core.
  void start(steady_time now);
  void connected(sasl_channel channel, steady_time now);
  void disconnected(failure why, steady_time now);
  void receive(std::string_view bytes, steady_time now);
  void tick(steady_time now);
  std::string_view output() const noexcept { return x_out; }
  void written(size_t n);
  void send(const outgoing_im& message, request_tag tag);
  void broadcast(const outgoing_im& message, std::span<const std::string> to,
    request_tag tag);
  void set_availability(const availability& what, request_tag tag);
  void ask(contacts_request what, request_tag tag);
  void list_contacts(request_tag tag);
  void typing(std::string_view to);
  void acknowledge(delivery_ticket ticket);
  void set_window(const window& wanted);
  void sign_out(leaving how);
  void drop_connection();
  bool is_ready() const noexcept { return x_stage == stage::ready; }
  bool is_gone() const noexcept { return x_stage == stage::gone; }
  bool is_connected() const noexcept {
    return x_stage != stage::waiting && x_stage != stage::connecting
      && x_stage != stage::gone;
  }
  const contact_book& contacts() const noexcept { return x_book; }
  size_t unanswered() const noexcept { return x_requests.unanswered(); }
  std::vector<open_im> open_ims() const;
  bool is_held_back() const noexcept;
  const address& self() const noexcept { return x_self; }
  message_id new_id();
  size_t memory() const noexcept;

private:
  enum class stage : uint8_t {
    /// Waits for `x_deadline` to connect.
    waiting,
    connecting,
    /// Hello is sent.
    greeting,
    resuming,
    authenticating,
    ready,
    gone,
  };

  // -- connection (core_connection.cpp)

  void connect();
  /// The connection is of no use any more: waits, then connects anew.
  void lose(failure why);
  /// After the connection ended, by whichever side.
  void wait_to_reconnect(failure why);
  void finish(failure why);
  void beat();
  /// True once the whole magic is there.
  bool take_magic(std::string_view& bytes);
  void take_frames(std::string_view bytes);
  void settle_batch();
  void acknowledge_safe();
  /// Says once that there is output.
  void announce();
  template <class Frame>
  void put(const Frame& frame) {
    // Cannot fail: nothing that comes here is near the size of a frame.
    static_cast<void>(native::encode_client(x_out, frame));
    announce();
  }

  // -- frames (core_frames.cpp)

  void take_frame(std::string_view frame);
  bool take_hot(const hot_frame& x);
  void handle(const native::unknown_event& x);
  void handle(const native::welcome& x);
  void handle(const native::sasl_challenge& x);
  void handle(const native::session_started& x);
  void handle(const native::refusal& x);
  void handle(const native::going_away& x);
  void handle(const native::ping& x);
  void handle(const native::pong&) {}
  void handle(const window& x);
  void handle(const native::numbered_event& x);
  void handle(native::answer_part& x);

  void authenticate();
  void start_session();
  void refused_before_session(const failure& why);
  /// False if the event is known already or out of order; the connection is
  /// given up then.
  bool is_next(sequence number);
  void take_im(sequence number, received_im& message);
  void take_event(sequence number, const answer& x);
  void take_event(sequence number, const incoming_im& x);
  void take_event(sequence number, const receipt& x);
  void take_event(sequence number, const typing_notice& x);
  void take_event(sequence number, const policy_values& x);
  void take_event(sequence number, const contact_list& x);
  void take_event(sequence number, const privacy& x);
  void take_event(sequence number, const presence_event& x);
  void take_event(sequence number, const presence_reset& x);
  void take_event(sequence number, const watch_ended& x);
  /// The native protocol never brings it.
  void take_event(sequence, const passed_on&) {}
  void take_event(sequence, const document_event&) {}
  void answered(sequence number, request_number to, const failure& why);
  void answered(sequence number, request_number to, const refused_request& x);
  void answered(sequence number, request_number to, const outcome& what);
  void answered(
    sequence number, request_number to, const broadcast_outcomes& what);
  void answered(sequence number, request_number to, const done&);
  void answered(
    sequence number, request_number to, const contacts_changed& what);
  void answered(sequence number, request_number to, const contact_list& what);
  void answered(sequence number, request_number to, const watching& what);
  void answered(sequence number, request_number to, const privacy& what);
  /// Nobody asks.
  void answered(sequence, request_number, const documents_found&) {}

  void refused(sequence number, request_number to, const failure& why,
    const user_address& whose);

  // -- contacts and presence (core_contacts.cpp)

  bool follows() const noexcept { return x_config->follow_contacts; }
  /// Asks for the contact list unless that is under way.
  void follow();
  /// After a sign-in: what was told before is void, or may be incomplete.
  void begin_following(bool resumed);
  void emit_contacts(const request_queue::numbered& x);
  void take_list(std::optional<request_tag> tag, const contact_list& what);
  void void_presence();
  void show_as(const user_address& whom, show what);
  /// Those of `x_lost` that are subscribed to now.
  void show_found();
  void end_watch(const user_address& whom);
  /// A request was refused that would have ended subscriptions.
  void forget_ends(const request& what);

  // -- requests (core.cpp)

  /// Sends what waits as far as the window has room.
  void pump();
  void emit(const request_queue::numbered& x);
  uint64_t random() noexcept;

  std::shared_ptr<const client_core_config> x_config;
  client_account x_account;
  client_events& x_events;
  transport& x_below;
  uint64_t x_random;
  uint64_t x_tickets = 0;

  stage x_stage = stage::waiting;
  /// Within `receive`: the batch is settled at its end.
  bool x_receiving = false;
  bool x_drop_wanted = false;
  bool x_announced = false;
  bool x_greeted = false;
  /// Whether there ever was a session.
  bool x_was_ready = false;
  steady_time x_now{};
  /// Of the present stage, `ready` excepted.
  steady_time x_deadline{};
  steady_time x_ready_since{};
  steady_time x_last_sent{};
  steady_time x_last_received{};
  steady_time x_last_ping{};
  backoff x_backoff;
  std::string x_out;
  native::frame_reader x_reader;
  /// The server's magic as far as it came.
  std::string x_magic;
  std::optional<native::answer_assembler> x_parts;

  // Of a connection before its session:
  struct signing_in {
    sasl_channel channel;
    std::string domain;
    std::vector<std::string> mechanisms;
    std::optional<sasl_client> sasl;
    /// What the Resume acknowledged; more may be safe by its answer.
    sequence resumed_at;
  };
  std::unique_ptr<signing_in> x_signing_in;
  /// The server is going away and said when to come back.
  std::optional<std::chrono::milliseconds> x_come_back_after;

  // Of the session:
  address x_self;
  /// It was asked to end.
  bool x_is_leaving = false;
  std::string x_token;
  std::chrono::milliseconds x_heartbeat{};
  event_position x_position;
  sequence x_acknowledged;
  request_queue x_requests;
  recent_ids x_seen;

  // Of contacts, if they are followed:
  contact_book x_book;
  presence_table x_present;
  /// In force, as far as was told.
  std::set<user_address> x_watches;
  /// Shown as *unknown* since a watch went with its session. The server does
  /// not know that, so that it will not say that one is *unavailable*.
  std::set<user_address> x_lost;
  /// The client's own questions for the list that have no answer yet.
  size_t x_follows = 0;
};

} // namespace parley
