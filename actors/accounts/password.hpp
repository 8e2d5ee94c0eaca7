#pragma once

#include "actors/interfaces.hpp"

namespace parley {

struct password_state {
  password_state() {}
  static inline const char* name = "password";
};

/// Spawn it detached: a hash takes milliseconds. Who sends to it bounds how
/// much waits here (`password_queue_max`).
password_actor::behavior_type password(
  password_actor::stateful_pointer<password_state> self, uint32_t iterations);

} // namespace parley
