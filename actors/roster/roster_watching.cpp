#include <algorithm>
#include <chrono>
#include <utility>

#include <caf/send.hpp>

#include "actors/roster/roster.hpp"
#include "actors/router/routing.hpp"

// Whom a roster's user watches.
namespace parley {

bool roster_state::is_settled(const user_address& whom) const {
  return x_unsettled.empty() || !x_unsettled.contains(whom);
}

bool roster_state::is_subscribed(const user_address& whom) const {
  auto x = x_rules->items().standing(whom);
  bool will_be = x && x->subscription.to == half::active;
  if (x_unsettled.empty())
    return will_be;
  auto i = x_unsettled.find(whom);
  // Each change turns it over.
  return will_be != (i != x_unsettled.end() && i->second % 2 == 1);
}

bool roster_state::watches_adhoc(const watched& w, session_id session) {
  return std::any_of(w.adhoc.begin(), w.adhoc.end(),
    [session](const auto& a) { return a.session == session; });
}

// -- sessions

void roster_state::greet(const endpoint& e) {
  for (const auto& n : x_truth->endpoints)
    if (n->from.endpoint != e.name)
      tell(e.handle, event{presence_event{n}});
  tell_unknown_ones(e);
  for (const auto& [whom, w] : x_watched) {
    if (watches_adhoc(w, e.session) || is_subscribed(whom))
      self->send(w.subscription, greet_session{e.handle});
  }
}

// -- subscriptions

void roster_state::spawn_subscription(
  watched& w, const user_address& whom, const shared<presentity>& first) {
  auto to = x_sessions;
  if (!is_subscribed(whom)) {
    w.to = std::make_shared<told_sessions>();
    to = w.to;
    retarget(whom, w);
  }
  w.subscription = spawn_lean<subscription>(self->system(), self->home(),
    roster_actor{self}, std::move(to), config->counters, first);
}

void roster_state::retarget(const user_address& whom, watched& w) {
  if (!w.to)
    return;
  if (is_subscribed(whom)) {
    *w.to = *x_sessions;
    return;
  }
  w.to->clear();
  for (const auto& a : w.adhoc)
    if (auto* e = find(a.session))
      w.to->push_back(e->handle);
}

void roster_state::attach_to(const user_address& whom, watched& w) {
  auto item = x_rules->items().brief(whom);
  attach_watcher x;
  x.whom = whom;
  x.watcher = x_rules->user();
  x.subscription = w.subscription;
  // What has yet to reach the disk is not to be answered.
  x.number = item && is_settled(whom) ? item->asked : 0;
  x.subscribed = is_subscribed(whom);
  x.adhoc = !w.adhoc.empty();
  x.seen = w.version;
  x.roster = roster_actor{self};
  self->send(router_of(whom), std::move(x));
}

void roster_state::called(const presence_call& x) {
  if (x.asks) {
    auto back = make_call();
    back.answers = true;
    if (auto v = view_of(x.from);
        v != view::nothing && (is_online() || !x_shares))
      back.state = state_of(v);
    if (back.state || x_own_sharing != sharing::by_default)
      self->send(x.roster, std::move(back));
  }
  // What makes this user a watcher may have yet to reach the disk; if it does
  // not, what is there decides.
  if (!waits_for_disk()) {
    look_at(x);
    return;
  }
  auto look = [this, x] { look_at(x); };
  after(look, [this, look](const failure&) { when_loaded(look); });
}

void roster_state::look_at(const presence_call& x) {
  if (x.state)
    shown(x);
  learn(x.from, x.sharing);
}

void roster_state::shown(const presence_call& x) {
  if (x_endpoints.empty())
    return;
  // Whom it will be subscribed to is asked for its state then.
  bool expected = is_settled(x.from) ? x_rules->expects(x.from, now_us())
                                     : is_subscribed(x.from);
  if (!expected)
    return;
  x_rules->share_address(x.from);
  auto& w = x_watched[x.from];
  w.roster = x.roster;
  w.version = std::max(w.version, x.state->version);
  if (!w.subscription) {
    shared<presentity> first;
    // Its sessions were told so when they came.
    if (is_unknown_when_absent(x.from)) {
      presentity masked;
      masked.who = x.from;
      masked.unknown = true;
      first.reset(std::move(masked));
    }
    spawn_subscription(w, x.from, first);
  }
  self->send(w.subscription, x.state);
  attach_to(x.from, w);
}

void roster_state::presentity_gone(const presentity_left& x) {
  auto i = x_watched.find(x.whom);
  if (i == x_watched.end() || x.version < i->second.version
    || !i->second.adhoc.empty())
    return;
  // What another subscription has shown meanwhile is shown again behind it.
  stop_watching(x.whom, farewell::answered);
}

void roster_state::taken_back(const subscription_ended& x) {
  const auto& whom = x.whom;
  // That may have been told after what is to be seen now.
  auto i = x_watched.find(whom);
  if (i == x_watched.end())
    tell_unknown(whom);
  else
    for (const auto& e : x_endpoints)
      if (is_subscribed(whom) || watches_adhoc(i->second, e.session))
        self->send(i->second.subscription, greet_session{e.handle});
  if (auto over = x_ending.extract(whom))
    for (const auto& y : over.mapped())
      decided(y);
}

void roster_state::stop_watching(user_address whom, farewell how) {
  auto i = x_watched.find(whom);
  if (i == x_watched.end())
    return;
  auto w = std::move(i->second);
  x_watched.erase(i);
  config->counters->adhoc -= w.adhoc.empty() ? 0 : 1;
  if (!w.subscription)
    return;
  self->send(
    router_of(whom), detach_watcher{whom, x_rules->user(), w.subscription});
  if (how == farewell::none) {
    self->send_exit(w.subscription, caf::exit_reason::normal);
    return;
  }
  // If it is unknown from now on, that is told when the subscription has told
  // its last.
  const bool unknown = is_subscribed(whom) && is_unknown_when_absent(whom);
  const bool answers = how == farewell::answered;
  self->send(
    w.subscription, end_subscription{whom, unknown || answers, unknown});
}

void roster_state::stop_watching_all() {
  while (!x_watched.empty())
    stop_watching(x_watched.begin()->first, farewell::none);
}

void roster_state::watch(const user_address& whom, bool on) {
  ++x_unsettled[whom];
  after([this, whom, on] {
    auto i = x_unsettled.find(whom);
    if (--i->second == 0)
      x_unsettled.erase(i);
    if (on)
      begin_watching(whom);
    else
      cease_watching(whom);
  });
}

void roster_state::begin_watching(const user_address& whom) {
  if (x_endpoints.empty())
    return;
  auto i = x_watched.find(whom);
  if (i != x_watched.end()) {
    // It watched ad hoc until now: the other sessions know nothing yet.
    auto told = i->second.to ? *i->second.to : *x_sessions;
    retarget(whom, i->second);
    for (const auto& e : x_endpoints)
      if (std::find(told.begin(), told.end(), e.handle) == told.end())
        self->send(i->second.subscription, greet_session{e.handle});
    attach_to(whom, i->second);
    call_one(whom, false, true); // for its own word on sharing
    return;
  }
  auto now = view_of_absent(whom, *x_policy);
  for (const auto& e : x_endpoints)
    if (now == show::unknown || lost_sight_of(e, whom))
      tell(e.handle, event{presence_event{bare_notice(whom, now)}});
  call_one(whom, false, true);
}

void roster_state::cease_watching(const user_address& whom) {
  bool unknown = is_unknown_when_absent(whom);
  x_sharing_of.erase(whom);
  auto i = x_watched.find(whom);
  if (i == x_watched.end()) {
    // What was shown is taken back.
    if (unknown)
      for (const auto& e : x_endpoints)
        tell(e.handle,
          event{presence_event{bare_notice(whom, show::unavailable)}});
    return;
  }
  auto& w = i->second;
  if (w.adhoc.empty()) {
    stop_watching(whom, farewell::told);
    return;
  }
  if (!w.to) {
    // It told all sessions by the list that they share: another one takes over,
    // and tells those again that go on watching.
    auto adhoc = w.adhoc;
    auto presentity_roster = w.roster;
    stop_watching(whom, farewell::told);
    auto& fresh = x_watched[whom];
    fresh.adhoc = std::move(adhoc);
    ++config->counters->adhoc;
    fresh.roster = std::move(presentity_roster);
    spawn_subscription(fresh, whom, {});
    attach_to(whom, fresh);
    return;
  }
  retarget(whom, w);
  for (const auto& e : x_endpoints)
    if (!watches_adhoc(w, e.session))
      say_through(
        w, e.handle, {presence_event{bare_notice(whom, show::unavailable)}});
  attach_to(whom, w);
}

void roster_state::say_through(
  const watched& w, const session_actor& who, std::vector<event> what) {
  self->send(w.subscription, say_to_session{who, std::move(what)});
}

void roster_state::arm(clock::time_point at) {
  if (!x_ticks.empty() && *x_ticks.begin() <= at)
    return;
  x_ticks.insert(at);
  auto now = self->clock().now();
  self->delayed_send(
    self, std::max(at - now, clock::duration{}), tick_atom::value);
}

void roster_state::sweep() {
  auto now = self->clock().now();
  x_ticks.erase(x_ticks.begin(), x_ticks.upper_bound(now));
  if (!x_loaded)
    read();
  else if (std::exchange(x_reconciles, false))
    reconcile();
  end_adhoc([now](const user_address&, const adhoc_watch& w) {
    return w.until <= now;
  });
  auto next = publish_waiting();
  for (const auto& [whom, w] : x_watched)
    for (const auto& a : w.adhoc)
      next = std::min(next, a.until);
  if (next != clock::time_point::max())
    arm(next);
}

// -- policy

void roster_state::set_policy(const shared<policy>& x) {
  auto before = std::exchange(x_policy, x);
  when_loaded([this, before, x] { apply_policy(before, x); });
}

void roster_state::apply_policy(
  const shared<policy>& before, const shared<policy>& x) {
  share_or_not();
  tell_absent(*before);
  if (!x->presence_adhoc)
    end_adhoc([](const user_address&, const adhoc_watch&) { return true; });
  if (x->presence_adhoc_ttl_ms < before->presence_adhoc_ttl_ms)
    shorten_adhoc(*x);
  if ((x->presence_auto_approve && !before->presence_auto_approve)
    || x->watchers_max > before->watchers_max)
    x_rules->review(*x);
  if (!x->presence_auto_approve && before->presence_auto_approve)
    revoke_refused();
}

} // namespace parley
