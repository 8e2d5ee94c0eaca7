#include <algorithm>
#include <utility>
#include <vector>

#include "actors/roster/privacy_rules.hpp"
#include "actors/roster/roster_change.hpp"
#include "actors/roster/roster_rules.hpp"

// Who may watch a roster's user, and whom it may watch.
namespace parley {

using kind = subscription_note::kind;

bool roster_rules::lets_in(const user_address& watcher) const noexcept {
  auto x = x_items.standing(watcher);
  return x && (x->subscription.from == half::active || x->pretended);
}

bool roster_rules::admit(const user_address& watcher, uint64_t number) {
  if (lets_in(watcher))
    return true;
  auto x = x_items.brief(watcher);
  // One that waits for its approval is not told of its end.
  if (!x || (x->subscription.from == half::none && number >= x->heard))
    x_fx.send({x_user, watcher, kind::unsubscribed, number});
  return false;
}

bool roster_rules::expects(const user_address& whom, uint64_t now_us) {
  auto x = x_items.standing(whom);
  if (x && x->subscription.to == half::active)
    return true;
  if (!x || x->subscription.to == half::none)
    x_fx.send({x_user, whom, kind::unsubscribe, next_wish(now_us)});
  return false;
}

uint64_t roster_rules::watchers_with(const user_address& watcher) const {
  return x_head.watchers + x_fx.adhoc_watchers_beside(watcher) + 1;
}

bool roster_rules::has_room_for_watcher(
  const user_address& watcher, const policy& rules) const {
  return watchers_with(watcher) <= rules.watchers_max;
}

failure roster_rules::refuses_contact(
  const user_address& by, bool watched, const policy& rules) const {
  return refuse_contact(
    x_head.contacts, lets_in(by) ? 0 : watchers_with(by), watched, rules);
}

std::optional<failure> roster_rules::refuses_watch(
  const user_address& watcher, bool renews, const policy& rules) const {
  if (lets_in(watcher))
    return std::nullopt;
  if (!renews && !has_room_for_watcher(watcher, rules)) {
    failure f{errc::watcher_limit};
    f.limit = rules.watchers_max;
    f.value = watchers_with(watcher);
    return f;
  }
  if (judge_watcher(x_head.privacy, watcher, rules) == verdict::ask)
    return failure{errc::not_authorised};
  return std::nullopt;
}

void roster_rules::review(change& c, const policy& rules) {
  std::vector<user_address> open;
  x_items.each_standing([&](const address_ref& who, const contact_standing& x) {
    bool undecided = x.subscription.from == half::pending;
    if (!undecided && !x.pretended)
      return; // mostly
    auto whom = user_address::from_prepared(std::string{who.text});
    undecided =
      undecided && judge_watcher(x_head.privacy, whom, rules) != verdict::ask;
    if (undecided || (x.pretended && !is_blocked(x_head.privacy, whom)))
      open.push_back(std::move(whom));
  });
  std::sort(open.begin(), open.end());
  for (const auto& whom : open)
    judge(c, *c.get(whom), rules);
}

void roster_rules::review(const policy& rules) {
  if (x_items.empty())
    return;
  change c{*this};
  review(c, rules);
  c.commit();
}

failure refuse_contact(uint64_t contacts, uint64_t watchers_then, bool watched,
  const policy& rules) {
  auto refuse = [](errc code, uint64_t max, uint64_t then) {
    failure why{code};
    why.limit = max;
    why.value = then;
    return why;
  };
  // Whom it concerns even if it is on the list already goes first.
  if (watched && watchers_then > rules.watchers_max)
    return refuse(errc::watcher_limit, rules.watchers_max, watchers_then);
  if (contacts >= rules.contacts_max)
    return refuse(errc::contact_list_full, rules.contacts_max, contacts + 1);
  return {};
}

} // namespace parley
