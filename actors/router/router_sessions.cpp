#include <algorithm>
#include <cstring>
#include <functional>
#include <iterator>

#include <openssl/crypto.h>

#include "actors/router/router.hpp"
#include "protocol/defaults.hpp"
#include "protocol/defaults_memory.hpp"

// A router's sessions: how they begin, are suspended, and end.
namespace parley {

using std::chrono::milliseconds;

namespace {

/// A session's id: its router's index above, a running number below.
constexpr unsigned index_shift = 48;

void refuse_for_stop(client_link& x) {
  failure f{errc::server_stopping};
  f.retry_after = defaults::come_back_min;
  x.refuse(f);
}

std::string hex(std::string_view octets) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (unsigned char c : octets) {
    text += digits[c >> 4];
    text += digits[c & 15];
  }
  return text;
}

} // namespace

std::string resume_token::str() const {
  std::string x(sizeof(session.value), '\0');
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<char>(session.value >> 8 * (x.size() - 1 - i));
  return x + proof;
}

resume_token resume_token::parse(std::string_view octets) noexcept {
  resume_token x;
  if (octets.size() != sizeof(x.session.value) + defaults::token_bytes)
    return x;
  for (size_t i = 0; i < sizeof(x.session.value); ++i)
    x.session.value =
      x.session.value << 8 | static_cast<unsigned char>(octets[i]);
  x.proof = octets.substr(sizeof(x.session.value));
  return x;
}

size_t router_of(session_id x) noexcept {
  return static_cast<size_t>(x.value >> index_shift);
}

void router_state::sign_in(local_sign_in x) {
  auto user = x.what.user;
  rules->with_user(user, [this, x = std::move(x)](result<bool> exists) mutable {
    if (!exists)
      x.link->refuse(exists.error());
    else if (!*exists)
      x.link->refuse(failure{errc::authentication_failed});
    else
      make_session(x);
  });
}

std::optional<failure> router_state::make_room(
  const user_address& user, const endpoint_name& name) {
  auto endpoints = rules->endpoints(user);
  if (auto i = std::find_if(endpoints.begin(), endpoints.end(),
        [&name](const auto& e) { return e.name == name; });
      i != endpoints.end()) {
    end(i->session, failure{errc::replaced});
    return std::nullopt;
  }
  auto max = config.rules->session_endpoints_max;
  if (endpoints.size() < max)
    return std::nullopt;
  const entry* oldest = nullptr;
  session_id gives_way;
  for (const auto& e : endpoints) {
    auto* x = find(e.session);
    if (x && !x->connected
      && (!oldest || x->suspended_at < oldest->suspended_at)) {
      oldest = x;
      gives_way = e.session;
    }
  }
  if (!oldest) {
    failure f{errc::too_many_endpoints};
    f.limit = max;
    f.value = endpoints.size() + 1;
    ++x_limits->endpoints;
    return f;
  }
  end(gives_way, failure{errc::expired});
  return std::nullopt;
}

void router_state::make_session(local_sign_in& x) {
  if (x_stopping) {
    refuse_for_stop(*x.link);
    return;
  }
  auto& what = x.what;
  if (what.endpoint.empty())
    what.endpoint = endpoint_name::from_prepared(
      hex(config.world->random_octets(defaults::made_up_name_bytes)));
  if (auto f = make_room(what.user, what.endpoint)) {
    x.link->refuse(*f);
    return;
  }
  session_id id{config.index << index_shift | x_next_session++};
  entry e;
  e.self = address{what.user, what.endpoint};
  e.proof = config.world->random_octets(defaults::token_bytes);
  e.protocol = what.protocol;
  e.info = session_info{e.self, id, what.presence, true, what.software,
    what.peer, what.transport, config.world->wall_clock()};
  session_config c;
  c.id = id;
  c.self = e.self;
  c.wanted = what.wanted;
  c.token = resume_token{id, e.proof}.str();
  c.rules = config.rules;
  c.counters = x_presence;
  if (config.budget)
    c.book = config.budget->of(config.index);
  c.limits = x_limits;
  e.untaken = c.untaken = std::make_shared<uint64_t>(0);
  e.taken = c.taken = std::make_shared<uint64_t>(0);
  e.handle =
    self->spawn<caf::monitored>(session, std::move(c), router_actor{self});
  self->send(e.handle, attach_link{std::move(x.link), e.attachment, {}, false});
  x_by_address.emplace(e.handle.address(), id);
  x_entries.emplace(id, std::move(e));
  x_round.add(id);
  rules->join(what.user, id, what.endpoint, what.presence,
    ims_window(what.wanted, *config.rules), now());
  join_roster(id, x_entries.at(id));
}

void router_state::resume(const local_resume& x) {
  auto token = resume_token::parse(x.what.token);
  auto* e = find(token.session);
  bool is_own = e && e->protocol == x.what.protocol
    && (x.what.by.empty() || x.what.by == e->self.user);
  bool fits = is_own && e->proof.size() == token.proof.size()
    && CRYPTO_memcmp(e->proof.data(), token.proof.data(), token.proof.size())
      == 0;
  if (!fits || x_stopping) {
    failure why{errc::resume_failed,
      x_stopping ? "the server stops"
                 : "the session is unknown here or has expired"};
    if (!e && x.what.protocol == wire_protocol::xmpp)
      why.value = x_ended.done(token.session, token.proof, x.what.by);
    x.link->refuse(why);
    return;
  }
  bool was_suspended = !e->connected;
  e->connected = true;
  waits_no_more(*e);
  e->info.peer = x.what.peer;
  e->info.transport = x.what.transport;
  self->send(
    e->handle, attach_link{x.link, ++e->attachment, x.what.last_event, true});
  tell_roster(e->self.user, endpoint_resumed{token.session});
  if (was_suspended) {
    auto* endpoint = rules->find_endpoint(e->self);
    rules->resume(
      token.session, endpoint ? endpoint->granted : window{}, now());
  }
}

void router_state::suspended(const session_suspended& x) {
  auto* e = find(x.from);
  if (!e || e->attachment != x.attachment || !e->connected)
    return;
  e->connected = false;
  e->suspended_at = self->clock().now();
  rules->suspend(x.from, now());
  if (config.rules->session_resume_window_ms == 0 || x.for_good || x_stopping)
    return end(x.from, failure{errc::expired});
  e->waits = x_suspended.insert(x_suspended.end(), x.from);
}

void router_state::waits_no_more(entry& e) {
  if (e.waits)
    x_suspended.erase(*e.waits);
  e.waits.reset();
}

bool router_state::end_suspended(
  std::chrono::steady_clock::time_point now, size_t max) {
  const milliseconds window{config.rules->session_resume_window_ms};
  const auto is_due = [&] {
    return !x_suspended.empty()
      && now - find(x_suspended.front())->suspended_at >= window;
  };
  for (; max > 0 && is_due(); --max)
    end(session_id{x_suspended.front()}, failure{errc::expired});
  return !is_due();
}

void router_state::end(session_id id, const failure& why) {
  auto i = x_entries.find(id);
  if (i == x_entries.end())
    return;
  if (!i->second.output.what.empty())
    self->send(i->second.handle, std::move(i->second.output));
  if (i->second.protocol == wire_protocol::xmpp)
    x_ended.add(id, i->second.proof, i->second.self.user);
  self->send(i->second.handle, end_session{why});
  self->demonitor(i->second.handle.address());
  tell_roster(i->second.self.user, endpoint_left{id});
  x_by_address.erase(i->second.handle.address());
  waits_no_more(i->second);
  x_entries.erase(i);
  drop_put_off(id);
  rules->leave(id, now());
}

void router_state::drop_put_off(session_id id) {
  auto i = x_put_off.find(id);
  if (i == x_put_off.end())
    return;
  auto what = std::move(i->second);
  x_put_off.erase(i);
  for (auto& r : what)
    if (auto* p = std::get_if<pass_on>(&r.what);
        p && p->directed == directed::taken_back)
      rules->pass_last(std::move(*p), now());
}

void router_state::over(session_over& x) {
  if (x.done)
    x_ended.set_done(x.from, *x.done);
  for (auto& p : x.what)
    rules->pass_last(std::move(p), now());
}

void router_state::session_down(const caf::actor_addr& who) {
  auto i = x_by_address.find(who);
  if (i == x_by_address.end())
    return;
  auto id = i->second;
  x_by_address.erase(i);
  if (auto* e = find(id)) {
    tell_roster(e->self.user, endpoint_left{id});
    waits_no_more(*e);
  }
  x_entries.erase(id);
  drop_put_off(id);
  rules->leave(id, now());
}

void router_state::look_at_sessions(std::chrono::steady_clock::time_point now) {
  const bool is_exceeded = x_memory.is_exceeded();
  if (!is_exceeded && !x_memory.is_tight())
    x_tight_since.reset();
  else if (!x_tight_since)
    x_tight_since = now;
  constexpr size_t looks_a_round =
    defaults::session_look_interval / defaults::sweep_interval;
  constexpr size_t looks_to_shrink =
    defaults::session_shrink_interval / defaults::sweep_interval;
  for (auto n = x_round.share(x_tight_since ? looks_a_round : looks_to_shrink);
       n > 0; --n)
    x_round.next([&](session_id id) {
      auto* e = find(id);
      if (!e)
        return false;
      if (now - e->shrunk_at >= defaults::session_shrink_interval / 2) {
        e->shrunk_at = now;
        self->send(e->handle, session_sweep{});
      }
      if (x_tight_since && !is_exceeded)
        watch_untaken(id, *e, now, false);
      return true;
    });
  if (is_exceeded) {
    x_largest.clear();
    for (auto& [id, e] : x_entries)
      watch_untaken(id, e, now, true);
  }
  if (!x_tight_since) {
    x_largest.clear();
    x_chosen.clear();
  } else if (is_exceeded) {
    choose_largest(defaults::budget_ended_at_once);
  } else if (++x_looks >= looks_a_round) {
    x_looks = 0;
    // Where there are few, some are looked at more than once a round.
    std::sort(x_largest.begin(), x_largest.end(),
      [](const auto& a, const auto& b) { return a.second < b.second; });
    x_largest.erase(
      std::unique(x_largest.begin(), x_largest.end(),
        [](const auto& a, const auto& b) { return a.second == b.second; }),
      x_largest.end());
    choose_largest(looks_a_round * defaults::budget_ended_at_once);
  }
  relieve(now, is_exceeded);
}

void router_state::watch_untaken(session_id id, entry& e,
  std::chrono::steady_clock::time_point now, bool is_exceeded) {
  auto holds = *e.untaken;
  if (e.untaken_since < *x_tight_since || holds <= defaults::budget_holder_floor
    || std::exchange(e.taken_seen, *e.taken) != *e.taken)
    e.untaken_since = now;
  // A list goes when nobody is here whose it is.
  if (is_exceeded)
    holds += x_roster_weights->excess_of(e.self.user);
  else if (now - e.untaken_since < defaults::budget_patience)
    return;
  if (holds > defaults::budget_holder_floor)
    x_largest.emplace_back(holds, id);
}

void router_state::choose_largest(size_t max) {
  const auto n = std::min(max, x_largest.size());
  const auto end = x_largest.begin() + static_cast<ptrdiff_t>(n);
  std::partial_sort(x_largest.begin(), end, x_largest.end(), std::greater{});
  x_chosen.assign(std::make_reverse_iterator(end), x_largest.rend());
  x_largest.clear();
}

void router_state::relieve(
  std::chrono::steady_clock::time_point now, bool is_exceeded) {
  for (size_t n = 0; n < defaults::budget_ended_at_once && !x_chosen.empty();) {
    const auto [bytes, id] = x_chosen.back();
    x_chosen.pop_back();
    const auto* e = find(id);
    if (!e)
      continue;
    // It may have taken something since.
    if (!is_exceeded
      && (*e->untaken <= defaults::budget_holder_floor
        || *e->taken != e->taken_seen
        || now - e->untaken_since < defaults::budget_patience))
      continue;
    failure why{errc::overloaded,
      "the server is short of memory, and this client holds much of it"};
    why.value = bytes;
    why.retry_after = defaults::budget_retry_after;
    ++config.budget->ended_sessions;
    end(id, why);
    ++n;
  }
}

uint64_t router_state::kick(const address& whom) {
  std::vector<session_id> ids;
  for (const auto& e : rules->endpoints(whom.user))
    if (!whom.is_full() || e.name == whom.endpoint)
      ids.push_back(e.session);
  for (auto id : ids)
    end(id, failure{errc::kicked});
  return ids.size();
}

void router_state::drop_tokens(const user_address& whom) {
  std::vector<session_id> over;
  for (const auto& e : rules->endpoints(whom)) {
    auto* x = find(e.session);
    if (x && x->connected)
      x->proof.clear(); // fits no token
    else
      over.push_back(e.session);
  }
  for (auto id : over)
    end(id, failure{errc::expired});
}

void router_state::remove_account(const user_address& whom,
  const audit_entry& line,
  caf::typed_response_promise<account_removed> promise) {
  dissolve_roster(
    whom, [this, whom, line, promise](const failure& why) mutable {
      // The next start would not know whom to tell.
      if (why.code != errc::none) {
        promise.deliver(account_removed{0, why});
        return;
      }
      x_removals.emplace(whom, promise);
      for (auto id : rules->remove_account(whom, line, now()))
        end(id, failure{errc::account_removed});
      flush();
    });
}

router_report router_state::report() {
  router_report x;
  for (auto& [id, e] : x_entries) {
    e.info.connected = e.connected;
    x.sessions.push_back(e.info);
  }
  std::sort(x.sessions.begin(), x.sessions.end(),
    [](const auto& a, const auto& b) { return a.self < b.self; });
  x.counters = rules->counters();
  return x;
}

router_counts router_state::counts() const {
  router_counts x;
  for (const auto& [id, e] : x_entries)
    ++(e.connected ? x.connected : x.suspended);
  x.users = rules->users();
  x.pending_ims = rules->pending_ims();
  x.pending_bytes = rules->pending_bytes();
  x.unwritten = rules->unwritten();
  x.counters = rules->counters();
  x.presence = *x_presence;
  x.limits = *x_limits;
  x.documents = x_documents;
  return x;
}

} // namespace parley
