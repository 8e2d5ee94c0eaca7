#include "actors/router/routing_state.hpp"

#include "actors/roster/privacy_rules.hpp"

// A shard as that of the recipient, and what its inboxes ask for.
namespace parley {

void routing::receive(routed_im what, moment now) {
  begin(now);
  if (x_has_given_up) {
    settle(what.from, refused_by_stop());
    return;
  }
  auto& u = at(what.to.user);
  if (u.head == user::knowledge::known) {
    route(u, std::move(what), now);
    forget_if_idle(u);
    return;
  }
  u.queue.push_back(std::move(what));
  load(u);
}

void routing::route(user& recipient, routed_im what, moment now) {
  auto refuse = [this, &what](failure why) {
    settle(what.from, outcome{outcome::kind::rejected, std::move(why)});
  };
  if (!recipient.exists) {
    refuse(failure{errc::no_such_user});
    return;
  }
  const auto& sender = what.message->from.user;
  if (recipient.roster.blocks && sender != what.to.user
    && is_blocked(*recipient.roster.blocks, sender)) {
    refuse(failure{errc::refused});
    return;
  }
  if (what.over_rate) {
    failure f{errc::rate_limited};
    f.limit = x_rules.im_rate;
    f.retry_after = *what.over_rate;
    refuse(std::move(f));
    return;
  }
  if (what.strict && what.to.is_full()) {
    const auto* e = recipient.in.find(what.to.endpoint);
    if (!e || e->what.show == show::unavailable)
      return refuse(failure{errc::recipient_offline});
  }
  auto from = what.from;
  x_choice.session = what.chooses;
  x_choice.copies = what.sender_copies;
  if (what.chooses != session_id{} || what.sender_copies)
    x_choice = {what.message->from.user, what.chooses, what.releases,
      what.to.user, from.ticket, what.sender_copies};
  auto copies = x_counters.copies;
  if (auto why =
        recipient.in.accept(std::move(what.message), std::move(what.to), from,
          what.of_broadcast, now, x_rules, what.copies)) {
    settle(from, outcome{outcome::kind::rejected, std::move(*why)});
  } else {
    ++x_counters.accepted;
    x_counters.forked += x_counters.copies - copies > 1;
    const auto& user = recipient.in.user();
    x_trace.accepted(user, recipient.in.last(), from.ticket);
    if (what.chooses != session_id{})
      x_trace.happened(
        trace_kind::chosen, user, recipient.in.last(), what.chooses);
  }
  if (x_stopping)
    recipient.in.store_all();
}

void routing::accepted(const origin& from) {
  if (x_choice.session == session_id{} && !x_choice.copies)
    return;
  if (x_owns(from.slot))
    receive(x_choice, x_now);
  else
    x_fx.forward(from.slot, x_choice);
}

void routing::acknowledge(session_id session, const user_address& of,
  std::span<const acknowledged_im> what, moment now) {
  begin(now);
  auto* u = of_session(session);
  if (!u)
    u = find(of); // the session has ended meanwhile
  if (!u)
    return;
  for (const auto& x : what)
    x_trace.happened(trace_kind::acknowledged, u->in.user(), x.order, session);
  auto before = x_removals;
  u->in.acknowledge(session, what, now, x_rules);
  x_counters.offline_delivered += x_removals - before;
}

void routing::receive(const routed_typing& what, moment now) {
  begin(now);
  auto* u = find(what.to.user);
  if (!u)
    return;
  if (u->roster.blocks && what.from.user != what.to.user
    && is_blocked(*u->roster.blocks, what.from.user))
    return;
  for (auto s : u->in.targets(what.from, what.to, now, x_rules))
    x_fx.tell(s, typing_notice{what.from});
}

// -- what inboxes ask for

void routing::hand_out(session_id to, delivery what) {
  x_counters.copies += what.what.copied == incoming_im::copy::none;
  const auto& user = what.what.to.user;
  if (what.what.offline)
    x_trace.loaded(*what.what.message, user, what.order);
  x_trace.happened(trace_kind::handed_out, user, what.order, to);
  x_fx.hand_out(to, std::move(what));
}

void routing::settle(const origin& to, const outcome& what) {
  if (x_owns(to.slot))
    finish(to.ticket, what, x_now);
  else
    x_fx.forward(to.slot, routed_outcome{to.slot, to.ticket, what});
}

void routing::put(put_im what) {
  ++x_unwritten;
  x_fx.write(store_operation{std::move(what)});
}

void routing::remove(remove_im what) {
  ++x_unwritten;
  ++x_removals;
  x_fx.write(store_operation{std::move(what)});
}

void routing::read_page(
  const user_address& of, session_id for_whom, im_order from, size_t max) {
  x_fx.read_page(of, for_whom, from, max);
}

void routing::watch_grace(
  const user_address& of, im_order order, session_id holder) {
  auto* u = find(of);
  ++u->graces;
  x_graces.push_back({x_now.steady, u, order, holder});
}

void routing::probe(session_id whom) {
  x_fx.probe(whom);
}

void routing::send_receipt(
  const im& about, const address& endpoint, receipt::kind what) {
  routed_receipt x{about.from, receipt{about.id, endpoint, what}};
  auto slot = slot_of(about.from.user);
  if (x_owns(slot))
    receive(x);
  else
    x_fx.forward(slot, std::move(x));
}

} // namespace parley
