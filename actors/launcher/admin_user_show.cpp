#include <algorithm>
#include <deque>
#include <map>

#include "actors/launcher/admin_requests.hpp"
#include "actors/roster/privacy_rules.hpp"
#include "protocol/defaults.hpp"

// What operators are shown of one user.
namespace parley {

using nlohmann::json;

namespace {

std::string_view to_text(half x) noexcept {
  constexpr std::string_view names[] = {"none", "pending", "active"};
  return names[static_cast<size_t>(x)];
}

/// What the one who watches is told of it: a pretended one looks active.
half told(const roster_item& x) noexcept {
  return x.pretended ? half::active : x.what.subscription.from;
}

/// Whether the one who watches is answered for show: never told the truth, or
/// not any more since it is blocked.
bool is_pretended(
  const roster_item& x, const privacy& mine, const user_address& who) noexcept {
  return x.pretended || (told(x) == half::active && is_blocked(mine, who));
}

/// Whose list it is in has this privacy; `other` is whom it is about.
json halves_of(
  const roster_item& x, const privacy& mine, const user_address& other) {
  return {{"to", to_text(x.what.subscription.to)},
    {"from", to_text(x.what.subscription.from)},
    {"pretended", is_pretended(x, mine, other)}};
}

json contact_of(const roster_item& x, const privacy& mine) {
  auto j = halves_of(x, mine, x.what.address);
  j["address"] = x.what.address.str();
  j["name"] = x.what.name;
  j["groups"] = x.what.groups;
  j["listed"] = x.what.listed;
  j["preapproved"] = x.what.preapproved;
  return j;
}

json privacy_of(const privacy& x) {
  auto texts = [](const std::vector<user_address>& users) {
    auto xs = json::array();
    for (const auto& u : users)
      xs.push_back(u.str());
    return xs;
  };
  auto domains = json::object();
  for (const auto& [domain, rule] : x.domains)
    domains[domain] = to_string(rule);
  return {{"approve", to_string(x.approve)}, {"sharing", to_string(x.sharing)},
    {"allow", texts(x.allow)}, {"block", texts(x.block)},
    {"domains", std::move(domains)}};
}

json limit_of(uint64_t count, uint64_t max) {
  return {{"count", count},
    {"max", max == unlimited ? json("unlimited") : json(max)}};
}

/// Those on disk, and those that are told at this moment.
json watchers_of(const roster_report& x) {
  struct seen {
    bool recorded = false;
    bool live = false;
    bool pretended = false;
  };
  const auto& mine = x.what.head.privacy;
  std::map<user_address, seen> all;
  for (const auto& item : x.what.items)
    if (const auto& who = item.what.address; told(item) == half::active)
      all[who] = {true, false, is_pretended(item, mine, who)};
  for (const auto& who : x.watchers) {
    auto& s = all[who];
    s.live = true;
    s.pretended |= is_blocked(mine, who);
  }
  auto xs = json::array();
  for (const auto& [who, s] : all)
    xs.push_back({{"address", who.str()}, {"recorded", s.recorded},
      {"live", s.live}, {"pretended", s.pretended}});
  return xs;
}

json view_of(const presentity& x, const user_address& viewer) {
  auto endpoints = json::array();
  std::vector<endpoint_presence> all;
  for (const auto& n : x.endpoints) {
    endpoints.push_back(
      {{"endpoint", n->from.endpoint.str()}, {"show", to_string(n->what.show)},
        {"status", n->what.status}, {"priority", n->what.priority}});
    all.push_back({n->from.endpoint, n->what});
  }
  auto line = compose(all);
  if (x.unknown)
    line.show = show::unknown;
  return {{"viewer", viewer.str()}, {"show", to_string(line.show)},
    {"status", line.status}, {"endpoints", std::move(endpoints)}};
}

} // namespace

json admin_requests::contacts_of(
  const user_address& user, const stored_roster& roster) {
  auto xs = json::array();
  std::deque<std::unique_ptr<actor_asker::question<roster_report>>> open;
  size_t next = 0;
  for (const auto& item : roster.items) {
    const auto& whom = item.what.address;
    while (
      open.size() < defaults::admin_questions && next < roster.items.size()) {
      const auto& other = roster.items[next++].what.address;
      open.push_back(x_ask.begin<roster_report>(
        router_of(other), report_atom::value, other, user));
    }
    auto report = value_of(x_ask.finish(*open.front()));
    open.pop_front();
    auto x = contact_of(item, roster.head.privacy);
    if (report.why.code == errc::no_such_user
      && whom.domain() != x_reach.domain) {
      // Nothing is known here of somebody elsewhere.
      x["other"] = nullptr;
      x["agree"] = nullptr;
    } else if (report.why.code != errc::none
      && report.why.code != errc::no_such_user) {
      check(report.why);
    } else {
      roster_item theirs;
      for (auto& i : report.what.items)
        if (i.what.address == user)
          theirs = std::move(i);
      x["other"] = halves_of(theirs, report.what.head.privacy, user);
      x["agree"] = item.what.subscription.to == told(theirs)
        && told(item) == theirs.what.subscription.to;
    }
    xs.push_back(std::move(x));
  }
  return xs;
}

json admin_requests::show_user(const json& what) {
  auto user = user_of(what);
  auto viewer = user;
  if (what.contains("as")) {
    auto text = text_of(what, "as");
    auto x = user_address::parse(text);
    if (!x)
      refuse(errc::bad_address, "'" + text + "' is not user@domain");
    viewer = std::move(*x);
    if (!exists(viewer))
      refuse(errc::no_such_user, viewer.str() + " has no account");
  }
  auto report = report_of(user, viewer);
  check(report.why);
  auto mine = json::array();
  auto all = sessions();
  for (auto& s : all["sessions"])
    if (s["user"] == user.str())
      mine.push_back(s);
  auto requests = json::array();
  for (const auto& item : report.what.items)
    if (item.what.subscription.from == half::pending)
      requests.push_back(item.what.address.str());
  auto rules = ask<shared<policy>>(x_reach.settings, get_atom::value);
  auto kept = ask<documents_counted>(x_reach.reader, count_atom::value, user);
  check(kept.why);
  const auto& head = report.what.head;
  json x{{"user", user.str()}, {"contacts", contacts_of(user, report.what)},
    {"requests", std::move(requests)}, {"watchers", watchers_of(report)},
    {"privacy", privacy_of(head.privacy)},
    {"limits",
      {{"contacts.max", limit_of(head.contacts, rules->contacts_max)},
        {"watchers.max",
          limit_of(head.watchers + report.adhoc_watchers, rules->watchers_max)},
        {"im.offline_max", limit_of(report.waiting_ims, rules->im_offline_max)},
        {"presence.adhoc_max",
          limit_of(report.adhoc_watches, rules->presence_adhoc_max)},
        {"documents.max", limit_of(kept.what.count, rules->documents_max)},
        {"documents.bytes_max",
          limit_of(kept.what.bytes, rules->documents_bytes_max)},
        {"session.endpoints_max",
          limit_of(mine.size(), rules->session_endpoints_max)}}}};
  x["sessions"] = std::move(mine);
  if (what.contains("as"))
    x["seen"] = view_of(report.view, viewer);
  return x;
}

} // namespace parley
