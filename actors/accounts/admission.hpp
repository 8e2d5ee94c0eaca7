#pragma once

#include <chrono>

#include "actors/accounts/guessing.hpp"
#include "actors/interfaces.hpp"
#include "actors/runtime/pinned.hpp"
#include "actors/runtime/seldom.hpp"
#include "protocol/defaults.hpp"

namespace parley {

struct admission_state {
  explicit admission_state(
    pinned_pointer<admission_actor, admission_state> parent)
    : self(parent) {}
  static inline const char* name = "admission";

  pinned_pointer<admission_actor, admission_state> self;
  guessing tries;
  /// Since the start.
  sign_in_counts counts;
  seldom log{defaults::stranger_log_interval};
  bool log_is_due = false;

  void limit_rate(const policy& rules) noexcept;
  admitted judge(
    const user_address& user, const std::string& source, uint64_t ticket);
  void ended(const sign_in_ended& x);
  void log_failure(const sign_in_ended& x);
  void log_rest();
};

/// Judges by `guessing` and `signin.rate`; counts and logs the failures.
admission_actor::behavior_type admission(
  pinned_pointer<admission_actor, admission_state> self, shared<policy> rules);

} // namespace parley
