#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "actors/accounts/throttle.hpp"
#include "actors/router/routing.hpp"
#include "actors/settings/policy.hpp"
#include "persistence/store.hpp"
#include "protocol/signing_in.hpp"
#include "protocol/vocabulary.hpp"

/// What actors say to each other beside the vocabulary; all of it can be
/// serialised.
namespace parley {

/// Tells one connection from another that served the same session before.
struct link_id {
  uint64_t value = 0;
  auto operator<=>(const link_id&) const = default;
  auto fields() { return std::tie(value); }
};

// -- gateway to session

/// Requests of one read, in order.
struct client_requests {
  link_id from;
  std::vector<numbered_request> what;
  auto fields() { return std::tie(from, what); }
};

/// All events up to `upto` are safe at the client.
struct client_acknowledged {
  link_id from;
  sequence upto;
  auto fields() { return std::tie(from, upto); }
};

struct client_window {
  link_id from;
  window wanted;
  auto fields() { return std::tie(from, wanted); }
};

/// The connection is over.
struct client_lost {
  link_id from;
  failure why;
  auto fields() { return std::tie(from, why); }
};

/// What waited to be written has been: presence may follow.
struct client_drained {
  link_id from;
  auto fields() { return std::tie(from); }
};

// -- session to router

/// Requests of a session that it has not asked before, in order.
struct session_requests {
  session_id from;
  std::vector<numbered_request> what;
  auto fields() { return std::tie(from, what); }
};

struct session_acknowledged {
  session_id from;
  /// Whose session it is, or was: it may have ended meanwhile.
  user_address self;
  std::vector<acknowledged_im> what;
  auto fields() { return std::tie(from, self, what); }
};

/// The connection that came with the `attachment`-th attach is lost.
struct session_suspended {
  session_id from;
  uint64_t attachment = 0;
  /// The client cannot come back: the session is over.
  bool for_good = false;
  auto fields() { return std::tie(from, attachment, for_good); }
};

/// What a session leaves that its client did not end.
struct session_over {
  session_id from;
  address self;
  /// To be passed on in its name.
  std::vector<pass_on> what;
  /// See `last_words`.
  std::optional<uint64_t> done;
  auto fields() { return std::tie(from, self, what, done); }
};

struct session_window {
  session_id from;
  window granted;
  auto fields() { return std::tie(from, granted); }
};

// -- router to session

/// For the client, in order.
struct session_output {
  std::vector<std::variant<delivery, event>> what;
  auto fields() { return std::tie(what); }
};

/// Looks whether the client lives; suspended if it does not answer.
struct probe_client {
  auto fields() { return std::tie(); }
};

/// The session is over; the client is told why.
struct end_session {
  failure why;
  auto fields() { return std::tie(why); }
};

/// The server stops; come back then.
struct announce_stop {
  std::chrono::milliseconds come_back_after{};
  auto fields() { return std::tie(come_back_after); }
};

/// Time to give back memory that only traffic needs.
struct session_sweep {
  auto fields() { return std::tie(); }
};

// -- routers and the store

using operations = std::vector<store_operation>;

struct written {
  /// In the order in which they were asked for.
  std::vector<shared<operations>> what;
  /// Code none: all of it is on disk.
  failure why;
  /// Stored IMs that went with accounts: a number for each remove_account among
  /// what is on disk, in order.
  std::vector<uint64_t> deleted;
  auto fields() { return std::tie(what, why, deleted); }
};

struct head_found {
  user_address of;
  user_head what;
  failure why;
  auto fields() { return std::tie(of, what, why); }
};

struct page_found {
  user_address of;
  session_id for_whom;
  im_order from;
  std::vector<stored_im> page;
  bool complete = false;
  failure why;
  auto fields() { return std::tie(of, for_whom, from, page, complete, why); }
};

struct id_found {
  uint64_t ticket = 0;
  std::optional<stored_id> what;
  failure why;
  auto fields() { return std::tie(ticket, what, why); }
};

/// IMs whose time to live is over.
struct ims_expired {
  std::vector<std::pair<user_address, im_order>> what;
  auto fields() { return std::tie(what); }
};

// -- signing in

struct account_found {
  uint64_t ticket = 0;
  std::optional<account> what;
  failure why;
  auto fields() { return std::tie(ticket, what, why); }
};

struct password_checked {
  uint64_t ticket = 0;
  bool fits = false;
  auto fields() { return std::tie(ticket, fits); }
};

/// A stranger asks for an account.
struct account_wanted {
  uint64_t ticket = 0;
  user_address user;
  std::string password;
  std::string source;
  auto fields() { return std::tie(ticket, user, password, source); }
};

struct account_made {
  uint64_t ticket = 0;
  /// Code none: it is there.
  failure why;
  auto fields() { return std::tie(ticket, why); }
};

/// A sign-in of this account from this source may go on after `delay`.
struct admitted {
  uint64_t ticket = 0;
  std::chrono::milliseconds delay{};
  /// From then until a further one may, if this one fails.
  std::chrono::milliseconds pause{};
  /// `overloaded` by `signin.rate`, or since too many wait.
  failure why;
  auto fields() { return std::tie(ticket, delay, pause, why); }
};

/// What became of a sign-in; says so once for each that was admitted.
struct sign_in_ended {
  uint64_t ticket = 0;
  /// Empty: an exchange that named nobody, and was never admitted.
  user_address user;
  std::string source;
  try_end how = try_end::undecided;
  auto fields() { return std::tie(ticket, user, source, how); }
};

// -- operators

/// One line of `parley admin sessions`.
struct session_info {
  address self;
  session_id id;
  availability what;
  bool connected = true;
  std::string software;
  std::string peer;
  std::string transport;
  wall_time since{};
  auto fields() {
    return std::tie(
      self, id, what, connected, software, peer, transport, since);
  }
};

struct router_report {
  std::vector<session_info> sessions;
  routing_counters counters;
  auto fields() { return std::tie(sessions, counters); }
};

/// How an orderly stop went at one router.
struct stop_report {
  uint64_t sessions = 0;
  uint64_t given_up = 0;
  auto fields() { return std::tie(sessions, given_up); }
};

/// A write that somebody waits for; `code` none when it is on disk.
struct write_result {
  failure why;
  /// If the write was one change_documents, and it was carried out.
  collection_rules documents = {};
  auto fields() { return std::tie(why, documents); }
};

/// What became of the removal of an account.
struct account_removed {
  /// Stored IMs that went with it.
  uint64_t deleted = 0;
  /// The store has refused it for now; it will be tried again.
  failure why;
  auto fields() { return std::tie(deleted, why); }
};

struct keys_derived {
  scram_keys keys;
  failure why;
  auto fields() { return std::tie(keys, why); }
};

struct accounts_found {
  std::vector<user_address> what;
  failure why;
  auto fields() { return std::tie(what, why); }
};

struct audit_found {
  std::vector<audit_entry> what;
  failure why;
  auto fields() { return std::tie(what, why); }
};

/// What setting a value led to.
struct setting_changed {
  std::string before;
  std::string now;
  failure why;
  auto fields() { return std::tie(before, now, why); }
};

} // namespace parley
