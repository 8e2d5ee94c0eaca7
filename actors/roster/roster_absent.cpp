#include <algorithm>

#include "actors/roster/privacy_rules.hpp"
#include "actors/roster/roster.hpp"

// Contacts of a roster's user that are not here: those that share their
// presence are shown as unavailable, the others as unknown, without asking
// their rosters.
namespace parley {

show roster_state::view_of_absent(
  const user_address& whom, const policy& rules) const {
  auto own = x_sharing_of.find(whom);
  return shares_presence(
           own == x_sharing_of.end() ? sharing::by_default : own->second, rules)
    ? show::unavailable
    : show::unknown;
}

std::vector<user_address> roster_state::absent_contacts() const {
  std::vector<user_address> all;
  x_rules->items().each_standing(
    [this, &all](const address_ref& who, const contact_standing& x) {
      if (x.subscription.to == half::none && x_unsettled.empty())
        return;
      auto whom = user_address::from_prepared(std::string{who.text});
      if (!x_watched.contains(whom) && is_subscribed(whom))
        all.push_back(std::move(whom));
    });
  std::sort(all.begin(), all.end());
  return all;
}

void roster_state::tell_unknown_ones(const endpoint& e) {
  auto tell_it = [this, &e](const user_address& whom) {
    tell(e.handle, event{presence_event{bare_notice(whom, show::unknown)}});
  };
  if (!shares_presence(sharing::by_default, *x_policy)) {
    for (const auto& whom : absent_contacts())
      if (is_unknown_when_absent(whom))
        tell_it(whom);
    return;
  }
  // Mostly nobody hides.
  for (const auto& [whom, own] : x_sharing_of)
    if (is_unknown_when_absent(whom) && !x_watched.contains(whom)
      && is_subscribed(whom))
      tell_it(whom);
}

void roster_state::tell_absent(const policy& before) {
  auto changes = [this, &before](sharing own) {
    return shares_presence(own, before) != shares_presence(own, *x_policy);
  };
  if (x_endpoints.empty()
    || (!changes(sharing::by_default) && !changes(sharing::on)))
    return; // who hides does so by any policy
  for (const auto& whom : absent_contacts()) {
    auto what = view_of_absent(whom, *x_policy);
    if (what == view_of_absent(whom, before))
      continue;
    for (const auto& e : x_endpoints)
      tell(e.handle, event{presence_event{bare_notice(whom, what)}});
  }
}

void roster_state::absent(const absent_users& x) {
  for (const auto& [whom, own] : x.what)
    learn(whom, own);
}

void roster_state::learn(const user_address& whom, sharing own) {
  // Who becomes a contact later is asked then.
  if (x_endpoints.empty() || !is_subscribed(whom))
    return;
  auto before = view_of_absent(whom, *x_policy);
  if (own == sharing::by_default)
    x_sharing_of.erase(whom);
  else
    x_sharing_of[whom] = own;
  auto now = view_of_absent(whom, *x_policy);
  if (now == before || x_watched.contains(whom))
    return;
  for (const auto& e : x_endpoints)
    tell(e.handle, event{presence_event{bare_notice(whom, now)}});
}

void roster_state::tell_unknown(const user_address& whom) {
  if (!is_subscribed(whom) || !is_unknown_when_absent(whom))
    return;
  for (const auto& e : x_endpoints)
    tell(e.handle, event{presence_event{bare_notice(whom, show::unknown)}});
}

} // namespace parley
