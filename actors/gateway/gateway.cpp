#include "actors/gateway/gateway.hpp"

#include <unistd.h>

#include "actors/gateway/client_socket.hpp"
#include "protocol/defaults.hpp"

namespace parley {

using std::chrono::steady_clock;

connections::~connections() = default;

void connections::start(settings x, gateway_actor self) {
  x_with = std::move(x);
  x_self = std::move(self);
}

void connections::stop() {
  x_stopping = true;
  // Sessions are ended by their routers; who is on the way in is not.
}

void connections::clear() {
  x_stopping = true;
  auto all = std::move(x_sockets);
  x_sockets.clear();
  for (auto& [id, s] : all)
    s->drop();
  x_with = {};
  x_self = nullptr;
}

void connections::adopt(int native_socket, bool is_v6, std::string peer) {
  if (x_stopping) {
    ::close(native_socket);
    return;
  }
  link_id id{x_next_link++};
  auto s =
    std::make_shared<client_socket>(shared_from_this(), id, std::move(peer));
  x_sockets.emplace(id.value, s);
  s->start(native_socket, is_v6);
}

void connections::adopt(
  std::shared_ptr<client_socket> x, int native_socket, bool is_v6) {
  if (x_stopping) {
    ::close(native_socket);
    return;
  }
  x_sockets.emplace(x->id().value, x);
  x->move_in(shared_from_this(), native_socket, is_v6);
}

void connections::forget(link_id id) {
  x_sockets.erase(id.value);
}

std::shared_ptr<client_socket> connections::find(uint64_t ticket) const {
  auto i = x_sockets.find(ticket);
  return i == x_sockets.end() ? nullptr : i->second;
}

void connections::found(const account_found& x) {
  if (auto s = find(x.ticket))
    s->found(x);
}

void connections::checked(const password_checked& x) {
  if (auto s = find(x.ticket))
    s->checked(x);
}

void connections::let_in(const admitted& x) {
  if (x.delay.count() > 0 && x.why.code == errc::none) {
    x_delayed.push_back({steady_clock::now() + x.delay, x.ticket});
    return;
  }
  if (auto s = find(x.ticket))
    s->admitted(x.why);
}

void connections::sweep() {
  auto now = steady_clock::now();
  std::vector<uint64_t> due;
  std::erase_if(x_delayed, [&](const delayed& d) {
    if (d.when > now)
      return false;
    due.push_back(d.ticket);
    return true;
  });
  for (auto ticket : due)
    if (auto s = find(ticket))
      s->admitted(failure{});
  constexpr uint64_t turns = std::chrono::seconds{1} / defaults::sweep_interval;
  auto turn = x_turn++ % turns;
  std::vector<std::shared_ptr<client_socket>> some;
  for (const auto& [id, s] : x_sockets)
    if (id % turns == turn)
      some.push_back(s);
  for (auto& s : some)
    s->tick(now);
}

void connections::set_protocol(std::shared_ptr<const connection_config> x) {
  x_with.protocol = std::move(x);
}

gateway_actor::behavior_type gateway(
  pinned_pointer<gateway_actor, gateway_state> self,
  std::shared_ptr<connections> sockets,
  std::function<std::shared_ptr<const connection_config>(const policy&)>
    make_config) {
  self->state.sockets = sockets;
  self->delayed_send(self, defaults::sweep_interval, tick_atom::value);
  auto* all = sockets.get();
  return {
    [all](const account_found& x) { all->found(x); },
    [all](const password_checked& x) { all->checked(x); },
    [all](const admitted& x) { all->let_in(x); },
    [all, self](tick_atom) {
      all->sweep();
      self->delayed_send(self, defaults::sweep_interval, tick_atom::value);
    },
    [all, make_config](const shared<policy>& x) {
      all->set_protocol(make_config(*x));
      return done_atom::value;
    },
    [all, self](stop_atom) {
      all->stop();
      return done_atom::value;
    },
  };
}

} // namespace parley
