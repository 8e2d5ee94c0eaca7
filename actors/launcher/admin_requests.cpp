#include "actors/launcher/admin_requests.hpp"

#include <map>

#include <spdlog/spdlog.h>

#include "actors/launcher/counted.hpp"
#include "protocol/decoys.hpp"

namespace parley {

namespace {

using nlohmann::json;

/// How a request ends early; caught in `answer`.
struct admin_error {
  failure why;
};

json error_of(const failure& x) {
  json j{{"error", to_string(x.code)}};
  j["text"] = x.text;
  if (x.limit)
    j["limit"] = *x.limit;
  if (x.value)
    j["value"] = *x.value;
  return j;
}

} // namespace

admin_requests::admin_requests(caf::actor_system& system,
  admin_server::actors reach, const std::atomic<bool>& stopping)
  : x_reach(std::move(reach)),
    x_ask(system, stopping),
    x_metrics(system, x_reach.engine, stopping) {}

std::string admin_requests::answer(
  const std::string& line, const std::string& who, open_imports& imports) {
  x_who = who;
  x_imports = &imports;
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
  using self = admin_requests;
  // All that there is; who asks for anything else is told these names.
  static const std::map<std::string, json (*)(self&, const json&)> handlers{
    {"audit", [](self& x, const json& j) { return x.audit(j); }},
    {"contacts.export",
      [](self& x, const json& j) { return x.export_contacts(j); }},
    {"contacts.import",
      [](self& x, const json& j) { return x.import_contacts(j); }},
    {"kick", [](self& x, const json& j) { return x.kick(j); }},
    {"sessions", [](self& x, const json&) { return x.sessions(); }},
    {"settings.list", [](self& x, const json&) { return x.list_settings(); }},
    {"settings.set", [](self& x, const json& j) { return x.set_setting(j); }},
    {"trace", [](self& x, const json& j) { return x.trace(j); }},
    {"troubleshoot", [](self& x, const json&) { return x.troubleshoot(); }},
    {"user.add", [](self& x, const json& j) { return x.add_user(j); }},
    {"user.import", [](self& x, const json& j) { return x.import_users(j); }},
    {"user.list", [](self& x, const json&) { return x.list_users(); }},
    {"user.password",
      [](self& x, const json& j) { return x.change_password(j); }},
    {"user.remove", [](self& x, const json& j) { return x.remove_user(j); }},
    {"user.show", [](self& x, const json& j) { return x.show_user(j); }}};
  auto op = text_of(what, "op");
  if (auto i = handlers.find(op); i != handlers.end())
    return i->second(*this, what);
  auto text = "there is no '" + op + "'; there are";
  for (const auto& [name, handler] : handlers)
    text += ' ' + name;
  refuse(errc::unknown_request, std::move(text));
}

void admin_requests::throw_failure(failure x) {
  throw admin_error{std::move(x)};
}

void admin_requests::refuse(errc code, std::string text) {
  throw_failure(failure{code, std::move(text)});
}

void admin_requests::check(const failure& x) {
  if (x.code != errc::none)
    throw_failure(x);
}

std::string admin_requests::text_of(const json& what, const char* key) {
  auto i = what.find(key);
  if (i == what.end() || !i->is_string())
    refuse(errc::bad_request, std::string{"'"} + key + "' is missing");
  return i->get<std::string>();
}

user_address admin_requests::user_of(const json& what) {
  auto text = text_of(what, "user");
  auto x = user_address::parse(text);
  if (!x)
    refuse(errc::bad_address, "'" + text + "' is not user@domain");
  return *x;
}

const router_actor& admin_requests::router_of(const user_address& user) const {
  return x_reach.routers[slot_of(user) % x_reach.routers.size()];
}

failure admin_requests::try_write(operations what) {
  // Decoys are to look like the new accounts before there are any.
  std::vector<scram_keys> made;
  for (const auto& x : what)
    if (const auto* a = std::get_if<put_account>(&x))
      x_reach.unknown_users->add(made.emplace_back(a->keys));
  auto why = ask<write_result>(x_reach.writer, std::move(what)).why;
  if (why.code != errc::none)
    for (const auto& keys : made)
      x_reach.unknown_users->remove(keys);
  return why;
}

void admin_requests::write(operations what) {
  check(try_write(std::move(what)));
}

audit_entry admin_requests::audited(
  std::string what, std::string from, std::string to) {
  return {x_reach.world->wall_clock(), x_who, std::move(what), std::move(from),
    std::move(to)};
}

admin_requests::import_part admin_requests::part_of(const json& what) {
  import_part x;
  x.more = what.value("more", false);
  auto refused = what.find("refused");
  if (refused == what.end())
    return x;
  if (!refused->is_number_unsigned())
    refuse(errc::bad_request, "'refused' is no number of rows");
  x.refused = refused->get<uint64_t>();
  return x;
}

void admin_requests::begin_import(open_import& what) {
  if (what.has_begun)
    return;
  operations ops;
  ops.emplace_back(audited(what.what, {}, "begins"));
  write(std::move(ops));
  what.has_begun = true;
}

void admin_requests::end_part(const import_part& part, open_import& so_far) {
  so_far.refused += part.refused;
  const bool was_anything = so_far.has_begun || so_far.refused > 0;
  if (part.more || !was_anything)
    return;
  auto outcome = counted(so_far.made, so_far.of) + ", "
    + counted(so_far.refused, "row") + " refused";
  if (so_far.unknown > 0)
    outcome += ", " + counted(so_far.unknown, so_far.of) + " unknown";
  operations ops;
  ops.emplace_back(audited(so_far.what, {}, std::move(outcome)));
  const auto begin_anew = [&so_far] {
    so_far = open_import{so_far.what, so_far.of};
  };
  try {
    write(std::move(ops));
  } catch (const admin_error& e) {
    // Else tried again when the connection ends; this may be written yet.
    if (e.why.code == errc::overloaded)
      begin_anew();
    throw;
  }
  begin_anew();
}

void admin_requests::end_imports(
  const std::string& who, open_imports& imports) {
  x_who = who;
  for (auto* so_far : {&imports.accounts, &imports.contacts}) {
    try {
      end_part({}, *so_far);
    } catch (const admin_error& e) {
      SPDLOG_ERROR("a {} of {} that broke off is not in the audit log: {} {}",
        so_far->what, who, to_string(e.why.code), e.why.text);
    }
  }
}

} // namespace parley
