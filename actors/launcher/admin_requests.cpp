#include "actors/launcher/admin_requests.hpp"

#include <algorithm>
#include <set>

#include "actors/launcher/scram_text.hpp"
#include "actors/settings/policy.hpp"
#include "protocol/defaults.hpp"

namespace parley {

namespace {

using nlohmann::json;

/// How a request ends early; within this file only.
struct admin_error {
  failure why;
};

[[noreturn]] void refuse(errc code, std::string text = {}) {
  throw admin_error{failure{code, std::move(text)}};
}

template <class T>
T value_of(result<T> x) {
  if (!x)
    throw admin_error{x.error()};
  return std::move(*x);
}

void check(const failure& x) {
  if (x.code != errc::none)
    throw admin_error{x};
}

std::string text_of(const json& what, const char* key) {
  auto i = what.find(key);
  if (i == what.end() || !i->is_string())
    refuse(errc::bad_request, std::string{"'"} + key + "' is missing");
  return i->get<std::string>();
}

user_address user_of(const json& what) {
  auto text = text_of(what, "user");
  auto x = user_address::parse(text);
  if (!x)
    refuse(errc::bad_address, "'" + text + "' is not user@domain");
  return *x;
}

json error_of(const failure& x) {
  json j{{"error", to_string(x.code)}};
  j["text"] = x.text;
  if (x.limit)
    j["limit"] = *x.limit;
  if (x.value)
    j["value"] = *x.value;
  return j;
}

/// An operator's request does not wait longer for an actor than this.
constexpr auto patience = std::chrono::seconds{30};

/// Asks an actor and returns its answer.
template <class Answer, class Handle, class... Ts>
Answer ask(caf::scoped_actor& self, const Handle& whom, Ts&&... what) {
  Answer x{};
  std::optional<std::string> error;
  self->request(whom, patience, std::forward<Ts>(what)...)
    .receive([&x](const Answer& a) { x = a; },
      [&](const caf::error& e) { error = self->system().render(e); });
  if (error)
    refuse(errc::overloaded, "the server did not answer: " + *error);
  return x;
}

} // namespace

admin_requests::admin_requests(
  caf::actor_system& system, admin_server::actors reach)
  : x_reach(std::move(reach)), x_self(system, true) {}

std::string admin_requests::answer(
  const std::string& line, const std::string& who) {
  x_who = who;
  json answer;
  auto what = json::parse(line, nullptr, false);
  try {
    if (!what.is_object())
      refuse(errc::bad_request, "not a JSON object");
    answer = dispatch(what);
  } catch (const admin_error& e) {
    answer = error_of(e.why);
  } catch (const json::exception& e) {
    answer = error_of(failure{errc::bad_request, e.what()});
  }
  return answer.dump(-1, ' ', false, json::error_handler_t::replace);
}

json admin_requests::dispatch(const json& what) {
  auto op = text_of(what, "op");
  if (op == "user.add")
    return add_user(what);
  if (op == "user.password")
    return change_password(what);
  if (op == "user.remove")
    return remove_user(what);
  if (op == "user.list")
    return list_users();
  if (op == "user.show")
    return show_user(what);
  if (op == "user.import")
    return import_users(what);
  if (op == "settings.list")
    return list_settings();
  if (op == "settings.set")
    return set_setting(what);
  if (op == "sessions")
    return sessions();
  if (op == "kick")
    return kick(what);
  if (op == "audit")
    return audit(what);
  refuse(errc::unknown_request, "there is no '" + op + "'");
}

// -- accounts

const router_actor& admin_requests::router_of(const user_address& user) const {
  return x_reach.routers[slot_of(user) % x_reach.routers.size()];
}

keys_derived admin_requests::derive(const std::string& password) {
  auto x = ask<keys_derived>(x_self, x_reach.passwords, password);
  check(x.why);
  return x;
}

std::vector<user_address> admin_requests::existing(
  std::vector<user_address> users) {
  auto x = ask<accounts_found>(
    x_self, x_reach.reader, list_atom::value, std::move(users));
  check(x.why);
  return std::move(x.what);
}

bool admin_requests::exists(const user_address& user) {
  return !existing({user}).empty();
}

void admin_requests::announce(const std::vector<user_address>& users) {
  // Asked all at once, awaited one by one.
  using handle = decltype(x_self->request(
    x_reach.routers.front(), patience, add_atom::value, users.front()));
  std::vector<handle> open;
  for (const auto& user : users)
    open.push_back(
      x_self->request(router_of(user), patience, add_atom::value, user));
  bool all = true;
  for (auto& x : open)
    x.receive([](done_atom) {}, [&all](const caf::error&) { all = false; });
  if (!all)
    refuse(errc::overloaded, "the server did not answer");
}

void admin_requests::write(operations what) {
  check(ask<write_result>(x_self, x_reach.writer, std::move(what)).why);
}

audit_entry admin_requests::audited(
  std::string what, std::string from, std::string to) {
  return {x_reach.world->wall_clock(), x_who, std::move(what), std::move(from),
    std::move(to)};
}

json admin_requests::add_user(const json& what) {
  auto user = user_of(what);
  if (exists(user))
    refuse(errc::exists, user.str() + " has an account already");
  auto keys = derive(text_of(what, "password")).keys;
  operations ops;
  ops.emplace_back(put_account{user, std::move(keys)});
  ops.emplace_back(audited("user add " + user.str()));
  write(std::move(ops));
  ask<done_atom>(x_self, router_of(user), add_atom::value, user);
  return {{"user", user.str()}};
}

json admin_requests::change_password(const json& what) {
  auto user = user_of(what);
  if (!exists(user))
    refuse(errc::no_such_user, user.str() + " has no account");
  auto keys = derive(text_of(what, "password")).keys;
  operations ops;
  ops.emplace_back(put_account{user, std::move(keys)});
  ops.emplace_back(audited("user password " + user.str()));
  write(std::move(ops));
  ask<done_atom>(x_self, router_of(user), reload_atom::value, user);
  return {{"user", user.str()}};
}

json admin_requests::remove_user(const json& what) {
  auto user = user_of(what);
  if (!exists(user))
    refuse(errc::no_such_user, user.str() + " has no account");
  // The router first: from now on nothing new is taken for it. Its own write
  // and this one say the same.
  ask<done_atom>(x_self, router_of(user), remove_atom::value, user);
  operations ops;
  ops.emplace_back(remove_account{user});
  ops.emplace_back(audited("user remove " + user.str()));
  write(std::move(ops));
  return {{"user", user.str()}};
}

json admin_requests::list_users() {
  auto x = ask<accounts_found>(x_self, x_reach.reader, list_atom::value);
  check(x.why);
  auto users = json::array();
  for (const auto& u : x.what)
    users.push_back(u.str());
  return {{"users", std::move(users)}};
}

json admin_requests::show_user(const json& what) {
  auto user = user_of(what);
  if (!exists(user))
    refuse(errc::no_such_user, user.str() + " has no account");
  auto mine = json::array();
  auto all = sessions();
  for (auto& s : all["sessions"])
    if (s["user"] == user.str())
      mine.push_back(s);
  return {{"user", user.str()}, {"sessions", std::move(mine)}};
}

json admin_requests::import_users(const json& what) {
  auto rows = what.find("rows");
  if (rows == what.end() || !rows->is_array())
    refuse(errc::bad_request, "'rows' is missing");
  auto refused = json::array();
  auto refuse_row = [&refused](
                      const json& row, errc why, const std::string& text) {
    refused.push_back(
      {{"row", row}, {"reason", to_string(why)}, {"text", text}});
  };
  std::vector<std::pair<user_address, const json*>> wanted;
  std::vector<user_address> users;
  std::set<user_address> taken;
  for (const auto& row : *rows) {
    if (!row.is_array() || row.size() < 2
      || !std::all_of(row.begin(), row.end(),
        [](const json& cell) { return cell.is_string(); })) {
      refuse_row(row, errc::bad_request, "expected user@domain,password");
      continue;
    }
    auto user = user_address::parse(row[0].get_ref<const std::string&>());
    if (!user) {
      refuse_row(row, errc::bad_address, user.error().text);
      continue;
    }
    users.push_back(*user);
    wanted.emplace_back(std::move(*user), &row);
  }
  for (auto& user : existing(users))
    taken.insert(std::move(user));
  operations ops;
  std::vector<user_address> added;
  for (auto& [user, row] : wanted) {
    if (!taken.insert(user).second) {
      refuse_row(*row, errc::exists, "has an account already");
      continue;
    }
    std::vector<std::string> secrets{row->begin() + 1, row->end()};
    scram_keys keys;
    failure why;
    if (is_scram_text(secrets.front())) {
      if (auto parsed = parse_scram_text(secrets))
        keys = std::move(*parsed);
      else
        why = parsed.error();
    } else {
      auto derived =
        ask<keys_derived>(x_self, x_reach.passwords, secrets.front());
      keys = std::move(derived.keys);
      why = std::move(derived.why);
    }
    if (why.code != errc::none) {
      refuse_row(*row, why.code, why.text);
      continue;
    }
    ops.emplace_back(put_account{user, std::move(keys)});
    added.push_back(std::move(user));
  }
  if (!added.empty()) {
    ops.emplace_back(
      audited("user import", {}, std::to_string(added.size()) + " accounts"));
    write(std::move(ops));
    announce(added);
  }
  return {{"added", added.size()}, {"refused", std::move(refused)}};
}

// -- settings

json admin_requests::list_settings() {
  auto now = ask<shared<policy>>(x_self, x_reach.settings, get_atom::value);
  policy defaults;
  auto xs = json::array();
  for (const auto& s : settings_table())
    xs.push_back({{"name", s.name}, {"value", s.value(*now)},
      {"default", s.value(defaults)}, {"range", s.range()}, {"text", s.text}});
  return {{"settings", std::move(xs)}};
}

json admin_requests::set_setting(const json& what) {
  auto name = text_of(what, "name");
  auto x = ask<setting_changed>(
    x_self, x_reach.settings, name, text_of(what, "value"), x_who);
  check(x.why);
  return {{"name", name}, {"before", x.before}, {"value", x.now}};
}

// -- sessions and log

json admin_requests::sessions() {
  auto xs = json::array();
  routing_counters sum;
  for (const auto& r : x_reach.routers) {
    auto report = ask<router_report>(x_self, r, report_atom::value);
    for (const auto& s : report.sessions)
      xs.push_back({{"user", s.self.user.str()},
        {"endpoint", s.self.endpoint.str()}, {"show", to_string(s.what.show)},
        {"status", s.what.status}, {"priority", s.what.priority},
        {"state", s.connected ? "connected" : "suspended"},
        {"software", s.software}, {"peer", s.peer}, {"transport", s.transport},
        {"since_ms", s.since.time_since_epoch().count()}});
    sum.accepted += report.counters.accepted;
    sum.delivered += report.counters.delivered;
    sum.stored += report.counters.stored;
    sum.rejected += report.counters.rejected;
    sum.copies += report.counters.copies;
    sum.retries += report.counters.retries;
    sum.expired += report.counters.expired;
    sum.ids_forgotten += report.counters.ids_forgotten;
    sum.removed_with_account += report.counters.removed_with_account;
  }
  return {{"sessions", std::move(xs)},
    {"counters",
      {{"accepted", sum.accepted}, {"delivered", sum.delivered},
        {"stored", sum.stored}, {"rejected", sum.rejected},
        {"copies", sum.copies}, {"retries", sum.retries},
        {"expired", sum.expired}, {"ids_forgotten", sum.ids_forgotten},
        {"removed_with_account", sum.removed_with_account}}}};
}

json admin_requests::kick(const json& what) {
  auto text = text_of(what, "user");
  auto whom = address::parse(text);
  if (!whom)
    refuse(errc::bad_address, "'" + text + "' is no address");
  auto n =
    ask<uint64_t>(x_self, router_of(whom->user), kick_atom::value, *whom);
  operations ops;
  ops.emplace_back(audited("kick " + whom->str()));
  write(std::move(ops));
  return {{"ended", n}};
}

json admin_requests::audit(const json& what) {
  auto x = ask<audit_found>(x_self, x_reach.reader, audit_atom::value,
    what.value("max", uint64_t{defaults::audit_lines}));
  check(x.why);
  auto lines = json::array();
  for (const auto& a : x.what)
    lines.push_back({{"when_ms", a.when.time_since_epoch().count()},
      {"who", a.who}, {"what", a.what}, {"from", a.from}, {"to", a.to}});
  return {{"audit", std::move(lines)}};
}

} // namespace parley
