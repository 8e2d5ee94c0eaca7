#pragma once

#include <memory>

#include "actors/accounts/password_line.hpp"
#include "actors/interfaces.hpp"

namespace parley {

struct password_state {
  password_state() {}
  static inline const char* name = "password";
};

/// Spawn it detached: a hash takes milliseconds. What strangers give is in
/// `line` before, and skipped if nobody waits for it any more.
password_actor::behavior_type password(
  password_actor::stateful_pointer<password_state> self, uint32_t iterations,
  std::shared_ptr<password_line> line);

} // namespace parley
