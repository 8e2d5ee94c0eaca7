#include "actors/router/routing_state.hpp"

#include <algorithm>
#include <unordered_set>

#include <boost/container/small_vector.hpp>

#include "protocol/defaults.hpp"
#include "protocol/defaults_memory.hpp"

namespace parley {

using std::chrono::milliseconds;

namespace {

/// Grace times that are looked at for one that is over: most are of IMs that
/// wait no longer.
constexpr size_t looks_a_grace = 256;

} // namespace

uint32_t slot_of(const user_address& user) noexcept {
  return slot_of_hash(user.hash());
}

uint32_t slot_of_hash(uint64_t h) noexcept {
  h ^= h >> 32;
  return static_cast<uint32_t>(h % defaults::directory_slots);
}

routing::routing(
  effects& fx, std::function<bool(uint32_t)> owns, size_t traced_ims)
  : x_fx(fx), x_owns(std::move(owns)), x_trace(traced_ims) {}

routing::~routing() = default;

// -- users

routing::user& routing::at(const user_address& name) {
  auto& p = x_users[name];
  if (!p) {
    inbox::effects& fx = *this;
    // Odd steps of the golden ratio (Weyl): never twice in 2^64.
    p = std::make_unique<user>(name, x_next_salt += 0x9e3779b97f4a7c15, fx);
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
  begin(now);
  auto* u = find(of);
  if (!u || u->head != user::knowledge::asked)
    return;
  if (head) {
    u->head = user::knowledge::known;
    // Made while the store was asked.
    u->exists |= head->exists;
    u->domain_known |= head->domain_known;
    u->removed_at = std::max(u->removed_at, head->removed_at);
    u->in.load(*head);
    if (!u->roster_told)
      u->roster = {head->roster, head->contacts, head->watchers, head->requests,
        head->blocks};
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
      settle(x.from,
        outcome{outcome::kind::rejected,
          failure{errc::store_failed, head.error().text}});
  }
  forget_if_idle(*u);
}

const roster_summary* routing::roster_of(const user_address& name) const {
  auto* u = find(name);
  return u && u->head == user::knowledge::known && u->exists ? &u->roster
                                                             : nullptr;
}

bool routing::knows_domain_of(const user_address& name) const noexcept {
  auto* u = find(name);
  return u && u->domain_known;
}

uint64_t routing::removed_at(const user_address& name) const noexcept {
  auto* u = find(name);
  return u ? u->removed_at : 0;
}

void routing::set_roster(const user_address& name, roster_summary what) {
  if (auto* u = find(name)) {
    u->roster = std::move(what);
    u->roster_told = true;
  }
}

void routing::forget_if_idle(user& u) {
  if (u.is_idle())
    x_users.erase(u.in.user());
}

void routing::account_added(const user_address& name) {
  if (auto* u = find(name))
    u->exists = u->domain_known = true;
  x_failed_removals.drop_account(name);
}

std::vector<session_id> routing::remove_account(
  const user_address& name, audit_entry line, moment now) {
  begin(now);
  std::vector<session_id> ended;
  x_fx.write(store_operation{
    parley::remove_account{name, std::move(line), now.wall_us}});
  ++x_unwritten;
  // Kept until that is written: the disk still knows the account.
  auto* u = &at(name);
  ++u->removals;
  // What is removed once more has no later end.
  if (u->exists || u->head != user::knowledge::known)
    u->removed_at = std::max(u->removed_at, now.wall_us);
  u->head = user::knowledge::known;
  for (auto& [ticket, p] : x_pending)
    p.forget |= p.sender == u;
  u->in.clear();
  u->exists = false;
  u->roster = {};
  x_remembered -= u->sent.size();
  u->sent = {};
  for (const auto& e : u->in.endpoints())
    ended.push_back(e.session);
  auto queue = std::exchange(u->queue, {});
  for (auto& then : std::exchange(u->askers, {}))
    then(false);
  for (auto& x : queue)
    settle(
      x.from, outcome{outcome::kind::rejected, failure{errc::no_such_user}});
  return ended;
}

// -- sessions

void routing::join(const user_address& name, session_id session,
  endpoint_name endpoint, availability what, window granted, moment now) {
  begin(now);
  auto& u = at(name);
  x_sessions[session] = &u;
  u.in.join(
    session, std::move(endpoint), std::move(what), granted, now, x_rules);
}

void routing::leave(session_id session, moment now) {
  begin(now);
  auto i = x_sessions.find(session);
  if (i == x_sessions.end())
    return;
  auto* u = i->second;
  x_trace.session_ended(session, name_of(session));
  x_sessions.erase(i);
  // Nobody awaits what has not been judged.
  if (auto b = x_begun.find(session); b != x_begun.end()) {
    x_broadcasts.erase(b->second.id);
    x_begun.erase(b);
  }
  // Stays until the next cleaning: who replaces it joins right after this.
  u->in.leave(session, now, x_rules);
}

void routing::suspend(session_id session, moment now) {
  begin(now);
  if (auto* u = of_session(session))
    u->in.suspend(session, now, x_rules);
}

void routing::resume(session_id session, window granted, moment now) {
  begin(now);
  if (auto* u = of_session(session))
    u->in.resume(session, granted, now, x_rules);
}

void routing::set_availability(
  session_id session, availability what, moment now) {
  begin(now);
  if (auto* u = of_session(session))
    u->in.set_availability(session, std::move(what), now, x_rules);
}

void routing::set_window(session_id session, window granted, moment now) {
  begin(now);
  if (auto* u = of_session(session))
    u->in.set_window(session, granted, now, x_rules);
}

void routing::set_copies(session_id session, bool wanted) {
  if (auto* u = of_session(session))
    u->in.set_copies(session, wanted);
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

// -- from the store

void routing::page_found(const user_address& of, session_id for_whom,
  im_order from, result<std::vector<stored_im>> page, bool complete,
  moment now) {
  begin(now);
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
  begin(now);
  --x_unwritten;
  if (auto* p = std::get_if<put_im>(&what)) {
    bool done = why.code == errc::none;
    x_counters.offline_stored += done;
    x_trace.happened(done ? trace_kind::written : trace_kind::write_failed,
      p->what.recipient, p->what.order, {}, why.code);
    if (auto* u = find(p->what.recipient))
      u->in.committed(p->what.order, why, now, x_rules);
  } else if (why.code != errc::none) {
    x_failed_removals.refused(what, now.steady);
  } else {
    x_failed_removals.done(what);
    if (auto* r = std::get_if<remove_im>(&what)) {
      if (auto* u = find(r->recipient)) {
        u->in.removed(r->order, now, x_rules);
        forget_if_idle(*u);
      }
    } else if (auto* a = std::get_if<parley::remove_account>(&what)) {
      if (auto* u = find(a->user)) {
        // The disk knows it no more, however often it was tried.
        u->removals = 0;
        forget_if_idle(*u);
      }
    }
  }
}

void routing::expire(
  std::span<const std::pair<user_address, im_order>> what, moment now) {
  begin(now);
  for (const auto& [name, order] : what) {
    auto* u = find(name);
    bool is_loaded = u && u->head == user::knowledge::known;
    if (is_loaded && !u->in.expire(order, now, x_rules))
      continue;
    remove_im removal{name, order};
    // It is found again until the disk has let it go.
    if (!x_failed_removals.begun(removal))
      continue;
    if (!is_loaded)
      remove(std::move(removal));
    ++x_counters.expired;
    x_trace.happened(trace_kind::expired, name, order);
  }
}

// -- time

bool routing::pass_graces(moment now, size_t max) {
  begin(now);
  const auto grace_time = milliseconds{x_rules.im_grace_ms};
  const auto is_due = [&] {
    return !x_graces.empty()
      && now.steady - x_graces.front().since >= grace_time;
  };
  for (auto looks = max * looks_a_grace; max > 0 && looks > 0 && is_due();
       --looks) {
    auto g = x_graces.front();
    x_graces.pop_front();
    --g.whose->graces;
    if (!g.whose->in.grace_passed(g.order, g.holder, now, x_rules))
      continue;
    --max;
    ++x_counters.graces_passed;
    x_trace.happened(
      trace_kind::grace_passed, g.whose->in.user(), g.order, g.holder);
  }
  return !is_due();
}

bool routing::sweep(moment now, size_t graces) {
  const bool all = pass_graces(now, graces);
  remove_again(now.steady);
  if (now.steady < x_next_cleaning)
    return all;
  x_next_cleaning = now.steady + defaults::cleaning_interval;
  x_conversation_bytes = 0;
  for (auto i = x_users.begin(); i != x_users.end();) {
    auto& u = *i->second;
    x_remembered -= u.sent.size();
    u.sent.expire(now.steady);
    x_remembered += u.sent.size();
    u.in.sweep(now, x_rules);
    x_conversation_bytes += u.in.conversation_bytes();
    if (u.is_idle())
      i = x_users.erase(i);
    else
      ++i;
  }
  return all;
}

void routing::remove_again(std::chrono::steady_clock::time_point due) {
  for (auto& x : x_failed_removals.due(due)) {
    ++x_unwritten;
    x_fx.write(std::move(x));
  }
}

void routing::stop(moment now) {
  begin(now);
  x_stopping = true;
  // The next start would hand out what was acknowledged.
  remove_again(failed_removals::time_point::max());
  for (auto& [name, u] : x_users)
    u->in.store_all();
}

bool routing::is_settled() const noexcept {
  return x_pending.empty() && x_begun.empty() && x_unwritten == 0;
}

uint64_t routing::held_bytes() const noexcept {
  return x_pending.size() * defaults::pending_im_bytes
    + x_users.size() * defaults::routed_user_bytes + x_conversation_bytes
    + x_broadcast_bytes.value();
}

size_t routing::give_up() {
  x_has_given_up = true;
  auto left = x_pending.size();
  for (auto& [name, u] : x_users)
    for (const auto& x : std::exchange(u->queue, {}))
      settle(x.from, refused_by_stop());
  // One whose id is being looked up may be a retry of what is on disk.
  std::vector<uint64_t> in_line;
  for (const auto& [ticket, p] : x_pending)
    if (p.in_line && !p.asking)
      in_line.push_back(ticket);
  for (auto t : in_line)
    finish(t, refused_by_stop(), x_now);
  return left;
}

} // namespace parley
