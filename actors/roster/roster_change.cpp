#include "actors/roster/roster_change.hpp"

#include <iterator>

#include "protocol/defaults.hpp"

namespace parley {

namespace {

/// Whether anything would be lost with it.
bool says_anything(const roster_item& x) noexcept {
  return is_visible(x) || x.pretended;
}

bool watches(const roster_item& x) noexcept {
  return x.what.subscription.from == half::active || x.pretended;
}

bool asks(const roster_item& x) noexcept {
  return x.what.subscription.from == half::pending;
}

bool sees(const roster_item& x) noexcept {
  return x.what.subscription.to == half::active;
}

} // namespace

bool is_visible(const contact_standing& x) noexcept {
  return x.listed || x.preapproved || x.subscription != subscription_state{};
}

bool is_visible(const roster_item& x) noexcept {
  return is_visible(contact_standing::of(x));
}

roster_rules::change::touched& roster_rules::change::touch(
  const user_address& whom, const roster_item* now) {
  auto [i, fresh] = x_touched.try_emplace(whom);
  auto& t = i->second;
  if (fresh) {
    t.counted.what.listed = false;
    if (now) {
      t.before = *now;
      t.counted = *now;
    }
  }
  return t;
}

roster_item& roster_rules::change::make(const user_address& whom) {
  if (auto* x = get(whom))
    return *x;
  touch(whom, nullptr);
  auto& x = x_rules.x_items.make(whom);
  x.what.listed = false;
  return x;
}

roster_item* roster_rules::change::get(const user_address& whom) {
  auto* x = x_rules.x_items.find(whom);
  if (x)
    touch(whom, x);
  return x;
}

void roster_rules::change::recount(touched& t, const roster_item& now) {
  auto& h = x_rules.x_head;
  auto by = [](uint64_t& n, bool before, bool after) {
    n += static_cast<uint64_t>(after) - static_cast<uint64_t>(before);
  };
  by(h.contacts, t.counted.what.listed, now.what.listed);
  by(h.watchers, watches(t.counted), watches(now));
  by(h.requests, asks(t.counted), asks(now));
  t.counted = now;
}

void roster_rules::change::count(const roster_item& x) {
  recount(touch(x.what.address, &x), x);
}

void roster_rules::change::collect(const user_address& whom, const touched& t,
  const roster_item* now, contact_list& push) {
  bool was = t.before && is_visible(*t.before);
  bool is = now && is_visible(*now);
  if (is && (!was || t.before->what != now->what))
    push.contacts.push_back(now->what);
  else if (was && !is)
    push.removed.push_back(whom);
}

void roster_rules::change::commit() {
  auto& r = x_rules;
  auto& h = r.x_head;
  contact_list push;
  auto nothing = roster_item{};
  nothing.what.listed = false;
  bool counts = false;
  for (auto& [whom, t] : x_touched) {
    const auto* now = r.x_items.find(whom);
    auto counted = t.before ? *t.before : nothing;
    recount(t, now ? *now : nothing);
    counts |= counted.what.listed != t.counted.what.listed
      || watches(counted) != watches(t.counted)
      || asks(counted) != asks(t.counted);
    collect(whom, t, now, push);
  }
  bool tells = !push.contacts.empty() || !push.removed.empty();
  push.since = h.version;
  if (tells) {
    if (h.version == roster_version{})
      h.version = h.since = r.x_before_first;
    ++h.version.value;
    for (const auto& whom : push.removed)
      h.removals.emplace_back(h.version, whom);
    if (h.removals.size() > defaults::removals_max) {
      auto kept = h.removals.end() - defaults::removals_max;
      h.since = std::prev(kept)->first;
      h.removals.erase(h.removals.begin(), kept);
    }
  }
  push.version = h.version;
  for (auto& c : push.contacts)
    r.x_items.find(c.address)->version = h.version;
  std::vector<std::pair<user_address, bool>> seen;
  std::vector<user_address> views;
  for (auto& [whom, t] : x_touched) {
    const auto* there = r.x_items.find(whom);
    if (there && !says_anything(*there)) {
      r.x_items.erase(whom);
      there = nullptr;
    }
    const auto& now = there ? *there : nothing;
    const auto& before = t.before ? *t.before : nothing;
    if (there && (!t.before || *t.before != now))
      r.x_fx.write(put_contact{r.x_user, now});
    else if (!there && t.before)
      r.x_fx.write(remove_contact{r.x_user, whom});
    if (sees(before) != sees(now))
      seen.emplace_back(whom, sees(now));
    if (watches(before) != watches(now) || before.pretended != now.pretended)
      views.push_back(whom);
  }
  if (tells || counts || x_head)
    r.x_fx.write(put_roster{r.x_user, h});
  for (const auto& n : x_notes)
    r.x_fx.write(put_note{n});
  for (const auto& n : x_forgotten)
    r.x_fx.write(remove_note{n});
  if (counts || x_head)
    r.x_fx.head_changed();
  for (auto& n : x_notes)
    r.x_fx.send(std::move(n));
  for (auto& n : x_confirmed)
    r.x_fx.confirm(std::move(n));
  if (tells)
    r.x_fx.push(std::move(push));
  for (const auto& [whom, on] : seen)
    r.x_fx.watch(whom, on);
  for (const auto& whom : views)
    r.x_fx.view_changed(whom);
}

} // namespace parley
