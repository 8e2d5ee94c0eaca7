#include <algorithm>

#include "actors/router/inbox.hpp"
#include "protocol/defaults.hpp"

// The life of an IM: accepted, handed out, stored, acknowledged.
namespace parley {

namespace {

/// Enough of an IM to tell its sender about it.
shared<im> reference_to(const im& x) {
  im y;
  y.id = x.id;
  y.from = x.from;
  y.sent_at = x.sent_at;
  y.receipts = x.receipts;
  return shared<im>{std::move(y)};
}

} // namespace

std::optional<failure> inbox::accept(shared<im> message, address to,
  origin from, bool of_broadcast, moment now, const policy& rules,
  bool copies) {
  auto* c = find_conversation(message->from.user);
  if (c && c->chosen != session_id{}
    && has_lapsed(*c, now, rules.im_idle_release_ms)) {
    c->chosen = {};
    x_fx.choice_changed(effects::choice_change::released);
    offer_again();
  }
  auto r =
    route_of(message->from, to.endpoint, im_order{UINT64_MAX}, choice_of(c));
  bool any = false;
  bool any_connected = false;
  for (const auto& e : x_endpoints)
    if (r.reaches(e)) {
      any = true;
      any_connected |= e.connected;
    }
  if (!any && !rules.im_store_offline)
    return failure{errc::recipient_offline};
  if (waiting() >= rules.im_offline_max) {
    failure f{errc::quota_exceeded};
    f.limit = rules.im_offline_max;
    f.value = waiting();
    return f;
  }
  x_fx.accepted(from);
  if (message->receipts && message->from.user != x_user)
    make_conversation(message->from.user, now, rules).wants_receipt =
      reference_to(*message);
  else if (c)
    c->last_activity = now.steady;
  auto before = x_last;
  x_last = std::max(after(x_last), im_order{now.wall_us});
  auto& w = x_log.add(x_last);
  w.message = std::move(message);
  w.to = std::move(to.endpoint);
  w.from = from;
  w.of_broadcast = of_broadcast;
  // Others than the addressed may have it after the grace time, even if that
  // one is suspended.
  if (any_connected || r.addressed)
    x_fx.watch_grace(x_user, w.order, {});
  x_accepting = w.order;
  for (auto& e : x_endpoints)
    if (e.cursor > before && !e.reading)
      pass(e, w, r); // it has all that is older
    else
      pump(e);
  if (copies && any_connected)
    hand_out_copies(w, r);
  x_accepting = {};
  if (!any_connected)
    commit(w);
  return std::nullopt;
}

void inbox::commit(waiting_im& w) {
  w.where = waiting_im::place::committing;
  for (auto& e : x_endpoints)
    if (w.to == e.name && e.what.show != show::unavailable
      && !w.held_by(e.session))
      e.left_out.push_back(w.order);
  put_im x;
  x.what = stored_im{x_user, w.order, address{x_user, w.to}, w.message};
  x.content_hash = content_hash(*w.message);
  x.of_broadcast = w.of_broadcast;
  x_fx.put(std::move(x));
}

void inbox::settle(waiting_im& w, outcome::kind what, const failure& why) {
  if (w.settled)
    return;
  w.settled = true;
  x_fx.settle(w.from, outcome{what, why});
}

void inbox::take_out(waiting_im& w) {
  for (auto& e : x_endpoints)
    x_unblocked |= e.blocked && e.cursor == w.order;
  x_log.erase(w);
}

void inbox::close_gaps() {
  x_log.compact();
  if (x_unblocked)
    look_again();
}

void inbox::acknowledge(session_id session,
  std::span<const acknowledged_im> what, moment, const policy&) {
  auto* e = find_endpoint(session);
  for (const auto& a : what) {
    if (e) {
      e->held_messages -= std::min<uint32_t>(e->held_messages, 1);
      e->held_bytes -= std::min(e->held_bytes, content_bytes(*a.message));
      if (a.message->receipts)
        x_fx.send_receipt(
          *a.message, address{x_user, e->name}, receipt::kind::delivered);
    }
    if (auto* w = x_log.find(a.order)) {
      settle(*w, outcome::kind::delivered);
      if (w->where != waiting_im::place::memory) {
        x_departed.push_back({w->order});
        x_fx.remove(remove_im{x_user, w->order});
      }
      take_out(*w);
    } else if (!e) {
      // Its session is over: nobody held it any more.
      take_off_disk(a.order);
    }
  }
  close_gaps();
  if (e)
    pump(*e);
}

void inbox::committed(
  im_order order, const failure& why, moment, const policy&) {
  auto* w = x_log.find(order);
  if (!w || w->where != waiting_im::place::committing)
    return;
  if (why.code != errc::none) {
    settle(*w, outcome::kind::rejected, why);
    take_out(*w);
    close_gaps();
    return;
  }
  w->where = waiting_im::place::disk;
  settle(*w, outcome::kind::stored);
  if (w->holders.empty() && x_reads == 0) {
    evict(*w);
    x_log.compact();
  }
}

void inbox::removed(im_order order, moment, const policy&) {
  auto i = std::find_if(x_departed.begin(), x_departed.end(),
    [order](const auto& x) { return x.order == order; });
  if (i == x_departed.end())
    return;
  if (x_reads == 0)
    x_departed.erase(i);
  else
    i->confirmed = true;
}

bool inbox::open_left_out(im_order order) {
  bool any = false;
  for (auto& e : x_endpoints)
    if (std::erase(e.left_out, order) > 0 && e.open_upto < order) {
      e.open_upto = order;
      any = true;
    }
  if (any)
    offer_again();
  return any;
}

bool inbox::grace_passed(
  im_order order, session_id holder, moment, const policy&) {
  auto* w = x_log.find(order);
  if (!w || (w->where == waiting_im::place::disk && w->holders.empty()))
    return holder == session_id{} && open_left_out(order);
  if (w->where == waiting_im::place::memory)
    commit(*w);
  for (auto& e : x_endpoints)
    if (holder == session_id{} && !e.left_out.empty())
      std::erase(e.left_out, order);
  auto* c = find_conversation(w->message->from.user);
  bool ended = false;
  auto has_let_it_pass = [&](endpoint& e) {
    if (w->to == e.name && e.open_upto < order) {
      e.open_upto = order;
      ended = true;
    }
    if (c && c->chosen == e.session && e.connected) {
      c->chosen = {};
      ended = true;
      x_fx.choice_changed(effects::choice_change::released);
    }
  };
  last_choice known;
  auto r = route_of(*w, known);
  for (auto& e : x_endpoints) {
    if (const auto* h = w->find_holder(e.session)) {
      if (holder == session_id{} ? h->late : h->session != holder)
        continue;
      if (e.connected)
        x_fx.probe(e.session);
      has_let_it_pass(e);
    } else if (holder == session_id{}
      && (r.open ? r.choice == e.session : &e == r.addressed)) {
      has_let_it_pass(e); // had no room for it
    }
  }
  if (ended)
    offer_again();
  return true;
}

void inbox::store_unreachable() {
  last_choice known;
  for (auto& w : x_log) {
    if (w.gone || w.where != waiting_im::place::memory)
      continue;
    auto r = route_of(w, known);
    if (std::none_of(x_endpoints.begin(), x_endpoints.end(),
          [&r](const endpoint& e) { return e.connected && r.reaches(e); }))
      commit(w);
  }
}

bool inbox::take_off_disk(im_order order) {
  if (!disk_holds(order) || order <= x_cleared || has_departed(order))
    return false;
  // It may have gone already: then there is one more than is counted.
  x_disk_only -= std::min<uint64_t>(x_disk_only, 1);
  x_disk_doubt = true;
  x_departed.push_back({order});
  x_fx.remove(remove_im{x_user, order});
  for (auto& e : x_endpoints)
    x_unblocked |= e.blocked && e.cursor == order;
  return true;
}

bool inbox::expire(im_order order, moment, const policy&) {
  auto* w = x_log.find(order);
  bool was_here;
  if (w) {
    was_here = w->where == waiting_im::place::disk;
    if (was_here) {
      x_departed.push_back({order});
      x_fx.remove(remove_im{x_user, order});
      take_out(*w);
    }
  } else {
    was_here = take_off_disk(order);
  }
  close_gaps();
  return was_here;
}

void inbox::clear() {
  for (auto& w : x_log)
    if (!w.gone)
      settle(w, outcome::kind::rejected, failure{errc::no_such_user});
  x_log.clear();
  x_conversations.clear();
  x_disk_only = 0;
  x_disk_doubt = false;
  x_disk_last = {};
  x_cleared = x_last;
  for (auto& e : x_endpoints) {
    e.cursor = {};
    e.blocked = false;
  }
}

void inbox::store_all() {
  for (auto& w : x_log)
    if (!w.gone && w.where == waiting_im::place::memory)
      commit(w);
}

bool inbox::is_idle() const noexcept {
  return x_endpoints.empty() && x_log.empty() && x_departed.empty()
    && x_reads == 0 && x_conversations.empty();
}

} // namespace parley
