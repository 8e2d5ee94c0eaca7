#include <algorithm>
#include <chrono>
#include <utility>

#include <caf/send.hpp>

#include "actors/roster/roster.hpp"
#include "actors/router/routing.hpp"

// Whom a roster's user watches.
namespace parley {

bool roster_state::is_subscribed(const user_address& whom) const {
  auto* x = x_rules->find(whom);
  return x && x->what.subscription.to == half::active;
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
  for (const auto& [whom, item] : x_rules->items())
    if (item.what.subscription.to == half::active && !x_watched.contains(whom)
      && is_unknown_when_absent(whom))
      tell(e.handle, event{presence_event{bare_notice(whom, show::unknown)}});
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
  auto* item = x_rules->find(whom);
  attach_watcher x;
  x.whom = whom;
  x.watcher = x_rules->user();
  x.subscription = w.subscription;
  x.number = item ? item->asked : 0;
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
  auto look = [this, x] {
    if (x.state)
      shown(x);
    learn(x.from, x.sharing);
  };
  after(look, [this, look](const failure&) { when_loaded(look); });
}

void roster_state::shown(const presence_call& x) {
  if (x_endpoints.empty() || !x_rules->expects(x.from, now_us()))
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
  stop_watching(x.whom, true);
}

void roster_state::taken_back(const user_address& whom) {
  // That may have been told after what is to be seen now.
  auto i = x_watched.find(whom);
  if (i == x_watched.end())
    tell_unknown(whom);
  else
    for (const auto& e : x_endpoints)
      if (is_subscribed(whom) || watches_adhoc(i->second, e.session))
        self->send(i->second.subscription, greet_session{e.handle});
}

void roster_state::stop_watching(const user_address& whom, bool tells) {
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
  if (tells)
    // If it is unknown from now on, that is told when the subscription has told
    // its last.
    self->send(
      w.subscription, end_subscription{whom, is_unknown_when_absent(whom)});
  else
    self->send_exit(w.subscription, caf::exit_reason::normal);
}

void roster_state::stop_watching_all() {
  while (!x_watched.empty())
    stop_watching(x_watched.begin()->first, false);
}

void roster_state::watch(const user_address& whom, bool on) {
  after([this, whom, on] {
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
  if (i != x_watched.end() && i->second.subscription) {
    if (!i->second.to) {
      // The presentity was quicker: every session has been told, unless its
      // subscription took for granted that it is unknown to them.
      if (is_unknown_when_absent(whom))
        for (const auto& e : x_endpoints)
          self->send(i->second.subscription, greet_session{e.handle});
      return;
    }
    // It watched ad hoc until now: the other sessions know nothing yet.
    auto told = *i->second.to;
    retarget(whom, i->second);
    for (const auto& e : x_endpoints)
      if (std::find(told.begin(), told.end(), e.handle) == told.end())
        self->send(i->second.subscription, greet_session{e.handle});
    attach_to(whom, i->second);
    return;
  }
  tell_unknown(whom);
  call_one(whom, false, true);
}

void roster_state::cease_watching(const user_address& whom) {
  x_sharing_of.erase(whom);
  auto i = x_watched.find(whom);
  if (i == x_watched.end())
    return;
  auto& w = i->second;
  if (w.adhoc.empty()) {
    stop_watching(whom, true);
    return;
  }
  if (!w.to) {
    // It told all sessions by the list that they share: another one takes over,
    // and tells those again that go on watching.
    auto adhoc = w.adhoc;
    auto presentity_roster = w.roster;
    stop_watching(whom, true);
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

// -- ad-hoc watches

uint64_t roster_state::adhoc_watches() const {
  uint64_t n = 0;
  for (const auto& [whom, w] : x_watched)
    n += w.adhoc.size();
  return n + x_asked.size();
}

void roster_state::request_watch(
  session_id from, request_number number, const parley::watch& what) {
  auto end = [&](const user_address& whom, const adhoc_watch& w) {
    return whom == what.whom && w.session == from;
  };
  auto i = x_watched.find(what.whom);
  bool renews = i != x_watched.end() && watches_adhoc(i->second, from);
  failure why;
  if (what.whom == x_rules->user()) {
    why = failure{errc::bad_request, "nobody watches itself"};
  } else if (what.seconds == 0) {
    end_adhoc(end);
    answer(from, number, parley::watching{0});
    return;
  } else if (!x_policy->presence_adhoc) {
    why = failure{errc::watch_disabled};
  } else if (auto max = x_policy->presence_adhoc_max;
             !renews && max != unlimited && adhoc_watches() >= max) {
    why = failure{errc::watch_limit};
    why.limit = max;
    why.value = adhoc_watches() + 1;
  }
  if (why.code != errc::none) {
    answer(from, number, std::move(why));
    return;
  }
  auto ticket = x_next_ticket++;
  x_asked[ticket] = asked_watch{what.whom, from, number, what.seconds};
  self->send(router_of(what.whom),
    watch_request{x_rules->user(), roster_actor{self}, ticket, what.whom});
}

void roster_state::decided(const watch_decided& x) {
  auto i = x_asked.find(x.ticket);
  if (i == x_asked.end())
    return;
  auto asked = std::move(i->second);
  x_asked.erase(i);
  auto* e = find(asked.session);
  if (!e) {
    if (x.why.code == errc::none)
      self->send(
        router_of(x.whom), detach_watcher{x.whom, x_rules->user(), {}});
    return;
  }
  if (x.why.code != errc::none) {
    answer(asked.session, asked.number, x.why);
    return;
  }
  auto seconds = std::min(asked.seconds,
    x_policy->presence_adhoc_ttl_ms / std::chrono::milliseconds::period::den);
  auto until = self->clock().now() + std::chrono::seconds{seconds};
  answer(asked.session, asked.number, parley::watching{seconds});
  auto& w = x_watched[x.whom];
  w.roster = x.roster;
  auto watch = std::find_if(w.adhoc.begin(), w.adhoc.end(),
    [&asked](const auto& a) { return a.session == asked.session; });
  bool fresh = watch == w.adhoc.end();
  std::erase_if(e->ended, [&x](const auto& y) { return y.first == x.whom; });
  config->counters->adhoc += w.adhoc.empty() ? 1 : 0;
  if (fresh)
    w.adhoc.push_back({asked.session, until});
  else
    watch->until = until;
  if (!w.subscription) {
    spawn_subscription(w, x.whom, {});
    if (x.state->endpoints.empty() && !x.state->unknown)
      say_through(
        w, e->handle, {presence_event{bare_notice(x.whom, show::unavailable)}});
  } else if (fresh) {
    self->send(w.subscription, greet_session{e->handle});
  }
  retarget(x.whom, w);
  w.version = std::max(w.version, x.state->version);
  self->send(w.subscription, x.state);
  attach_to(x.whom, w);
  arm(until);
}

void roster_state::revoked(const watch_revoked& x) {
  end_adhoc([&x](const user_address& whom, const adhoc_watch&) {
    return whom == x.whom;
  });
}

void roster_state::end_adhoc(
  const std::function<bool(const user_address&, const adhoc_watch&)>& ends) {
  std::vector<user_address> over;
  for (auto& [whom, w] : x_watched) {
    auto first = std::stable_partition(w.adhoc.begin(), w.adhoc.end(),
      [&](const auto& a) { return !ends(whom, a); });
    if (first == w.adhoc.end())
      continue;
    std::vector<adhoc_watch> ended{first, w.adhoc.end()};
    w.adhoc.cut(first);
    config->counters->adhoc -= w.adhoc.empty() ? 1 : 0;
    retarget(whom, w);
    for (const auto& a : ended)
      if (auto* e = find(a.session)) {
        remember_end(*e, whom);
        std::vector<event> words;
        if (!is_subscribed(whom))
          words.emplace_back(presence_event{bare_notice(whom, show::unknown)});
        words.emplace_back(watch_ended{whom});
        say_through(w, e->handle, std::move(words));
      }
    over.push_back(whom);
  }
  for (const auto& whom : over) {
    auto& w = x_watched.at(whom);
    if (w.adhoc.empty() && !is_subscribed(whom)) {
      stop_watching(whom, false);
    } else {
      attach_to(whom, w);
    }
  }
}

void roster_state::remember_end(endpoint& e, const user_address& whom) {
  if (e.ended.size() == defaults::ended_watches_max)
    e.ended.erase(e.ended.begin());
  e.ended.emplace_back(whom, self->clock().now());
}

void roster_state::tell_ends(endpoint& e) {
  // Its connection may have been broken for so long.
  auto since = std::chrono::milliseconds{x_policy->session_resume_window_ms
    + x_policy->session_heartbeat_ms * defaults::heartbeats_until_dead_tenths
      / 10};
  auto now = self->clock().now();
  std::erase_if(e.ended, [&](const auto& x) {
    return now - x.second > since + defaults::sweep_interval;
  });
  for (const auto& [whom, when] : e.ended) {
    if (!is_subscribed(whom))
      tell(e.handle, event{presence_event{bare_notice(whom, show::unknown)}});
    tell(e.handle, event{watch_ended{whom}});
  }
}

void roster_state::arm(clock::time_point at) {
  auto now = self->clock().now();
  if (x_armed && x_armed_for <= at)
    return;
  x_armed = true;
  x_armed_for = at;
  self->delayed_send(
    self, std::max(at - now, clock::duration{}), tick_atom::value);
}

void roster_state::sweep() {
  auto now = self->clock().now();
  x_armed = false;
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
  if (x->presence_auto_approve && !before->presence_auto_approve)
    x_rules->review(*x);
}

} // namespace parley
