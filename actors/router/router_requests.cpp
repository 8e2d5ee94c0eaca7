#include <utility>

#include "actors/router/router.hpp"

// What clients ask of a router. Long broadcasts are carried out in pieces; what
// their session asks after them waits.
namespace parley {

void router_state::requests(session_requests& x) {
  if (x.what.size() > 1)
    for (const auto& r : x.what)
      if (auto* s = std::get_if<send_im>(&r.what))
        rules->expect(x.from, *s);
  auto at = now();
  auto behind = x_put_off.find(x.from);
  auto r = x.what.begin();
  if (behind == x_put_off.end()) {
    roster_requests contacts;
    while (r != x.what.end() && carry_out(x.from, *r, contacts, at))
      ++r;
    ask_before(x.from, contacts);
    if (r == x.what.end() || !find(x.from))
      return;
    behind = x_put_off.emplace(x.from, std::deque<numbered_request>{}).first;
    x_turns.push_back(x.from);
  }
  for (; r != x.what.end(); ++r)
    behind->second.push_back(std::move(*r));
}

void router_state::ask_before(session_id from, roster_requests& contacts) {
  if (contacts.what.empty())
    return;
  contacts.from = from;
  ask_roster(std::exchange(contacts, {}));
}

bool router_state::carry_out(
  session_id from, numbered_request& r, roster_requests& contacts, moment at) {
  if (auto* s = std::get_if<send_im>(&r.what)) {
    rules->submit(from, r.number, std::move(*s), at);
  } else if (auto* b = std::get_if<broadcast>(&r.what)) {
    want_step();
    return b->message
      ? rules->submit(from, r.number, std::exchange(*b, {}), x_room, at)
      : rules->go_on(from, x_room, at);
  } else if (auto* t = std::get_if<typing>(&r.what)) {
    rules->type(from, t->to, at);
  } else if (auto* o = std::get_if<pass_on>(&r.what)) {
    rules->pass(from, std::move(*o), at);
  } else if (auto* c = std::get_if<parley::set_copies>(&r.what)) {
    rules->set_copies(from, c->wanted);
    tell(from, event{answer{r.number, done{}}});
  } else if (auto* d = std::get_if<document_request>(&r.what)) {
    take_documents(from, r.number, *d);
  } else if (auto* f = std::get_if<follow_documents>(&r.what)) {
    follow(from, *f);
  } else if (auto* p = std::get_if<parley::set_availability>(&r.what)) {
    if (auto* e = find(from))
      e->info.what = p->what;
    rules->set_availability(from, std::move(p->what), at);
    tell(from, event{answer{r.number, done{}}});
    ask_before(from, contacts);
    if (auto* e = find(from))
      tell_roster(e->self.user, endpoint_changed{from, e->info.what});
  } else if (std::holds_alternative<sign_out>(r.what)) {
    ask_before(from, contacts);
    tell(from, event{answer{r.number, done{}}});
    flush(); // before its session ends
    end(from, failure{errc::signed_out});
  } else {
    contacts.what.push_back(std::move(r));
  }
  return true;
}

void router_state::want_step() {
  if (std::exchange(x_step_wanted, true))
    return;
  if (auto* home = self->home(); home && home == worker::current())
    home->mark_last(x_next_drain);
  else
    self->send(local_router_actor{self}, step_atom::value);
}

void router_state::want_turns() {
  if (rules->has_lines() || !x_turns.empty())
    want_step();
}

void router_state::next_drain::drained() {
  caf::anon_send(local_router_actor{x_router.self}, step_atom::value);
}

void router_state::step() {
  x_step_wanted = false;
  if (x_graces_due)
    x_graces_due = !rules->pass_graces(now(), defaults::graces_at_once);
  if (x_ends_due)
    x_ends_due =
      !end_suspended(self->clock().now(), defaults::sessions_expired_at_once);
  // Where memory is tight a few a sweep: what goes out to those that are in
  // already is not asked for, but what a broadcast holds is given back at its
  // end alone.
  const auto is_tight = x_memory.is_tight() && !x_stopping;
  x_room = !is_tight ? defaults::broadcast_slice
    : x_swept        ? defaults::broadcast_slice_tight
                     : 0;
  const bool waits = x_room > 0 && (rules->has_lines() || !x_turns.empty())
    && must_wait_to_write();
  if (waits)
    x_room = 0;
  else
    x_swept = false;
  rules->pass_lines(x_room, now());
  while (x_room > 0 && !x_turns.empty()) {
    auto from = x_turns.front();
    x_turns.pop_front();
    auto i = x_put_off.find(from);
    if (i == x_put_off.end())
      continue; // it has ended meanwhile
    auto what = std::move(i->second);
    carry_out(from, what);
    i = x_put_off.find(from);
    if (i == x_put_off.end())
      continue;
    if (what.empty()) {
      x_put_off.erase(i);
    } else {
      i->second = std::move(what);
      x_turns.push_back(from);
    }
  }
  if (waits || x_graces_due || x_ends_due || (rules->has_lines() && !is_tight))
    want_step();
  if (x_stopping)
    finish_stop();
}

bool router_state::must_wait_to_write() {
  const auto* home = self->home();
  if (!home || home != worker::current() || x_stopping)
    return false;
  const auto at = std::chrono::steady_clock::now();
  if (home->leaves_behind() && at < x_next_slice)
    return true;
  x_next_slice = at + defaults::broadcast_patience;
  return false;
}

void router_state::carry_out(
  session_id from, std::deque<numbered_request>& what) {
  roster_requests contacts;
  auto at = now();
  while (!what.empty() && carry_out(from, what.front(), contacts, at))
    what.pop_front();
  if (!contacts.what.empty()) {
    contacts.from = from;
    ask_roster(std::move(contacts));
  }
}

void router_state::finish_put_off() {
  x_room = SIZE_MAX;
  rules->pass_lines(x_room, now());
  while (!x_turns.empty()) {
    auto from = x_turns.front();
    x_turns.pop_front();
    auto i = x_put_off.find(from);
    if (i == x_put_off.end())
      continue;
    auto what = std::move(i->second);
    x_put_off.erase(i);
    carry_out(from, what);
  }
}

void router_state::ask_roster(roster_requests what) {
  auto* e = find(what.from);
  if (!e)
    return;
  std::vector<request_number> numbers;
  for (const auto& r : what.what)
    numbers.push_back(r.number);
  auto from = what.from;
  load_roster(e->self.user, std::move(what),
    [this, from, numbers = std::move(numbers)](const result<bool>& exists) {
      for (auto n : numbers)
        tell(from,
          event{
            answer{n, exists ? failure{errc::no_such_user} : exists.error()}});
    });
}

} // namespace parley
