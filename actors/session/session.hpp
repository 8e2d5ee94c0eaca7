#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/interfaces.hpp"
#include "actors/memory/memory_budget.hpp"
#include "actors/roster/presence_counters.hpp"
#include "actors/runtime/pinned.hpp"
#include "actors/session/allowance.hpp"
#include "actors/session/client_link.hpp"
#include "actors/session/directed_presence.hpp"
#include "actors/session/stream.hpp"
#include "protocol/defaults.hpp"
#include "protocol/defaults_documents.hpp"
#include "protocol/lean_queue.hpp"

namespace parley {

/// A connection for a session of this process: a fresh one, or one that
/// resumes it after `last_event`.
struct attach_link {
  link_ptr link;
  /// Counts the connections of the session.
  uint64_t attachment = 0;
  sequence last_event;
  bool resumed = false;
};

/// What the router of the same process says beside the serialisable rest.
using local_session_actor = session_actor::extend<caf::reacts_to<attach_link>>;

struct session_config {
  session_id id;
  address self;
  /// What the client wishes to have unacknowledged at most.
  window wanted;
  std::string token;
  shared<policy> rules;
  /// Of its worker; null: nobody counts.
  std::shared_ptr<presence_counters> counters = nullptr;
  std::shared_ptr<session_limits> limits = nullptr;
  std::shared_ptr<worker_book> book = nullptr;
  /// Told what its client leaves untaken, in bytes. May be null.
  std::shared_ptr<uint64_t> untaken = nullptr;
  /// Grows when its client takes something of that. May be null.
  std::shared_ptr<uint64_t> taken = nullptr;
};

struct session_state {
  explicit session_state(
    pinned_pointer<local_session_actor, session_state> parent)
    : self(parent) {}

  static inline const char* name = "session";

  pinned_pointer<local_session_actor, session_state> self;
  session_config config;
  router_actor router;
  /// Null while suspended.
  link_ptr link;
  /// Of the link before.
  std::unique_ptr<connection_legacy> legacy;
  /// From which others took over while they were open, with all that was said
  /// there: the last of it may still be on the way here.
  std::vector<link_id> taken_over;
  uint64_t attachment = 0;
  /// What the link was told that is kept for the client.
  uint64_t told_holds = 0;
  /// The client wants no IMs for now.
  bool paused = false;
  /// The widest request window that it was ever granted.
  uint32_t widest = 0;
  /// Typing notices that it may send now.
  allowance typing_left{defaults::typing_per_second, defaults::typing_burst};
  /// Of other things that it passes on.
  allowance passing_left{defaults::passing_per_second, defaults::passing_burst};
  /// Readings of documents; a change is worth some.
  allowance documents_left{
    defaults::documents_per_second, defaults::documents_burst};
  directed_presence presence;
  event_stream stream;
  /// The last event that this connection was given: the client gets the next
  /// ones as it takes what waits.
  sequence sent;
  struct held_state {
    /// Of what was said last the greatest.
    uint64_t turn = 0;
    shared<presence_notice> what;
  };
  /// Presence that its slow client will be told, by whom it is about: each
  /// notice also says how its whole user is, so that the last has to be last.
  std::map<address, held_state> held_presence;
  uint64_t held_turns = 0;
  /// Watches that ended, each to be told behind a numbered event, which may be
  /// what began it.
  std::vector<std::pair<sequence, user_address>> held_ends;
  /// Likewise the last change of its contact list, and its privacy. A client
  /// that misses a change sees so by the next one's versions, and asks.
  std::vector<event> held_states;
  /// What was told of documents meanwhile, in order, and its bytes.
  lean_queue<shared<document_notice>> held_notices;
  size_t held_notice_bytes = 0;
  /// What all of this comes to.
  book_entry booked;
  book_entry booked_presence;

  /// How many requests the client may have under way.
  window granted() const noexcept;
  /// How many IMs it may have unacknowledged; zero while it is paused.
  window ims() const noexcept;

  void attach(const attach_link& x);
  void take(std::vector<numbered_request>& what);
  void pass(numbered_request& x, session_requests& fresh);
  /// Nothing, or why this must wait.
  std::optional<failure> over_rate(const request& x);
  void acknowledge(sequence upto);
  void count_taken() noexcept;
  /// Numbers what is numbered, and sends it if there is a connection that
  /// takes it; otherwise when it does.
  void put(im_order order, event what);
  /// Goes out of turn, or not at all: the last state counts.
  void tell(event what);
  /// Whether it takes presence back and has to wait, and does.
  bool keeps(const passed_on& x);
  void tell_taken_back();
  /// Whether it is a state that has to wait, and does.
  bool holds_back(event& what);
  /// What is held of one user's presence, or of everybody's.
  void tell_held(const user_address* of = nullptr);
  /// Those that nothing is before any more.
  void tell_held_ends();
  /// Of documents: at once if the client takes it, else kept while there is
  /// room.
  void notify(document_event what);
  /// The client has taken what waited.
  void go_on();
  /// What is numbered and was not sent; `all`: whatever waits to be written.
  void send_kept(bool all = false);
  bool has_sent_all() const noexcept {
    return stream.unacknowledged().empty() || sent == stream.last();
  }
  void refuse(request_number number, failure why);
  void set_policy(const shared<policy>& x);
  void tell_policy();
  void lose_link(const failure& why);
  /// At the end of each handler: how much it holds now. `of_client`: it has
  /// handled a message of its client's.
  void book(bool of_client = false);
  void end(const failure& why);
  /// What is left to be said goes to the router.
  void say_last_words();
  void count(uint64_t session_limits::*what) noexcept {
    if (config.limits)
      ++((*config.limits).*what);
  }
  bool is_from(link_id x) const noexcept { return link && link->id() == x; }
  /// The same, or said before this link took over.
  bool is_of_client(link_id x) noexcept;
};

/// How many IMs a session with these rules may have unacknowledged.
window ims_window(const window& wanted, const policy& rules) noexcept;

local_session_actor::behavior_type session(
  pinned_pointer<local_session_actor, session_state> self,
  session_config config, router_actor router);

} // namespace parley

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(parley::attach_link)
