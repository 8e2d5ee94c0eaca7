#include <algorithm>
#include <memory>
#include <utility>

#include "actors/router/router.hpp"

// A router and the rosters of its users: which are active, which are loaded on
// demand, which are let go of.
namespace parley {

router_state::~router_state() {
  // They hold this one.
  for (auto& [whom, r] : x_rosters)
    caf::anon_send_exit(r.handle, caf::exit_reason::user_shutdown);
  for (auto& r : x_leaving)
    caf::anon_send_exit(r.handle, caf::exit_reason::user_shutdown);
}

std::shared_ptr<const roster_config> router_state::roster_surroundings() {
  if (!x_roster_config || x_roster_config->rules != config.rules)
    x_roster_config = std::make_shared<const roster_config>(roster_config{
      config.rules, others, config.writer, config.readers, config.world,
      x_presence, config.presence_rate, x_watched_adhoc, x_roster_weights,
      config.budget ? config.budget->max() / defaults::roster_waiting_share
                    : UINT64_MAX});
  return x_roster_config;
}

router_state::active_roster* router_state::find_roster(
  const user_address& whom) {
  auto i = x_rosters.find(whom);
  return i == x_rosters.end() ? nullptr : &i->second;
}

router_state::active_roster& router_state::make_roster(
  const user_address& whom) {
  if (auto* there = find_roster(whom))
    return *there;
  auto& r = x_rosters[whom];
  r.handle = self->spawn(roster, whom, rules->removed_at(whom),
    roster_surroundings(), router_actor{self});
  for (const auto& e : rules->endpoints(whom))
    if (auto* x = find(e.session)) {
      ++r.sent;
      self->send(r.handle,
        endpoint_joined{e.session, e.name, e.what, session_actor{x->handle}});
    }
  return r;
}

// -- sessions

void router_state::join_roster(session_id id, const entry& e) {
  const auto& user = e.self.user;
  if (find_roster(user)) {
    tell_roster(user,
      endpoint_joined{
        id, e.self.endpoint, e.info.what, session_actor{e.handle}});
    return;
  }
  auto* known = rules->roster_of(user);
  if ((known && known->there) || rules->endpoints(user).size() > 1)
    make_roster(user); // which tells it of all
}

void router_state::dissolve_roster(
  const user_address& whom, std::function<void(const failure&)> then) {
  auto ask = [this, whom, then] {
    auto& r = make_roster(whom);
    ++r.sent;
    self->request(r.handle, caf::infinite, remove_atom::value)
      .then(
        [this, whom, then](const write_result& x) {
          // Refused, it stays as it is, with all that it watches.
          auto i = x_rosters.find(whom);
          if (i != x_rosters.end() && x.why.code == errc::none) {
            // What it asked of others has yet to be answered.
            x_leaving.push_back(std::move(i->second));
            x_rosters.erase(i);
          }
          if (x.why.code == errc::none)
            set_sharing(whom, sharing::by_default);
          then(x.why);
        },
        [then](const caf::error&) { then(failure{errc::store_unavailable}); });
  };
  rules->with_user(whom, [this, whom, ask, then](const result<bool>& exists) {
    auto* known = exists && *exists ? rules->roster_of(whom) : nullptr;
    if (find_roster(whom) || (known && known->there))
      ask();
    else
      then({});
  });
}

// -- questions of other rosters

void router_state::check(const contact_check& x) {
  auto answer = std::make_shared<contacts_checked>();
  answer->ticket = x.ticket;
  auto left = std::make_shared<size_t>(x.whom.size());
  for (const auto& [at, whom] : x.whom)
    rules->with_user(whom,
      [this, answer, left, at = at, whom = whom, from = x.from, by = x.user,
        watched = x.watched](const result<bool>& exists) {
        failure why;
        const bool absent = exists && !*exists;
        auto* known = exists && *exists ? rules->roster_of(whom) : nullptr;
        if (!exists)
          why = exists.error();
        else if (absent
          && (whom.domain() == config.domain || rules->knows_domain_of(whom)))
          why = failure{errc::no_such_user, "nobody is " + whom.str()};
        else if (known)
          why = refuse_contact(
            known->contacts, known->watchers + 1, watched, *config.rules);
        // An active roster knows of those that watch it ad hoc.
        contact_check part{answer->ticket, from, by, watched, {}};
        part.whom.emplace_back(at, whom);
        if (!known || !watched || !tell_roster(whom, std::move(part)))
          answer->what.emplace_back(
            at, contact_verdict{std::move(why), absent});
        if (--*left == 0 && !answer->what.empty())
          self->send(from, std::move(*answer));
      });
}

void router_state::receive(const subscription_note& x) {
  load_roster(x.to, x, [this, x](const result<bool>& exists) {
    // What cannot be asked now is sent again in time.
    if (!exists)
      return;
    using kind = subscription_note::kind;
    if (x.what == kind::subscribe_ahead)
      return; // somebody may yet have that account
    const auto& back = others->at(slot_of(x.from));
    if (x.what == kind::subscribe)
      self->send(
        back, subscription_note{x.to, x.from, kind::unsubscribed, x.number});
    else
      self->send(back, note_confirmed{x});
  });
}

void router_state::confirmed(const note_confirmed& x) {
  x_confirmed.emplace_back(remove_note{x.what});
  forget_notes();
}

void router_state::forget_notes() {
  if (x_forgetting || x_confirmed.empty())
    return;
  x_forgetting = true;
  // What stays is sent again, and confirmed again.
  auto go_on = [this] {
    x_forgetting = false;
    forget_notes();
  };
  self
    ->request(
      config.writer, caf::infinite, std::exchange(x_confirmed, operations{}))
    .then([go_on](const write_result&) { go_on(); },
      [go_on](const caf::error&) { go_on(); });
}

void router_state::call(const presence_calls& x) {
  absent_users absent;
  x.to.each([&](const address_ref& user, bool shown, bool asked) {
    auto i = x_rosters.find(user);
    if (i == x_rosters.end()) { // mostly
      auto own = asked ? x_sharing_of.find(user) : x_sharing_of.end();
      if (own != x_sharing_of.end())
        absent.what.emplace_back(*own);
      return;
    }
    auto one = x.call;
    if (!shown)
      one.state = {};
    one.asks = asked;
    ++i->second.sent;
    self->send(i->second.handle, std::move(one));
  });
  if (!absent.what.empty())
    self->send(x.call.roster, std::move(absent));
}

void router_state::take_sharing() {
  if (auto all = std::exchange(config.sharing_of, {}))
    for (const auto& [whom, own] : *all)
      if (slot_of(whom) % config.routers == config.index)
        set_sharing(whom, own);
}

void router_state::set_sharing(const user_address& whom, sharing own) {
  if (own == sharing::by_default)
    x_sharing_of.erase(whom);
  else
    x_sharing_of[whom] = own;
}

void router_state::attach(const attach_watcher& x) {
  auto gone = [this, x](const result<bool>&) {
    self->send(x.roster, watch_revoked{x.whom});
    self->send(x.roster, presentity_left{x.whom, x.seen});
  };
  if (x.adhoc)
    load_roster(x.whom, x, gone);
  else if (!tell_roster(x.whom, x))
    gone(false); // it has left meanwhile
}

void router_state::request_watch(const watch_request& x) {
  load_roster(x.whom, x, [this, x](const result<bool>& exists) {
    watch_decided no;
    no.ticket = x.ticket;
    no.whom = x.whom;
    no.why = exists ? failure{errc::no_such_user} : exists.error();
    self->send(x.from, std::move(no));
  });
}

void router_state::review(const review_requests& x) {
  load_roster(x.of, x, [](const result<bool>&) {});
}

// -- its own rosters

void router_state::roster_is_idle(const roster_idle& x) {
  // CAF takes *normal* for somebody else's end.
  auto end = [this, &x](const active_roster& r) {
    if (r.sent != x.handled)
      return false; // something is on its way to it
    self->send_exit(r.handle, caf::exit_reason::user_shutdown);
    return true;
  };
  auto is_it = [this](const active_roster& r) {
    return caf::actor_cast<caf::strong_actor_ptr>(r.handle)
      == self->current_sender();
  };
  auto i = x_rosters.find(x.user);
  if (i != x_rosters.end() && is_it(i->second)) {
    if (end(i->second))
      x_rosters.erase(i);
    return;
  }
  std::erase_if(
    x_leaving, [&](const active_roster& r) { return is_it(r) && end(r); });
}

void router_state::roster_changed(const roster_head_changed& x) {
  rules->set_roster(
    x.user, {true, x.contacts, x.watchers, x.requests, x.blocks});
  set_sharing(x.user, x.sharing);
}

// -- operators

void router_state::report_roster(const user_address& whom,
  const user_address& viewer,
  caf::typed_response_promise<roster_report> promise) {
  auto refuse = [promise](const result<bool>& exists) mutable {
    roster_report x;
    x.why = exists ? failure{errc::no_such_user} : exists.error();
    promise.deliver(std::move(x));
  };
  rules->with_user(whom,
    [this, whom, viewer, promise, refuse](const result<bool>& exists) mutable {
      if (!exists || !*exists) {
        refuse(exists);
        return;
      }
      auto& r = make_roster(whom);
      ++r.sent;
      const auto waiting = rules->waiting_of(whom);
      self->request(r.handle, caf::infinite, report_atom::value, viewer)
        .then(
          [promise, waiting](roster_report& x) mutable {
            x.waiting_ims = waiting;
            promise.deliver(std::move(x));
          },
          [promise](const caf::error&) mutable {
            roster_report x;
            x.why = failure{errc::store_unavailable};
            promise.deliver(std::move(x));
          });
    });
}

limits_found router_state::at_limits(const limits_wanted& x) const {
  limits_found found;
  found.offline = rules->with_waiting(x.offline_max);
  found.endpoints = rules->with_endpoints(x.endpoints_max);
  for (const auto& [whom, n] : *x_watched_adhoc)
    if (n >= x.watchers_max)
      found.watchers.push_back(whom);
  return found;
}

void router_state::import_contacts(const user_address& whom,
  contacts_import what,
  caf::typed_response_promise<contacts_imported> promise) {
  auto refuse = [promise](failure why) mutable {
    contacts_imported x;
    x.why = std::move(why);
    promise.deliver(std::move(x));
  };
  rules->with_user(whom,
    [this, whom, what = std::move(what), promise, refuse](
      const result<bool>& exists) mutable {
      if (!exists || !*exists) {
        refuse(exists ? failure{errc::no_such_user} : exists.error());
        return;
      }
      auto& r = make_roster(whom);
      ++r.sent;
      self->request(r.handle, caf::infinite, std::move(what))
        .then(
          [promise](
            contacts_imported& x) mutable { promise.deliver(std::move(x)); },
          [refuse](const caf::error&) mutable {
            refuse(failure{errc::store_unavailable});
          });
    });
}

} // namespace parley
