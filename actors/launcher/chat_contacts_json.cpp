#include <set>

#include <nlohmann/json.hpp>

#include "actors/launcher/chat_json.hpp"
#include "actors/launcher/chat_json_parts.hpp"

namespace parley::chat {

namespace {

/// `none`, `pending`, `active`.
const char* to_text(half x) {
  switch (x) {
  case half::pending:
    return "pending";
  case half::active:
    return "active";
  default:
    return "none";
  }
}

json to_json(const contact& x) {
  json y{{"address", x.address.str()}, {"name", x.name}, {"groups", x.groups},
    {"subscription", subscription_name(x.subscription)},
    {"to", to_text(x.subscription.to)}, {"from", to_text(x.subscription.from)}};
  if (x.preapproved)
    y["preapproved"] = true;
  return y;
}

/// Those that the user added, and, apart from them, those who only watch or ask
/// to.
template <class Contacts>
void put_contacts(json& to, const Contacts& all) {
  auto listed = json::array();
  auto others = json::array();
  for (const contact* x : all)
    (x->listed ? listed : others).push_back(to_json(*x));
  to["contacts"] = std::move(listed);
  if (!others.empty())
    to["watchers"] = std::move(others);
}

json texts(const std::vector<user_address>& x) {
  auto list = json::array();
  for (auto& one : x)
    list.push_back(one.str());
  return list;
}

/// Who has reached the limit that refused a contact.
std::string whose_limit(const refused_contact& x) {
  return x.whose.empty() ? x.address : x.whose.str();
}

json event_with_id(const char* event, std::string_view id) {
  json y{{"event", event}};
  if (!id.empty())
    y["id"] = text(id);
  return y;
}

} // namespace

std::string_view subscription_name(const subscription_state& x) noexcept {
  auto to = x.to == half::active;
  auto from = x.from == half::active;
  return to && from ? "both" : to ? "to" : from ? "from" : "none";
}

std::string contacts_list_line(std::string_view id, const contact_book& book) {
  std::vector<const contact*> all;
  for (auto& [who, entry] : book.all())
    all.push_back(&entry);
  auto y = event_with_id("contacts", id);
  put_contacts(y, all);
  y["version"] = book.known().value;
  return line_of(y);
}

std::string contacts_push_line(const contact_list& x) {
  std::vector<const contact*> all;
  for (auto& entry : x.contacts)
    all.push_back(&entry);
  json y{{"event", "contacts"}};
  put_contacts(y, all);
  y["removed"] = texts(x.removed);
  y["since"] = x.since.value;
  y["version"] = x.version.value;
  return line_of(y);
}

std::string contacts_changed_line(std::string_view id, const char* done,
  const std::vector<std::string>& asked, const contacts_changed& x) {
  auto refused = json::array();
  auto settled = json::array();
  std::set<std::string_view> not_done;
  for (auto& one : x.refused) {
    not_done.insert(one.address);
    json line{{"address", one.address}};
    put_failure(line, one.why, "unknown", whose_limit(one));
    if (!one.whose.empty())
      line["whose"] = one.whose.str();
    refused.push_back(std::move(line));
  }
  std::set<std::string_view> told;
  for (auto& one : asked)
    if (!not_done.contains(one) && told.insert(one).second)
      settled.push_back(one);
  auto y = event_with_id("contacts", id);
  y[done] = std::move(settled);
  y["refused"] = std::move(refused);
  y["version"] = x.version.value;
  return line_of(y);
}

std::string refused_contact_line(
  std::string_view id, const refused_contact& x) {
  auto y = event_with_id("error", id);
  put_error(y, x.why, whose_limit(x));
  y["address"] = x.address;
  if (!x.whose.empty())
    y["whose"] = x.whose.str();
  return line_of(y);
}

std::string subscription_line(
  const user_address& from, subscription_event state) {
  return line_of({{"event", "subscription"}, {"from", from.str()},
    {"state", to_string(state)}});
}

std::string watch_granted_line(std::string_view id, uint64_t seconds) {
  return line_of({{"event", "done"}, {"id", text(id)}, {"seconds", seconds}});
}

std::string watch_ended_line(const user_address& whom) {
  return line_of(
    {{"event", "watch"}, {"address", whom.str()}, {"state", "ended"}});
}

std::string privacy_line(std::string_view id, const privacy& x) {
  auto y = event_with_id("privacy", id);
  y["approve"] = to_string(x.approve);
  y["sharing"] = to_string(x.sharing);
  y["allow"] = texts(x.allow);
  y["block"] = texts(x.block);
  auto rules = json::object();
  for (auto& [domain, rule] : x.domains)
    rules[domain] = to_string(rule);
  y["domains"] = std::move(rules);
  return line_of(y);
}

std::string presence_line_of(const presence_notice& x) {
  json y{{"event", "presence"}, {"from", x.from.str()},
    {"show", to_string(x.what.show)}, {"status", x.what.status}};
  if (x.from.is_full())
    y["priority"] = x.what.priority;
  y["composed"] = to_string(x.composed);
  y["composed_status"] = x.composed_status;
  return line_of(y);
}

} // namespace parley::chat
