#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "actors/roster/roster.hpp"
#include "actors/router/routing.hpp"
#include "protocol/defaults.hpp"

// Ad-hoc watches of a roster's user: for a limited time, of one endpoint each.
namespace parley {

uint64_t roster_state::adhoc_watches() const {
  uint64_t n = 0;
  for (const auto& [whom, w] : x_watched)
    n += w.adhoc.size();
  std::set<std::pair<session_id, user_address>> to_come;
  for (const auto& [ticket, x] : x_asked)
    if (auto i = x_watched.find(x.whom); x.seconds > 0
        && (i == x_watched.end() || !watches_adhoc(i->second, x.session)))
      to_come.emplace(x.session, x.whom);
  return n + to_come.size();
}

void roster_state::request_watch(
  session_id from, request_number number, const parley::watch& what) {
  auto end = [&](const user_address& whom, const adhoc_watch& w) {
    return whom == what.whom && w.session == from;
  };
  auto is_same = [&](const asked_watch& x) {
    return x.whom == what.whom && x.session == from && x.seconds > 0;
  };
  auto i = x_watched.find(what.whom);
  bool renews = (i != x_watched.end() && watches_adhoc(i->second, from))
    || std::any_of(x_asked.begin(), x_asked.end(),
      [&](const auto& x) { return is_same(x.second); });
  failure why;
  if (what.whom == x_rules->user()) {
    why = failure{errc::bad_request, "nobody watches itself"};
  } else if (what.seconds == 0) {
    end_adhoc(end);
    for (auto& [ticket, x] : x_asked)
      if (is_same(x))
        x.seconds = 0; // over before it begins
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
  // What is told of the end of a watch comes before the next one.
  if (auto over = x_ending.find(x.whom); over != x_ending.end()) {
    over->second.push_back(x);
    return;
  }
  auto asked = std::move(i->second);
  x_asked.erase(i);
  auto* e = find(asked.session);
  const bool granted = x.why.code == errc::none;
  if (granted && (!e || asked.seconds == 0 || !x_policy->presence_adhoc))
    self->send(router_of(x.whom), detach_watcher{x.whom, x_rules->user(), {}});
  if (!e)
    return;
  if (!granted || !x_policy->presence_adhoc) {
    answer(asked.session, asked.number,
      granted ? failure{errc::watch_disabled} : x.why);
    return;
  }
  if (asked.seconds == 0) {
    answer(asked.session, asked.number, parley::watching{0});
    return;
  }
  auto seconds = std::min(asked.seconds,
    x_policy->presence_adhoc_ttl_ms / std::chrono::milliseconds::period::den);
  auto until = self->clock().now() + std::chrono::seconds{seconds};
  auto& w = x_watched[x.whom];
  if (w.subscription)
    say_through(
      w, e->handle, {event{parley::answer{asked.number, watching{seconds}}}});
  else
    answer(asked.session, asked.number, parley::watching{seconds});
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

void roster_state::shorten_adhoc(const policy& rules) {
  const auto last = self->clock().now()
    + std::chrono::milliseconds{rules.presence_adhoc_ttl_ms};
  for (auto& [whom, w] : x_watched)
    for (auto& a : w.adhoc)
      if (a.until > last) {
        a.until = last;
        arm(last);
      }
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
      if (w.subscription)
        x_ending.try_emplace(whom);
      stop_watching(whom, farewell::answered);
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

bool roster_state::lost_sight_of(const endpoint& e, const user_address& whom) {
  return std::any_of(e.ended.begin(), e.ended.end(),
    [&whom](const auto& x) { return x.first == whom; });
}

void roster_state::tell_ends(const endpoint& e) {
  // Its connection may have been broken for so long.
  auto since = std::chrono::milliseconds{x_policy->session_resume_window_ms
    + x_policy->session_heartbeat_ms * defaults::heartbeats_until_dead_tenths
      / 10};
  auto now = self->clock().now();
  for (const auto& [whom, when] : e.ended) {
    if (now - when > since + defaults::sweep_interval)
      continue;
    if (!is_subscribed(whom))
      tell(e.handle, event{presence_event{bare_notice(whom, show::unknown)}});
    tell(e.handle, event{watch_ended{whom}});
  }
}

} // namespace parley
