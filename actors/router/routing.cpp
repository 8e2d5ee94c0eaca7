#include "actors/router/routing.hpp"

#include <algorithm>
#include <unordered_set>

#include <boost/container/small_vector.hpp>

#include "protocol/defaults.hpp"

namespace parley {

using std::chrono::milliseconds;

namespace {

template <class T>
event answer_event(request_number number, T what) {
  return event{parley::answer{number, std::move(what)}};
}

} // namespace

uint32_t slot_of(const user_address& user) noexcept {
  auto h = user.hash();
  h ^= h >> 32;
  return static_cast<uint32_t>(h % defaults::directory_slots);
}

struct routing::user {
  enum class knowledge : uint8_t { none, asked, known };

  user(user_address name, inbox::effects& fx) : in(std::move(name), fx) {}

  inbox in;
  knowledge head = knowledge::none;
  bool exists = false;
  /// Wait for the head, in order.
  std::vector<routed_im> queue;
  std::vector<std::function<void(result<bool>)>> askers;
  // As a sender:
  retry_memory sent;
  uint32_t pending = 0;
  /// Tickets that wait for the look-up of an id, their own or an earlier one's.
  std::deque<uint64_t> line;
  /// Entries of x_graces that point here.
  uint32_t graces = 0;
  double tokens = 0;
  std::chrono::steady_clock::time_point tokens_at{};

  bool is_idle() const noexcept {
    return in.is_idle() && queue.empty() && askers.empty() && pending == 0
      && sent.size() == 0 && graces == 0 && head != knowledge::asked;
  }
};

struct routing::broadcast_state {
  session_id session;
  request_number number;
  std::vector<recipient_outcome> outcomes;
  size_t open = 0;
};

struct routing::grace {
  std::chrono::steady_clock::time_point since;
  user* whose;
  im_order order;
  session_id holder;
};

routing::routing(effects& fx, std::function<bool(uint32_t)> owns)
  : x_fx(fx), x_owns(std::move(owns)) {}

routing::~routing() = default;

// -- users
// ------------------------------------------------------------------------

routing::user& routing::at(const user_address& name) {
  auto& p = x_users[name];
  if (!p) {
    inbox::effects& fx = *this;
    p = std::make_unique<user>(name, fx);
  }
  return *p;
}

routing::user* routing::find(const user_address& name) const {
  auto i = x_users.find(name);
  return i == x_users.end() ? nullptr : i->second.get();
}

routing::user* routing::of_session(session_id session) const {
  auto i = x_sessions.find(session);
  return i == x_sessions.end() ? nullptr : i->second;
}

void routing::load(user& u) {
  if (u.head != user::knowledge::none)
    return;
  u.head = user::knowledge::asked;
  x_fx.find_head(u.in.user());
}

void routing::with_user(
  const user_address& name, std::function<void(result<bool> exists)> then) {
  auto& u = at(name);
  if (u.head == user::knowledge::known) {
    then(u.exists);
    return;
  }
  u.askers.push_back(std::move(then));
  load(u);
}

void routing::head_found(
  const user_address& of, const result<user_head>& head, moment now) {
  x_now = now;
  auto* u = find(of);
  if (!u || u->head != user::knowledge::asked)
    return;
  if (head) {
    u->head = user::knowledge::known;
    // Made while the store was asked.
    u->exists |= head->exists;
    u->in.load(*head);
  } else {
    u->head = user::knowledge::none;
  }
  auto queue = std::move(u->queue);
  auto askers = std::move(u->askers);
  u->queue.clear();
  u->askers.clear();
  for (auto& then : askers)
    then(head ? result<bool>{u->exists} : tl::unexpected(head.error()));
  for (auto& x : queue) {
    if (head)
      route(*u, std::move(x), now);
    else
      settle(x.from, outcome{outcome::kind::rejected, head.error()});
  }
  forget_if_idle(*u);
}

void routing::forget_if_idle(user& u) {
  if (u.is_idle())
    x_users.erase(u.in.user());
}

void routing::account_added(const user_address& name) {
  if (auto* u = find(name))
    u->exists = true;
}

std::vector<session_id> routing::remove_account(const user_address& name) {
  std::vector<session_id> ended;
  x_fx.write(store_operation{parley::remove_account{name}});
  ++x_unwritten;
  auto* u = find(name);
  if (!u)
    return ended;
  x_counters.removed_with_account += u->in.waiting();
  u->in.clear();
  u->exists = false;
  u->sent = {};
  for (const auto& e : u->in.endpoints())
    ended.push_back(e.session);
  auto queue = std::move(u->queue);
  u->queue.clear();
  for (auto& x : queue)
    settle(
      x.from, outcome{outcome::kind::rejected, failure{errc::no_such_user}});
  return ended;
}

// -- sessions
// ----------------------------------------------------------------------

void routing::join(const user_address& name, session_id session,
  endpoint_name endpoint, availability what, window granted, moment now) {
  x_now = now;
  auto& u = at(name);
  x_sessions[session] = &u;
  u.in.join(
    session, std::move(endpoint), std::move(what), granted, now, x_rules);
}

void routing::leave(session_id session, moment now) {
  x_now = now;
  auto i = x_sessions.find(session);
  if (i == x_sessions.end())
    return;
  auto* u = i->second;
  x_sessions.erase(i);
  u->in.leave(session, now, x_rules);
  forget_if_idle(*u);
}

void routing::suspend(session_id session, moment now) {
  x_now = now;
  if (auto* u = of_session(session))
    u->in.suspend(session, now, x_rules);
}

void routing::resume(session_id session, window granted, moment now) {
  x_now = now;
  if (auto* u = of_session(session))
    u->in.resume(session, granted, now, x_rules);
}

void routing::set_availability(
  session_id session, availability what, moment now) {
  x_now = now;
  if (auto* u = of_session(session))
    u->in.set_availability(session, std::move(what), now, x_rules);
}

void routing::set_window(session_id session, window granted, moment now) {
  x_now = now;
  if (auto* u = of_session(session))
    u->in.set_window(session, granted, now, x_rules);
}

std::span<const inbox::endpoint> routing::endpoints(
  const user_address& name) const {
  auto* u = find(name);
  return u ? u->in.endpoints() : std::span<const inbox::endpoint>{};
}

const inbox::endpoint* routing::find_endpoint(const address& whom) const {
  auto* u = find(whom.user);
  return u ? u->in.find(whom.endpoint) : nullptr;
}

// -- at the sender's shard
// -----------------------------------------------------------

void routing::submit(session_id session, request_number number, send_im what,
  bool again, moment now) {
  x_now = now;
  if (auto* u = of_session(session))
    submit_one(*u, session, what.message, what.to, waiter{session, number},
      false, again, now);
}

void routing::submit(
  session_id session, request_number number, broadcast what, moment now) {
  x_now = now;
  auto* u = of_session(session);
  if (!u)
    return;
  struct recipient {
    address to;
    uint32_t index;
  };
  broadcast_state state{session, number, {}, 0};
  std::vector<recipient> recipients;
  std::unordered_set<std::string> seen;
  for (auto& text : what.to) {
    auto to = address::parse(text);
    if (!seen.insert(to ? to->user.str() : text).second)
      continue;
    auto index = static_cast<uint32_t>(state.outcomes.size());
    state.outcomes.push_back({std::move(text), {}});
    recipients.push_back({to ? std::move(*to) : address{}, index});
  }
  if (recipients.size() > x_rules.im_broadcast_max) {
    failure f{errc::too_many_recipients};
    f.limit = x_rules.im_broadcast_max;
    f.value = recipients.size();
    x_fx.tell(session, answer_event(number, std::move(f)));
    return;
  }
  if (recipients.empty()) {
    x_fx.tell(session, answer_event(number, broadcast_outcomes{}));
    return;
  }
  state.open = recipients.size();
  auto id = x_next_broadcast++;
  x_broadcasts.emplace(id, std::move(state));
  for (auto& r : recipients)
    submit_one(*u, session, what.message, r.to,
      waiter{session, number, id, r.index}, true, false, now);
}

void routing::submit_one(user& sender, session_id session,
  const shared<im>& message, const address& to, waiter who, bool of_broadcast,
  bool again, moment now) {
  if (to.empty()) {
    if (auto f = refusal_of(*message))
      reject(who, std::move(*f));
    else
      reject(who, failure{errc::bad_address});
    return;
  }
  auto ticket = retry_hash(sender.in.user(), message->id, to.user);
  auto content = content_hash(*message);
  if (auto known = sender.sent.find(ticket)) {
    ++x_counters.retries;
    if (known->same_content(content))
      answer(who, outcome{known->what(), {}});
    else
      reject(who, failure{errc::id_conflict});
    return;
  }
  auto [i, is_new] = x_pending.try_emplace(ticket);
  auto& p = i->second;
  if (!is_new) {
    if (p.content != content) {
      reject(who, failure{errc::id_conflict});
      return;
    }
    ++x_counters.retries;
    if (std::find(p.waiters.begin(), p.waiters.end(), who) == p.waiters.end())
      p.waiters.push_back(who);
    if (again && !p.in_line && !x_owns(slot_of(to.user)))
      pass_on(session, ticket, p, true, now);
    return;
  }
  p.sender = &sender;
  p.message = message;
  p.to = to;
  p.content = content;
  p.of_broadcast = of_broadcast;
  p.waiters.push_back(who);
  ++sender.pending;
  x_pending_bytes += content_bytes(*message);
  if (x_filter.may_contain(ticket)
    || (x_known_ids && x_known_ids->may_contain(ticket))) {
    p.asking = true;
    x_fx.find_id(retry_key{sender.in.user(), message->id, to.user}, ticket);
  }
  // What comes behind one that waits waits too: order is the sender's.
  if (p.asking || !sender.line.empty()) {
    p.in_line = true;
    sender.line.push_back(ticket);
    return;
  }
  judge(session, ticket, p, now);
}

void routing::advance(user& sender, moment now) {
  while (!sender.line.empty()) {
    auto ticket = sender.line.front();
    auto i = x_pending.find(ticket);
    if (i != x_pending.end() && i->second.asking)
      return;
    sender.line.pop_front();
    if (i == x_pending.end() || !i->second.in_line)
      continue;
    i->second.in_line = false;
    judge(i->second.waiters.front().session, ticket, i->second, now);
  }
}

void routing::id_found(
  uint64_t ticket, const result<std::optional<stored_id>>& found, moment now) {
  x_now = now;
  auto i = x_pending.find(ticket);
  if (i == x_pending.end() || !i->second.asking)
    return;
  auto& p = i->second;
  auto& sender = *p.sender;
  p.asking = false;
  if (!found) {
    finish(ticket, outcome{outcome::kind::rejected, found.error()}, now);
  } else if (found->has_value()) {
    ++x_counters.retries;
    bool same = (*found)->content_hash == p.content;
    finish(ticket,
      same ? outcome{outcome::kind::stored, {}}
           : outcome{outcome::kind::rejected, failure{errc::id_conflict}},
      now);
  }
  advance(sender, now);
}

std::optional<failure> routing::refusal_of(const im& message) const {
  auto bytes = content_bytes(message);
  if (bytes <= x_rules.im_body_max)
    return std::nullopt;
  failure f{errc::too_large};
  f.limit = x_rules.im_body_max;
  f.value = bytes;
  return f;
}

void routing::judge(
  session_id session, uint64_t ticket, pending& p, moment now) {
  auto f = refusal_of(*p.message);
  if (!f && !x_rules.im_enabled)
    f = failure{errc::im_disabled};
  if (!f && x_stopping) {
    f = failure{errc::server_stopping};
    f->retry_after = defaults::come_back_min;
  }
  if (f)
    finish(ticket, outcome{outcome::kind::rejected, std::move(*f)}, now);
  else
    pass_on(session, ticket, p, false, now);
}

void routing::pass_on(
  session_id session, uint64_t ticket, pending& p, bool again, moment now) {
  auto& sender = *p.sender;
  sender.in.touch(p.to.user, now);
  routed_im x;
  x.from = origin{slot_of(sender.in.user()), ticket};
  x.message = p.message;
  x.to = p.to;
  x.of_broadcast = p.of_broadcast;
  x.again = again;
  if (!again)
    x.over_rate = over_rate(sender, now);
  if (!p.of_broadcast && !p.message->body.empty()
    && sender.in.would_choose(session, p.to.user, now, x_rules))
    x.chooses = session;
  auto slot = slot_of(x.to.user);
  if (x_owns(slot))
    receive(std::move(x), now);
  else
    x_fx.forward(slot, std::move(x));
}

std::optional<milliseconds> routing::over_rate(user& sender, moment now) {
  if (x_rules.im_rate == unlimited)
    return std::nullopt;
  auto rate = static_cast<double>(x_rules.im_rate);
  auto since =
    std::chrono::duration<double>(now.steady - sender.tokens_at).count();
  sender.tokens = sender.tokens_at.time_since_epoch().count() == 0
    ? rate
    : std::min(rate, sender.tokens + since * rate);
  sender.tokens_at = now.steady;
  if (sender.tokens >= 1) {
    sender.tokens -= 1;
    return std::nullopt;
  }
  return milliseconds{
    static_cast<int64_t>((1 - sender.tokens) / rate * 1'000) + 1};
}

void routing::finish(uint64_t ticket, const outcome& what, moment now) {
  auto i = x_pending.find(ticket);
  if (i == x_pending.end())
    return;
  auto p = std::move(i->second);
  x_pending.erase(i);
  x_pending_bytes -= content_bytes(*p.message);
  --p.sender->pending;
  if (what.what != outcome::kind::rejected)
    x_counters.ids_forgotten +=
      p.sender->sent.insert(ticket, p.content, what.what, now.steady);
  if (what.what == outcome::kind::stored)
    x_filter.insert(ticket);
  for (const auto& w : p.waiters)
    answer(w, what);
}

void routing::answer(const waiter& who, const outcome& what) {
  switch (what.what) {
  case outcome::kind::delivered:
    ++x_counters.delivered;
    break;
  case outcome::kind::stored:
    ++x_counters.stored;
    break;
  case outcome::kind::rejected:
    ++x_counters.rejected;
    break;
  }
  if (who.broadcast == 0) {
    x_fx.tell(who.session, answer_event(who.number, what));
    return;
  }
  auto i = x_broadcasts.find(who.broadcast);
  if (i == x_broadcasts.end())
    return;
  auto& b = i->second;
  b.outcomes[who.index].what = what;
  if (--b.open > 0)
    return;
  x_fx.tell(b.session,
    answer_event(b.number, broadcast_outcomes{std::move(b.outcomes)}));
  x_broadcasts.erase(i);
}

void routing::reject(const waiter& who, failure why) {
  answer(who, outcome{outcome::kind::rejected, std::move(why)});
}

void routing::type(session_id session, const address& to, moment now) {
  x_now = now;
  auto* u = of_session(session);
  if (!u || to.empty() || !x_rules.im_enabled)
    return;
  auto* e = u->in.find(session);
  if (!e)
    return;
  routed_typing x{address{u->in.user(), e->name}, to};
  auto slot = slot_of(to.user);
  if (x_owns(slot))
    receive(x, now);
  else
    x_fx.forward(slot, std::move(x));
}

void routing::receive(const routed_outcome& what, moment now) {
  x_now = now;
  finish(what.ticket, what.what, now);
}

void routing::receive(const routed_choice& what, moment now) {
  x_now = now;
  if (auto* u = find(what.user))
    u->in.choose(what.session, what.peer, now, x_rules);
}

void routing::receive(const routed_receipt& what) {
  auto* u = find(what.to.user);
  auto* e = u ? u->in.find(what.to.endpoint) : nullptr;
  if (e)
    x_fx.tell(e->session, what.what);
}

// -- at the recipient's shard
// ----------------------------------------------------------

void routing::receive(routed_im what, moment now) {
  x_now = now;
  auto& u = at(what.to.user);
  if (u.head == user::knowledge::known) {
    route(u, std::move(what), now);
    forget_if_idle(u);
    return;
  }
  if (what.again
    && std::any_of(u.queue.begin(), u.queue.end(),
      [&what](const routed_im& x) { return x.from == what.from; }))
    return;
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
  if (what.again && recipient.in.holds_unsettled(what.from))
    return;
  if (what.over_rate) {
    failure f{errc::rate_limited};
    f.limit = x_rules.im_rate;
    f.retry_after = *what.over_rate;
    refuse(std::move(f));
    return;
  }
  x_choice.session = what.chooses;
  if (what.chooses != session_id{})
    x_choice = {what.message->from.user, what.chooses, what.to.user};
  auto from = what.from;
  if (auto why = recipient.in.accept(std::move(what.message),
        std::move(what.to), from, what.of_broadcast, now, x_rules))
    settle(from, outcome{outcome::kind::rejected, std::move(*why)});
  else
    ++x_counters.accepted;
}

void routing::accepted(const origin& from) {
  if (x_choice.session == session_id{})
    return;
  if (x_owns(from.slot))
    receive(x_choice, x_now);
  else
    x_fx.forward(from.slot, x_choice);
}

void routing::acknowledge(
  session_id session, std::span<const acknowledged_im> what, moment now) {
  x_now = now;
  if (auto* u = of_session(session))
    u->in.acknowledge(session, what, now, x_rules);
}

void routing::receive(const routed_typing& what, moment now) {
  x_now = now;
  auto* u = find(what.to.user);
  if (!u)
    return;
  for (auto s : u->in.targets(what.from, what.to, now, x_rules))
    x_fx.tell(s, typing_notice{what.from});
}

// -- what inboxes ask for
// ----------------------------------------------------------------

void routing::hand_out(session_id to, delivery what) {
  ++x_counters.copies;
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

// -- from the store
// ------------------------------------------------------------------------

void routing::page_found(const user_address& of, session_id for_whom,
  im_order from, result<std::vector<stored_im>> page, bool complete,
  moment now) {
  x_now = now;
  auto* u = find(of);
  if (!u)
    return;
  u->in.page_read(for_whom, from,
    page ? std::move(*page) : std::vector<stored_im>{}, page && complete, now,
    x_rules);
  forget_if_idle(*u);
}

void routing::written(
  const store_operation& what, const failure& why, moment now) {
  x_now = now;
  --x_unwritten;
  if (auto* p = std::get_if<put_im>(&what)) {
    if (auto* u = find(p->what.recipient))
      u->in.committed(p->what.order, why, now, x_rules);
  } else if (auto* r = std::get_if<remove_im>(&what)) {
    if (why.code != errc::none)
      x_failed_removals.push_back(what);
    else if (auto* u = find(r->recipient)) {
      u->in.removed(r->order, now, x_rules);
      forget_if_idle(*u);
    }
  } else if (why.code != errc::none) {
    x_failed_removals.push_back(what);
  }
}

void routing::expire(
  std::span<const std::pair<user_address, im_order>> what, moment now) {
  x_now = now;
  for (const auto& [name, order] : what) {
    auto* u = find(name);
    if (u && u->head == user::knowledge::known) {
      x_counters.expired += u->in.expire(order, now, x_rules);
    } else {
      ++x_counters.expired;
      remove(remove_im{name, order});
    }
  }
}

// -- time
// ------------------------------------------------------------------------------------

void routing::sweep(moment now) {
  x_now = now;
  auto grace_time = milliseconds{x_rules.im_grace_ms};
  while (
    !x_graces.empty() && now.steady - x_graces.front().since >= grace_time) {
    auto g = x_graces.front();
    x_graces.pop_front();
    --g.whose->graces;
    g.whose->in.grace_passed(g.order, g.holder, now, x_rules);
  }
  for (auto& x : std::exchange(x_failed_removals, {})) {
    ++x_unwritten;
    x_fx.write(std::move(x));
  }
  if (now.steady < x_next_cleaning)
    return;
  x_next_cleaning = now.steady + defaults::cleaning_interval;
  for (auto i = x_users.begin(); i != x_users.end();) {
    auto& u = *i->second;
    u.sent.expire(now.steady);
    u.in.sweep(now, x_rules);
    if (u.is_idle())
      i = x_users.erase(i);
    else
      ++i;
  }
}

void routing::stop(moment now) {
  x_now = now;
  x_stopping = true;
  for (auto& [name, u] : x_users)
    u->in.store_all();
}

bool routing::is_settled() const noexcept {
  return x_pending.empty() && x_unwritten == 0;
}

size_t routing::give_up() {
  std::vector<uint64_t> left;
  for (const auto& [ticket, p] : x_pending)
    left.push_back(ticket);
  for (auto t : left)
    finish(t, outcome{outcome::kind::rejected, failure{errc::server_stopping}},
      x_now);
  return left.size();
}

} // namespace parley
