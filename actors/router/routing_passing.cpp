#include "actors/router/routing_state.hpp"

#include "actors/roster/privacy_rules.hpp"

// What is passed on to who is there, and not kept.
namespace parley {

void routing::pass(session_id session, parley::pass_on what, moment now) {
  begin(now);
  const bool is_taken_back = what.directed == directed::taken_back;
  // Its session may be over by now.
  if (what.to.empty() || (!of_session(session) && !is_taken_back))
    return;
  if (is_taken_back)
    return lead(std::move(what), now);
  if (refusal_of(*what.message)) {
    if (what.returns)
      x_fx.tell(
        session, passed_on{what.message, what.to, what.is_typing, true});
    return;
  }
  // An operator who switches IMs off means these too.
  if (!x_rules.im_enabled && (what.is_typing || !what.message->body.empty()))
    return;
  lead(std::move(what), now);
}

void routing::pass_last(parley::pass_on what, moment now) {
  begin(now);
  what.returns = false;
  if (!what.to.empty() && what.message->body.empty()
    && (what.directed == directed::taken_back || !refusal_of(*what.message)))
    lead(std::move(what), now);
}

void routing::lead(parley::pass_on what, moment now) {
  auto slot = slot_of(what.to.user);
  if (x_owns(slot))
    receive(routed_pass{std::move(what)}, now);
  else
    x_fx.forward(slot, routed_pass{std::move(what)});
}

std::vector<session_id> routing::reached_by(
  const parley::pass_on& what, moment now) const {
  const auto& from = what.message->from;
  auto* u = find(what.to.user);
  if (!u
    || (u->roster.blocks && from.user != what.to.user
      && is_blocked(*u->roster.blocks, from.user)))
    return {};
  if (what.reach == reach::targets)
    return u->in.targets(from, what.to, now, x_rules);
  std::vector<session_id> xs;
  for (const auto& e : u->in.endpoints()) {
    bool addressed = what.to.is_full() && e.name == what.to.endpoint;
    bool is_there = e.what.show != show::unavailable;
    // Its session keeps what is taken back from it until the client is there.
    bool hears = e.connected || what.directed == directed::taken_back;
    if (!hears || (what.to.is_full() && !addressed))
      continue;
    if (what.reach == reach::endpoint ? addressed
        : addressed                   ? is_there
                                      : e.eligible())
      xs.push_back(e.session);
  }
  return xs;
}

void routing::receive(const routed_pass& x, moment now) {
  begin(now);
  const auto& what = x.what;
  const auto& from = what.message->from;
  if (x.returned) {
    auto* u = find(from.user);
    auto* e = u ? u->in.find(from.endpoint) : nullptr;
    if (e)
      x_fx.tell(
        e->session, passed_on{what.message, what.to, what.is_typing, true});
    return;
  }
  auto to = reached_by(what, now);
  for (auto s : to)
    x_fx.tell(s,
      passed_on{what.message, what.to, what.is_typing, false, what.directed});
  if (!to.empty() || !what.returns)
    return;
  routed_pass back{what, true};
  auto slot = slot_of(from.user);
  if (x_owns(slot))
    receive(back, now);
  else
    x_fx.forward(slot, std::move(back));
}

} // namespace parley
