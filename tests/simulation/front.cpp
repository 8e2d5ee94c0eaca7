#include "tests/simulation/front.hpp"

#include <algorithm>
#include <utility>

#include "actors/accounts/guessing.hpp"
#include "protocol/defaults.hpp"

namespace parley::test {

using std::chrono::milliseconds;

// -- all of a worker

std::shared_ptr<served> front::find(uint64_t ticket) const {
  auto i = sockets.find(ticket);
  return i == sockets.end() ? nullptr : i->second;
}

void front::let_in(const admitted& x) {
  auto s = find(x.ticket);
  if (!s)
    return;
  if (x.delay.count() > 0 && x.why.code == errc::none)
    waiting.push_back({now() + x.delay, x.ticket});
  else
    s->admitted(x.why);
}

void front::sweep() {
  std::vector<uint64_t> due;
  std::erase_if(waiting, [&](const delayed& d) {
    if (d.when > now())
      return false;
    due.push_back(d.ticket);
    return true;
  });
  for (auto ticket : due)
    if (auto s = find(ticket))
      s->admitted(failure{});
  auto some = sockets;
  for (auto& [id, s] : some)
    s->tick();
}

front_actor::behavior_type front_of(
  front_actor::stateful_pointer<front_state> self, std::shared_ptr<front> all,
  std::function<std::shared_ptr<const connection_config>(const policy&)>
    make_config) {
  self->delayed_send(self, defaults::sweep_interval, tick_atom::value);
  auto* x = all.get();
  return {
    [x](const account_found& found) {
      if (auto s = x->find(found.ticket))
        s->found(found);
    },
    [](const password_checked&) {},
    [x](const admitted& what) { x->let_in(what); },
    [](const account_made&) {},
    [x, self](tick_atom) {
      x->sweep();
      self->delayed_send(self, defaults::sweep_interval, tick_atom::value);
    },
    [x, make_config](const shared<policy>& rules) {
      x->protocol = make_config(*rules);
      return done_atom::value;
    },
    [](count_atom) { return connection_counts{}; },
    [x](stop_atom) {
      x->stopping = true;
      return done_atom::value;
    },
    [x, all](const moved_in& what) { what.who->move_in(*x); },
  };
}

// -- one connection

served::served(front& home, link_id id, std::string peer)
  : x_home(&home),
    x_id(id),
    x_peer(std::move(peer)),
    x_protocol(home.protocol, *this, x_peer, home.now()) {}

bool served::reads() {
  if (x_gone || x_closed)
    return !x_gone;
  auto max = x_held ? defaults::output_pause / 2 : defaults::output_pause;
  x_held = output_waiting() > max;
  return !x_held;
}

void served::receive(std::string_view bytes) {
  if (!x_closed)
    x_protocol.receive(bytes, x_home->now(), x_home->world->wall_clock());
}

std::string served::take(size_t max) {
  auto bytes = x_protocol.output();
  std::string some{bytes.substr(0, max)};
  x_protocol.written(some.size());
  if (x_owes_drained && x_session
    && output_waiting() <= front::output_ahead / 2) {
    x_owes_drained = false;
    caf::anon_send(x_session, client_drained{x_id});
  }
  return some;
}

void served::peer_left() {
  if (x_gone)
    return;
  if (x_closed)
    drop();
  else
    x_protocol.disconnected();
}

void served::drop() {
  auto self = shared_from_this();
  if (!x_closed)
    x_protocol.disconnected();
  x_session = nullptr;
  x_gone = true;
  x_home->sockets.erase(x_id.value);
}

void served::die() {
  x_closed = true;
  x_gone = true;
  x_session = nullptr;
}

void served::tick() {
  if (x_gone)
    return;
  if (!x_closed)
    x_protocol.tick(x_home->now());
  else if (x_home->now() - x_closing >= defaults::last_words_time)
    drop();
}

// -- the way in

void served::find_keys(const user_address& user) {
  give_up_try();
  x_trying = trying::waiting;
  x_who = user;
  caf::anon_send(x_home->admission, user, source_of(x_peer), x_id.value,
    caf::actor_cast<caf::typed_actor<caf::reacts_to<parley::admitted>>>(
      x_home->self));
}

void served::check_password(const user_address&, std::string) {
  x_protocol.authentication_refused(failure{errc::mechanism_unavailable});
}

void served::admitted(const failure& why) {
  if (x_closed)
    return;
  if (why.code == errc::none) {
    caf::anon_send(x_home->reader, x_who, x_id.value,
      caf::actor_cast<gateway_ref>(x_home->self));
    return;
  }
  end_try(try_end::undecided);
  x_protocol.authentication_refused(why);
}

void served::found(const account_found& x) {
  if (x_closed)
    return;
  if (x.why.code == errc::none) {
    x_trying = trying::in_exchange;
    x_protocol.keys_found(x.what ? &x.what->keys : nullptr);
    return;
  }
  end_try(try_end::undecided);
  x_protocol.authentication_refused(x.why);
}

void served::end_try(try_end how) {
  caf::anon_send(x_home->admission,
    sign_in_ended{x_id.value, x_who, source_of(x_peer), how});
  x_trying = trying::not_at_all;
}

void served::give_up_try() {
  if (x_trying != trying::not_at_all)
    end_try(x_trying == trying::waiting ? try_end::left : try_end::wrong);
}

milliseconds served::authenticated(const user_address& user, bool success) {
  x_who = user;
  end_try(success ? try_end::right : try_end::wrong);
  return {};
}

bool served::refuse_for_stop() {
  if (!x_home->stopping)
    return false;
  failure why{errc::server_stopping};
  why.retry_after = defaults::come_back_min;
  x_protocol.close(why, error_scope::connection);
  return true;
}

void served::sign_in_wanted(sign_in what) {
  if (refuse_for_stop())
    return;
  auto index = slot_of(what.user) % x_home->all->size();
  x_wish = std::move(what);
  go_to(index);
}

void served::resume_wanted(resume what) {
  if (refuse_for_stop())
    return;
  auto index = router_of(resume_token::parse(what.token).session);
  x_again = std::move(what);
  go_to(index < x_home->all->size() ? index : x_home->index);
}

void served::go_to(size_t index) {
  if (index == x_home->index)
    ask_router();
  else
    caf::anon_send((*x_home->all)[index]->self, moved_in{shared_from_this()});
}

void served::move_in(front& home) {
  if (x_closed || x_gone)
    return;
  x_home->sockets.erase(x_id.value);
  x_home = &home;
  x_home->sockets.emplace(x_id.value, shared_from_this());
  if (!refuse_for_stop())
    ask_router();
}

void served::ask_router() {
  auto self = shared_from_this();
  if (auto wish = std::exchange(x_wish, std::nullopt))
    caf::anon_send(x_home->router, local_sign_in{std::move(*wish), self});
  else if (auto again = std::exchange(x_again, std::nullopt))
    caf::anon_send(x_home->router, local_resume{std::move(*again), self});
}

// -- to the session

void served::acknowledged(sequence upto) {
  caf::anon_send(x_session, client_acknowledged{x_id, upto});
}

void served::window_changed(window what) {
  caf::anon_send(x_session, client_window{x_id, what});
}

void served::requests_received(std::vector<numbered_request> what) {
  caf::anon_send(x_session, client_requests{x_id, std::move(what)});
}

void served::closed(const failure& why) {
  x_closed = true;
  x_closing = x_home->now();
  give_up_try();
  if (x_session)
    caf::anon_send(x_session, client_lost{x_id, why});
  x_session = nullptr;
}

// -- from the session

sequence served::accept(const signed_in& what, session_actor session,
  std::unique_ptr<connection_legacy> legacy) {
  if (x_closed) {
    caf::anon_send(session, client_lost{x_id, failure{errc::timed_out}});
    return {};
  }
  x_session = std::move(session);
  return x_protocol.accept(what, std::move(legacy));
}

void served::refuse(const failure& why) {
  if (x_closed)
    return;
  if (why.code == errc::server_stopping)
    x_protocol.close(why, error_scope::connection);
  else
    x_protocol.refuse(why);
}

bool served::send(sequence number, const event& what) {
  if (x_closed)
    return false;
  if (std::holds_alternative<typing_notice>(what)
    && output_waiting() > defaults::typing_output_max)
    return true;
  return x_protocol.send(number, what);
}

bool served::takes_presence() {
  if (x_closed)
    return false;
  x_owes_drained |= output_waiting() > front::output_ahead;
  return !x_owes_drained;
}

bool served::takes_events() {
  if (x_closed)
    return false;
  bool takes = output_waiting() <= front::output_ahead;
  x_owes_drained |= !takes;
  return takes;
}

void served::send_window(const window& requests) {
  if (!x_closed)
    x_protocol.send_window(requests);
}

void served::send_going_away(milliseconds come_back_after) {
  if (!x_closed)
    x_protocol.send_going_away(come_back_after);
}

void served::set_heartbeat(milliseconds interval) {
  if (!x_closed)
    x_protocol.heartbeat_changed(interval);
}

void served::probe(milliseconds timeout) {
  if (!x_closed)
    x_protocol.probe(timeout, x_home->now());
}

void served::close(const failure& why, error_scope scope) {
  x_session = nullptr;
  if (!x_closed)
    x_protocol.close(why, scope);
}

} // namespace parley::test
