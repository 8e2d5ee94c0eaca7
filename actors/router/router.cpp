#include "actors/router/router.hpp"

#include <algorithm>

#include "protocol/codec.hpp"
#include "protocol/defaults.hpp"
#include "protocol/defaults_memory.hpp"

namespace parley {

using std::chrono::milliseconds;

namespace {

/// Also where a drain takes long.
constexpr size_t expired_a_sweep = 8 * defaults::sessions_expired_at_once;

} // namespace

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
  x_memory = {config.budget, config.index};
  if (config.budget)
    rules->set_remembered_max(config.budget->max()
      / defaults::remembered_ids_share / defaults::remembered_id_bytes
      / config.routers);
}

moment router_state::now() {
  return moment{self->clock().now(), config.world->wall_clock_us()};
}

// -- gathering

router_state::entry* router_state::find(session_id id) {
  auto i = x_entries.find(id);
  return i == x_entries.end() ? nullptr : &i->second;
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
  if (!config.budget)
    return;
  auto& book = *config.budget->of(config.index);
  book.set(held_for::routing, rules->held_bytes());
  book.set(
    held_for::retries, rules->remembered() * defaults::remembered_id_bytes);
  book.set(
    held_for::store, rules->unwritten() * defaults::store_operation_bytes);
  book.set(held_for::rosters,
    x_presence->rosters * defaults::roster_bytes
      + x_presence->subscriptions * defaults::subscription_bytes
      + x_roster_weights->total());
}

// -- store

void router_state::count(std::vector<stored_im>& page) {
  if (config.budget)
    for (auto& x : page)
      x.message =
        native::counted(x.message, &config.budget->of(config.index)->ims());
}

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
      if (x.why.code != errc::none)
        answer.why.text += "; nobody is in any more, and the account goes as "
                           "soon as the disk lets it";
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
  x_graces_due = !rules->sweep(at, defaults::graces_at_once);
  x_ends_due = !end_suspended(at.steady, expired_a_sweep);
  if (config.index == 0 && at.steady >= x_next_expiry && !x_stopping) {
    x_next_expiry = at.steady + defaults::expiry_interval;
    self->send(config.sweeper, config.rules, config.world->wall_clock(),
      others->routers);
  }
  x_memory.look();
  look_at_sessions(at.steady);
  x_swept = true;
  if (x_graces_due || x_ends_due)
    want_step();
  want_turns();
  if (x_stopping)
    finish_stop();
  flush();
  self->delayed_send(self, defaults::sweep_interval, tick_atom::value);
}

void router_state::set_policy(const shared<policy>& x) {
  bool decides =
    (x->presence_auto_approve && !config.rules->presence_auto_approve)
    || x->watchers_max > config.rules->watchers_max;
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
  if ((early || !x_put_off.empty() || !rules->is_settled()) && !late)
    return;
  if (late) {
    finish_put_off();
    x_stop_report.given_up = rules->give_up();
  }
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
