#pragma once

#include "actors/interfaces.hpp"
#include "actors/roster/callees.hpp"

/// Messages of rosters and subscriptions that name actors.
namespace parley {

struct endpoint_joined {
  session_id session;
  endpoint_name name;
  availability what;
  session_actor handle;
  auto fields() { return std::tie(session, name, what, handle); }
};

struct greet_session {
  session_actor who;
  auto fields() { return std::tie(who); }
};

/// To a session, after all that this subscription has told it.
struct say_to_session {
  session_actor who;
  std::vector<event> what;
  auto fields() { return std::tie(who, what); }
};

struct contact_check {
  uint64_t ticket = 0;
  roster_actor from;
  /// Whose roster that is.
  user_address user;
  /// Whether they shall be watched, too.
  bool watched = false;
  std::vector<std::pair<uint32_t, user_address>> whom;
  auto fields() { return std::tie(ticket, from, user, watched, whom); }
};

struct presence_call {
  user_address from;
  roster_actor roster;
  /// What the one called may see of `from`; null: `from` shows nothing.
  shared<presentity> state;
  /// `from` wants to see the one called.
  bool asks = false;
  /// Answers such a call, roster to roster; others come by way of a router.
  bool answers = false;
  /// Of `from`, which holds while it is not here too.
  parley::sharing sharing = parley::sharing::by_default;
  auto fields() {
    return std::tie(from, roster, state, asks, answers, sharing);
  }
};

/// To a router: calls those of its users whose rosters are active; of others
/// that are asked it tells `absent_users`.
struct presence_calls {
  presence_call call;
  callees to;
  auto fields() { return std::tie(call, to); }
};

/// By way of the presentity's router.
struct attach_watcher {
  user_address whom;
  user_address watcher;
  subscription_actor subscription;
  /// Of the watcher's wish; not looked at if it watches ad hoc.
  uint64_t number = 0;
  bool subscribed = false;
  /// For a limited time.
  bool adhoc = false;
  /// The state that it has.
  uint64_t seen = 0;
  roster_actor roster;
  auto fields() {
    return std::tie(
      whom, watcher, subscription, number, subscribed, adhoc, seen, roster);
  }
};

/// The same way, which it must not leave: it would overtake. Without a
/// subscription: a watch that was allowed is not begun.
struct detach_watcher {
  user_address whom;
  user_address watcher;
  subscription_actor subscription;
  auto fields() { return std::tie(whom, watcher, subscription); }
};

/// To the router of `whom`, then to its roster.
struct watch_request {
  user_address watcher;
  roster_actor from;
  uint64_t ticket = 0;
  user_address whom;
  auto fields() { return std::tie(watcher, from, ticket, whom); }
};

struct watch_decided {
  uint64_t ticket = 0;
  user_address whom;
  /// Unless it is refused.
  roster_actor roster;
  shared<presentity> state;
  failure why;
  auto fields() { return std::tie(ticket, whom, roster, state, why); }
};

} // namespace parley
