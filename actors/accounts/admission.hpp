#pragma once

#include <chrono>

#include "actors/accounts/throttle.hpp"
#include "actors/interfaces.hpp"
#include "actors/runtime/pinned.hpp"

namespace parley {

struct admission_state {
  explicit admission_state(
    pinned_pointer<admission_actor, admission_state> parent)
    : self(parent) {}
  static inline const char* name = "admission";

  pinned_pointer<admission_actor, admission_state> self;
  throttle accounts;
  throttle sources;
  /// Sign-ins a second; `unlimited`.
  uint64_t rate = unlimited;
  double tokens = 0;
  std::chrono::steady_clock::time_point tokens_at{};

  admitted judge(
    const user_address& user, const std::string& source, uint64_t ticket);
};

admission_actor::behavior_type admission(
  pinned_pointer<admission_actor, admission_state> self, shared<policy> rules);

} // namespace parley
