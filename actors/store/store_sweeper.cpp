#include "actors/store/store_sweeper.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <spdlog/spdlog.h>

#include "actors/router/routing.hpp"
#include "protocol/defaults.hpp"

namespace parley {

using std::chrono::milliseconds;

namespace {

using self_pointer = store_sweeper_actor::stateful_pointer<store_sweeper_state>;

/// Nobody asked, and the next round meets it again.
void report(const failure& why) {
  spdlog::error(
    "sweeping out what expired: {}: {}", to_string(why.code), why.text);
}

void arm(self_pointer self) {
  if (!std::exchange(self->state.armed, true))
    self->send(store_sweeper_actor{self}, step_atom::value);
}

// -- IMs that expired

void expire(self_pointer self, store& db) {
  auto& st = self->state;
  auto ttl = st.rules->im_offline_ttl_ms;
  st.expiring = ttl != unlimited && st.expired < defaults::expiry_page;
  if (!st.expiring)
    return;
  auto found = db.ims_before(st.now - milliseconds{ttl}, st.look,
    std::min(defaults::sweep_step, defaults::expiry_page - st.expired));
  if (!found) {
    report(found.error());
    st.expiring = false;
    return;
  }
  st.expired += found->size();
  std::vector<ims_expired> xs(st.routers.size());
  for (auto& x : *found)
    xs[slot_of(x.first) % xs.size()].what.push_back(std::move(x));
  for (size_t i = 0; i < xs.size(); ++i)
    if (!xs[i].what.empty())
      self->send(st.routers[i], std::move(xs[i]));
  if (std::exchange(st.look.done, false)) {
    st.look = {};
    st.expiring = false;
  }
}

// -- the filter over all ids

/// Each router keeps apart what comes from now on; when all do, all that was
/// before is on disk, where the scan finds it.
void begin_scan(self_pointer self) {
  auto& st = self->state;
  st.next_scan = self->clock().now() + defaults::filter_interval;
  st.unanswered = st.routers.size();
  for (const auto& r : st.routers)
    self->request(r, caf::infinite, scan_atom::value)
      .then(
        [self](done_atom) {
          auto& left = self->state.unanswered;
          if (left == 0 || --left > 0)
            return;
          self->state.scanning.emplace();
          arm(self);
        },
        // Tried again in time; routers keep things apart until then.
        [self](const caf::error&) { self->state.unanswered = 0; });
}

bool most_are_gone(const store_sweeper_state& st, const store& db) {
  auto held = st.in_filter + db.ids_put() - st.put_before;
  return st.forgotten >= defaults::filter_forgotten_min
    && st.forgotten > held / 2;
}

void scan(self_pointer self, store& db) {
  auto& st = self->state;
  auto& x = *st.scanning;
  if (x.from.empty()) {
    x.put_before = db.ids_put();
    x.forgotten_before = st.forgotten;
  }
  auto next = db.each_id(x.from, defaults::ids_scanned,
    [&x](uint64_t hash, wall_time) { x.found.insert(hash); });
  if (!next) {
    report(next.error());
    st.scanning.reset();
    return;
  }
  x.from = std::move(*next);
  if (!x.from.empty())
    return;
  st.in_filter = x.found.size();
  st.put_before = x.put_before;
  st.forgotten -= x.forgotten_before;
  shared<id_filter> found{std::move(x.found)};
  st.scanning.reset();
  for (const auto& r : st.routers)
    self->send(r, found);
}

void forget(self_pointer self, store& db) {
  auto& st = self->state;
  auto done =
    db.forget_ids(st.now - milliseconds{st.rules->im_retry_memory_ms});
  if (!done) {
    report(done.error());
    st.forgetting = false;
    return;
  }
  st.forgotten += done->ids;
  st.forgetting = done->more;
  bool idle = !st.forgetting && !st.scanning && st.unanswered == 0;
  if (idle && most_are_gone(st, db) && self->clock().now() >= st.next_scan)
    begin_scan(self);
}

// -- operators

void list(store_sweeper_state& st, store& db) {
  auto& [promise, found] = st.listings.front();
  auto& xs = found.what;
  auto page = db.accounts(
    xs.empty() ? user_address{} : xs.back(), defaults::accounts_listed);
  if (!page) {
    found = {{}, std::move(page.error())};
  } else {
    std::move(page->begin(), page->end(), std::back_inserter(xs));
    if (page->size() == defaults::accounts_listed)
      return;
  }
  promise.deliver(std::move(found));
  st.listings.pop_front();
}

/// Who waits goes first.
void step(self_pointer self, store& db) {
  auto& st = self->state;
  if (!st.listings.empty())
    list(st, db);
  else if (st.expiring)
    expire(self, db);
  else if (st.forgetting)
    forget(self, db);
  else if (st.scanning)
    scan(self, db);
  else
    return;
  arm(self);
}

} // namespace

store_sweeper_actor::behavior_type store_sweeper(
  self_pointer self, store* db, uint64_t in_filter) {
  self->state.in_filter = in_filter;
  self->state.put_before = db->ids_put();
  return {
    [self](const shared<policy>& rules, wall_time now,
      const std::vector<router_actor>& routers) {
      auto& st = self->state;
      st.rules = rules;
      st.now = now;
      st.routers = routers;
      st.expiring = st.forgetting = true;
      st.expired = 0;
      arm(self);
    },
    [self](list_atom) -> caf::typed_response_promise<accounts_found> {
      auto promise = self->make_response_promise<accounts_found>();
      self->state.listings.push_back({promise, {}});
      arm(self);
      return promise;
    },
    [self, db](step_atom) {
      self->state.armed = false;
      step(self, *db);
    },
  };
}

} // namespace parley
