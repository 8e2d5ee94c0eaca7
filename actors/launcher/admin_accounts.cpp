#include "actors/launcher/admin_requests.hpp"

#include <algorithm>
#include <set>

#include "actors/launcher/scram_text.hpp"
#include "protocol/sasl.hpp"

// What operators ask about accounts.
namespace parley {

using nlohmann::json;

failure admin_requests::why_no_sign_in(const user_address& user) const {
  // Asked of the client's side itself; the password does not matter here.
  auto can = [](std::string_view name) {
    // Nothing in ASCII that an address may have is forbidden.
    if (std::all_of(name.begin(), name.end(), [](char c) { return c > 0; }))
      return true;
    const std::vector<std::string> offered{"SCRAM-SHA-256"};
    return sasl_client::make(offered, {}, name, "x").has_value();
  };
  // A client leaves out the server's own domain where the whole is forbidden:
  // letters from right to left beside others.
  if (can(user.str()) || (user.domain() == x_reach.domain && can(user.node())))
    return {};
  return failure{errc::bad_address,
    "nobody could sign in under this name: SASLprep (RFC 4013) knows only the "
    "characters of Unicode 3.2, thus no emoji, and no letters from right to "
    "left beside others"};
}

keys_derived admin_requests::derive(const std::string& password) {
  return ask<keys_derived>(x_reach.passwords, password);
}

keys_derived admin_requests::keys_of(const std::vector<std::string>& secrets) {
  keys_derived x;
  if (!is_scram_text(secrets.front())) {
    if (secrets.size() == 1)
      return derive(secrets.front());
    x.why = failure{errc::bad_request,
      "more cells than user and password; quote what has a comma"};
  } else if (auto parsed = parse_scram_text(secrets)) {
    x.keys = std::move(*parsed);
  } else {
    x.why = parsed.error();
  }
  return x;
}

std::vector<user_address> admin_requests::existing(
  std::vector<user_address> users) {
  auto x =
    ask<accounts_found>(x_reach.reader, list_atom::value, std::move(users));
  check(x.why);
  return std::move(x.what);
}

bool admin_requests::exists(const user_address& user) {
  return !existing({user}).empty();
}

void admin_requests::announce(const std::vector<user_address>& users) {
  std::vector<std::vector<user_address>> parts(x_reach.routers.size());
  for (const auto& user : users)
    parts[slot_of(user) % parts.size()].push_back(user);
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].empty())
      continue;
    auto done = x_ask.ask<done_atom>(
      x_reach.routers[i], add_atom::value, std::move(parts[i]));
    // They are on disk: the next start knows them.
    if (!done && !x_ask.is_stopping())
      throw_failure(std::move(done.error()));
  }
}

json admin_requests::add_user(const json& what) {
  auto user = user_of(what);
  check(why_no_sign_in(user));
  if (exists(user))
    refuse(errc::exists, user.str() + " has an account already");
  auto keys = derive(text_of(what, "password"));
  check(keys.why);
  operations ops;
  ops.emplace_back(put_account{
    .user = user, .keys = std::move(keys.keys), .has_to_be_new = true});
  ops.emplace_back(audited("user add " + user.str()));
  write(std::move(ops));
  announce({user});
  return {{"user", user.str()}};
}

json admin_requests::change_password(const json& what) {
  auto user = user_of(what);
  if (!exists(user))
    refuse(errc::no_such_user, user.str() + " has no account");
  auto keys = derive(text_of(what, "password"));
  check(keys.why);
  operations ops;
  ops.emplace_back(put_account{user, std::move(keys.keys)});
  ops.emplace_back(audited("user password " + user.str()));
  write(std::move(ops));
  ask<done_atom>(router_of(user), reload_atom::value, user);
  return {{"user", user.str()}};
}

json admin_requests::remove_user(const json& what) {
  auto user = user_of(what);
  if (!exists(user))
    refuse(errc::no_such_user, user.str() + " has no account");
  // It writes: from now on nothing new is taken for the account.
  auto x = ask<account_removed>(router_of(user), remove_atom::value, user,
    audited("user remove " + user.str()));
  check(x.why);
  return {{"user", user.str()}, {"deleted", x.deleted}};
}

json admin_requests::list_users() {
  auto x = ask<accounts_found>(x_reach.sweeper, list_atom::value);
  check(x.why);
  auto users = json::array();
  for (const auto& u : x.what)
    users.push_back(u.str());
  return {{"users", std::move(users)}};
}

namespace {

constexpr std::string_view is_there = "has an account already";

/// A row of an import whose user can be read.
struct import_row {
  user_address user;
  /// The cells behind the user; never empty.
  std::vector<std::string> secrets;
};

bool is_row(const json& x) {
  return x.is_array() && x.size() >= 2
    && std::all_of(
      x.begin(), x.end(), [](const json& cell) { return cell.is_string(); });
}

/// Never the cells behind the user: they are secret. `index` counts the
/// request's rows from 0.
json refused_account(size_t index, const json& row, const failure& why) {
  auto named = row.is_array() && !row.empty() && row[0].is_string();
  return {{"index", index}, {"user", named ? row[0] : json("")},
    {"reason", to_string(why.code)}, {"text", why.text}};
}

} // namespace

json admin_requests::import_users(const json& what) {
  const auto part = part_of(what);
  auto rows = what.find("rows");
  if (rows == what.end() || !rows->is_array())
    refuse(errc::bad_request, "'rows' is missing");
  auto refused = json::array();
  std::vector<std::pair<size_t, import_row>> wanted;
  for (size_t i = 0; i < rows->size(); ++i) {
    const auto& row = (*rows)[i];
    if (!is_row(row)) {
      refused.push_back(refused_account(
        i, row, failure{errc::bad_request, "expected user@domain,password"}));
      continue;
    }
    auto user = user_address::parse(row[0].get_ref<const std::string&>());
    auto why = user ? why_no_sign_in(*user) : user.error();
    if (why.code != errc::none)
      refused.push_back(refused_account(i, row, why));
    else
      wanted.emplace_back(
        i, import_row{std::move(*user), {row.begin() + 1, row.end()}});
  }
  std::vector<user_address> users;
  for (const auto& [index, row] : wanted)
    users.push_back(row.user);
  auto there = existing(std::move(users));
  std::set<user_address> taken{there.begin(), there.end()};
  new_accounts made;
  for (auto& [index, row] : wanted) {
    if (x_ask.is_stopping())
      refuse(errc::server_stopping, "the server stops");
    keys_derived keys;
    if (!taken.insert(row.user).second)
      keys.why = failure{errc::exists, std::string{is_there}};
    else
      keys = keys_of(row.secrets);
    if (keys.why.code != errc::none) {
      refused.push_back(refused_account(index, (*rows)[index], keys.why));
      continue;
    }
    made.emplace_back(index,
      put_account{
        .user = row.user, .keys = std::move(keys.keys), .has_to_be_new = true});
  }
  for (auto index : add_accounts(made))
    refused.push_back(refused_account(
      index, (*rows)[index], failure{errc::exists, std::string{is_there}}));
  x_imports->accounts.refused += refused.size();
  end_part(part, x_imports->accounts);
  return {{"added", made.size()}, {"refused", std::move(refused)}};
}

std::vector<size_t> admin_requests::add_accounts(new_accounts& what) {
  std::vector<size_t> taken;
  auto& so_far = x_imports->accounts;
  if (!what.empty())
    begin_import(so_far);
  while (!what.empty()) {
    operations ops;
    std::vector<user_address> users;
    for (const auto& [index, account] : what) {
      ops.emplace_back(account);
      users.push_back(account.user);
    }
    so_far.unknown += what.size();
    const auto why = try_write(std::move(ops));
    so_far.unknown -= what.size();
    if (why.code != errc::exists) {
      check(why);
      so_far.made += what.size();
      announce(users);
      break;
    }
    // Somebody has registered since it was looked.
    const auto there = existing(std::move(users));
    if (there.empty())
      check(why);
    const std::set<user_address> faster{there.begin(), there.end()};
    std::erase_if(what, [&](const auto& x) {
      const bool is_taken = faster.contains(x.second.user);
      if (is_taken)
        taken.push_back(x.first);
      return is_taken;
    });
  }
  return taken;
}

} // namespace parley
