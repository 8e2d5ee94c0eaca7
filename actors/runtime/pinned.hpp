#pragma once

#include "actors/runtime/scheduler.hpp"

#include <caf/actor_config.hpp>
#include <caf/actor_system.hpp>
#include <caf/detail/spawnable.hpp>
#include <caf/infer_handle.hpp>
#include <caf/invoke_message_result.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/spawn_options.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <type_traits>
#include <utility>

namespace parley {

/// An actor whose handlers all run on one worker's thread: the one that it was
/// spawned on, or its spawner's; see `worker::home_for`. Where there are no
/// workers, as under CAF's test coordinator, and when detached, it has no home
/// and behaves like its base.
template <class Base>
class pinned : public Base {
public:
  template <class... Ts>
  explicit pinned(caf::actor_config& cfg, Ts&&... xs)
    : Base(cfg, std::forward<Ts>(xs)...), home_(worker::home_for(cfg)) {}

  using Base::enqueue;

  /// From any thread. CAF would run the actor on its sender's unit.
  void enqueue(
    caf::mailbox_element_ptr what, caf::execution_unit* eu) override {
    if (home_)
      home_->sent();
    Base::enqueue(std::move(what), home_ ? home_ : eu);
  }

  using Base::consume;

  /// Handles one message.
  caf::invoke_message_result consume(caf::mailbox_element& x) override {
    if (home_)
      home_->handled();
    return Base::consume(x);
  }

  void launch(caf::execution_unit* eu, bool lazy, bool hide) override {
    Base::launch(home_ ? home_ : eu, lazy, hide);
  }

  /// The worker that this actor lives on, or null.
  worker* home() const noexcept { return home_; }

private:
  worker* const home_;
};

/// What a pinned actor's function takes as its first argument:
/// `x_actor::behavior_type x(pinned_pointer<x_actor, x_state> self, …)`.
template <class Handle, class State>
using pinned_pointer =
  caf::stateful_actor<State, pinned<typename Handle::base>>*;

/// Spawns `fun(self, args…)` on `home`, from any thread. Children that it
/// spawns by `self->spawn` live there too.
template <caf::spawn_options Os = caf::no_spawn_options, class F, class... Ts>
caf::infer_handle_from_fun_t<F> spawn_on(worker& home, F fun, Ts&&... args) {
  using impl = caf::infer_impl_from_fun_t<F>;
  static_assert(caf::detail::spawnable<F, impl, Ts...>(),
    "the function does not take these arguments");
  caf::actor_config cfg{&home};
  return home.system().template spawn_functor<Os>(
    std::true_type{}, cfg, fun, std::forward<Ts>(args)...);
}

/// The same for code that also runs where there are no workers: `home` is null
/// there and CAF's scheduler decides.
template <caf::spawn_options Os = caf::no_spawn_options, class F, class... Ts>
caf::infer_handle_from_fun_t<F> spawn_on(
  caf::actor_system& system, worker* home, F fun, Ts&&... args) {
  if (home)
    return spawn_on<Os>(*home, std::move(fun), std::forward<Ts>(args)...);
  return system.spawn<Os>(std::move(fun), std::forward<Ts>(args)...);
}

} // namespace parley
