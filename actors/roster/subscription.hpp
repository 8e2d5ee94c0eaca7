#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "actors/interfaces.hpp"
#include "actors/roster/presence_counters.hpp"
#include "actors/runtime/lean.hpp"

namespace parley {

/// The sessions that a subscription tells; its roster changes them, on the same
/// worker.
using told_sessions = std::vector<session_actor>;

/// See `subscription_actor`.
class subscription final : public lean_actor<subscription, subscription_actor> {
public:
  /// `parent` is the watcher's roster, which outlives it.
  subscription(caf::actor_config& cfg, roster_actor parent,
    std::shared_ptr<const told_sessions> to,
    std::shared_ptr<presence_counters> counters, shared<presentity> first);

  void on(const shared<presentity>& x);
  void on(const greet_session& x);
  void on(const say_to_session& x);
  void on(const end_subscription& x);
  void ended();

private:
  void tell(
    const session_actor& to, const std::vector<shared<presence_notice>>& what);

  roster_actor x_parent;
  std::shared_ptr<const told_sessions> x_to;
  std::shared_ptr<presence_counters> x_counters;
  /// What the sessions were told.
  shared<presentity> x_last;
};

} // namespace parley
