#include <algorithm>
#include <utility>

#include "actors/session/session.hpp"
#include "protocol/defaults.hpp"

// What a session passes on and tells out of turn.
namespace parley {

void session_state::pass(numbered_request& x, session_requests& fresh) {
  auto now = self->clock().now();
  auto* p = std::get_if<pass_on>(&x.what);
  // There are no more of these than of what went out within the rate.
  if (p && p->directed == directed::taken_back && presence.taken_back(p->to)) {
    fresh.what.push_back(std::move(x));
    return;
  }
  bool is_typing = p ? p->is_typing : std::holds_alternative<typing>(x.what);
  double price = 1;
  if (auto* f = std::get_if<follow_documents>(&x.what))
    price += static_cast<double>(f->of.size()) / defaults::followed_a_passing;
  if (is_typing ? typing_left.take(now) : passing_left.take(now, price)) {
    if (p && p->directed == directed::shown)
      presence.shown(p->to);
    fresh.what.push_back(std::move(x));
    return;
  }
  count(&session_limits::typing);
  if (p && p->returns)
    tell(event{passed_on{p->message, p->to, p->is_typing, true}});
}

void session_state::tell(event what) {
  if (auto* p = std::get_if<passed_on>(&what); p && keeps(*p))
    return;
  if (!link)
    return; // it is told everything when it resumes
  if (auto* d = std::get_if<document_event>(&what)) {
    notify(std::move(*d));
    return;
  }
  if (std::holds_alternative<presence_reset>(what))
    held_presence.clear();
  if (auto* ended = std::get_if<watch_ended>(&what)) {
    held_ends.emplace_back(stream.last(), std::move(ended->whom));
    tell_held_ends();
    return;
  }
  if (holds_back(what))
    return;
  auto* p = std::get_if<presence_event>(&what);
  if (p
    && (!held_presence.empty() || presence.has_kept()
      || !link->takes_presence())) {
    // Of the whole user: what was held of its endpoints is void.
    size_t voided = 0;
    if (!p->what->from.is_full())
      voided = std::erase_if(held_presence,
        [p](const auto& x) { return x.first.user == p->what->from.user; });
    auto& held = held_presence[p->what->from];
    voided += held.what ? 1 : 0;
    held = {++held_turns, std::move(p->what)};
    if (config.counters)
      config.counters->coalesced += voided;
    return;
  }
  link->send(sequence{}, what);
}

bool session_state::keeps(const passed_on& x) {
  if (x.directed == directed::shown && link)
    presence.forget(x.message->from);
  if (x.directed != directed::taken_back
    || (link && !presence.has_kept() && link->takes_presence()))
    return false;
  if (!presence.keep(x))
    count(&session_limits::typing);
  return true;
}

void session_state::tell_taken_back() {
  while (presence.has_kept() && link->takes_presence())
    link->send(sequence{}, event{presence.take()});
}

bool session_state::holds_back(event& what) {
  if (!std::holds_alternative<contact_list>(what)
    && !std::holds_alternative<privacy>(what))
    return false;
  auto held = std::find_if(held_states.begin(), held_states.end(),
    [&what](const event& x) { return x.index() == what.index(); });
  if (held != held_states.end()) {
    *held = std::move(what);
    return true;
  }
  // Not before an answer that came first.
  if (has_sent_all() && link->takes_presence())
    return false;
  held_states.push_back(std::move(what));
  return true;
}

void session_state::notify(document_event what) {
  if (held_notices.empty() && has_sent_all() && link->takes_presence()) {
    link->send(sequence{}, event{std::move(what)});
    return;
  }
  auto bytes = what.what->about.bytes.size();
  if (held_notices.size() >= defaults::held_notices_max
    || held_notice_bytes + bytes > defaults::held_notices_bytes_max) {
    count(&session_limits::typing);
    return;
  }
  held_notice_bytes += bytes;
  held_notices.push_back(std::move(what.what));
}

void session_state::tell_held(const user_address* of) {
  std::vector<held_state> due;
  auto i =
    of ? held_presence.lower_bound(address{*of, {}}) : held_presence.begin();
  while (i != held_presence.end() && (!of || i->first.user == *of)) {
    due.push_back(std::move(i->second));
    i = held_presence.erase(i);
  }
  std::sort(due.begin(), due.end(),
    [](const auto& a, const auto& b) { return a.turn < b.turn; });
  for (auto& x : due)
    link->send(sequence{}, event{presence_event{std::move(x.what)}});
}

void session_state::tell_held_ends() {
  size_t told = 0;
  for (; told < held_ends.size() && held_ends[told].first <= sent; ++told) {
    // What is said of somebody comes before the end of its watch.
    tell_held(&held_ends[told].second);
    link->send(sequence{}, event{watch_ended{held_ends[told].second}});
  }
  held_ends.erase(
    held_ends.begin(), held_ends.begin() + static_cast<long>(told));
}

void session_state::go_on() {
  tell_taken_back();
  tell_held();
  send_kept();
  if (!has_sent_all())
    return; // once more is taken
  while (!held_notices.empty() && link->takes_presence()) {
    auto what = std::move(held_notices.front());
    held_notices.pop_front();
    held_notice_bytes -= what->about.bytes.size();
    link->send(sequence{}, event{document_event{std::move(what)}});
  }
  for (auto& what : std::exchange(held_states, {}))
    link->send(sequence{}, what);
}

} // namespace parley
