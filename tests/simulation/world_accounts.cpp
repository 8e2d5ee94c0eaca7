#include <algorithm>
#include <utility>

#include "protocol/defaults.hpp"
#include "tests/simulation/world.hpp"

// Accounts that are removed and come again, and IMs that wait too long.
namespace parley::test {

using namespace std::chrono_literals;

bool world::has_account(size_t n) {
  return read(x_server->db->find_account(user(n))).has_value();
}

void world::remove_account(size_t n) {
  auto& x = x_accounts[n];
  if (x.now != account_state::there)
    return;
  x_tale.tell("the account of u" + std::to_string(n) + " is to be removed");
  x.has_ended = true;
  // Whether the disk takes it or not.
  static_cast<void>(x_server->db->commit({change_documents{
    user(n), write_document{"kept", {"one", "bytes", {}}, {}, false}}}));
  x.now = account_state::leaving;
  x.leaving = x_server->remove(user(n));
  x_letters.account_changes(user(n), false);
}

void world::add_accounts() {
  for (size_t n = 0; n < users_there; ++n) {
    auto& x = x_accounts[n];
    // Refused at first, it may have been carried out since.
    if (x.now == account_state::leaving && !x.leaving) {
      if (has_account(n))
        x.leaving = x_server->remove(user(n));
      else
        account_is_gone(n);
    }
    bool refused = x.now == account_state::coming && !x.coming;
    if (x.now == account_state::gone || refused) {
      x.now = account_state::coming;
      x.coming = x_server->add(user(n));
    }
  }
}

void world::account_is_gone(size_t n) {
  auto& x = x_accounts[n];
  x.now = account_state::gone;
  x.leaving = nullptr;
  x_tale.tell("u" + std::to_string(n) + " has no account any more");
  x_letters.account_ended(user(n));
}

void world::account_is_there(size_t n) {
  auto& x = x_accounts[n];
  x.now = account_state::there;
  x.leaving = nullptr;
  x.coming = nullptr;
  x_tale.tell("u" + std::to_string(n) + " has an account");
  x_letters.account_changes(user(n), true);
}

void world::collect_accounts() {
  for (size_t n = 0; n < users_there; ++n) {
    auto& x = x_accounts[n];
    if (x.leaving && x.leaving->has_value()) {
      auto why = (**x.leaving).why;
      x.leaving = nullptr;
      if (why.code == errc::none)
        account_is_gone(n);
    }
    if (x.coming && x.coming->has_value()) {
      auto why = **x.coming;
      x.coming = nullptr;
      // Refused, it may yet be there after a kill.
      if (why.code == errc::none)
        account_is_there(n);
    }
  }
}

/// What was answered holds; what was not may have happened.
void world::check_accounts() {
  for (size_t n = 0; n < users_there; ++n) {
    auto& x = x_accounts[n];
    bool there = has_account(n);
    if (x.now == account_state::there && !there)
      throw broken("accounts are kept", user(n).str() + " has none");
    if (x.now == account_state::gone && there)
      throw broken("accounts are removed", user(n).str() + " has one still");
    auto kept = read(x_server->db->documents_of(user(n))).count
      + read(x_server->db->collections(user(n), "")).size();
    if (!there && kept > 0)
      throw broken("documents go with accounts", user(n).str() + " has some");
    if (x.now == account_state::there || x.now == account_state::gone)
      continue;
    if (there)
      account_is_there(n);
    else
      account_is_gone(n);
  }
}

/// All are there again.
void world::bring_accounts_back() {
  auto all_there = [this] {
    return std::all_of(x_accounts.begin(), x_accounts.end(),
      [](const auto& x) { return x.now == account_state::there; });
  };
  for (auto waited = 0s; !all_there(); waited += 1s) {
    if (waited > 100s)
      throw broken("accounts come back", "somebody's does not");
    add_accounts();
    advance(1s);
    collect_answers();
  }
}

// -- expiry

/// The shortest time that may be in force for IMs to wait.
void world::let_ims_expire() {
  auto rules = x_rules;
  const auto* row = find_setting("im.offline_ttl");
  auto shortest = x_rules.im_offline_ttl_ms;
  auto consider = [&](const std::string& value) {
    static_cast<void>(row->assign(rules, value));
    shortest = std::min(shortest, rules.im_offline_ttl_ms);
  };
  for (const auto& s : x_settings)
    if (s.name == row->name)
      consider(s.value);
  if (auto i = x_perhaps.find(std::string{row->name}); i != x_perhaps.end())
    for (const auto& value : i->second)
      consider(value);
  x_letters.now = x_stage.now;
  if (shortest < policy{}.im_offline_ttl_ms)
    x_letters.may_expire(milliseconds{shortest});
}

/// With a sound disk nothing outlives its time for long.
void world::expire() {
  const std::string name = "im.offline_ttl";
  mend_disk();
  quiesce();
  collect_answers();
  set(name, "60 s");
  quiesce();
  collect_answers();
  // A write may yet fail: the disk was just mended.
  if (x_rules.im_offline_ttl_ms == 60'000) {
    auto begun = x_stage.now;
    advance(milliseconds{60s} + defaults::expiry_interval + 2s);
    for (const auto& who : x_users)
      for (const auto& x : read(x_server->db->ims(who, im_order{}, SIZE_MAX))) {
        auto* letter = x_letters.find(x.message->from.user, x.message->id, who);
        if (letter && letter->written < begun)
          throw broken("IMs expire",
            "'" + letter->id.value + "' still waits for " + who.str());
      }
  }
  set(name, find_setting(name)->value(policy{}));
}

} // namespace parley::test
