#include "actors/launcher/admin_requests.hpp"

#include <algorithm>

#include "actors/settings/policy.hpp"
#include "protocol/defaults.hpp"

// What operators ask about settings, sessions and the audit log.
namespace parley {

using nlohmann::json;

// -- settings

json admin_requests::list_settings() {
  auto now = ask<shared<policy>>(x_reach.settings, get_atom::value);
  policy defaults;
  auto xs = json::array();
  for (const auto& s : settings_table())
    xs.push_back({{"name", s.name}, {"value", s.value(*now)},
      {"default", s.value(defaults)}, {"range", s.range()}, {"text", s.text}});
  return {{"settings", std::move(xs)}};
}

json admin_requests::set_setting(const json& what) {
  auto name = text_of(what, "name");
  auto x =
    ask<setting_changed>(x_reach.settings, name, text_of(what, "value"), x_who);
  check(x.why);
  return {{"name", name}, {"before", x.before}, {"value", x.now}};
}

// -- sessions and log

json admin_requests::sessions() {
  auto xs = json::array();
  routing_counters sum;
  for (const auto& r : x_reach.routers) {
    auto report = ask<router_report>(r, report_atom::value);
    for (const auto& s : report.sessions)
      xs.push_back({{"user", s.self.user.str()},
        {"endpoint", s.self.endpoint.str()}, {"show", to_string(s.what.show)},
        {"status", s.what.status}, {"priority", s.what.priority},
        {"state", s.connected ? "connected" : "suspended"},
        {"software", s.software}, {"peer", s.peer}, {"transport", s.transport},
        {"since_ms", s.since.time_since_epoch().count()}});
    sum += report.counters;
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
  if (!exists(whom->user))
    refuse(errc::no_such_user, whom->user.str() + " has no account");
  // First the line: where none can be written nothing is done.
  operations ops;
  ops.emplace_back(audited("kick " + whom->str()));
  write(std::move(ops));
  return {
    {"ended", ask<uint64_t>(router_of(whom->user), kick_atom::value, *whom)}};
}

json admin_requests::audit(const json& what) {
  uint64_t max = defaults::audit_lines;
  if (auto given = what.find("max"); given != what.end()) {
    // Whatever else a number can be has no value here.
    if (!given->is_number_unsigned())
      refuse(errc::bad_request, "'max' is a whole number");
    max = std::min(given->get<uint64_t>(), defaults::audit_lines_max);
  }
  auto x = ask<audit_found>(x_reach.reader, audit_atom::value, max);
  check(x.why);
  auto lines = json::array();
  for (const auto& a : x.what)
    lines.push_back({{"when_ms", a.when.time_since_epoch().count()},
      {"who", a.who}, {"what", a.what}, {"from", a.from}, {"to", a.to}});
  return {{"audit", std::move(lines)}};
}

} // namespace parley
