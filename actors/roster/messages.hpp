#pragma once

#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "actors/messages.hpp"
#include "actors/roster/contact_verdict.hpp"
#include "actors/roster/presentity.hpp"
#include "persistence/contact_rows.hpp"

/// What rosters, subscriptions and routers say to each other; those that hold
/// actors are in handles.hpp.
namespace parley {

// -- router to the rosters of its users

/// A session of the user.
struct endpoint_joined;

struct endpoint_changed {
  session_id session;
  availability what;
  auto fields() { return std::tie(session, what); }
};

/// For good.
struct endpoint_left {
  session_id session;
  auto fields() { return std::tie(session); }
};

/// It has a new connection, and may have missed anything that is not numbered.
struct endpoint_resumed {
  session_id session;
  auto fields() { return std::tie(session); }
};

/// What concerns contacts, in order.
struct roster_requests {
  session_id from;
  std::vector<numbered_request> what;
  auto fields() { return std::tie(from, what); }
};

/// From a reader.
struct roster_found {
  packed_roster what;
  failure why;
  auto fields() { return std::tie(what, why); }
};

/// To the router: nothing is under way; so many of its messages were handled.
struct roster_idle {
  user_address user;
  uint64_t handled = 0;
  auto fields() { return std::tie(user, handled); }
};

/// To the router: what is on disk now.
struct roster_head_changed {
  user_address user;
  uint64_t contacts = 0;
  uint64_t watchers = 0;
  uint64_t requests = 0;
  /// Null: it blocks nobody.
  shared<privacy> blocks;
  parley::sharing sharing = parley::sharing::by_default;
  auto fields() {
    return std::tie(user, contacts, watchers, requests, blocks, sharing);
  }
};

// -- may they be contacts?

struct contact_check;

/// Code none: it may. By their places in the question; from several, in parts.
struct contacts_checked {
  uint64_t ticket = 0;
  std::vector<std::pair<uint32_t, contact_verdict>> what;
  auto fields() { return std::tie(ticket, what); }
};

// -- between the halves of subscriptions; `subscription_note` goes to the
// router of its `to`

/// It is on disk there: to the router of the note's `from`.
struct note_confirmed {
  subscription_note what;
  auto fields() { return std::tie(what); }
};

/// To the router: a request of this user may be decided by the policy now.
struct review_requests {
  user_address of;
  auto fields() { return std::tie(of); }
};

// -- presence between rosters

struct presence_call;
struct presence_calls;

/// From a router, of users that somebody asked to see and who are not here:
/// those that have a word of their own on the sharing of their presence.
struct absent_users {
  std::vector<std::pair<user_address, sharing>> what;
  auto fields() { return std::tie(what); }
};
struct attach_watcher;
struct detach_watcher;
struct watch_request;
struct watch_decided;

/// An ad-hoc watch may not go on.
struct watch_revoked {
  user_address whom;
  auto fields() { return std::tie(whom); }
};

/// To the watcher's roster: as of this version nobody tells the subscription
/// anything any more; the presentity left, or does not let it watch.
struct presentity_left {
  user_address whom;
  uint64_t version = 0;
  auto fields() { return std::tie(whom, version); }
};

/// From a subscription to the watcher's roster: it has told what it showed as
/// gone, and is over.
struct subscription_ended {
  user_address whom;
  auto fields() { return std::tie(whom); }
};

// -- operators

/// What `parley admin user show` tells of a roster.
struct roster_report {
  stored_roster what;
  /// Whom its subscriptions show now, and who watches it now, sorted.
  std::vector<user_address> watched;
  std::vector<user_address> watchers;
  /// Those that count beside the recorded ones.
  uint64_t adhoc_watchers = 0;
  /// Ad-hoc watches of its own, as `presence.adhoc_max` has them.
  uint64_t adhoc_watches = 0;
  /// IMs that wait for it, as `im.offline_max` has them; by the router.
  uint64_t waiting_ims = 0;
  /// What the one who was named may see.
  presentity view;
  failure why;
  auto fields() {
    return std::tie(what, watched, watchers, adhoc_watchers, adhoc_watches,
      waiting_ims, view, why);
  }
};

/// Contacts that an operator adds for a user; `subscribes` parallel to them.
struct contacts_import {
  std::vector<wanted_contact> contacts;
  bool subscribes = false;
  auto fields() { return std::tie(contacts, subscribes); }
};

/// Contact lists as they are on disk, of users after `after` in order: up to
/// about `contacts_listed` entries. Empty: from the first user on.
struct rosters_wanted {
  user_address after;
  auto fields() { return std::tie(after); }
};

struct rosters_found {
  std::vector<std::pair<user_address, stored_roster>> what;
  /// Where to go on; empty at the end.
  user_address next;
  failure why;
  auto fields() { return std::tie(what, next, why); }
};

struct contacts_imported {
  std::vector<refused_contact> refused;
  failure why;
  auto fields() { return std::tie(refused, why); }
};

// -- subscriptions to sessions

/// A session that has been told nothing yet.
struct greet_session;
struct say_to_session;

/// What was shown is taken back, and nothing more comes. Said back, as
/// `subscription_ended`, if there was anything, or if that is wanted anyway.
struct end_subscription {
  user_address whom;
  bool answers = false;
  /// If it is unknown now it is not taken back, nor answered: it stays so.
  bool may_stay_unknown = false;
  auto fields() { return std::tie(whom, answers, may_stay_unknown); }
};

} // namespace parley
