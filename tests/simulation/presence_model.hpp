#pragma once

#include <map>
#include <string>

#include "actors/settings/policy.hpp"
#include "persistence/store.hpp"
#include "tests/actors/engine/client_screen.hpp"

namespace parley::test {

/// What clients should show at rest, by what lies on disk, the policy, and who
/// is there.
struct presence_model {
  store& db;
  const policy& rules;
  /// Endpoints that are signed in, by their names, with their shows.
  std::map<user_address, std::map<std::string, show>> there;

  /// What is wrong with the contact list on this user's screen; empty: nothing.
  std::string wrong_list(
    const user_address& user, const client_screen& screen) const;
  /// The same of what an endpoint sees of `whom`.
  std::string wrong_sight(const address& who, const client_screen& screen,
    const user_address& whom) const;

private:
  /// All of `whom` that are available, but for `but`.
  std::string truth(
    const user_address& whom, const std::string& but = {}) const;
};

} // namespace parley::test
