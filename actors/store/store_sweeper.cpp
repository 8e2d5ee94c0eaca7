#include "actors/store/store_sweeper.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <spdlog/spdlog.h>

#include "actors/router/routing.hpp"
#include "persistence/defaults.hpp"
#include "protocol/defaults.hpp"

namespace parley {

using std::chrono::milliseconds;

namespace {

using sweeper_pointer =
  store_sweeper_actor::stateful_pointer<store_sweeper_state>;

/// Nobody asked, and the next round meets it again.
void report(const failure& why) {
  spdlog::error(
    "sweeping out what expired: {}: {}", to_string(why.code), why.text);
}

void arm(sweeper_pointer self) {
  if (!std::exchange(self->state.armed, true))
    self->send(store_sweeper_actor{self}, step_atom::value);
}

// -- IMs that expired

void expire(sweeper_pointer self, store& db) {
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
void begin_scan(sweeper_pointer self) {
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
          // Clang finds no emplace() for a struct within a class.
          self->state.scanning = store_sweeper_state::scan{};
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

void scan(sweeper_pointer self, store& db) {
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

void forget(sweeper_pointer self, store& db) {
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

/// What accounts that were removed have left.
void clean_up(sweeper_pointer self, store& db) {
  auto& st = self->state;
  auto more = db.remove_left();
  if (!more)
    report(more.error());
  st.cleaning_up = more && *more;
}

// -- rosters

/// What waits for an account is sent at the start and when there are new ones;
/// and now and then, for a router may have been unable to ask for it.
void begin_resending(store_sweeper_state& st, const store& db) {
  const auto accounts = db.accounts_put();
  st.resending = true;
  st.resending_all = st.accounts_before != accounts
    || st.resendings % defaults::resend_all_every == 0;
  st.accounts_before = accounts;
  ++st.resendings;
}

/// Most of them are on their way already; the other half takes a note twice.
void resend(sweeper_pointer self, store& db) {
  auto& st = self->state;
  std::vector<subscription_note> found;
  auto next = db.each_note(
    st.next_note, defaults::sweep_step, [&](const subscription_note& x) {
      if (st.resending_all
        || x.what != subscription_note::kind::subscribe_ahead)
        found.push_back(x);
    });
  if (!next) {
    report(next.error());
    st.resending = false;
    return;
  }
  for (auto& x : found) {
    const auto& to = st.routers[slot_of(x.to) % st.routers.size()];
    self->send(to, std::move(x));
  }
  st.next_note = std::move(*next);
  st.resending = !st.next_note.empty();
}

void review(sweeper_pointer self, store& db) {
  auto& st = self->state;
  auto found = db.rosters(st.reviewed, defaults::sweep_step);
  if (!found) {
    report(found.error());
    st.reviewing = false;
    return;
  }
  for (auto& x : *found)
    if (x.requests > 0)
      self->send(st.routers[slot_of(x.user) % st.routers.size()],
        review_requests{x.user});
  st.reviewing = !st.reviewed.empty();
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

/// Who has nothing is at no limit, even if that is 0.
bool is_at(uint64_t n, uint64_t limit) {
  return n > 0 && n >= limit;
}

void look_at_accounts(store_sweeper_state::limits_look& x, store& db) {
  auto page = db.accounts(x.last, defaults::sweep_step);
  if (!page) {
    x.found.why = std::move(page.error());
    return;
  }
  for (const auto& user : *page) {
    auto head = db.head(user);
    if (!head)
      x.found.why = std::move(head.error());
    else if (is_at(head->stored, x.wanted.offline_max))
      x.found.offline.push_back(user);
  }
  x.accounts_done = page->size() < defaults::sweep_step;
  x.last = x.accounts_done ? user_address{} : page->back();
}

/// True at the end.
bool look_at_rosters(store_sweeper_state::limits_look& x, store& db) {
  auto page = db.rosters(x.last, defaults::sweep_step);
  if (!page) {
    x.found.why = std::move(page.error());
    return true;
  }
  for (const auto& r : *page) {
    if (is_at(r.contacts, x.wanted.contacts_max))
      x.found.contacts.push_back(r.user);
    if (is_at(r.watchers, x.wanted.watchers_max))
      x.found.watchers.push_back(r.user);
  }
  return x.last.empty();
}

void look_at_limits(store_sweeper_state& st, store& db) {
  auto& x = st.limits.front();
  bool done = false;
  if (x.accounts_done)
    done = look_at_rosters(x, db);
  else
    look_at_accounts(x, db);
  if (!done && x.found.why.code == errc::none)
    return;
  x.promise.deliver(std::move(x.found));
  st.limits.pop_front();
}

/// True at the end of the page.
bool read_rosters(store_sweeper_state::rosters_look& x, store& db) {
  auto& [promise, found, entries] = x;
  auto page = db.rosters(found.next, defaults::rosters_listed);
  if (!page) {
    found.why = std::move(page.error());
    return true;
  }
  for (const auto& r : *page) {
    auto whole = db.roster(r.user);
    if (!whole) {
      found.why = std::move(whole.error());
      return true;
    }
    entries += whole->items.size();
    found.what.emplace_back(r.user, std::move(*whole));
    if (entries >= defaults::contacts_listed && r.user != page->back().user) {
      found.next = r.user;
      return true;
    }
  }
  return found.next.empty() || entries >= defaults::contacts_listed;
}

void list_rosters(store_sweeper_state& st, store& db) {
  auto& x = st.rosters.front();
  if (!read_rosters(x, db))
    return;
  x.promise.deliver(std::move(x.found));
  st.rosters.pop_front();
}

/// Who waits goes first.
void step(sweeper_pointer self, store& db) {
  auto& st = self->state;
  if (!st.listings.empty())
    list(st, db);
  else if (!st.limits.empty())
    look_at_limits(st, db);
  else if (!st.rosters.empty())
    list_rosters(st, db);
  else if (st.reviewing)
    review(self, db);
  else if (st.expiring)
    expire(self, db);
  else if (st.resending)
    resend(self, db);
  else if (st.cleaning_up)
    clean_up(self, db);
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
  sweeper_pointer self, store* db, uint64_t in_filter) {
  self->state.in_filter = in_filter;
  self->state.put_before = db->ids_put();
  return {
    [self, db](const shared<policy>& rules, wall_time now,
      const std::vector<router_actor>& routers) {
      auto& st = self->state;
      st.rules = rules;
      st.now = now;
      st.routers = routers;
      if (!st.resending)
        begin_resending(st, *db);
      st.expiring = st.forgetting = st.cleaning_up = true;
      st.expired = 0;
      arm(self);
    },
    [self](list_atom) -> caf::typed_response_promise<accounts_found> {
      auto promise = self->make_response_promise<accounts_found>();
      self->state.listings.push_back({promise, {}});
      arm(self);
      return promise;
    },
    [self](add_atom, const std::vector<router_actor>& routers) {
      auto& st = self->state;
      st.routers = routers;
      st.reviewing = true;
      st.reviewed = {};
      arm(self);
    },
    [self](const limits_wanted& wanted)
      -> caf::typed_response_promise<limits_found> {
      auto promise = self->make_response_promise<limits_found>();
      self->state.limits.push_back({promise, wanted, {}, {}, false});
      arm(self);
      return promise;
    },
    [self](const rosters_wanted& wanted)
      -> caf::typed_response_promise<rosters_found> {
      auto promise = self->make_response_promise<rosters_found>();
      rosters_found found;
      found.next = wanted.after;
      self->state.rosters.push_back({promise, std::move(found), 0});
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
