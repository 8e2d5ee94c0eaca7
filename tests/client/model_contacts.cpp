#include "tests/client/model_server.hpp"

/// Contacts and presence of the model server: no bounds, no privacy that
/// counts.
namespace parley::test {

namespace {

/// An ad-hoc watch lasts no longer.
constexpr uint64_t watch_max = 60;

refused_contact refused(const std::string& address, errc why) {
  return {address, failure{why}, {}};
}

bool says_something(const contact& x) {
  return x.listed || x.preapproved || x.subscription.to != half::none
    || x.subscription.from != half::none;
}

} // namespace

void model_server::take_contacts(session& s, const numbered_request& x) {
  auto self = s.self.user;
  auto number = x.number;
  if (auto list = std::get_if<list_contacts>(&x.what)) {
    s.lists = true;
    ++lists_asked;
    post(s, answer{number, difference(self, list->known)});
  } else if (auto some = std::get_if<add_contacts>(&x.what)) {
    post(s, answer{number, add(self, *some)});
  } else if (auto others = std::get_if<remove_contacts>(&x.what)) {
    post(s, answer{number, remove(self, *others)});
  } else if (auto wish = std::get_if<subscribe>(&x.what)) {
    post(s, answer{number, ask(self, wish->to)});
  } else if (auto end = std::get_if<unsubscribe>(&x.what)) {
    set_halves(self, end->to, half::none);
    post(s, answer{number, done{}});
  } else if (auto yes = std::get_if<approve>(&x.what)) {
    set_halves(yes->from, self, half::active);
    post(s, answer{number, done{}});
  } else if (auto no = std::get_if<deny>(&x.what)) {
    set_halves(no->from, self, half::none);
    post(s, answer{number, done{}});
  } else if (auto w = std::get_if<watch>(&x.what)) {
    post(s, answer{number, watching{std::min(w->seconds, watch_max)}});
    for (auto& [token, other] : x_sessions)
      if (other.self.user == w->whom && w->seconds > 0)
        show_to(other, s);
  } else if (auto p = std::get_if<set_privacy>(&x.what)) {
    set(s, number, *p);
  }
}

void model_server::set(
  session& s, request_number number, const set_privacy& x) {
  auto& all = privacies[s.self.user.str()];
  auto before = all;
  all.approve = x.approve.value_or(all.approve);
  all.sharing = x.sharing.value_or(all.sharing);
  all.allow = x.allow.value_or(all.allow);
  all.block = x.block.value_or(all.block);
  all.domains = x.domains.value_or(all.domains);
  post(s, answer{number, all});
  if (all != before)
    for (auto& [token, other] : x_sessions)
      if (other.self.user == s.self.user && &other != &s && other.carrier)
        other.carrier->x_connection.send({}, all);
}

// -- lists --------------------------------------------------------------------

contact_list model_server::difference(
  const user_address& user, roster_version known) {
  auto& all = x_rosters[user];
  contact_list x;
  x.version.value = all.version;
  if (known.value <= all.version)
    x.since = known;
  for (auto& [who, entry] : all.entries)
    if (entry.version > x.since.value)
      x.contacts.push_back(entry.what);
  for (auto& [who, version] : all.removed)
    if (x.since.value > 0 && version > x.since.value)
      x.removed.push_back(who);
  return x;
}

template <class F>
void model_server::change(
  const user_address& user, const user_address& whom, const F& f) {
  auto& all = x_rosters[user];
  roster_version before{all.version++};
  auto [i, fresh] = all.entries.try_emplace(whom);
  auto& entry = i->second;
  entry.version = all.version;
  entry.what.address = whom;
  if (fresh)
    entry.what.listed = false;
  f(entry.what);
  all.removed.erase(whom);
  if (!says_something(entry.what)) {
    all.entries.erase(i);
    all.removed[whom] = all.version;
  }
  for (auto& [token, s] : x_sessions)
    if (s.self.user == user && s.lists && s.carrier && !loses_pushes
      && before.value > 0)
      s.carrier->x_connection.send({}, difference(user, before));
    else if (s.self.user == user && s.lists && s.carrier && !loses_pushes)
      s.carrier->x_connection.send({}, difference(user, {}));
}

contacts_changed model_server::add(
  const user_address& user, const add_contacts& what) {
  contacts_changed out;
  for (auto& one : what.contacts) {
    auto who = user_address::parse(one.address);
    if (!who)
      out.refused.push_back(refused(one.address, errc::bad_address));
    else if (x_accounts.count(who->str()) == 0)
      out.refused.push_back(refused(one.address, errc::no_such_user));
    else
      change(user, *who, [&](contact& x) {
        x.listed = true;
        x.name = one.name;
        x.groups = one.groups;
      });
  }
  out.version.value = x_rosters[user].version;
  return out;
}

contacts_changed model_server::remove(
  const user_address& user, const remove_contacts& what) {
  for (auto& one : what.addresses) {
    auto who = user_address::parse(one);
    if (!who || !x_rosters[user].entries.contains(*who))
      continue;
    change(user, *who, [](contact& x) {
      x = contact{x.address, {}, {}, false, {}, false};
    });
    set_halves(*who, user, half::none);
  }
  return {{}, {x_rosters[user].version}};
}

contacts_changed model_server::ask(
  const user_address& user, const user_address& whom) {
  if (x_accounts.count(whom.str()) == 0)
    return {
      {refused(whom.str(), errc::no_such_user)}, {x_rosters[user].version}};
  change(user, whom, [](contact& x) { x.listed = true; });
  set_halves(
    user, whom, approving.contains(whom.str()) ? half::active : half::pending);
  return {{}, {x_rosters[user].version}};
}

void model_server::set_halves(
  const user_address& watcher, const user_address& whom, half x) {
  change(watcher, whom, [x](contact& y) { y.subscription.to = x; });
  change(whom, watcher, [x](contact& y) { y.subscription.from = x; });
  for (auto& [token, s] : x_sessions)
    if (s.self.user == watcher)
      for (auto& [other_token, other] : x_sessions)
        if (other.self.user == whom && x == half::active)
          show_to(other, s);
}

// -- presence -----------------------------------------------------------------

bool model_server::sees(const user_address& watcher, const user_address& whom) {
  auto& entries = x_rosters[watcher].entries;
  auto i = entries.find(whom);
  return i != entries.end() && i->second.what.subscription.to == half::active;
}

void model_server::show_to(const session& s, session& watcher) {
  if (watcher.carrier)
    watcher.carrier->x_connection.send({},
      presence_event{shared<presence_notice>{
        presence_notice{s.self, s.shown, s.shown.show, s.shown.status}}});
}

void model_server::show_all(session& watcher) {
  for (auto& [token, s] : x_sessions)
    if (s.shown.show != show::unavailable
      && sees(watcher.self.user, s.self.user))
      show_to(s, watcher);
}

void model_server::show(const session& s) {
  for (auto& [token, watcher] : x_sessions)
    if (sees(watcher.self.user, s.self.user))
      show_to(s, watcher);
}

void model_server::tell(const std::string& user, const event& what) {
  for (auto& [token, s] : x_sessions)
    if (s.self.user.str() == user && s.carrier)
      s.carrier->x_connection.send({}, what);
}

void model_server::end_watch(const std::string& user, const std::string& whom) {
  tell(user, watch_ended{user_address::from_prepared(whom)});
}

} // namespace parley::test
