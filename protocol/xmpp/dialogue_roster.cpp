#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "protocol/defaults.hpp"
#include "protocol/xmpp/dialogue.hpp"

/// Contact lists and subscriptions (RFC 6121, 2 and 3; XEP-0237).
namespace parley::xmpp {

namespace {

constexpr std::string_view roster = "jabber:iq:roster";

std::string_view subscription_text(const subscription_state& x) noexcept {
  const bool to = x.to == half::active;
  const bool from = x.from == half::active;
  return to && from ? "both" : to ? "to" : from ? "from" : "none";
}

/// Who only asks is no contact (RFC 6121, 3.1.3).
bool is_shown(const contact& x) noexcept {
  return x.listed || x.subscription.to != half::none
    || x.subscription.from == half::active;
}

void append_item(std::string& out, const contact& x) {
  out += "<item";
  append_attribute(out, "jid", x.address.str());
  append_optional(out, "name", x.name);
  append_attribute(out, "subscription", subscription_text(x.subscription));
  if (x.subscription.to == half::pending)
    append_attribute(out, "ask", "subscribe");
  if (x.preapproved)
    append_attribute(out, "approved", "true");
  if (x.groups.empty()) {
    out += "/>";
    return;
  }
  out += '>';
  for (const auto& g : x.groups) {
    out += "<group>";
    append_escaped(out, g);
    out += "</group>";
  }
  out += "</item>";
}

void append_query(std::string& out, roster_version version) {
  out += "<query";
  append_attribute(out, "xmlns", roster);
  if (version.value > 0)
    append_attribute(out, "ver", std::to_string(version.value));
  out += '>';
}

} // namespace

// -- subscriptions ------------------------------------------------------------

void dialogue::take_subscription(const element& x, const address& to) {
  const auto type = x["type"];
  asked about{purpose::subscription, std::string{x["id"]}, to.str()};
  if (type == "subscribe") {
    ask(subscribe{to.user}, std::move(about));
  } else if (type == "subscribed") {
    ask(approve{to.user}, std::move(about));
  } else if (type == "unsubscribe") {
    x_ended[to.user].to = ask(unsubscribe{to.user}, std::move(about));
  } else if (type == "unsubscribed") {
    x_ended[to.user].from = ask(deny{to.user}, std::move(about));
  } else {
    refuse(x, bad_request, "there is no such type of presence");
  }
}

bool dialogue::was_ended(
  const user_address& with, own_end::direction which, half before, half now) {
  const bool ended = before != half::none && now == half::none;
  const auto i = x_ended.find(with);
  if (i == x_ended.end() || !(i->second.*which))
    return ended;
  auto& by = i->second.*which;
  // What is told after the answer shows what has come of it.
  if (ended || by->value == 0)
    by.reset();
  if (!i->second.to && !i->second.from)
    x_ended.erase(i);
  return false;
}

void dialogue::settle_ends(const answer& x) {
  const auto* c = std::get_if<parley::contacts_changed>(&x.what);
  const bool is_done =
    std::holds_alternative<done>(x.what) || (c && c->refused.empty());
  const auto settle = [&](std::optional<request_number>& by, half known) {
    if (by != x.to)
      return;
    by.reset();
    if (is_done && known != half::none)
      by.emplace();
  };
  for (auto i = x_ended.begin(); i != x_ended.end();) {
    const auto known = x_contacts.find(i->first);
    const auto state =
      known == x_contacts.end() ? known_contact{} : known->second;
    settle(i->second.to, state.to);
    settle(i->second.from, state.from);
    const bool is_over = !i->second.to && !i->second.from;
    i = is_over ? x_ended.erase(i) : std::next(i);
  }
}

void dialogue::put_typed_presence(
  const user_address& from, std::string_view type) {
  out() += "<presence";
  append_attribute(out(), "type", type);
  append_attribute(out(), "from", from.str());
  append_attribute(out(), "to", x_self.user.str());
  out() += "/>";
  sent();
}

void dialogue::tell_of_subscription(const contact& x, bool is_news) {
  const known_contact now{x.subscription, x.listed};
  const auto before = std::exchange(x_contacts[x.address], now);
  const bool ended_to = was_ended(x.address, &own_end::to, before.to, now.to);
  const bool ended_from =
    was_ended(x.address, &own_end::from, before.from, now.from);
  if (now.to == half::active && before.to != half::active)
    x_following.fresh.push_back(x.address);
  if (!is_available())
    return; // requests are told once it is
  if (now.from == half::pending && before.from != half::pending)
    put_typed_presence(x.address, "subscribe");
  if (!is_news)
    return;
  if (now.to == half::active && before.to != half::active)
    put_typed_presence(x.address, "subscribed");
  if (ended_to)
    put_typed_presence(x.address, "unsubscribed");
  if (ended_from)
    put_typed_presence(x.address, "unsubscribe");
}

void dialogue::put_requests() {
  for (const auto& [whom, what] : x_contacts)
    if (what.from == half::pending)
      put_typed_presence(whom, "subscribe");
}

// -- the roster ---------------------------------------------------------------

void dialogue::take_roster(const element& iq, const element& query) {
  asked about{purpose::roster_set, std::string{iq["id"]}, {}};
  if (iq["type"] == "get") {
    const auto ver = query["ver"];
    list_contacts wish;
    // What is no version of ours is none that is known.
    std::from_chars(ver.data(), ver.data() + ver.size(), wish.known.value);
    x_interested = true;
    // The difference alone does not say who waits for an approval.
    if (!std::exchange(x_listing, true) && wish.known.value > 0)
      ask(list_contacts{}, {purpose::roster_whole, {}, {}});
    about.what = purpose::roster_get;
    ask(wish, std::move(about));
    return;
  }
  const element* item = nullptr;
  for (const auto& c : query.children) {
    if (c.is_text())
      continue;
    if (item || !c.is("item", roster))
      return refuse(iq, bad_request, "a set has exactly one item");
    item = &c;
  }
  if (!item)
    return refuse(iq, bad_request, "a set has exactly one item");
  const auto whom = address::parse((*item)["jid"]);
  if (!whom)
    return refuse(iq, jid_malformed, whom.error().text);
  if ((*item)["subscription"] == "remove") {
    const auto by = ask(remove_contacts{{whom->user.str()}}, std::move(about));
    x_ended[whom->user] = {by, by};
    return;
  }
  wanted_contact wish{whom->user.str(), std::string{(*item)["name"]}, {}};
  for (const auto& c : item->children) {
    if (!c.is("group", roster))
      continue;
    if (wish.groups.size() == defaults::contact_groups_max)
      return refuse(iq, not_acceptable, "there are too many groups");
    auto group = c.inner_text();
    if (group.empty() || group.size() > defaults::contact_name_max)
      return refuse(iq, not_acceptable, "a group is empty or too long");
    if (std::find(wish.groups.begin(), wish.groups.end(), group)
      != wish.groups.end())
      return refuse(iq, bad_request, "a group comes twice");
    wish.groups.push_back(std::move(group));
  }
  if (wish.name.size() > defaults::contact_name_max)
    return refuse(iq, not_acceptable, "the name is too long");
  ask(add_contacts{{std::move(wish)}}, std::move(about));
}

void dialogue::put_roster(const asked& about, const contact_list& x) {
  x_listed = x.since.value > 0 ? x.since : x.version;
  if (x.since.value > 0)
    return put_result(about.id);
  std::string content;
  append_query(content, x.version);
  for (const auto& c : x.contacts)
    if (is_shown(c))
      append_item(content, c);
  content += "</query>";
  put_result(about.id, content);
}

void dialogue::push_roster(const contact_list& x) {
  std::vector<std::string> items;
  auto push_removal = [&](const user_address& whom) {
    auto& item = items.emplace_back("<item");
    append_attribute(item, "jid", whom.str());
    item += " subscription='remove'/>";
  };
  for (const auto& c : x.contacts)
    if (is_shown(c))
      append_item(items.emplace_back(), c);
    else if (x_contacts.contains(c.address))
      push_removal(c.address);
  for (const auto& whom : x.removed)
    push_removal(whom);
  for (const auto& item : items) {
    // A client has the new version when it has all of it.
    auto version = &item == &items.back() ? x.version : x.since;
    if (x_catching_up != catching_up::done)
      version = x_complete;
    out() += "<iq type='set'";
    append_attribute(out(), "id", next_id());
    append_attribute(out(), "to", x_self.str());
    out() += '>';
    append_query(out(), version);
    out() += item;
    out() += "</query></iq>";
    sent();
  }
}

void dialogue::contacts_changed(const contact_list& x) {
  if (x_heard && x.version < *x_heard)
    return; // in a list that has overtaken it
  // Of what a slow client did not take, the session tells the last alone. As
  // long as there is no room for the rest, that is told as it comes.
  const bool has_no_room =
    x_catching_up == catching_up::refused && !x_kept.empty();
  if (x_heard && x.since > *x_heard && !has_no_room)
    return ask_for_missed();
  take_changes(x);
}

void dialogue::ask_for_missed() {
  // Else the answer that is due has it.
  if (x_catching_up != catching_up::asked)
    catch_up(x_catching_up == catching_up::done ? *x_heard : x_complete,
      purpose::roster_missed);
}

void dialogue::take_changes(const contact_list& x) {
  if (x_interested)
    push_roster(x);
  learn(x);
}

void dialogue::learn(const contact_list& x) {
  if (!x_heard || x.since <= *x_heard)
    x_heard = x.version;
  for (const auto& c : x.contacts)
    tell_of_subscription(c, true);
  for (const auto& whom : x.removed) {
    const auto before = std::exchange(x_contacts[whom], {});
    const bool ended = was_ended(whom, &own_end::from, before.from, half::none);
    // A contact that was added only this user itself removes.
    if (ended && !before.listed && is_available())
      put_typed_presence(whom, "unsubscribe");
    x_contacts.erase(whom);
    x_ended.erase(whom);
  }
  follow_fresh();
}

contact_list dialogue::with_gone(contact_list x) const {
  if (x.since.value > 0)
    return x;
  auto gone = x_contacts;
  for (const auto& c : x.contacts)
    gone.erase(c.address);
  for (const auto& [whom, what] : gone)
    x.removed.push_back(whom);
  return x;
}

void dialogue::contacts_since(request_number number, const contact_list& x) {
  if (x_catching_up == catching_up::asked && number == x_catch_up)
    x_catching_up = catching_up::done;
  take_changes(with_gone(x));
}

void dialogue::catch_up(roster_version from, purpose what) {
  x_complete = from;
  x_catching_up = catching_up::asked;
  x_safe_then = x_safe;
  x_catch_up = ask(list_contacts{from}, {what, {}, {}});
}

void dialogue::catching_up_failed(const answer& x) {
  if (std::holds_alternative<contact_list>(x.what) || x.to != x_catch_up)
    return;
  x_catching_up = catching_up::refused;
  // The session had no room for it before the client acknowledged the rest.
  const auto* why = std::get_if<failure>(&x.what);
  if (why && why->code == errc::overloaded && x_kept.empty()
    && x_safe > x_safe_then)
    catch_up(x_complete);
}

void dialogue::contacts_listed(const contact_list& x) {
  x_listed = x.version;
  // The client has it; who ended what meanwhile it is still to be told.
  if (x_heard)
    return learn(with_gone(x));
  x_heard = x.version;
  for (const auto& c : x.contacts)
    tell_of_subscription(c, false);
  follow_fresh();
}

} // namespace parley::xmpp
