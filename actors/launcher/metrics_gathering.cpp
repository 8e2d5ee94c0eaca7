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
uint64_t metrics_gathering::ask(
  const std::vector<Handle>& all, std::vector<Answer>& last) {
  const auto end = x_ask.end();
  std::vector<std::unique_ptr<actor_asker::question<Answer>>> open;
  for (const auto& whom : all)
    open.push_back(x_ask.begin<Answer>(whom, count_atom::value));
  uint64_t silent = 0;
  for (size_t i = 0; i < open.size(); ++i)
    if (auto x = x_ask.finish(*open[i], end))
      last[i] = std::move(*x);
    else
      ++silent;
  return silent;
}

engine_reading metrics_gathering::read() {
  engine_reading x;
  x.version = PARLEY_VERSION;
  x.started = x_from.started;
  x.workers = x_from.routers.size();
  x.silent_workers = ask(x_from.routers, x_routers);
  // Who is silent is not waited for twice.
  if (x.silent_workers == 0) {
    ask(x_from.gateways, x_connections);
    if (auto counts =
          x_ask.ask<sign_in_counts>(x_from.admission, count_atom::value))
      x_sign_ins = std::move(*counts);
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
  const auto refusal = commits.last_refusal();
  // A store that is opened again reads all of its log, and may not answer for
  // long: what the disk said last is known all the same.
  auto no_answer = [&refusal](failure why) {
    if (refusal && why.code != errc::server_stopping)
      why = failure{refusal->code, refusal->text + "; now " + why.text};
    return tl::unexpected{std::move(why)};
  };
  auto since = commits.busy_since();
  if (since
    && std::chrono::steady_clock::now() - *since > defaults::commit_patience)
    return no_answer(failure{errc::store_failed, "the disk does not answer"});
  if (!refusal)
    return {};
  // Nobody may write any more since nobody is sent here: so this does. There
  // is no such setting.
  operations nothing;
  nothing.emplace_back(put_setting{"probe", ""});
  auto done = x_ask.ask<write_result>(x_from.writer, std::move(nothing));
  if (!done)
    return no_answer(std::move(done.error()));
  if (done->why.code != errc::none)
    return tl::unexpected{std::move(done->why)};
  return {};
}

} // namespace parley
