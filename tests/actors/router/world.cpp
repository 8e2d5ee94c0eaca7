#include "tests/actors/router/world.hpp"

#include <algorithm>

#include "tests/actors/router/world_user.hpp"

namespace parley::test {

namespace {

constexpr uint64_t small_body = 3;
constexpr uint64_t large_body = 15;

availability shown_as(shown what, int priority) {
  constexpr parley::show shows[] = {parley::show::available, parley::show::away,
    parley::show::dnd, parley::show::unavailable};
  return availability{
    shows[static_cast<int>(what)], {}, static_cast<int8_t>(priority)};
}

} // namespace

world::world(settings how) : x_how(how) {
  x_rules.im_idle_release_ms = how.rules.idle_ms;
  x_rules.im_offline_max = how.rules.quota;
  x_rules.im_store_offline = how.rules.store_offline;
  for (int i = 0; i < how.users; ++i)
    x_users.push_back(std::make_unique<user>(*this, i, how));
}

world::~world() = default;

moment world::now() {
  return {std::chrono::steady_clock::time_point{
            std::chrono::milliseconds{x_steady_ms}},
    x_wall_us};
}

void world::blame(const user& u, std::string what) {
  if (x_fault.empty())
    x_fault = user_name(u.rules.self).str() + " at '" + to_string(x_doing)
      + "': " + std::move(what);
}

bool world::happen(const happening& x, bool look) {
  using kind = happening::kind;
  auto& u = *x_users[x.user];
  x_doing = x;
  ++x_steady_ms;
  ++x_steps;
  x_wall_us += !x_how.bad_clock ? 1'000 : x_steps % 7 == 0 ? -2 : 0;
  bool happened = true;
  switch (x.what) {
  case kind::sign_in:
    happened = sign_in(u, x.endpoint);
    break;
  case kind::send:
  case kind::send_large:
  case kind::send_broadcast:
  case kind::send_payload:
  case kind::send_private:
    happened = submit(u, x);
    break;
  case kind::acknowledge:
    happened = acknowledge(u, x.endpoint, x.arg);
    break;
  case kind::acknowledge_late:
    happened = acknowledge_late(u);
    break;
  case kind::grace:
    happened = grace(u, x.arg);
    break;
  case kind::write:
    happened = write(u, x.arg != 0);
    break;
  case kind::apply:
    happened = !u.store.writes.empty();
    if (happened)
      u.store.apply(x.arg != 0);
    break;
  case kind::notify:
    happened = notify(u);
    break;
  case kind::read_now:
    happened = read_now(u, x.arg);
    break;
  case kind::answer:
  case kind::fail_read:
    happened = answer(u, x.arg, x.what == kind::fail_read);
    break;
  case kind::idle:
    x_steady_ms += x_how.rules.idle_ms;
    break;
  case kind::sweep:
    for (size_t p = 0; p < x_users.size(); ++p)
      u.rules.notice_idle(static_cast<int>(p), x_steady_ms);
    u.stalled.clear();
    u.in->sweep(now(), x_rules);
    break;
  case kind::expire:
    happened = expire(u, x.arg);
    break;
  case kind::remove_account:
    happened = remove_account(u);
    break;
  case kind::forget:
    happened = forget(u);
    break;
  case kind::stop:
    u.may_put = true;
    u.in->store_all();
    u.may_put = false;
    for (const auto& y : u.rules.ims)
      if (y.waits && y.where == model_im::place::memory)
        blame(u, "stops without storing");
    break;
  default:
    happened = on_endpoint(u, x);
  }
  if (happened)
    for (auto& p : x_users) {
      p->compare_outcomes();
      if (look)
        check(*p);
    }
  return happened;
}

bool world::sign_in(user& u, int name) {
  if (u.rules.named(name))
    return false;
  model_endpoint e;
  e.session = x_next_session++;
  e.name = name;
  e.window_messages = x_how.granted.messages;
  e.window_bytes = x_how.granted.bytes;
  u.rules.endpoints.push_back(e);
  u.in->join({e.session}, endpoint_of(name), availability{}, x_how.granted,
    now(), x_rules);
  return true;
}

bool world::on_endpoint(user& u, const happening& x) {
  using kind = happening::kind;
  const auto* found = u.rules.named(x.endpoint);
  if (!found)
    return false;
  auto& e = *u.rules.find(found->session);
  session_id s{e.session};
  if (x.what == kind::sign_out) {
    for (const auto& y : u.rules.ims)
      if (const auto* c = y.copy_of(s.value); c && !c->acknowledged)
        u.ghosts.emplace_back(s, acknowledged_im{{y.order}, u.bodies[y.order]});
    u.rules.leave(s.value);
    u.in->leave(s, now(), x_rules);
    return true;
  }
  if (x.what == kind::resume) {
    if (e.connected)
      return false;
    u.rules.resume(s.value);
    u.in->resume(s, window{e.window_messages, e.window_bytes}, now(), x_rules);
    return true;
  }
  if (!e.connected)
    return false;
  switch (x.what) {
  case kind::suspend:
    e.connected = false;
    std::erase_if(
      u.running, [s](const auto& r) { return r.second == s.value; });
    u.in->suspend(s, now(), x_rules);
    return true;
  case kind::show:
  case kind::priority: {
    auto what = x.what == kind::show ? static_cast<shown>(x.arg) : e.show;
    auto priority = x.what == kind::priority ? x.arg : e.priority;
    if (what == e.show && priority == e.priority)
      return false;
    u.rules.show(s.value, what, priority);
    u.in->set_availability(s, shown_as(what, priority), now(), x_rules);
    return true;
  }
  case kind::copies:
    if (e.copies == (x.arg != 0))
      return false;
    e.copies = x.arg != 0;
    u.in->set_copies(s, e.copies);
    return true;
  default: {
    constexpr window windows[] = {{0, 20}, {1, 20}, {4, 5}, {100, 10'000}};
    auto w = windows[x.arg];
    if (e.window_messages == w.messages && e.window_bytes == w.bytes)
      return false;
    e.window_messages = w.messages;
    e.window_bytes = w.bytes;
    u.in->set_window(s, w, now(), x_rules);
    return true;
  }
  }
}

bool world::submit(user& u, const happening& x) {
  using kind = happening::kind;
  const auto* e = u.rules.named(x.endpoint);
  int users = static_cast<int>(x_users.size());
  int peer = x.arg < 4 ? (u.rules.self + 1) % users
    : x.arg < 8        ? u.rules.self
                       : (u.rules.self + 2) % users;
  // Also from a session that was suspended just after.
  if (!e || (x.arg == 8 && peer == u.rules.self))
    return false;
  send s;
  s.from = &u;
  s.to = x_users[peer].get();
  s.session = {e->session};
  s.chooses = x.what == kind::send || x.what == kind::send_large
    || x.what == kind::send_private;
  s.copies = x.what != kind::send_private;
  s.what.ticket = x_next_ticket++;
  s.what.from_user = u.rules.self;
  s.what.from_endpoint = e->name;
  s.what.to = x.arg == 8 ? no_endpoint : x.arg % 4 - 1;
  s.what.bytes = x.what == kind::send_large ? large_body : small_body;
  im message;
  message.id.value = std::to_string(s.what.ticket);
  message.from = {user_name(u.rules.self), endpoint_of(e->name)};
  if (x.what == kind::send_payload)
    message.payloads.push_back({"mark", std::string(s.what.bytes, 'x')});
  else
    message.body.assign(s.what.bytes, 'x');
  address to{user_name(peer), endpoint_of(s.what.to)};

  u.rules.touch(peer, x_steady_ms);
  u.in->touch(to.user, now());
  s.would_choose = s.chooses
    && (!x_how.asks_first
      || u.in->would_choose(s.session, to.user, now(), x_rules));
  auto& r = *s.to;
  r.rules.notice_idle(u.rules.self, x_steady_ms);
  auto due = r.rules.judge(s.what);
  x_sending = &s;
  auto why = r.in->accept(shared<im>{std::move(message)}, std::move(to),
    origin{0, s.what.ticket}, x.what == kind::send_broadcast, now(), x_rules,
    s.copies);
  x_sending = nullptr;
  auto got = !why                          ? verdict::taken
    : why->code == errc::recipient_offline ? verdict::recipient_offline
                                           : verdict::quota_exceeded;
  bool excused = r.inexact
    && (due == verdict::quota_exceeded || got == verdict::quota_exceeded);
  if ((got != due && !excused) || s.accepted != (got == verdict::taken))
    blame(r, "judged otherwise than expected");
  // Others may have it after the grace time, even if that one is suspended.
  const auto* addressed =
    s.what.to == no_endpoint ? nullptr : r.rules.named(s.what.to);
  if (s.accepted && addressed && addressed->there()
    && !r.running.contains({s.what.order, 0}))
    blame(r, "keeps for one endpoint without a grace time");
  check_copied(r, s);
  return true;
}

/// Whoever wants a copy has one, unless the inbox cannot know that nothing of
/// the conversation came before.
void world::check_copied(user& u, const send& s) {
  const auto* x = s.accepted ? u.rules.find_im(s.what.order) : nullptr;
  if (!x || !s.copies || u.reads_more || u.inexact || !u.store.reads.empty()
    || u.rules.any_on_disk_alone())
    return;
  for (const auto& e : u.rules.endpoints)
    if (u.rules.may_be_copied(*x, e) && !x->copy_of(e.session)
      && u.rules.has_room(e, x->bytes))
      blame(u, "no copy for who wants one");
}

bool world::grace(user& u, int which) {
  if (which >= static_cast<int>(u.watches.size()))
    return false;
  auto w = u.watches[which];
  u.watches.erase(u.watches.begin() + which);
  auto due = u.rules.grace_passed(w.order.value, w.holder.value);
  u.may_put = true;
  u.in->grace_passed(w.order, w.holder, now(), x_rules);
  u.may_put = false;
  auto* x = u.rules.find_im(w.order.value);
  if (x && x->waits && x->where == model_im::place::memory)
    blame(u, "not stored when its grace time passed");
  std::sort(due.begin(), due.end());
  std::sort(u.probed.begin(), u.probed.end());
  if (u.probed != due)
    blame(u, "probed others than let the grace time pass");
  u.probed.clear();
  return true;
}

bool world::acknowledge(user& u, int name, int which) {
  const auto* e = u.rules.named(name);
  if (!e || !e->connected)
    return false;
  std::vector<acknowledged_im> what;
  for (auto& x : u.rules.ims)
    if (auto* c = x.copy_of(e->session); c && !c->acknowledged)
      what.push_back({{x.order}, u.bodies[x.order]});
  if (what.empty() || (which > 0 && what.size() == 1))
    return false;
  if (which == 0)
    what.resize(1);
  else if (which == 1)
    what.erase(what.begin(), what.end() - 1);
  for (auto& a : what) {
    auto& x = *u.rules.find_im(a.order.value);
    x.copy_of(e->session)->acknowledged = true;
    if (x.waits)
      u.ends(x, outcome::kind::delivered);
  }
  u.in->acknowledge({e->session}, what, now(), x_rules);
  return true;
}

bool world::acknowledge_late(user& u) {
  if (u.ghosts.empty())
    return false;
  auto [session, what] = u.ghosts.front();
  u.ghosts.erase(u.ghosts.begin());
  auto* x = u.rules.find_im(what.order.value);
  u.reads_more = true;
  if (x && x->waits)
    u.ends(*x, outcome::kind::delivered);
  else
    u.inexact = true;
  u.in->acknowledge(session, {&what, 1}, now(), x_rules);
  return true;
}

} // namespace parley::test
