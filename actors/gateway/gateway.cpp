#include "actors/gateway/gateway.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "actors/gateway/client_socket.hpp"
#include "protocol/defaults.hpp"
#include "protocol/defaults_memory.hpp"

namespace parley {

using std::chrono::steady_clock;

namespace {

/// How long who holds too much for what is free may go without being read,
/// while nothing is short.
constexpr std::chrono::milliseconds held_patience = std::chrono::seconds{30};

/// A sweep and worker, where memory is short.
constexpr size_t strangers_refused_at_once = 1024;

/// Between two looks at the clock.
constexpr size_t ticks_at_once = 8;

} // namespace

connections::~connections() = default;

void connections::start(settings x, gateway_actor self) {
  x_with = std::move(x);
  x_memory = {x_with.budget, x_with.index};
  x_self = std::move(self);
  x_late_reads.emplace(*x_with.home);
  x_deadlines.emplace(*this);
}

void connections::stop() {
  // Sessions are ended by their routers; who is on the way in is told when it
  // asks for one.
  x_stopping = true;
}

void connections::clear() {
  x_stopping = true;
  x_cleared = true;
  auto all = std::move(x_sockets);
  x_sockets.clear();
  x_reached_timer.reset();
  x_late_reads.reset();
  x_deadlines.reset();
  x_round.clear();
  x_ticks_due = 0;
  for (auto& [id, s] : all)
    s->drop();
  // Detached actors end only when nobody holds them.
  x_with.router = nullptr;
  x_with.reader = nullptr;
  x_with.passwords = nullptr;
  x_with.admission = nullptr;
  x_with.registrar = nullptr;
  x_with.world = nullptr;
  x_with.protocol = nullptr;
  x_self = nullptr;
}

void connections::adopt(int native_socket, bool is_v6, std::string peer,
  connection_places::place place, wire_protocol protocol) {
  // Who speaks TLS could not be told anything yet.
  const bool no_memory = !place.is_over() && is_short();
  if (no_memory)
    ++x_with.budget->refused_connections;
  const bool is_over = place.is_over() || no_memory;
  if (x_stopping || (is_over && x_with.protocol->tls)) {
    ::close(native_socket);
    return;
  }
  link_id id{x_next_link++};
  auto s = std::make_shared<client_socket>(
    shared_from_this(), id, std::move(peer), std::move(place), protocol);
  add(s);
  s->start(native_socket, is_v6);
  if (no_memory)
    s->turn_away(out_of_memory());
  else if (is_over)
    s->turn_away(x_with.places->max());
}

void connections::adopt(
  std::shared_ptr<client_socket> x, int native_socket, bool is_v6) {
  if (x_cleared) {
    ::close(native_socket);
    return;
  }
  add(x);
  x->move_in(shared_from_this(), native_socket, is_v6);
}

void connections::add(std::shared_ptr<client_socket> x) {
  const auto id = x->id().value;
  x_strangers.insert(id);
  x_round.add(id);
  x_sockets.emplace(id, std::move(x));
}

void connections::forget(link_id id) {
  x_strangers.erase(id.value);
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
  auto s = find(x.ticket);
  if (!s)
    return;
  auto now = steady_clock::now();
  s->next_try_at(now + x.delay + x.pause);
  if (x.delay.count() > 0 && x.why.code == errc::none)
    x_delayed.push_back({now + x.delay, x.ticket});
  else
    s->admitted(x.why);
}

void connections::registered(const account_made& x) {
  if (auto s = find(x.ticket))
    s->registered(x.why);
}

bool connections::may_read(uint64_t held) noexcept {
  if (x_with.pending_bytes)
    x_too_much_pending = *x_with.pending_bytes > (x_too_much_pending
                             ? defaults::worker_budget_low
                             : defaults::worker_budget_bytes);
  auto behind = x_with.home ? x_with.home->backlog() : 0;
  return !x_too_much_pending
    && behind <= defaults::mailbox_max
      + defaults::mailbox_max_per_connection * x_sockets.size()
    && x_memory.allows(held);
}

bool connections::may_fill(size_t output_waiting) noexcept {
  // Who takes what there is goes on even where nothing is left.
  if (x_memory.is_exceeded())
    return output_waiting == 0;
  return output_waiting <= (x_memory.is_tight() ? defaults::tight_output_pause
                                                : defaults::output_pause);
}

void connections::wait_for_budget(link_id id, bool anew) {
  if (x_is_waiting.insert(id.value).second)
    x_waiting.push_back(id.value);
  if (x_with.budget && anew)
    ++x_with.budget->reads_held_back;
}

failure connections::out_of_memory() const {
  failure why{errc::overloaded, "the server is short of memory"};
  why.retry_after = defaults::budget_retry_after;
  return why;
}

std::shared_ptr<worker_book> connections::book() const {
  return x_with.budget ? x_with.budget->of(x_with.index) : nullptr;
}

void connections::log_failed_handshake(
  const std::string& peer, const failure& why) {
  auto others = x_log.pass(steady_clock::now());
  // Who asks for all there is gets each of them.
  if (!others)
    spdlog::debug("{} closed: {} {}", peer, to_string(why.code), why.text);
  else if (*others == 0)
    spdlog::info("{} closed: {} {}", peer, to_string(why.code), why.text);
  else
    spdlog::info("{} closed: {} {}; {} more before it", peer,
      to_string(why.code), why.text, *others);
}

void connections::watch_reached(link_id id, std::chrono::milliseconds after) {
  if (!x_cleared && x_looks.add(id.value, steady_clock::now() + after))
    wait_for_looks();
}

void connections::wait_for_looks() {
  if (!x_reached_timer)
    x_reached_timer =
      std::make_unique<boost::asio::steady_timer>(x_with.home->io());
  // Whoever waits for an earlier time is told that this one is void.
  x_reached_timer->expires_at(x_looks.next());
  x_reached_timer->async_wait(
    [self = weak_from_this()](const boost::system::error_code& ec) {
      auto x = self.lock();
      if (!ec && x)
        x->look_what_reached();
    });
}

void connections::look_what_reached() {
  for (auto id : x_looks.due(steady_clock::now()))
    if (auto s = find(id))
      s->look_what_reached();
  if (!x_looks.empty() && !x_cleared)
    wait_for_looks();
}

void connections::let_in_delayed(steady_clock::time_point now) {
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
}

/// Those that hold most, `max` at most; returns how many.
size_t connections::turn_away(
  std::vector<std::shared_ptr<client_socket>> whom, size_t max) {
  auto n = std::min(whom.size(), max);
  std::partial_sort(whom.begin(), whom.begin() + static_cast<long>(n),
    whom.end(), [](const auto& a, const auto& b) {
      return a->held_bytes() > b->held_bytes();
    });
  for (size_t i = 0; i < n; ++i)
    whom[i]->turn_away(out_of_memory());
  return n;
}

/// Who may not yet waits again; where memory stays short, those who hold most
/// of it lose their connection, and with it what is not whole: strangers first,
/// who are promised nothing. Who holds too much for what is free does so in any
/// case, only later: nothing else might ever change that.
void connections::let_waiting_go_on() {
  std::vector<std::shared_ptr<client_socket>> strangers;
  if (is_short())
    for (auto id : x_strangers)
      if (auto s = find(id); s && !s->is_closing())
        strangers.push_back(std::move(s));
  std::vector<std::shared_ptr<client_socket>> stuck;
  const auto held_max =
    is_short() ? defaults::budget_retry_after : held_patience;
  for (auto id : x_waiting)
    if (auto s = find(id); s && s->is_held_for(held_max, steady_clock::now()))
      stuck.push_back(std::move(s));
  if (!strangers.empty())
    x_with.budget->refused_connections +=
      turn_away(std::move(strangers), strangers_refused_at_once);
  else if (!stuck.empty())
    x_with.budget->ended_sessions +=
      turn_away(std::move(stuck), defaults::budget_ended_at_once);
  x_is_waiting.clear();
  for (auto id : std::exchange(x_waiting, {}))
    if (auto s = find(id))
      s->budget_returned();
}

void connections::sweep() {
  auto now = steady_clock::now();
  if (auto own = book(); own && x_with.home)
    own->set(held_for::mailboxes,
      x_with.home->backlog() * defaults::mailbox_message_bytes);
  x_memory.look();
  let_in_delayed(now);
  let_waiting_go_on();
  if (auto others = x_log.rest(now))
    spdlog::info("{} more TLS handshakes failed", others);
  constexpr size_t parts = std::chrono::seconds{1} / defaults::sweep_interval;
  x_ticks_due = std::min(x_ticks_due + x_round.share(parts), x_round.size());
  if (x_ticks_due > 0 && x_deadlines)
    x_with.home->mark_last(*x_deadlines);
}

void connections::tick_some() {
  const auto until = steady_clock::now() + worker_limits::behind_time;
  for (auto now = until - worker_limits::behind_time; x_ticks_due > 0;
       now = steady_clock::now()) {
    if (now >= until)
      return x_with.home->mark_last(*x_deadlines);
    for (size_t n = 0; n < ticks_at_once && x_ticks_due > 0; ++n) {
      --x_ticks_due;
      x_round.next([this, now](uint64_t id) {
        const auto s = find(id);
        if (s)
          s->tick(now);
        return s != nullptr;
      });
    }
  }
}

connection_counts connections::counts() const {
  auto x = x_counts;
  for (const auto& [id, s] : x_sockets)
    if (s->is_closing())
      ++x.closing;
    else
      ++(s->is_signed_in() ? x.signed_in : x.signing_in);
  x.held_back = x_waiting.size();
  return x;
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
    [all](const account_made& x) { all->registered(x); },
    [all, self](tick_atom) {
      all->sweep();
      self->delayed_send(self, defaults::sweep_interval, tick_atom::value);
    },
    [all, make_config](const shared<policy>& x) {
      all->set_protocol(make_config(*x));
      return done_atom::value;
    },
    [all](count_atom) { return all->counts(); },
    [all, self](stop_atom) {
      all->stop();
      return done_atom::value;
    },
  };
}

} // namespace parley
