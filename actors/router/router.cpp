#include "actors/router/router.hpp"

#include <algorithm>
#include <cstring>

#include <openssl/crypto.h>

#include "protocol/defaults.hpp"

namespace parley {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

/// A session's id: its router's index above, a running number below.
constexpr unsigned index_shift = 48;

/// What one handler mostly has for a session at once.
constexpr size_t few_events = 4;

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

router_state::router_state(
  pinned_pointer<local_router_actor, router_state> parent)
  : self(parent) {}

void router_state::init(router_config x) {
  config = std::move(x);
  auto owns = [index = config.index, n = config.routers](
                uint32_t slot) { return slot % n == index; };
  rules = std::make_unique<routing>(*this, owns, config.traced_ims);
  rules->set_policy(*config.rules);
  rules->ids_on_disk().start(config.known_ids);
  take_sharing();
}

moment router_state::now() {
  return moment{self->clock().now(), config.world->wall_clock_us()};
}

// -- gathering

router_state::entry* router_state::find(session_id id) {
  auto i = x_entries.find(id);
  return i == x_entries.end() ? nullptr : &i->second;
}

router_state::entry& router_state::gather(session_id id, entry& e) {
  if (e.output.what.empty()) {
    x_dirty.push_back(id);
    e.output.what.reserve(few_events);
  }
  return e;
}

void router_state::hand_out(session_id to, delivery what) {
  if (auto* e = find(to))
    gather(to, *e).output.what.emplace_back(std::move(what));
}

void router_state::tell(session_id to, event what) {
  if (auto* e = find(to))
    gather(to, *e).output.what.emplace_back(std::move(what));
}

void router_state::probe(session_id whom) {
  if (auto* e = find(whom))
    self->send(e->handle, probe_client{});
}

void router_state::forward(uint32_t slot, routed_im what) {
  self->send(others->at(slot), std::move(what));
}

void router_state::forward(uint32_t slot, routed_outcome what) {
  self->send(others->at(slot), std::move(what));
}

void router_state::forward(uint32_t slot, routed_choice what) {
  self->send(others->at(slot), std::move(what));
}

void router_state::forward(uint32_t slot, routed_receipt what) {
  self->send(others->at(slot), std::move(what));
}

void router_state::forward(uint32_t slot, routed_typing what) {
  self->send(others->at(slot), std::move(what));
}

void router_state::write(store_operation what) {
  x_writes.push_back(std::move(what));
}

const store_reader_actor& router_state::reader_for(
  const user_address& of) const {
  return config.readers[slot_of(of) / config.routers % config.readers.size()];
}

void router_state::find_head(const user_address& of) {
  self->send(reader_for(of), of, router_actor{self});
}

void router_state::read_page(
  const user_address& of, session_id for_whom, im_order from, size_t max) {
  self->send(reader_for(of), of, for_whom, from, static_cast<uint64_t>(max),
    router_actor{self});
}

void router_state::find_id(const retry_key& key, uint64_t ticket) {
  self->send(reader_for(key.sender), key, ticket, router_actor{self});
}

void router_state::flush() {
  // Sending calls nothing back: what is gathered here stays as it is.
  for (auto id : x_dirty) {
    auto* e = find(id);
    if (!e || e->output.what.empty())
      continue;
    self->send(e->handle, std::move(e->output));
    e->output = {};
  }
  x_dirty.clear();
  if (!x_writes.empty()) {
    self->send(config.writer, shared<operations>{std::move(x_writes)},
      router_actor{self});
    x_writes = {};
  }
  if (config.pending_bytes)
    *config.pending_bytes = rules->pending_bytes();
}

// -- sessions

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
  e.info = session_info{e.self, id, what.presence, true, what.software,
    what.peer, what.transport, config.world->wall_clock()};
  session_config c;
  c.id = id;
  c.self = e.self;
  c.wanted = what.wanted;
  c.token = resume_token{id, e.proof}.str();
  c.rules = config.rules;
  c.counters = x_presence;
  e.handle =
    self->spawn<caf::monitored>(session, std::move(c), router_actor{self});
  self->send(e.handle, attach_link{std::move(x.link), e.attachment, {}, false});
  x_by_address.emplace(e.handle.address(), id);
  x_entries.emplace(id, std::move(e));
  rules->join(what.user, id, what.endpoint, what.presence,
    ims_window(what.wanted, *config.rules), now());
  join_roster(id, x_entries.at(id));
}

void router_state::resume(const local_resume& x) {
  auto token = resume_token::parse(x.what.token);
  auto* e = find(token.session);
  bool fits = e && e->proof.size() == token.proof.size()
    && CRYPTO_memcmp(e->proof.data(), token.proof.data(), token.proof.size())
      == 0;
  if (!fits || x_stopping) {
    x.link->refuse(failure{errc::resume_failed,
      x_stopping ? "the server stops"
                 : "the session is unknown here or has expired"});
    return;
  }
  bool was_suspended = !e->connected;
  e->connected = true;
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
  if (config.rules->session_resume_window_ms == 0 || x_stopping)
    end(x.from, failure{errc::expired});
}

void router_state::end(session_id id, const failure& why) {
  auto i = x_entries.find(id);
  if (i == x_entries.end())
    return;
  if (!i->second.output.what.empty())
    self->send(i->second.handle, std::move(i->second.output));
  self->send(i->second.handle, end_session{why});
  self->demonitor(i->second.handle.address());
  tell_roster(i->second.self.user, endpoint_left{id});
  x_by_address.erase(i->second.handle.address());
  x_entries.erase(i);
  rules->leave(id, now());
}

void router_state::session_down(const caf::actor_addr& who) {
  auto i = x_by_address.find(who);
  if (i == x_by_address.end())
    return;
  auto id = i->second;
  x_by_address.erase(i);
  if (auto* e = find(id))
    tell_roster(e->self.user, endpoint_left{id});
  x_entries.erase(id);
  rules->leave(id, now());
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
      for (auto id : rules->remove_account(whom, line))
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
  return x;
}

// -- store

void router_state::written(const parley::written& x) {
  auto at = now();
  auto deleted = x.deleted.begin();
  for (const auto& batch : x.what)
    for (const auto& op : *batch) {
      rules->written(op, x.why, at);
      auto* a = std::get_if<parley::remove_account>(&op);
      if (!a)
        continue;
      account_removed answer{0, x.why};
      if (deleted != x.deleted.end())
        answer.deleted = *deleted++;
      rules->count_removed(answer.deleted);
      // Who asked first is answered first; nobody, if it was tried again.
      if (auto i = x_removals.lower_bound(a->user);
          i != x_removals.end() && i->first == a->user) {
        i->second.deliver(std::move(answer));
        x_removals.erase(i);
      }
    }
}

// -- time

void router_state::sweep() {
  auto at = now();
  rules->sweep(at);
  if (at.steady >= x_next_session_sweep) {
    x_next_session_sweep = at.steady + defaults::session_sweep_interval;
    auto window = milliseconds{config.rules->session_resume_window_ms};
    std::vector<session_id> over;
    bool shrink = at.steady >= x_next_shrink;
    if (shrink)
      x_next_shrink = at.steady + defaults::session_shrink_interval;
    for (auto& [id, e] : x_entries) {
      if (!e.connected && at.steady - e.suspended_at >= window)
        over.push_back(id);
      else if (shrink)
        self->send(e.handle, session_sweep{});
    }
    for (auto id : over)
      end(id, failure{errc::expired});
  }
  if (config.index == 0 && at.steady >= x_next_expiry && !x_stopping) {
    x_next_expiry = at.steady + defaults::expiry_interval;
    self->send(config.sweeper, config.rules, config.world->wall_clock(),
      others->routers);
  }
  if (x_stopping)
    finish_stop();
  flush();
  self->delayed_send(self, defaults::sweep_interval, tick_atom::value);
}

void router_state::set_policy(const shared<policy>& x) {
  bool decides =
    x->presence_auto_approve && !config.rules->presence_auto_approve;
  config.rules = x;
  rules->set_policy(*x);
  for (auto& [id, e] : x_entries)
    self->send(e.handle, x);
  for (auto& [whom, r] : x_rosters)
    self->send(r.handle, x);
  // Also where nobody is signed in.
  if (decides && config.index == 0)
    self->send(config.sweeper, add_atom::value, others->routers);
}

void router_state::stop(caf::typed_response_promise<stop_report> promise) {
  x_stop_promise = std::move(promise);
  x_stopping = true;
  x_stop_report.sessions = x_entries.size();
  auto now_steady = self->clock().now();
  x_stop_deadline = now_steady + defaults::stop_timeout;
  auto connected = std::count_if(x_entries.begin(), x_entries.end(),
    [](const auto& x) { return x.second.connected; });
  x_stop_earliest =
    connected > 0 ? now_steady + defaults::going_away_time : now_steady;
  // Spread evenly, so that they do not come back all at once.
  milliseconds spread{defaults::come_back_max - defaults::come_back_min};
  int64_t n = 0;
  for (auto& [id, e] : x_entries) {
    if (!e.connected)
      continue;
    milliseconds back{defaults::come_back_min + spread * n++ / connected};
    self->send(e.handle, announce_stop{back});
  }
  rules->stop(now());
  finish_stop();
}

void router_state::finish_stop() {
  if (!x_stop_promise.pending())
    return;
  bool late = self->clock().now() >= x_stop_deadline;
  bool early = self->clock().now() < x_stop_earliest;
  if ((early || !rules->is_settled()) && !late)
    return;
  if (late)
    x_stop_report.given_up = rules->give_up();
  flush();
  std::vector<session_id> all;
  for (auto& [id, e] : x_entries)
    all.push_back(id);
  for (auto id : all)
    end(id, failure{errc::server_stopping});
  // Stays: other routers may yet need it to settle what they have.
  x_stop_promise.deliver(x_stop_report);
}

} // namespace parley
