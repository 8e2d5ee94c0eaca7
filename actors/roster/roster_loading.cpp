#include <algorithm>
#include <utility>

#include "actors/roster/roster.hpp"

// What comes while no list is loaded: before the first time, or after the disk
// has refused a write. That can last, so that of what nobody waits for only the
// last is kept of each, and who leaves is not shown any longer.
namespace parley {

void roster_state::wait_for_load(held x) {
  x_waiting.push_back(std::move(x));
  read();
}

// -- the user's own sessions

void roster_state::take(const endpoint_joined& x) {
  if (x_loaded)
    return joined(x);
  x_early.push_back({x, false});
  read();
}

void roster_state::take(const endpoint_changed& x) {
  if (auto* early = find_early(x.session))
    early->what.what = x.what;
  else
    changed(x);
}

void roster_state::take(const endpoint_left& x) {
  x_resumed.erase(x.session);
  if (find_early(x.session))
    std::erase_if(
      x_early, [&x](const auto& e) { return e.what.session == x.session; });
  else
    left(x);
}

void roster_state::take(const endpoint_resumed& x) {
  if (x_loaded)
    resumed(x);
  else if (auto* early = find_early(x.session))
    early->resumed = true;
  else
    x_resumed.insert(x.session);
}

roster_state::early_endpoint* roster_state::find_early(session_id session) {
  for (auto& e : x_early)
    if (e.what.session == session)
      return &e;
  return nullptr;
}

// -- others

void roster_state::take(const presence_call& x) {
  if (x_loaded)
    return called(x);
  // It is answered later, when it is known what it may see, and what was
  // refused is forgotten.
  if (x_was_loaded && is_subscribed(x.from))
    look_at(x);
  auto [i, is_first] = x_called.try_emplace(x.from, x);
  if (is_first) {
    read();
    return;
  }
  auto& kept = i->second;
  const bool asks = kept.asks || x.asks;
  auto state = x.state ? x.state : kept.state;
  kept = x;
  kept.asks = asks;
  kept.state = std::move(state);
}

void roster_state::take(const attach_watcher& x) {
  if (x.adhoc)
    forget_grant(x.watcher);
  if (x_loaded)
    return attach(x);
  x_attaching.insert_or_assign(x.watcher, x);
  read();
}

void roster_state::take(const detach_watcher& x) {
  auto i = x_attaching.find(x.watcher);
  if (x.subscription && i != x_attaching.end()
    && i->second.subscription == x.subscription)
    x_attaching.erase(i);
  detach(x);
}

void roster_state::take(const contact_check& x) {
  when_loaded([this, x] { check_for(x); },
    [this, x](const failure& why) { answer_check(x, why); });
}

void roster_state::take(const watch_request& x) {
  when_loaded([this, x] { decide_watch(x); },
    [this, x](const failure& why) {
      watch_decided no;
      no.ticket = x.ticket;
      no.whom = x.whom;
      no.why = why;
      self->send(x.from, std::move(no));
    });
}

void roster_state::take(const tell_watchers& x) {
  // Who missed it is told when it comes the next time.
  when_loaded([this, x] { tell_of_document(x); }, [](const failure&) {});
}

// -- afterwards

void roster_state::carry_on() {
  for (const auto& e : std::exchange(x_early, {})) {
    joined(e.what);
    if (e.resumed)
      resumed({e.what.session});
  }
  for (auto session : std::exchange(x_resumed, {}))
    resumed({session});
  for (const auto& [watcher, x] : std::exchange(x_attaching, {}))
    attach(x);
  for (const auto& [whom, x] : std::exchange(x_called, {}))
    called(x);
  for (auto& w : std::exchange(x_waiting, {}))
    w.act();
}

} // namespace parley
