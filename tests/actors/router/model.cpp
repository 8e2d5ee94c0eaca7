#include "tests/actors/router/model.hpp"

#include <algorithm>

namespace parley::test {

bool model_im::held() const {
  return std::any_of(copies.begin(), copies.end(),
    [](const model_copy& c) { return !c.acknowledged; });
}

const model_copy* model_im::copy_of(uint64_t session) const {
  for (const auto& c : copies)
    if (c.session == session)
      return &c;
  return nullptr;
}

model_copy* model_im::copy_of(uint64_t session) {
  for (auto& c : copies)
    if (c.session == session)
      return &c;
  return nullptr;
}

model_endpoint* model::find(uint64_t session) {
  for (auto& e : endpoints)
    if (e.session == session)
      return &e;
  return nullptr;
}

const model_endpoint* model::find(uint64_t session) const {
  return const_cast<model*>(this)->find(session);
}

const model_endpoint* model::named(int name) const {
  for (const auto& e : endpoints)
    if (e.name == name)
      return &e;
  return nullptr;
}

model_im* model::find_im(uint64_t order) {
  for (auto& x : ims)
    if (x.order == order)
      return &x;
  return nullptr;
}

bool model::choice_over(int peer, uint64_t now_ms) const {
  return now_ms - choices[peer].last_activity_ms >= rules.idle_ms;
}

uint64_t model::choice(int peer) const {
  const auto* e = find(choices[peer].session);
  return e && e->connected ? e->session : 0;
}

bool model::is_target(const model_im& x, const model_endpoint& e) const {
  if (!e.there())
    return false;
  if (x.to != no_endpoint) {
    const auto* addressed = named(x.to);
    if (addressed && addressed->there()) {
      if (addressed == &e)
        return true;
      if (addressed->open_upto < x.order)
        return false;
    }
  }
  if (!e.forked_to())
    return false;
  if (x.from_user == self) {
    bool others = std::any_of(
      endpoints.begin(), endpoints.end(), [&x](const model_endpoint& o) {
        return o.name != x.from_endpoint && o.forked_to();
      });
    return e.name != x.from_endpoint || !others;
  }
  auto chosen = choice(x.from_user);
  return chosen == 0 || chosen == e.session;
}

bool model::has_connected_target(const model_im& x) const {
  return std::any_of(endpoints.begin(), endpoints.end(),
    [&](const auto& e) { return e.connected && is_target(x, e); });
}

bool model::has_target(const model_im& x) const {
  return std::any_of(endpoints.begin(), endpoints.end(),
    [&](const auto& e) { return is_target(x, e); });
}

uint32_t model::held_messages(uint64_t session) const {
  uint32_t n = 0;
  for (const auto& x : ims)
    if (const auto* c = x.copy_of(session); c && !c->acknowledged)
      ++n;
  return n;
}

uint64_t model::held_bytes(uint64_t session) const {
  uint64_t n = 0;
  for (const auto& x : ims)
    if (const auto* c = x.copy_of(session); c && !c->acknowledged)
      n += x.bytes;
  return n;
}

bool model::has_room(const model_endpoint& e, uint64_t bytes) const {
  auto held = held_messages(e.session);
  return held < e.window_messages
    && (held == 0 || held_bytes(e.session) + bytes <= e.window_bytes);
}

const model_im* model::next_for(const model_endpoint& e) const {
  for (const auto& x : ims)
    if (x.waits && !x.copy_of(e.session) && is_target(x, e))
      return &x;
  return nullptr;
}

bool model::may_be_copied(const model_im& x, const model_endpoint& e) const {
  if (!e.copies || !e.there() || is_target(x, e) || !has_connected_target(x))
    return false;
  if (x.from_user == self && x.from_endpoint == e.name)
    return false;
  // Else what is older could come after it.
  return x.to != no_endpoint
    || std::none_of(ims.begin(), ims.end(), [&](const model_im& y) {
         return y.waits && y.order < x.order && y.from_user == x.from_user
           && y.to == no_endpoint && !y.copy_of(e.session);
       });
}

bool model::any_on_disk_alone() const {
  return std::any_of(ims.begin(), ims.end(), [](const model_im& x) {
    return x.waits && x.where == model_im::place::disk && !x.held();
  });
}

uint64_t model::waiting() const {
  return std::count_if(
    ims.begin(), ims.end(), [](const auto& x) { return x.waits; });
}

verdict model::judge(const model_im& x) const {
  if (!rules.store_offline && !has_target(x))
    return verdict::recipient_offline;
  return waiting() >= rules.quota ? verdict::quota_exceeded : verdict::taken;
}

void model::choose(uint64_t session, int peer, uint64_t now_ms) {
  const auto* e = find(session);
  if (peer != self && e && e->forked_to())
    choices[peer] = {session, now_ms};
}

void model::touch(int peer, uint64_t now_ms) {
  if (!choice_over(peer, now_ms))
    choices[peer].last_activity_ms = now_ms;
}

void model::notice_idle(int peer, uint64_t now_ms) {
  if (choice_over(peer, now_ms))
    choices[peer].session = 0;
}

void model::release(uint64_t session) {
  for (auto& c : choices)
    if (c.session == session)
      c.session = 0;
}

void model::leave(uint64_t session) {
  std::erase_if(
    endpoints, [session](const auto& e) { return e.session == session; });
  release(session);
  for (auto& x : ims)
    std::erase_if(
      x.copies, [session](const auto& c) { return c.session == session; });
}

void model::resume(uint64_t session) {
  find(session)->connected = true;
  for (auto& x : ims)
    if (auto* c = x.copy_of(session))
      c->late = true;
}

void model::show(uint64_t session, shown what, int priority) {
  auto* e = find(session);
  bool changes = e->show != what && what != shown::available;
  e->show = what;
  e->priority = priority;
  if (changes || priority < 0)
    release(session);
}

std::vector<uint64_t> model::grace_passed(uint64_t order, uint64_t holder) {
  std::vector<uint64_t> probed;
  auto* x = find_im(order);
  if (!x || !x->waits || (x->where == model_im::place::disk && !x->held())) {
    for (auto& e : endpoints)
      if (holder == 0 && e.left_out.erase(order) > 0)
        e.open_upto = std::max(e.open_upto, order);
    return probed;
  }
  // Whoever keeps it from others, without having been given it.
  uint64_t keeper = 0;
  if (holder == 0) {
    const auto* addressed = x->to == no_endpoint ? nullptr : named(x->to);
    if (addressed && addressed->there() && addressed->open_upto < order)
      keeper = addressed->session;
    else if (x->from_user != self)
      keeper = choice(x->from_user);
  }
  for (auto& e : endpoints) {
    const auto* c = x->copy_of(e.session);
    bool holds = c && !c->acknowledged;
    if (holds && (holder == 0 ? !c->late : holder == e.session)) {
      if (e.connected)
        probed.push_back(e.session);
    } else if (holds || keeper != e.session) {
      continue;
    }
    if (x->to == e.name)
      e.open_upto = std::max(e.open_upto, order);
    if (x->from_user != self && choice(x->from_user) == e.session)
      choices[x->from_user].session = 0;
  }
  return probed;
}

} // namespace parley::test
