#include "tests/actors/engine/client_screen.hpp"

#include <algorithm>

namespace parley::test {

void client_screen::begin_session() {
  x_there.clear();
  x_unknown.clear();
  watches.clear();
  lost_sight.clear();
  stale = false;
}

void client_screen::take(const event& what) {
  if (auto* p = std::get_if<presence_event>(&what)) {
    take(*p->what);
  } else if (std::holds_alternative<presence_reset>(what)) {
    ++resets;
    x_there.clear();
    x_unknown.clear();
    lost_sight.clear();
  } else if (auto* l = std::get_if<contact_list>(&what)) {
    take(*l);
  } else if (auto* w = std::get_if<watch_ended>(&what)) {
    watches.erase(w->whom);
    ended.push_back(w->whom);
    if (x_unknown.contains(w->whom))
      lost_sight.insert(w->whom);
  }
}

void client_screen::take(const presence_notice& x) {
  const auto& who = x.from.user;
  auto& told = x_told.emplace_back(
    who, x.from.endpoint.str() + '=' + std::string{to_string(x.what.show)});
  if (x.what.show == show::unavailable && !x.what.status.empty())
    told.second += ": " + x.what.status;
  lost_sight.erase(who);
  if (!x.from.is_full()) {
    x_there.erase(who);
    x_unknown.erase(who);
    if (x.what.show == show::unknown)
      x_unknown.insert(who);
    return;
  }
  x_unknown.erase(who);
  if (x.what.show == show::unavailable)
    x_there[who].erase(x.from.endpoint.str());
  else
    x_there[who][x.from.endpoint.str()] = x.what.show;
}

void client_screen::take(const contact_list& x) {
  if (x.since > version) {
    stale = true;
    return;
  }
  stale = false;
  bool whole = x.since == roster_version{};
  if (!whole && x.version <= version)
    return; // by a push that overtook it
  if (whole)
    contacts.clear();
  for (const auto& c : x.contacts)
    contacts[c.address] = c;
  for (const auto& whom : x.removed)
    contacts.erase(whom);
  version = x.version;
}

void client_screen::take_watch(
  const user_address& whom, uint64_t seconds, bool late) {
  if (seconds > 0)
    watches[whom] = !late;
  else
    watches.erase(whom);
}

void client_screen::resumed() {
  for (auto& [whom, sure] : watches)
    sure = false;
}

std::string client_screen::sees(const user_address& whom) const {
  if (x_unknown.contains(whom))
    return "unknown";
  std::string s;
  if (auto i = x_there.find(whom); i != x_there.end())
    for (const auto& [endpoint, what] : i->second)
      s +=
        (s.empty() ? "" : " ") + endpoint + '=' + std::string{to_string(what)};
  return s;
}

std::vector<std::string> client_screen::told_of(
  const user_address& whom) const {
  std::vector<std::string> xs;
  for (const auto& [who, what] : x_told)
    if (who == whom)
      xs.push_back(what);
  return xs;
}

const contact* client_screen::find(const user_address& whom) const {
  auto i = contacts.find(whom);
  return i == contacts.end() ? nullptr : &i->second;
}

} // namespace parley::test
