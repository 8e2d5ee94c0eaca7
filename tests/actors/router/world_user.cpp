#include "tests/actors/router/world_user.hpp"

#include <algorithm>

namespace parley::test {

const user_address& user_name(int i) {
  static const user_address names[] = {
    user_address::from_prepared("alice@example.org"),
    user_address::from_prepared("bob@example.org"),
    user_address::from_prepared("carol@example.org"),
  };
  return names[i];
}

const endpoint_name& endpoint_of(int i) {
  static const endpoint_name names[] = {
    endpoint_name{},
    endpoint_name::from_prepared("a"),
    endpoint_name::from_prepared("b"),
    endpoint_name::from_prepared("c"),
  };
  return names[i - no_endpoint];
}

world::user::user(world& w, int i, const settings& how)
  : x_world(w), rules(i, how.users) {
  rules.rules = how.rules;
  in = std::make_unique<inbox>(user_name(i), *this);
}

void world::user::ends(model_im& x, std::optional<outcome::kind> how) {
  x.waits = false;
  if (how && x.outcomes == 0)
    expect(x, *how);
}

void world::user::expect(const model_im& x, outcome::kind what) {
  expected.emplace_back(x.ticket, what);
}

void world::user::accepted(const origin& from) {
  auto& s = *x_world.x_sending;
  if (s.accepted || s.to != this || from.ticket != s.what.ticket)
    x_world.blame(*this, "accepted twice, or something else");
  s.accepted = true;
  last_order = std::max(last_order + 1, x_world.x_wall_us);
  s.what.order = last_order;
  rules.ims.push_back(s.what);
  int sender = s.from->rules.self;
  if (rules.choices[sender].session != 0)
    rules.choices[sender].last_activity_ms = x_world.x_steady_ms;
  if (!s.chooses)
    return;
  s.from->rules.choose(s.session.value, rules.self, x_world.x_steady_ms);
  if (s.would_choose)
    s.from->in->choose(s.session, s.from->in->find(s.session)->releases,
      user_name(rules.self), x_world.now(), x_world.x_rules);
}

void world::user::compare_outcomes() {
  std::sort(expected.begin(), expected.end());
  std::sort(settled.begin(), settled.end());
  if (expected != settled)
    x_world.blame(*this, "other outcomes than expected");
  for (const auto& [ticket, what] : settled)
    for (auto& x : rules.ims)
      if (x.ticket == ticket)
        ++x.outcomes;
  expected.clear();
  settled.clear();
}

void world::user::settle(const origin& to, const outcome& what) {
  settled.emplace_back(to.ticket, what.what);
}

void world::user::hand_out(session_id to, delivery what) {
  auto* e = rules.find(to.value);
  auto* x = rules.find_im(what.order.value);
  if (!e || !x) {
    x_world.blame(*this, "handed out what or to whom it does not know");
    return;
  }
  if (!x->waits)
    x_world.blame(*this, "handed out what waits no longer");
  bool fresh = x_world.x_sending && x_world.x_sending->is(*this, *x);
  bool is_copy = what.what.copied == incoming_im::copy::received;
  if (is_copy
    && !(fresh && x_world.x_sending->copies && rules.may_be_copied(*x, *e)))
    x_world.blame(*this, "a copy for who is to have none");
  if (!is_copy && !rules.is_target(*x, *e))
    x_world.blame(*this, "handed out to who is no target");
  if (x->copy_of(to.value))
    x_world.blame(*this, "handed out twice to one session");
  else if (!is_copy && rules.next_for(*e) != x)
    x_world.blame(*this, "handed out before something older");
  if (!rules.has_room(*e, x->bytes))
    x_world.blame(*this, "handed out beyond the window");
  for (const auto& y : rules.ims)
    if (y.order > x->order && y.copy_of(to.value) && y.to == no_endpoint
      && x->to == no_endpoint && y.from_user == x->from_user
      && (y.from_user != rules.self || y.from_endpoint == x->from_endpoint))
      x_world.blame(*this, "out of order within a conversation");
  if (what.what.offline != (x->where == model_im::place::disk))
    x_world.blame(*this, "wrong about coming from the store");
  if (content_bytes(*what.what.message) != x->bytes
    || what.what.to.user != user_name(rules.self)
    || what.what.to.endpoint != endpoint_of(x->to))
    x_world.blame(*this, "handed out something else than was sent");
  x->copies.push_back({to.value, false, !fresh});
  rules.find(to.value)->left_out.erase(x->order);
  bodies[x->order] = what.what.message;
}

void world::user::put(put_im what) {
  auto* x = rules.find_im(what.what.order.value);
  if (!x || !x->waits || x->where != model_im::place::memory) {
    x_world.blame(*this, "stored what is not to be stored");
    return;
  }
  if (!may_put && rules.has_connected_target(*x))
    x_world.blame(*this, "stored what a connected target may still take");
  x->where = model_im::place::committing;
  for (auto& e : rules.endpoints)
    if (e.name == x->to && e.there() && !x->copy_of(e.session))
      e.left_out.insert(x->order);
  store.writes.push_back(
    {fake_store::write::kind::put, what.what.order, what.what, false});
}

void world::user::remove(remove_im what) {
  auto* x = rules.find_im(what.order.value);
  bool right =
    x && !x->waits && !x->removal_asked && x->where != model_im::place::memory;
  if (!right && !inexact)
    x_world.blame(*this, "removed what is not to be removed");
  if (x)
    x->removal_asked = true;
  store.writes.push_back(
    {fake_store::write::kind::remove, what.order, {}, false});
}

void world::user::read_page(
  const user_address&, session_id for_whom, im_order from, size_t max) {
  bool pending = std::any_of(store.reads.begin(), store.reads.end(),
    [&](const auto& r) { return r.for_whom == for_whom; });
  if (pending)
    x_world.blame(*this, "asked for two pages at once for one session");
  if (max == 0)
    x_world.blame(*this, "asked for an empty page");
  bool sense =
    std::any_of(rules.ims.begin(), rules.ims.end(), [&](const model_im& x) {
      return x.waits && !x.held() && x.where == model_im::place::disk;
    });
  if (!sense && !reads_more)
    x_world.blame(*this, "asked for a page although nothing is on disk alone");
  stalled.erase(for_whom.value);
  fake_store::read r{for_whom, from, max, {}};
  r.read_so_far = store.take(r, x_world.x_how.exact_pages);
  store.reads.push_back(std::move(r));
}

void world::user::watch_grace(
  const user_address&, im_order order, session_id holder) {
  watches.push_back({order, holder});
  running.emplace(order.value, holder.value);
}

void world::user::probe(session_id whom) {
  probed.push_back(whom.value);
}

void world::user::send_receipt(const im&, const address&, receipt::kind) {
  x_world.blame(*this, "a receipt that nobody asked for");
}

} // namespace parley::test
