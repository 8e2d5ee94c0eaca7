#include "actors/roster/roster_rules.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "actors/roster/privacy_rules.hpp"
#include "actors/roster/roster_change.hpp"
#include "actors/roster/subscription_table.hpp"

namespace parley {

using kind = subscription_note::kind;

namespace {

refused_contact refuse(const std::string& address, failure why) {
  return refused_contact{address, std::move(why), {}};
}

bool may_have_room(uint64_t there, uint64_t max) noexcept {
  return max == unlimited || there < max;
}

void apply(roster_item& x, subscription_event what) {
  x.what.subscription = step(x.what.subscription, what).next;
}

/// That was given beforehand.
void end_approval(roster_item& x) {
  x.what.preapproved = false;
  x.approved_at = 0;
}

/// What was said to and by an account of that name, removed at `since`.
void forget_earlier(roster_item& x, uint64_t since) {
  if (since == 0)
    return;
  if (x.approved_at <= since)
    end_approval(x);
  if (x.heard > since)
    return;
  x.what.subscription.from = half::none;
  x.pretended = false;
}

} // namespace

void roster_rules::load(packed_roster x, roster_version before_first) {
  x_before_first = before_first;
  x_head = std::move(x.head);
  x_wishes = std::max(x_wishes, x.items.last_asked());
  x_items.load(std::move(x.items));
}

void roster_rules::share_address(const user_address& whom) {
  x_items.share_address(whom);
}

// -- adding

void roster_rules::add(session_id from, request_number number,
  std::vector<wanted_contact> what, bool subscribes, const policy& rules,
  uint64_t now_us) {
  open_check x;
  x.session = from;
  x.number = number;
  x.what = subscribes ? purpose::import : purpose::add;
  x.wanted = std::move(what);
  ask(std::move(x), rules, now_us);
}

void roster_rules::subscribe(session_id from, request_number number,
  const user_address& to, const policy& rules, uint64_t now_us) {
  open_check x;
  x.session = from;
  x.number = number;
  x.what = purpose::subscribe;
  x.wanted.push_back({to.str(), {}, {}});
  ask(std::move(x), rules, now_us);
}

void roster_rules::approve(session_id from, request_number number,
  const user_address& whom, const policy& rules, uint64_t now_us) {
  auto* there = x_items.find(whom);
  // Its user knows nothing of one that is pretended.
  bool is_new = !there
    || (!there->what.listed && there->what.subscription.from == half::none);
  if (is_new) {
    open_check x;
    x.session = from;
    x.number = number;
    x.what = purpose::approve;
    x.wanted.push_back({whom.str(), {}, {}});
    ask(std::move(x), rules, now_us);
    return;
  }
  change c{*this};
  auto why = let_in(c, *c.get(whom), rules, now_us);
  c.commit();
  if (why)
    x_fx.reply(from, number, std::move(*why));
  else
    x_fx.reply(from, number, done{});
}

std::optional<failure> roster_rules::let_in(
  change& c, roster_item& x, const policy& rules, uint64_t now_us) {
  auto from = x.what.subscription.from;
  if (from == half::pending) {
    if (!has_room_for_watcher(x.what.address, rules)) {
      failure f{errc::watcher_limit,
        x_user.str() + " has as many watchers as anybody may have"};
      f.limit = rules.watchers_max;
      f.value = watchers_with(x.what.address);
      return f;
    }
    apply(x, subscription_event::sends_subscribed);
    decide(c, x, kind::subscribed);
  } else if (from == half::none) {
    // Of one that is blocked it is used when the block ends.
    x.what.preapproved = true;
    x.approved_at = now_us;
  }
  return std::nullopt;
}

/// Others are asked about whoever is to be listed or subscribed to.
void roster_rules::ask(open_check x, const policy& rules, uint64_t now_us) {
  x.asked_at = now_us;
  std::vector<user_address> whom;
  for (size_t i = 0; i < x.wanted.size(); ++i) {
    auto parsed = address::parse(x.wanted[i].address);
    x.whom.emplace_back();
    if (!parsed) {
      x.wrong.emplace(i, parsed.error());
      continue;
    }
    if (parsed->user == x_user) {
      x.wrong.emplace(
        i, failure{errc::bad_request, "nobody is a contact of itself"});
      continue;
    }
    if (auto why = contact_fault(x.wanted[i].name, x.wanted[i].groups)) {
      x.wrong.emplace(i, std::move(*why));
      continue;
    }
    x.whom[i] = parsed->user;
    auto* there = x_items.find(parsed->user);
    bool wishes = (x.what == purpose::subscribe || x.what == purpose::import)
      && (!there || there->what.subscription.to == half::none);
    if (wishes || !there || !there->what.listed) {
      x.asked.push_back(i);
      whom.push_back(parsed->user);
    }
  }
  auto ticket = x_next_check++;
  bool watched = x.what == purpose::subscribe || x.what == purpose::import;
  bool asks = !whom.empty();
  x_checks.emplace(ticket, std::move(x));
  if (asks)
    x_fx.check(ticket, std::move(whom), watched);
  else
    checked(ticket, {}, rules, now_us);
}

void roster_rules::check_failed(uint64_t ticket, const failure& why) {
  if (auto x = x_checks.extract(ticket))
    x_fx.reply(x.mapped().session, x.mapped().number, why);
}

void roster_rules::checked(uint64_t ticket,
  const std::vector<contact_verdict>& about, const policy& rules,
  uint64_t now_us) {
  auto i = x_checks.find(ticket);
  if (i == x_checks.end())
    return;
  auto x = std::move(i->second);
  x_checks.erase(i);
  std::vector<const failure*> refusals(x.whom.size(), nullptr);
  std::set<size_t> absent;
  for (size_t k = 0; k < x.asked.size() && k < about.size(); ++k) {
    if (about[k].why.code != errc::none)
      refusals[x.asked[k]] = &about[k].why;
    if (about[k].absent)
      absent.insert(x.asked[k]);
  }
  change c{*this};
  std::vector<refused_contact> refused;
  for (size_t k = 0; k < x.whom.size(); ++k) {
    auto r = refuse(x.wanted[k].address, {});
    if (auto wrong = x.wrong.find(k); wrong != x.wrong.end()) {
      r.why = std::move(wrong->second);
      refused.push_back(std::move(r));
      continue;
    }
    // Whoever is a contact already need not have room to be one.
    if (auto* there = x_items.find(x.whom[k]); refusals[k] && there
        && there->what.listed && refusals[k]->code == errc::contact_list_full)
      refusals[k] = nullptr;
    if (refusals[k]) {
      r.why = *refusals[k];
      if (r.why.code == errc::contact_list_full)
        r.whose = x.whom[k];
    } else if (enlist(c, x.wanted[k], x.whom[k], rules, r)) {
      auto& item = *c.get(x.whom[k]);
      if (x.what == purpose::add || x.what == purpose::import) {
        item.what.name = std::move(x.wanted[k].name);
        item.what.groups = std::move(x.wanted[k].groups);
      }
      if (x.what == purpose::approve) {
        // Its request may have come meanwhile.
        if (auto f = let_in(c, item, rules, x.asked_at))
          r.why = std::move(*f);
      } else if (x.what != purpose::add
        && item.what.subscription.to == half::none) {
        apply(item, subscription_event::sends_subscribe);
        wish(c, item,
          absent.contains(k) ? kind::subscribe_ahead : kind::subscribe, now_us);
      }
    }
    if (r.why.code != errc::none)
      refused.push_back(std::move(r));
  }
  c.commit();
  if (x.what != purpose::approve)
    x_fx.reply(x.session, x.number,
      contacts_changed{std::move(refused), x_head.version});
  else if (refused.empty())
    x_fx.reply(x.session, x.number, done{});
  else if (auto& r = refused.front(); r.whose.empty())
    x_fx.reply(x.session, x.number, std::move(r.why));
  else
    x_fx.reply(x.session, x.number,
      refused_request{std::move(r.why), std::move(r.whose)});
}

bool roster_rules::enlist(change& c, const wanted_contact&,
  const user_address& whom, const policy& rules, refused_contact& why) {
  auto* there = x_items.find(whom);
  if (there && there->what.listed)
    return true;
  if (!may_have_room(x_head.contacts, rules.contacts_max)) {
    why.why = failure{errc::contact_list_full,
      "the contact list of " + x_user.str() + " is full"};
    why.why.limit = rules.contacts_max;
    why.why.value = x_head.contacts + 1;
    why.whose = x_user;
    return false;
  }
  auto& x = c.make(whom);
  x.what.listed = true;
  c.count(x);
  return true;
}

void roster_rules::remove(session_id from, request_number number,
  const std::vector<std::string>& whom, uint64_t now_us) {
  change c{*this};
  contacts_changed answer;
  for (const auto& text : whom) {
    auto parsed = address::parse(text);
    if (!parsed) {
      answer.refused.push_back(refuse(text, parsed.error()));
      continue;
    }
    auto* x = c.get(parsed->user);
    if (!x)
      continue;
    if (x->what.subscription.to != half::none) {
      apply(*x, subscription_event::sends_unsubscribe);
      wish(c, *x, kind::unsubscribe, now_us);
    }
    if (x->what.subscription.from != half::none || x->pretended) {
      apply(*x, subscription_event::sends_unsubscribed);
      x->pretended = false;
      decide(c, *x, kind::unsubscribed);
    }
    x->what.listed = false;
    end_approval(*x);
    x->what.name.clear();
    x->what.groups.clear();
  }
  c.commit();
  answer.version = x_head.version;
  x_fx.reply(from, number, std::move(answer));
}

// -- the list

contact_list roster_rules::listing(roster_version known) const {
  contact_list x;
  x.version = x_head.version;
  bool whole =
    known == roster_version{} || known < x_head.since || known > x_head.version;
  if (!whole)
    x.since = known;
  auto changed = [known, whole](const contact_brief& c) {
    return is_visible(c) && (whole || c.version > known);
  };
  if (whole || x_head.version > known)
    x_items.each(changed,
      [&x](roster_item item) { x.contacts.push_back(std::move(item.what)); });
  std::sort(x.contacts.begin(), x.contacts.end(),
    [](const auto& a, const auto& b) { return a.address < b.address; });
  if (whole)
    return x;
  for (const auto& [version, whom] : x_head.removals) {
    auto there = x_items.brief(whom);
    if (version > known && !(there && is_visible(*there)))
      x.removed.push_back(whom);
  }
  // Some came back between and were removed again.
  auto& gone = x.removed;
  std::sort(gone.begin(), gone.end());
  gone.erase(std::unique(gone.begin(), gone.end()), gone.end());
  return x;
}

void roster_rules::list(
  session_id from, request_number number, roster_version known) {
  x_fx.reply(from, number, listing(known));
}

// -- subscriptions

/// Greater than all before, also of entries that are forgotten, and than those
/// of an earlier account.
uint64_t roster_rules::next_wish(uint64_t now_us) {
  return x_wishes = std::max({x_wishes + 1, x_removed_at + 1, now_us});
}

void roster_rules::wish(change& c, roster_item& x, kind what, uint64_t now_us) {
  x.asked = next_wish(now_us);
  subscription_note n{x_user, x.what.address, what, x.asked};
  if (n.wants())
    n.since = x_removed_at;
  c.note(std::move(n));
}

void roster_rules::decide(change& c, roster_item& x, kind what) {
  c.note({x_user, x.what.address, what, x.heard});
  c.count(x);
}

void roster_rules::judge(change& c, roster_item& x, const policy& rules) {
  const auto& whom = x.what.address;
  auto v = judge_watcher(x_head.privacy, whom, rules);
  if (v == verdict::ask && x.what.preapproved)
    v = verdict::allow;
  bool undecided = x.what.subscription.from == half::pending;
  // The answer to one that is blocked tells nothing.
  if (v != verdict::ask && !x.pretended && !has_room_for_watcher(whom, rules)) {
    if (!undecided)
      decide(c, x, kind::unsubscribed);
    return;
  }
  // It was told already that it is approved.
  bool knows = std::exchange(x.pretended, v == verdict::block);
  auto& from = x.what.subscription.from;
  from = v == verdict::allow ? half::active
    : v == verdict::ask      ? half::pending
                             : half::none;
  if (v == verdict::allow)
    end_approval(x);
  if (v == verdict::ask && knows)
    decide(c, x, kind::ask_again);
  else if (v != verdict::ask && !knows)
    decide(c, x, kind::subscribed);
  c.count(x);
}

void roster_rules::unsubscribe(session_id from, request_number number,
  const user_address& to, uint64_t now_us) {
  change c{*this};
  auto* x = c.get(to);
  if (x && x->what.subscription.to != half::none) {
    apply(*x, subscription_event::sends_unsubscribe);
    wish(c, *x, kind::unsubscribe, now_us);
  }
  c.commit();
  x_fx.reply(from, number, done{});
}

void roster_rules::deny(
  session_id from, request_number number, const user_address& whom) {
  change c{*this};
  if (auto* x = c.get(whom)) {
    end_approval(*x);
    if (x->what.subscription.from != half::none || x->pretended) {
      apply(*x, subscription_event::sends_unsubscribed);
      x->pretended = false;
      decide(c, *x, kind::unsubscribed);
    }
  }
  c.commit();
  x_fx.reply(from, number, done{});
}

void roster_rules::receive(
  const subscription_note& what, const policy& rules, uint64_t now_us) {
  change c{*this};
  auto& from = what.from;
  auto* x = c.get(from);
  switch (what.what) {
  case kind::subscribe:
  case kind::subscribe_ahead:
    if (!x)
      x = &c.make(from);
    forget_earlier(*x, what.since);
    c.count(*x);
    if (lets_in(from) && what.number >= x->heard) {
      // If it came already, the answer perhaps did not.
      x->heard = what.number;
      c.note({x_user, from, kind::subscribed, x->heard});
    } else if (what.number > x->heard) {
      x->heard = what.number;
      judge(c, *x, rules);
    } else if (what.number < x->heard
      || x->what.subscription.from == half::none) {
      // A later one came before it, or it was decided: only one who has lost
      // count still waits for an answer.
      x_fx.send({x_user, from, kind::unsubscribed, what.number});
    }
    break;
  case kind::unsubscribe:
    if (!x || what.number < x->heard)
      break;
    x->heard = what.number;
    apply(*x, subscription_event::gets_unsubscribe);
    x->pretended = false;
    c.count(*x);
    // There may be room for one who waits for nothing else.
    if (x_head.requests > 0)
      review(c, rules);
    break;
  case kind::subscribed:
  case kind::unsubscribed:
    if (!x || what.number != x->asked)
      break; // about an earlier wish
    // It was denied, forgotten with the entry, and met again: one says so.
    if (what.what == kind::subscribed
      && x->what.subscription.to == half::none) {
      wish(c, *x, kind::unsubscribe, now_us);
      break;
    }
    apply(*x,
      what.what == kind::subscribed ? subscription_event::gets_subscribed
                                    : subscription_event::gets_unsubscribed);
    c.forget({x_user, from, kind::subscribe, what.number});
    break;
  case kind::ask_again:
    if (!x || what.number != x->asked || x->what.subscription.to == half::none)
      break;
    // Under a number of its own: the approval may yet be on its way.
    x->what.subscription.to = half::pending;
    wish(c, *x, kind::subscribe, now_us);
    break;
  }
  c.confirm(what);
  c.commit();
}

// -- privacy

void roster_rules::set_privacy(session_id from, request_number number,
  parley::set_privacy what, const policy& rules) {
  auto now = changed(x_head.privacy, std::move(what));
  if (auto why = growth_fault(x_head.privacy, now))
    return x_fx.reply(from, number, std::move(*why));
  if (now != x_head.privacy) {
    change c{*this};
    x_head.privacy = std::move(now);
    c.head();
    review(c, rules);
    c.commit();
    x_fx.views_changed();
    x_fx.tell_privacy(from, x_head.privacy);
  }
  x_fx.reply(from, number, x_head.privacy);
}

// -- the end

void roster_rules::dissolve() {
  change c{*this};
  for (const auto& [whom, item] : x_items.all()) {
    auto& x = *c.get(whom);
    if (x.what.subscription.to != half::none)
      c.note({x_user, whom, kind::unsubscribe, ++x.asked});
    if (x.what.subscription.from != half::none || x.pretended)
      c.note({x_user, whom, kind::unsubscribed, x.heard});
    // Its own halves as well: the account may yet be kept by a crash.
    x.what.subscription = {};
    x.pretended = false;
  }
  c.commit();
}

} // namespace parley
