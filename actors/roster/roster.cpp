#include "actors/roster/roster.hpp"

#include <algorithm>
#include <utility>

#include "actors/roster/privacy_rules.hpp"
#include "actors/router/routing.hpp"
#include "protocol/defaults.hpp"
#include "protocol/defaults_memory.hpp"

// The shell of a roster: reading, writing, requests. Its presence is in
// roster_presence.cpp, whom it watches in roster_watching.cpp and
// roster_adhoc.cpp, what operators ask in roster_operators.cpp.
namespace parley {

roster_state::~roster_state() {
  --config->counters->rosters;
  if (x_dissolved) // a later one may count by now
    return;
  config->adhoc->erase(x_rules->user());
  config->weights->set(x_rules->user(), 0);
}

void roster_state::init(user_address user, uint64_t removed_at,
  std::shared_ptr<const roster_config> shared_config, router_actor parent) {
  config = std::move(shared_config);
  x_policy = config->rules;
  x_router = std::move(parent);
  roster_rules::effects& fx = *this;
  x_rules = std::make_unique<roster_rules>(std::move(user), removed_at, fx);
  presentity nobody;
  nobody.who = x_rules->user();
  nobody.version = next_version();
  x_truth.reset(std::move(nobody));
  ++config->counters->rosters;
}

const router_actor& roster_state::router_of(const user_address& x) const {
  return config->others->at(slot_of(x));
}

// -- reading

void roster_state::read() {
  if (std::exchange(x_reading, true))
    return;
  const auto& user = x_rules->user();
  const auto& readers = config->readers;
  self->send(readers[slot_of(user) % readers.size()], user, roster_actor{self});
}

void roster_state::found(roster_found& x) {
  x_reading = false;
  if (x.why.code != errc::none) {
    // Who can be told is told; the rest waits for a better time.
    std::vector<held> rest;
    for (auto& w : std::exchange(x_waiting, {}))
      if (w.fails)
        w.fails(x.why);
      else
        rest.push_back(std::move(w));
    x_waiting = std::move(rest);
    x_weight.committed(true);
    arm(self->clock().now() + defaults::roster_retry);
    return;
  }
  x_rules->load(std::move(x.what), roster_version{now_us()});
  x_unsettled.clear();
  x_loaded = true;
  count_list();
  if (std::exchange(x_was_loaded, true)) {
    share_or_not();
    show_to_all();
    // Not at once: what it writes may be refused again.
    x_reconciles = true;
    arm(self->clock().now() + defaults::roster_retry);
  } else {
    x_own_sharing = x_rules->head().privacy.sharing;
    x_shares = shares_presence(x_own_sharing, *x_policy);
    x_rules->review(*x_policy);
  }
  carry_on();
}

// -- writing

void roster_state::after(
  std::function<void()> act, std::function<void(const failure&)> fails) {
  x_held.push_back({std::move(act), std::move(fails)});
}

void roster_state::act() {
  while (!x_committing && x_writes.empty() && !x_held.empty())
    for (auto& h : std::exchange(x_held, {}))
      h.act();
}

void roster_state::flush() {
  do {
    act();
    count_adhoc_watchers();
    if (!x_committing && !x_writes.empty())
      commit();
  } while (!x_committing && !x_held.empty());
  weigh();
  tell_if_idle();
}

void roster_state::count_list() {
  uint64_t decoded = 0;
  const auto rows = x_rules->items().each_decoded([&](const roster_item& x) {
    decoded += defaults::contact_bytes + bytes_of(x.what);
  });
  x_weight.counted(rows + decoded, bytes_of(x_rules->head().privacy));
}

void roster_state::weigh() {
  if (!waits_for_disk() && x_waiting.empty())
    x_weight.committed(true);
  if (x_weight.is_stale())
    count_list();
  const auto now = x_dissolved ? 0 : x_weight.total();
  if (now == x_weighed)
    return;
  x_weighed = now;
  config->weights->set(x_rules->user(), now);
}

void roster_state::commit() {
  if (x_dissolved) {
    // It would come behind the account's end.
    x_writes.clear();
    for (auto& h : std::exchange(x_held, {}))
      if (h.fails)
        h.fails(failure{errc::no_such_user});
    return;
  }
  x_committing = true;
  x_weight.commit();
  x_under_way = std::exchange(x_held, {});
  self->request(config->writer, caf::infinite, std::exchange(x_writes, {}))
    .then([this](const write_result& x) { committed(x.why); },
      [this](const caf::error&) { committed(failure{errc::store_failed}); });
}

void roster_state::committed(const failure& why) {
  x_committing = false;
  x_weight.committed(false);
  auto batch = std::exchange(x_under_way, {});
  if (why.code == errc::none) {
    for (auto& h : batch)
      h.act();
  } else {
    // What came after was built on it.
    x_writes.clear();
    x_loaded = false;
    auto later = std::exchange(x_held, {});
    for (auto* held_back : {&batch, &later})
      for (auto& h : *held_back)
        if (h.fails)
          h.fails(why);
    read();
  }
  flush();
}

void roster_state::tell_if_idle() {
  bool idle = x_loaded && x_endpoints.empty() && x_watchers.empty()
    && x_granted.empty() && x_watched.empty() && x_asked.empty()
    && x_checks.empty() && !x_committing && !x_reconciles;
  if (!idle || x_told_idle == handled)
    return;
  x_told_idle = handled;
  self->send(x_router, roster_idle{x_rules->user(), handled});
}

// -- requests

roster_state::endpoint* roster_state::find(session_id session) {
  for (auto& e : x_endpoints)
    if (e.session == session)
      return &e;
  return nullptr;
}

const session_actor* roster_state::handle_of(session_id session) {
  if (auto* e = find(session))
    return &e->handle;
  auto* early = find_early(session);
  return early ? &early->what.handle : nullptr;
}

void roster_state::tell(const session_actor& to, event what) {
  session_output x;
  x.what.emplace_back(std::move(what));
  self->send(to, std::move(x));
}

void roster_state::answer(
  session_id to, request_number number, roster_rules::answer_content what) {
  if (auto* f = std::get_if<failure>(&what))
    config->counters->count_refusal(f->code);
  if (auto* r = std::get_if<refused_request>(&what))
    config->counters->count_refusal(r->why.code);
  if (auto* c = std::get_if<contacts_changed>(&what))
    for (const auto& r : c->refused)
      config->counters->count_refusal(r.why.code);
  if (to == session_id{}) {
    answer_operator(number.value, std::move(what));
    return;
  }
  if (auto* handle = handle_of(to))
    tell(*handle, event{parley::answer{number, std::move(what)}});
}

void roster_state::requests(roster_requests& x) {
  for (auto& r : x.what) {
    auto from = x.from;
    auto number = r.number;
    if (!x_weight.take(r.what, config->waiting_max)) {
      failure why{errc::overloaded, "the disk is slow, and much waits for it"};
      why.retry_after = defaults::roster_waiting_retry_after;
      ++config->counters->waiting_full;
      answer(from, number, std::move(why));
      continue;
    }
    when_loaded([this, from, r = std::move(r)]() mutable { request(from, r); },
      [this, from, number](const failure& why) { answer(from, number, why); });
    // What needs no disk has waited for nothing.
    act();
    if (!waits_for_disk() && x_waiting.empty())
      x_weight.committed(true);
  }
}

void roster_state::request(session_id from, numbered_request& x) {
  if (x_dissolving) {
    answer(from, x.number, failure{errc::no_such_user});
    return;
  }
  auto& rules = *x_rules;
  auto number = x.number;
  if (auto* a = std::get_if<add_contacts>(&x.what)) {
    rules.add(from, number, std::move(a->contacts), false, *x_policy, now_us());
  } else if (auto* r = std::get_if<remove_contacts>(&x.what)) {
    rules.remove(from, number, r->addresses, now_us());
    decide_waiting();
  } else if (auto* l = std::get_if<list_contacts>(&x.what)) {
    if (auto* e = find(from))
      e->follows = true;
    rules.list(from, number, l->known);
  } else if (auto* s = std::get_if<parley::subscribe>(&x.what)) {
    rules.subscribe(from, number, s->to, *x_policy, now_us());
  } else if (auto* u = std::get_if<parley::unsubscribe>(&x.what)) {
    rules.unsubscribe(from, number, u->to, now_us());
  } else if (auto* y = std::get_if<parley::approve>(&x.what)) {
    rules.approve(from, number, y->from, *x_policy, now_us());
  } else if (auto* n = std::get_if<parley::deny>(&x.what)) {
    rules.deny(from, number, n->from);
    decide_waiting();
  } else if (auto* w = std::get_if<parley::watch>(&x.what)) {
    request_watch(from, number, *w);
  } else if (auto* p = std::get_if<parley::set_privacy>(&x.what)) {
    rules.set_privacy(from, number, std::move(*p), *x_policy);
  }
}

void roster_state::decide_waiting() {
  if (x_rules->head().requests > 0)
    x_rules->review(*x_policy);
}

// -- roster_rules::effects

void roster_state::write(store_operation what) {
  x_weight.written(what);
  // Of several heads in one batch the last one counts.
  if (auto* head = std::get_if<put_roster>(&what))
    for (auto& w : x_writes)
      if (auto* before = std::get_if<put_roster>(&w)) {
        *before = std::move(*head);
        return;
      }
  x_writes.push_back(std::move(what));
}

void roster_state::reply(
  session_id to, request_number number, roster_rules::answer_content what) {
  after(
    [this, to, number, what = std::move(what)] { answer(to, number, what); },
    [this, to, number](const failure& why) { answer(to, number, why); });
}

void roster_state::push(contact_list what) {
  after([this, what = std::move(what)] {
    for (const auto& e : x_endpoints)
      if (e.follows)
        tell(e.handle, event{what});
  });
}

void roster_state::tell_privacy(session_id by, privacy what) {
  after([this, by, what = std::move(what)] {
    for (const auto& e : x_endpoints)
      if (e.session != by)
        tell(e.handle, event{what});
  });
}

void roster_state::check(
  uint64_t ticket, std::vector<user_address> whom, bool watched) {
  auto& c = x_checks[ticket];
  c.about.resize(whom.size());
  c.left = whom.size();
  std::map<size_t, contact_check> parts;
  for (size_t i = 0; i < whom.size(); ++i) {
    auto& part = parts[config->others->index_of(slot_of(whom[i]))];
    part.whom.emplace_back(static_cast<uint32_t>(i), std::move(whom[i]));
  }
  for (auto& [index, part] : parts) {
    part.ticket = ticket;
    part.from = roster_actor{self};
    part.user = x_rules->user();
    part.watched = watched;
    self->send(config->others->routers[index], std::move(part));
  }
}

void roster_state::checked(const contacts_checked& x) {
  auto i = x_checks.find(x.ticket);
  if (i == x_checks.end())
    return;
  auto& c = i->second;
  for (const auto& [at, about] : x.what) {
    c.about.at(at) = about;
    --c.left;
  }
  if (c.left > 0)
    return;
  auto about = std::move(c.about);
  x_checks.erase(i);
  when_loaded(
    [this, ticket = x.ticket, about = std::move(about)]() mutable {
      if (x_dissolving)
        about.assign(about.size(), failure{errc::no_such_user});
      x_rules->checked(ticket, about, *x_policy, now_us());
    },
    [this, ticket = x.ticket](
      const failure& why) { x_rules->check_failed(ticket, why); });
}

void roster_state::check_for(const contact_check& x) {
  answer_check(x,
    x_dissolved ? failure{errc::no_such_user}
                : x_rules->refuses_contact(x.user, x.watched, *x_policy));
}

void roster_state::answer_check(const contact_check& x, const failure& why) {
  contacts_checked answer;
  answer.ticket = x.ticket;
  for (const auto& [at, whom] : x.whom)
    answer.what.emplace_back(at, why);
  self->send(x.from, std::move(answer));
}

void roster_state::send(subscription_note what) {
  after(
    [this, what = std::move(what)] { self->send(router_of(what.to), what); });
}

void roster_state::confirm(subscription_note what) {
  after([this, what = std::move(what)] {
    self->send(router_of(what.from), note_confirmed{what});
  });
}

void roster_state::head_changed() {
  // As it is now: what comes after may be refused.
  const auto& h = x_rules->head();
  roster_head_changed x{
    x_rules->user(), h.contacts, h.watchers, h.requests, {}, h.privacy.sharing};
  // The same one each time: many may wait for the disk.
  if (!blocks_anybody(h.privacy))
    x_told_blocks = {};
  else if (!x_told_blocks || *x_told_blocks != h.privacy)
    x_told_blocks.reset(h.privacy);
  x.blocks = x_told_blocks;
  x_adhoc_changed = true;
  after([this, x = std::move(x)] {
    if (!x_dissolved) // its router knows better by now
      self->send(x_router, x);
  });
}

// -- from the other half, and the policy

void roster_state::receive(const subscription_note& x) {
  // It is sent again as long as nobody confirms it.
  auto fails = [](const failure&) {};
  when_loaded(
    [this, x] {
      // Nobody subscribes any more to one that is about to be removed: its
      // router answers when it is.
      if (!x_dissolving)
        x_rules->receive(x, *x_policy, now_us());
    },
    fails);
}

void roster_state::review() {
  // Whoever waits for that is looked at when it is loaded, too.
  when_loaded([this] { x_rules->review(*x_policy); }, [](const failure&) {});
}

// -- the end of its account

void roster_state::leave_all() {
  x_dissolved = true;
  for (const auto& [who, w] : x_watchers)
    if (w.adhoc)
      self->send(w.roster, watch_revoked{x_rules->user()});
  x_watchers.clear();
  x_granted.clear();
  config->adhoc->erase(x_rules->user());
  stop_watching_all();
  // Who was promised something by others takes it back when they answer.
  x_endpoints.clear();
}

void roster_state::dissolve(caf::typed_response_promise<write_result> promise) {
  auto fails = [this, promise](const failure& why) mutable {
    x_dissolving = x_dissolved;
    promise.deliver(write_result{why});
  };
  when_loaded(
    [this, promise, fails] {
      x_dissolving = true;
      x_rules->dissolve();
      after(
        [this, promise]() mutable {
          leave_all();
          promise.deliver(write_result{});
        },
        fails);
    },
    fails);
}

} // namespace parley
