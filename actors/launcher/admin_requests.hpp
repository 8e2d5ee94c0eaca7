#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "actors/launcher/actor_asker.hpp"
#include "actors/launcher/admin_server.hpp"
#include "actors/launcher/metrics_gathering.hpp"

namespace parley {

struct engine_facts;

/// What the requests of an import did so far. A line of the audit log that it
/// begins comes before what it makes, or with it, and one of all at its end.
struct open_import {
  /// Words for it, and for one of what it makes.
  const char* what;
  const char* of;
  uint64_t made = 0;
  uint64_t refused = 0;
  /// Were asked for, and no answer came: they may have been made.
  uint64_t unknown = 0;
  bool has_begun = false;
};

/// Imports of one operator's connection that have not come to their end.
struct open_imports {
  open_import accounts{"user import", "account"};
  open_import contacts{"contacts import", "contact"};
};

/// What operators can ask, apart from the socket: one JSON object in, one out.
/// An error is `{"error":REASON,"text":TEXT}`. Total on any input.
class admin_requests {
public:
  /// `stopping`: see actor_asker.
  admin_requests(caf::actor_system& system, admin_server::actors reach,
    const std::atomic<bool>& stopping);

  /// `line` is what came from the socket; `who` goes into the audit log, and
  /// `imports` belongs to the connection.
  std::string answer(
    const std::string& line, const std::string& who, open_imports& imports);

  /// The connection has ended: what its imports did is audited all the same.
  void end_imports(const std::string& who, open_imports& imports);

private:
  using json = nlohmann::json;

  json dispatch(const json& what);

  // -- accounts (admin_accounts.cpp)

  json add_user(const json& what);
  json change_password(const json& what);
  json remove_user(const json& what);
  json list_users();
  json import_users(const json& what);
  /// `bad_address` for a name that no client could send (SASLprep, RFC 4013).
  failure why_no_sign_in(const user_address& user) const;
  keys_derived derive(const std::string& password);
  /// From the cells of a row behind the user.
  keys_derived keys_of(const std::vector<std::string>& secrets);
  /// Those among these that have an account, in the same order.
  std::vector<user_address> existing(std::vector<user_address> users);
  bool exists(const user_address& user);
  /// Accounts were made: their routers know them when this returns.
  void announce(const std::vector<user_address>& users);

  // -- contacts (admin_contacts.cpp, admin_user_show.cpp)

  json import_contacts(const json& what);
  json export_contacts(const json& what);
  json show_user(const json& what);
  /// With both halves of each subscription.
  json contacts_of(const user_address& user, const stored_roster& roster);
  roster_report report_of(const user_address& user, const user_address& viewer);

  // -- settings, sessions and log (admin_reports.cpp)

  json list_settings();
  json set_setting(const json& what);
  json sessions();
  json kick(const json& what);
  json audit(const json& what);

  // -- how the engine fares (admin_troubleshooting.cpp, admin_tracing.cpp)

  json troubleshoot();
  json trace(const json& what);
  /// What only actors can tell, as far as they tell it in time.
  void ask_actors(engine_facts& x, std::chrono::steady_clock::time_point end);
  failure store_trouble();
  /// The users at a limit by what is in memory, and by what is on disk.
  void find_at_limits_in_memory(
    engine_facts& x, std::chrono::steady_clock::time_point end);
  void find_at_limits_on_disk(
    engine_facts& x, std::chrono::steady_clock::time_point end);
  /// Waits until then; refuses the request only if the server stops.
  template <class Answer, class Handle, class... Ts>
  result<Answer> ask_until(std::chrono::steady_clock::time_point end,
    const Handle& whom, Ts&&... what) {
    auto q = x_ask.begin<Answer>(whom, std::forward<Ts>(what)...);
    auto x = x_ask.finish(*q, end);
    if (!x && x.error().code == errc::server_stopping)
      throw_failure(std::move(x.error()));
    return x;
  }

  // -- for all of them

  /// Waits for the answer; refuses the request on its failure.
  template <class Answer, class Handle, class... Ts>
  Answer ask(const Handle& whom, Ts&&... what) {
    return value_of(x_ask.ask<Answer>(whom, std::forward<Ts>(what)...));
  }
  /// Why it was not written.
  failure try_write(operations what);
  void write(operations what);
  /// By the rows that they come from.
  using new_accounts = std::vector<std::pair<size_t, put_account>>;
  /// Makes them, and takes out those that have been made meanwhile, whose rows
  /// it returns.
  std::vector<size_t> add_accounts(new_accounts& what);
  /// Writes that it begins, once.
  void begin_import(open_import& what);
  audit_entry audited(
    std::string what, std::string from = {}, std::string to = {});
  /// How a request of an import goes on: with `more`, others of it follow;
  /// otherwise `refused` says how many rows never came here.
  struct import_part {
    bool more = false;
    uint64_t refused = 0;
  };
  static import_part part_of(const json& what);
  /// Without `more`: writes what came of all, unless nothing was done, and
  /// begins anew.
  void end_part(const import_part& part, open_import& so_far);
  const router_actor& router_of(const user_address& user) const;

  // How a request ends early: by an exception that `answer` catches.
  [[noreturn]] static void refuse(errc code, std::string text = {});
  static void check(const failure& x);
  template <class T>
  static T value_of(result<T> x) {
    if (!x)
      throw_failure(std::move(x.error()));
    return std::move(*x);
  }
  [[noreturn]] static void throw_failure(failure x);
  static std::string text_of(const json& what, const char* key);
  static user_address user_of(const json& what);

  admin_server::actors x_reach;
  actor_asker x_ask;
  metrics_gathering x_metrics;
  /// Of the steady clock when the server started.
  const std::chrono::steady_clock::time_point x_began =
    std::chrono::steady_clock::now();
  std::string x_who;
  /// Of whom is answered now.
  open_imports* x_imports = nullptr;
};

} // namespace parley
