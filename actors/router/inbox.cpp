#include "actors/router/inbox.hpp"

#include <algorithm>

#include "protocol/defaults.hpp"
#include "protocol/defaults_memory.hpp"

// Who gets what: endpoints, choices and targets. What becomes of IMs stands in
// inbox_ims.cpp, how they are handed out in inbox_drain.cpp.
namespace parley {

using std::chrono::milliseconds;

namespace {

bool is_available(const inbox::endpoint& e) {
  return e.what.show != show::unavailable;
}

/// Shows that end a choice when they are put on.
bool is_busy(show x) {
  return x != show::available && x != show::chat;
}

} // namespace

void inbox::load(const user_head& head) {
  x_disk_only = head.stored;
  x_disk_last = head.last;
  x_last = std::max(x_last, head.last);
}

// -- endpoints

const inbox::endpoint* inbox::find(const endpoint_name& name) const noexcept {
  for (const auto& e : x_endpoints)
    if (e.name == name)
      return &e;
  return nullptr;
}

const inbox::endpoint* inbox::find(session_id session) const noexcept {
  for (const auto& e : x_endpoints)
    if (e.session == session)
      return &e;
  return nullptr;
}

inbox::endpoint* inbox::find_endpoint(session_id session) noexcept {
  for (auto& e : x_endpoints)
    if (e.session == session)
      return &e;
  return nullptr;
}

void inbox::join(session_id session, endpoint_name name, availability what,
  window granted, moment, const policy&) {
  endpoint e;
  e.session = session;
  e.name = std::move(name);
  e.what = std::move(what);
  e.granted = granted;
  x_endpoints.push_back(std::move(e));
  look_again();
}

void inbox::leave(session_id session, moment, const policy&) {
  auto* e = find_endpoint(session);
  if (!e)
    return;
  x_endpoints.erase(x_endpoints.begin() + (e - x_endpoints.data()));
  for (auto& w : x_log)
    w.drop_holder(session);
  release(session);
  offer_again();
  store_unreachable();
  trim();
}

void inbox::suspend(session_id session, moment, const policy&) {
  auto* e = find_endpoint(session);
  if (!e || !e->connected)
    return;
  e->connected = false;
  offer_again();
  store_unreachable();
}

void inbox::resume(session_id session, window granted, moment, const policy&) {
  auto* e = find_endpoint(session);
  if (!e)
    return;
  e->connected = true;
  e->granted = granted;
  // What it holds is sent to it again: it has the grace time again.
  for (auto& w : x_log)
    if (auto* h = w.find_holder(session)) {
      h->late = true;
      x_fx.watch_grace(x_user, w.order, session);
    }
  look_again();
}

void inbox::set_availability(
  session_id session, availability what, moment, const policy&) {
  auto* e = find_endpoint(session);
  if (!e)
    return;
  bool was_available = is_available(*e);
  bool was_eligible = e->eligible();
  bool releases =
    what.priority < 0 || (what.show != e->what.show && is_busy(what.show));
  e->what = std::move(what);
  e->releases += releases;
  bool released = releases && release(session);
  if (!released && is_available(*e) == was_available
    && e->eligible() == was_eligible)
    return;
  offer_again();
  store_unreachable();
}

void inbox::set_window(
  session_id session, window granted, moment, const policy&) {
  auto* e = find_endpoint(session);
  if (!e)
    return;
  e->granted = granted;
  pump(*e);
}

void inbox::set_copies(session_id session, bool wanted) noexcept {
  if (auto* e = find_endpoint(session))
    e->copies = wanted;
}

// -- conversations

inbox::conversation* inbox::find_conversation(
  const user_address& peer) noexcept {
  if (x_conversations.empty())
    return nullptr;
  auto i = x_conversations.find(peer);
  return i == x_conversations.end() ? nullptr : &i->second;
}

inbox::conversation& inbox::make_conversation(
  const user_address& peer, moment now, const policy& rules) {
  x_idle_ms = rules.im_idle_release_ms;
  if (x_conversations.size() >= defaults::conversations_max
    && !x_conversations.contains(peer))
    let_one_go(peer);
  auto& c = x_conversations[peer];
  c.last_activity = now.steady;
  return c;
}

void inbox::let_one_go(const user_address& coming) {
  // From where the new one will be: elsewhere each time, not where the last
  // ones that came stand together.
  auto oldest = x_conversations.end();
  auto bucket = x_conversations.bucket(coming);
  for (size_t n = 0; n < defaults::conversations_looked_at;) {
    for (auto i = x_conversations.cbegin(bucket);
         i != x_conversations.cend(bucket); ++i, ++n)
      if (oldest == x_conversations.end()
        || i->second.last_activity < oldest->second.last_activity)
        oldest = x_conversations.find(i->first);
    bucket = (bucket + 1) % x_conversations.bucket_count();
  }
  bool was_chosen = oldest->second.chosen != session_id{};
  x_conversations.erase(oldest);
  if (!was_chosen)
    return;
  x_fx.choice_changed(effects::choice_change::released);
  offer_again();
}

uint64_t inbox::conversation_bytes() const noexcept {
  return x_conversations.size() * defaults::conversation_bytes;
}

bool inbox::has_lapsed(
  const conversation& c, moment now, uint64_t idle_ms) noexcept {
  if (c.chosen == session_id{}) {
    constexpr milliseconds memory = defaults::chosen_receipt_memory;
    idle_ms = std::min<uint64_t>(idle_ms, memory.count());
  }
  return idle_ms != unlimited
    && now.steady - c.last_activity >= milliseconds{idle_ms};
}

session_id inbox::choice_of(const conversation* c) const noexcept {
  if (!c || c->chosen == session_id{})
    return {};
  const auto* e = find(c->chosen);
  return e && e->connected ? e->session : session_id{};
}

session_id inbox::choice_of(const user_address& peer) const noexcept {
  if (x_conversations.empty())
    return {};
  auto i = x_conversations.find(peer);
  return i == x_conversations.end() ? session_id{} : choice_of(&i->second);
}

session_id inbox::chosen(
  const user_address& peer, moment now, const policy& rules) const noexcept {
  if (x_conversations.empty())
    return {};
  auto i = x_conversations.find(peer);
  if (i == x_conversations.end()
    || has_lapsed(i->second, now, rules.im_idle_release_ms))
    return {};
  return choice_of(&i->second);
}

bool inbox::would_choose(session_id session, const user_address& peer,
  moment now, const policy& rules) const noexcept {
  if (peer == x_user)
    return false;
  const auto* e = find(session);
  if (!e || !e->eligible())
    return false;
  if (x_conversations.empty())
    return true;
  auto i = x_conversations.find(peer);
  return i == x_conversations.end() || i->second.chosen != session
    || has_lapsed(i->second, now, rules.im_idle_release_ms)
    || i->second.wants_receipt;
}

void inbox::choose(session_id session, uint32_t releases,
  const user_address& peer, moment now, const policy& rules) {
  if (peer == x_user)
    return;
  auto* e = find_endpoint(session);
  if (!e || !e->eligible() || e->releases != releases)
    return;
  auto& c = make_conversation(peer, now, rules);
  if (c.wants_receipt) {
    x_fx.send_receipt(
      *c.wants_receipt, address{x_user, e->name}, receipt::kind::chosen);
    c.wants_receipt = {};
  }
  if (c.chosen == session)
    return;
  using change = effects::choice_change;
  x_fx.choice_changed(c.chosen == session_id{} ? change::made : change::moved);
  auto before = choice_of(&c);
  c.chosen = session;
  if (before == session_id{}) {
    look_again(); // one of many targets until now
  } else if (e->connected) {
    e->cursor = {};
    look_again();
  } else {
    offer_again(); // not in force: all are targets again
  }
}

void inbox::touch(const user_address& peer, moment now) noexcept {
  auto* c = find_conversation(peer);
  if (c && !has_lapsed(*c, now, x_idle_ms))
    c->last_activity = now.steady;
}

bool inbox::release(session_id session) noexcept {
  bool any = false;
  for (auto& [peer, c] : x_conversations)
    if (c.chosen == session) {
      c.chosen = {};
      any = true;
      x_fx.choice_changed(effects::choice_change::released);
    }
  if (any)
    std::erase_if(x_conversations, [](const auto& kv) {
      return kv.second.chosen == session_id{} && !kv.second.wants_receipt;
    });
  return any;
}

void inbox::sweep(moment now, const policy& rules) {
  x_idle_ms = rules.im_idle_release_ms;
  bool ended = false;
  std::erase_if(x_conversations, [&](const auto& kv) {
    bool lapsed = has_lapsed(kv.second, now, x_idle_ms);
    if (lapsed && kv.second.chosen != session_id{}) {
      ended = true;
      x_fx.choice_changed(effects::choice_change::released);
    }
    return lapsed;
  });
  if (ended)
    offer_again();
  else if (x_read_failed)
    look_again();
  x_log.shrink();
}

// -- targets

bool inbox::route::reaches(const endpoint& e) const noexcept {
  if (!is_available(e))
    return false;
  if (&e == addressed)
    return true;
  if (!open || !e.eligible() || (spared && e.name == *spared))
    return false;
  return choice == session_id{} || choice == e.session;
}

inbox::route inbox::route_of(const address& from, const endpoint_name& to,
  im_order order, session_id choice) const noexcept {
  route r;
  if (!to.empty()) {
    const auto* e = find(to);
    if (e && is_available(*e)) {
      r.addressed = e;
      r.open = order <= e->open_upto;
    }
  }
  if (from.user != x_user) {
    r.choice = choice;
    return r;
  }
  auto is_other = [&from](const endpoint& e) {
    return e.eligible() && e.name != from.endpoint;
  };
  if (std::any_of(x_endpoints.begin(), x_endpoints.end(), is_other))
    r.spared = &from.endpoint;
  return r;
}

inbox::route inbox::route_of(
  const waiting_im& w, last_choice& known) const noexcept {
  const auto& from = w.message->from;
  if (!known.peer || *known.peer != from.user)
    known = {&from.user, choice_of(from.user)};
  return route_of(from, w.to, w.order, known.choice);
}

std::vector<session_id> inbox::targets(const address& from, const address& to,
  moment now, const policy& rules) const {
  std::vector<session_id> xs;
  auto r = route_of(
    from, to.endpoint, im_order{UINT64_MAX}, chosen(from.user, now, rules));
  for (const auto& e : x_endpoints)
    if (e.connected && r.reaches(e))
      xs.push_back(e.session);
  return xs;
}

} // namespace parley
