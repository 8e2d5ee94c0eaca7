#include <algorithm>
#include <iterator>
#include <utility>

#include "actors/roster/privacy_rules.hpp"
#include "actors/roster/roster.hpp"
#include "actors/router/routing.hpp"

// What others see of a roster's user.
namespace parley {

uint64_t roster_state::next_version() {
  // Also above those of an earlier life.
  return x_version = std::max(x_version + 1, now_us());
}

// -- masks

roster_state::view roster_state::view_of(
  const contact_standing& x, bool adhoc) const {
  bool approved = x.subscription.from == half::active;
  if (!approved && !x.pretended && !adhoc)
    return view::nothing;
  return x_shares ? view::truth : view::unknown;
}

roster_state::view roster_state::view_of(const user_address& who) const {
  auto w = x_watchers.find(who);
  bool adhoc = w != x_watchers.end() && w->second.adhoc;
  auto x = x_rules->items().standing(who);
  auto v = view_of(x.value_or(contact_standing{}), adhoc);
  return v == view::truth && is_blocked(x_rules->head().privacy, who)
    ? view::nothing
    : v;
}

shared<presentity> roster_state::state_of(view x) {
  if (x == view::truth) {
    // What some were shown instead is not to be later.
    if (x_truth->version < x_masked_version) {
      auto again = *x_truth;
      again.version = next_version();
      again.left.clear();
      x_truth.reset(std::move(again));
    }
    return x_truth;
  }
  presentity masked;
  masked.who = x_rules->user();
  masked.version = x_masked_version = next_version();
  masked.unknown = x == view::unknown;
  return shared<presentity>{std::move(masked)};
}

bool roster_state::show_to(const user_address& who, watcher& w) {
  auto v = view_of(who);
  bool changed = std::exchange(w.shown, v) != v;
  if (changed || v == view::truth)
    self->send(w.subscription, state_of(v));
  return is_kept(w);
}

bool roster_state::is_kept(const watcher& w) const noexcept {
  // A subscription that shows nobody ends by itself.
  return w.adhoc || w.shown == view::unknown
    || (w.shown == view::truth && is_online());
}

void roster_state::show_to_all() {
  for (auto i = x_watchers.begin(); i != x_watchers.end();) {
    if (show_to(i->first, i->second))
      ++i;
    else
      i = x_watchers.erase(i);
  }
}

void roster_state::show_truth() {
  for (auto i = x_watchers.begin(); i != x_watchers.end();) {
    const auto& w = i->second;
    if (w.shown == view::truth)
      self->send(w.subscription, x_truth);
    i = is_kept(w) ? std::next(i) : x_watchers.erase(i);
  }
}

void roster_state::view_changed(const user_address& whom) {
  after([this, whom] {
    x_adhoc_changed = true;
    auto i = x_watchers.find(whom);
    if (i == x_watchers.end()) {
      if (is_online() || !x_shares)
        call_one(whom, true, false);
    } else if (revokes(whom, i->second) || !show_to(whom, i->second)) {
      x_watchers.erase(i);
    }
  });
}

void roster_state::share_or_not() {
  auto own = x_rules->head().privacy.sharing;
  bool switched = std::exchange(x_own_sharing, own) != own;
  auto shares = shares_presence(own, *x_policy);
  bool changed = std::exchange(x_shares, shares) != shares;
  if (changed)
    show_to_all();
  call(changed && is_online(), false, switched);
}

void roster_state::reconcile() {
  x_rules->review(*x_policy);
  show_to_all();
  std::vector<user_address> over;
  for (auto& [whom, w] : x_watched) {
    retarget(whom, w);
    if (!is_subscribed(whom) && (w.adhoc.empty() || !w.to))
      over.push_back(whom);
  }
  for (const auto& whom : over)
    cease_watching(whom);
  // They were greeted by what was not so.
  for (const auto& e : x_endpoints)
    greet_anew(e);
  call(is_online(), !x_endpoints.empty());
}

bool roster_state::revokes(const user_address& who, const watcher& w) {
  if (!w.adhoc || !x_rules->refuses_watch(who, true, *x_policy))
    return false;
  self->send(w.roster, watch_revoked{x_rules->user()});
  return true;
}

void roster_state::revoke_refused() {
  x_adhoc_changed = true;
  std::erase_if(
    x_watchers, [this](const auto& x) { return revokes(x.first, x.second); });
}

void roster_state::views_changed() {
  after([this] {
    share_or_not();
    revoke_refused();
    show_to_all();
    if (is_online())
      call(true, false);
  });
}

// -- the user's own sessions

void roster_state::joined(const endpoint_joined& x) {
  if (x_dissolved)
    return;
  auto& e = x_endpoints.emplace_back();
  e.session = x.session;
  e.name = x.name;
  e.what = x.what;
  e.handle = x.handle;
  x_sessions->push_back(x.handle);
  bool first = x_endpoints.size() == 1;
  bool was_online = is_online();
  greet(e);
  for (auto& [whom, w] : x_watched)
    retarget(whom, w);
  publish();
  call(!was_online && is_online(), first);
}

void roster_state::changed(const endpoint_changed& x) {
  auto* e = find(x.session);
  if (!e)
    return;
  e->what = x.what;
  auto rate = config->presence_rate;
  if (!e->waits && e->rate.take(self->clock().now(), rate)) {
    publish_change();
    return;
  }
  ++config->counters->held_changes;
  if (!std::exchange(e->waits, true))
    arm(e->rate.next(rate));
}

void roster_state::publish_change() {
  bool was_online = is_online();
  publish();
  // Else when the list is loaded.
  if (!was_online && is_online() && x_loaded)
    call(true, false);
}

roster_state::clock::time_point roster_state::publish_waiting() {
  auto now = self->clock().now();
  auto rate = config->presence_rate;
  auto next = clock::time_point::max();
  bool due = false;
  for (auto& e : x_endpoints) {
    if (!e.waits)
      continue;
    if (e.rate.take(now, rate)) {
      e.waits = false;
      due = true;
    } else {
      next = std::min(next, e.rate.next(rate));
    }
  }
  if (due)
    publish_change();
  return next;
}

void roster_state::left(const endpoint_left& x) {
  auto i = std::find_if(x_endpoints.begin(), x_endpoints.end(),
    [&x](const auto& e) { return e.session == x.session; });
  if (i == x_endpoints.end())
    return;
  // Its last words may still wait for their time.
  if (i->waits && i->what.show == show::unavailable)
    publish();
  auto handle = i->handle;
  x_endpoints.erase(i);
  std::erase(*x_sessions, handle);
  if (x_endpoints.empty()) {
    stop_watching_all();
    // What these have still to tell is not for who comes next.
    x_sessions = std::make_shared<told_sessions>();
    x_sharing_of.clear();
  } else {
    end_adhoc([&x](const user_address&, const adhoc_watch& w) {
      return w.session == x.session;
    });
  }
  publish();
}

void roster_state::resumed(const endpoint_resumed& x) {
  auto* e = find(x.session);
  if (!e)
    return;
  greet_anew(*e);
  tell_ends(*e);
  tell(e->handle, event{x_rules->head().privacy});
}

void roster_state::greet_anew(const endpoint& e) {
  tell(e.handle, event{presence_reset{}});
  greet(e);
}

void roster_state::publish() {
  std::vector<endpoint_presence> now;
  for (const auto& e : x_endpoints)
    now.push_back({e.name, e.what});
  std::sort(now.begin(), now.end(),
    [](const auto& a, const auto& b) { return a.name < b.name; });
  auto before = x_truth;
  auto next = make_presentity(x_rules->user(), next_version(), now, *before);
  if (next.endpoints == before->endpoints)
    return;
  x_truth.reset(std::move(next));
  tell_own_sessions(*before);
  show_truth();
}

void roster_state::tell_own_sessions(const presentity& before) {
  if (x_endpoints.empty())
    return;
  auto news = difference(&before, *x_truth);
  for (const auto& e : x_endpoints)
    for (const auto& n : news)
      if (n->from.endpoint != e.name)
        tell(e.handle, event{presence_event{n}});
}

// -- calls

presence_call roster_state::make_call() const {
  presence_call x;
  x.from = x_rules->user();
  x.roster = roster_actor{self};
  x.sharing = x_own_sharing;
  return x;
}

void roster_state::call(bool shows, bool asks, bool switched) {
  if (!shows && !asks && !switched)
    return;
  std::vector<presence_calls> parts(config->others->routers.size());
  if (shows || asks)
    for (auto& part : parts)
      part.to.reserve(x_rules->items().size() / parts.size());
  // Where it counts, an address is made.
  bool looks =
    shows && (!x_watchers.empty() || blocks_anybody(x_rules->head().privacy));
  x_rules->items().each_standing(
    [&](const address_ref& who, const contact_standing& x) {
      bool shown = shows && view_of(x, false) != view::nothing;
      if (shown && looks) {
        auto whom = user_address::from_prepared(std::string{who.text});
        shown = view_of(whom) != view::nothing && !x_watchers.contains(whom);
      }
      bool asked = asks && x.subscription.to == half::active;
      bool told =
        switched && (x.subscription.from == half::active || x.pretended);
      if (shown || asked || told)
        parts[config->others->index_of(slot_of_hash(who.hash))].to.add(
          who, shown, asked);
    });
  shared<presentity> state;
  for (size_t i = 0; i < parts.size(); ++i) {
    auto& part = parts[i];
    if (part.to.empty())
      continue;
    if (shows && !state)
      state = state_of(x_shares ? view::truth : view::unknown);
    part.call = make_call();
    part.call.state = state;
    self->send(config->others->routers[i], std::move(part));
  }
}

void roster_state::call_one(const user_address& whom, bool shows, bool asks) {
  bool shown = shows && view_of(whom) != view::nothing;
  if (!shown && !asks)
    return;
  presence_calls x;
  x.call = make_call();
  if (shown)
    x.call.state = state_of(x_shares ? view::truth : view::unknown);
  x.to.add({whom.str(), whom.hash()}, shown, asks);
  self->send(router_of(whom), std::move(x));
}

// -- watchers

void roster_state::attach(const attach_watcher& x) {
  if (x_dissolved) {
    self->send(x.roster, watch_revoked{x.whom});
    self->send(x.roster, presentity_left{x.whom, x.seen});
    return;
  }
  bool subscribed = x.subscribed && x_rules->admit(x.watcher, x.number);
  if (!subscribed && !x.adhoc) {
    self->send(x.roster, presentity_left{x_rules->user(), x.seen});
    return;
  }
  // It may have been refused since it was allowed.
  if (x.adhoc && x_rules->refuses_watch(x.watcher, true, *x_policy)) {
    x_watchers.erase(x.watcher);
    self->send(x.roster, watch_revoked{x.whom});
    return;
  }
  auto& w = x_watchers[x.watcher];
  x_adhoc_changed |= x.adhoc || w.adhoc;
  const bool ceases = w.adhoc && !x.adhoc;
  w.subscription = x.subscription;
  w.roster = x.roster;
  w.subscribed = subscribed;
  w.adhoc = x.adhoc;
  w.shown = view_of(x.watcher);
  // It may have missed what came since it was called.
  bool current = w.shown == view::truth && x.seen == x_truth->version;
  bool kept = w.adhoc || is_online();
  if (!current) {
    w.shown = view::nothing;
    x_version = std::max(x_version, x.seen);
    x_masked_version = std::max(x_masked_version, x.seen);
    if (view_of(x.watcher) == view::nothing)
      self->send(w.subscription, state_of(view::nothing));
    kept = show_to(x.watcher, w);
    // Its subscription may have been told so before, when it was to stay.
    if (!kept && w.shown == view::truth)
      self->send(x.roster, presentity_left{x_rules->user(), x.seen});
  } else if (!kept) {
    self->send(x.roster, presentity_left{x_rules->user(), x.seen});
  }
  if (!kept) {
    x_watchers.erase(x.watcher);
  } else if (ceases) {
    // As long as it watched ad hoc, its subscription was told all and its
    // roster of nothing: that may yet hear of a leave that is long over.
    auto back = make_call();
    back.answers = true;
    back.state = state_of(w.shown);
    self->send(x.roster, std::move(back));
  }
}

void roster_state::detach(const detach_watcher& x) {
  if (!x.subscription) {
    forget_grant(x.watcher);
    return;
  }
  auto i = x_watchers.find(x.watcher);
  if (i != x_watchers.end() && i->second.subscription == x.subscription) {
    x_adhoc_changed |= i->second.adhoc;
    x_watchers.erase(i);
  }
}

void roster_state::forget_grant(const user_address& watcher) {
  x_adhoc_changed = true;
  auto i = x_granted.find(watcher);
  if (i != x_granted.end() && --i->second == 0)
    x_granted.erase(i);
}

uint64_t roster_state::adhoc_watchers_beside(const user_address& whom) const {
  uint64_t n = 0;
  for (const auto& [who, w] : x_watchers)
    n += w.adhoc && who != whom && !x_rules->lets_in(who);
  for (const auto& [who, grants] : x_granted) {
    auto w = x_watchers.find(who);
    bool counted = w != x_watchers.end() && w->second.adhoc;
    n += !counted && who != whom && !x_rules->lets_in(who);
  }
  return n;
}

void roster_state::count_adhoc_watchers() {
  if (!std::exchange(x_adhoc_changed, false) || x_dissolved)
    return;
  auto n = adhoc_watchers_beside({});
  if (n < std::exchange(x_adhoc_watchers, n) && x_loaded && !x_dissolving)
    decide_waiting();
  if (n > 0)
    (*config->adhoc)[x_rules->user()] = n + x_rules->head().watchers;
  else
    config->adhoc->erase(x_rules->user());
}

void roster_state::decide_watch(const watch_request& x) {
  watch_decided answer;
  answer.ticket = x.ticket;
  answer.whom = x_rules->user();
  auto w = x_watchers.find(x.watcher);
  bool renews = w != x_watchers.end() && w->second.adhoc;
  if (x_dissolved) {
    answer.why = failure{errc::no_such_user};
  } else if (auto why = x_rules->refuses_watch(x.watcher, renews, *x_policy)) {
    answer.why = std::move(*why);
  } else {
    ++x_granted[x.watcher];
    x_adhoc_changed = true;
    answer.roster = roster_actor{self};
    auto v = !x_shares                                 ? view::unknown
      : is_blocked(x_rules->head().privacy, x.watcher) ? view::nothing
                                                       : view::truth;
    answer.state = state_of(v);
  }
  self->send(x.from, std::move(answer));
}

} // namespace parley
