#include "actors/launcher/metrics_gathering.hpp"

#include <algorithm>
#include <numeric>

#include "protocol/defaults.hpp"

namespace parley {

metrics_gathering::metrics_gathering(caf::actor_system& system,
  engine_sources from, const std::atomic<bool>& stopping)
  : x_from(std::move(from)),
    x_ask(system, stopping, defaults::metrics_patience),
    x_routers(x_from.routers.size()),
    x_connections(x_from.gateways.size()) {}

template <class Answer, class Handle>
void metrics_gathering::ask(
  const Handle& whom, Answer& last, uint64_t& silent) {
  if (auto x = x_ask.ask<Answer>(whom, count_atom::value))
    last = std::move(*x);
  else
    ++silent;
}

engine_reading metrics_gathering::read() {
  engine_reading x;
  x.version = PARLEY_VERSION;
  x.started = x_from.started;
  x.workers = x_from.routers.size();
  for (size_t i = 0; i < x_routers.size(); ++i)
    ask(x_from.routers[i], x_routers[i], x.silent_workers);
  // Who is silent is not waited for twice.
  uint64_t others = 0;
  if (x.silent_workers == 0) {
    for (size_t i = 0; i < x_connections.size(); ++i)
      ask(x_from.gateways[i], x_connections[i], others);
    ask(x_from.admission, x_sign_ins, others);
  }
  for (const auto& r : x_routers) {
    x.routers.connected += r.connected;
    x.routers.suspended += r.suspended;
    x.routers.users += r.users;
    x.routers.pending_ims += r.pending_ims;
    x.routers.pending_bytes += r.pending_bytes;
    x.routers.unwritten += r.unwritten;
    x.routers.counters += r.counters;
    x.routers.presence += r.presence;
    x.routers.limits += r.limits;
    x.routers.documents += r.documents;
    x.fullest_worker_bytes = std::max(x.fullest_worker_bytes, r.pending_bytes);
  }
  for (const auto& c : x_connections) {
    x.connections.signing_in += c.signing_in;
    x.connections.signed_in += c.signed_in;
    x.connections.closing += c.closing;
    x.connections.held_back += c.held_back;
    x.connections.slow_consumers += c.slow_consumers;
    x.connections.sign_in_timeouts += c.sign_in_timeouts;
    x.connections.passwords_full += c.passwords_full;
  }
  x.sign_ins = x_sign_ins;
  x.commits = x_from.commits;
  x.unreadable = x_from.db->unreadable();
  x.places = x_from.places->max();
  x.turned_away = x_from.places->refused();
  x.frames_too_large = x_from.hits->frames;
  x.requests_too_large = x_from.hits->requests;
  x.registrations_refused = x_from.hits->registrations;
  x.passwords = x_from.passwords->size();
  if (const auto* b = x_from.budget.get()) {
    x.held = b->by_kind();
    x.held_max = b->max();
    x.held_highest = std::max(b->highest(), b->total());
    x.memory_refused_connections = b->refused_connections;
    x.memory_refused_sign_ins = b->refused_sign_ins;
    x.memory_ended_sessions = b->ended_sessions;
    x.reads_held_back = b->reads_held_back;
  }
  return x;
}

result<void> metrics_gathering::ready() {
  const auto& stage = *x_from.stage;
  if (stage.stops)
    return fail(errc::server_stopping, "the server stops");
  if (!stage.accepts)
    return fail(errc::overloaded, "the server starts");
  const auto& commits = *x_from.commits;
  auto since = commits.busy_since();
  if (since
    && std::chrono::steady_clock::now() - *since > defaults::commit_patience)
    return fail(errc::store_failed, "the disk does not answer");
  if (!commits.last_was_refused())
    return {};
  // Nobody may write any more since nobody is sent here: so this does. There
  // is no such setting.
  operations nothing;
  nothing.emplace_back(put_setting{"probe", ""});
  auto done = x_ask.ask<write_result>(x_from.writer, std::move(nothing));
  if (!done)
    return tl::unexpected{std::move(done.error())};
  if (done->why.code != errc::none)
    return tl::unexpected{std::move(done->why)};
  return {};
}

} // namespace parley
