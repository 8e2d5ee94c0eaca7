#pragma once

#include <string>

#include <caf/scoped_actor.hpp>
#include <nlohmann/json.hpp>

#include "actors/launcher/admin_server.hpp"

namespace parley {

/// What operators can ask, apart from the socket: one JSON object in, one out.
/// An error is `{"error":REASON,"text":TEXT}`. Total on any input.
class admin_requests {
public:
  admin_requests(caf::actor_system& system, admin_server::actors reach);

  /// `line` is what came from the socket; `who` goes into the audit log.
  std::string answer(const std::string& line, const std::string& who);

private:
  using json = nlohmann::json;

  json dispatch(const json& what);
  json add_user(const json& what);
  json change_password(const json& what);
  json remove_user(const json& what);
  json list_users();
  json show_user(const json& what);
  json import_users(const json& what);
  json list_settings();
  json set_setting(const json& what);
  json sessions();
  json kick(const json& what);
  json audit(const json& what);

  /// Waits for the answer; throws admin_error on its failure.
  keys_derived derive(const std::string& password);
  /// Those among these that have an account, in the same order.
  std::vector<user_address> existing(std::vector<user_address> users);
  bool exists(const user_address& user);
  /// Accounts were made: their routers know them when this returns.
  void announce(const std::vector<user_address>& users);
  void write(operations what);
  audit_entry audited(
    std::string what, std::string from = {}, std::string to = {});
  const router_actor& router_of(const user_address& user) const;

  admin_server::actors x_reach;
  caf::scoped_actor x_self;
  std::string x_who;
};

} // namespace parley
