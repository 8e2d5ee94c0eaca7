#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/interfaces.hpp"
#include "actors/router/router.hpp"

namespace parley {

/// Who has to know a policy before a change of it counts as in force.
struct policy_followers {
  std::vector<router_actor> routers;
  std::vector<gateway_actor> gateways;
  admission_actor admission;
};

struct settings_state {
  settings_state() {}
  static inline const char* name = "settings";

  policy now;
  store_writer_actor writer;
  policy_followers followers;
  std::shared_ptr<surroundings> world;
};

/// One change at a time: each is written, audited and in force everywhere
/// before its answer.
settings_actor::behavior_type settings(
  settings_actor::stateful_pointer<settings_state> self, policy stored,
  store_writer_actor writer, policy_followers followers,
  std::shared_ptr<surroundings> world);

/// The defaults with what is stored over them. A stored value that is none any
/// more is left out and named in `ignored`.
policy policy_from_store(
  const std::vector<std::pair<std::string, std::string>>& stored,
  std::vector<std::string>& ignored);

} // namespace parley
