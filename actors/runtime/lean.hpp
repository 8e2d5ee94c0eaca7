#pragma once

#include "actors/runtime/lean_base.hpp"
#include "actors/runtime/scheduler.hpp"

#include <cstddef>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/actor_config.hpp>
#include <caf/actor_system.hpp>
#include <caf/detail/sync_request_bouncer.hpp>
#include <caf/intrusive/lifo_inbox.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/make_actor.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

namespace parley {

/// A pinned, typed actor for the kind that comes in millions: a seventh of a
/// stock actor's memory. It can be addressed, monitored, linked and told to
/// exit like any other, and has neither requests, nor streams, nor behaviours
/// to change. It runs when others have nothing to do, and a little anyway.
/// `Derived` has a function `on` for each clause, `reacts_to` alone, and
/// `ended`, called on its worker once it handles nothing more; its destructor
/// may run anywhere.
template <class Derived, class Handle>
class lean_actor;

template <class Derived, class... Clauses>
class lean_actor<Derived, caf::typed_actor<Clauses...>> : public lean_base {
public:
  using handle = caf::typed_actor<Clauses...>;
  using signatures = caf::detail::type_list<Clauses...>;

  explicit lean_actor(caf::actor_config& cfg)
    : lean_base(cfg), x_home(worker::home_for(cfg)) {
    x_inbox.try_block();
  }

  using lean_base::enqueue;

  void enqueue(
    caf::mailbox_element_ptr what, caf::execution_unit* eu) override {
    if (x_home)
      x_home->sent();
    auto mid = what->mid;
    auto sender = what->sender;
    switch (x_inbox.push_front(std::move(what))) {
    case caf::intrusive::inbox_result::unblocked_reader:
      caf::intrusive_ptr_add_ref(ctrl());
      run_later(eu);
      break;
    case caf::intrusive::inbox_result::queue_closed:
      if (mid.is_request()) {
        caf::detail::sync_request_bouncer bounce{caf::exit_reason::unreachable};
        bounce(sender, mid);
      }
      break;
    case caf::intrusive::inbox_result::success:
      break;
    }
  }

  resume_result resume(caf::execution_unit* eu, size_t max) override {
    for (size_t n = 0;; ++n) {
      if (has_quit()) {
        finish(eu);
        return done;
      }
      if (!x_head && !fetch()) {
        if (x_inbox.try_block())
          return awaiting_message;
        continue;
      }
      if (n == max)
        return resume_later;
      caf::mailbox_element_ptr next{x_head};
      x_head = static_cast<caf::mailbox_element*>(next->next);
      next->next = nullptr;
      if (x_home)
        x_home->handled();
      handle_message(next->content());
    }
  }

  void stop(caf::execution_unit* eu) override {
    quit(caf::exit_reason::user_shutdown);
    finish(eu);
  }

private:
  void run_later(caf::execution_unit* eu) {
    if (x_home)
      x_home->exec_behind(this);
    else if (eu)
      eu->exec_later(this);
    else
      home_system().scheduler().enqueue(this);
  }

  /// Takes what has come, in the order in which it came.
  bool fetch() {
    auto* e = x_inbox.take_head();
    while (e) {
      auto* next = static_cast<caf::mailbox_element*>(e->next);
      e->next = x_head;
      x_head = e;
      e = next;
    }
    return x_head != nullptr;
  }

  void finish(caf::execution_unit* eu) {
    while (x_head) {
      caf::mailbox_element_ptr next{x_head};
      x_head = static_cast<caf::mailbox_element*>(next->next);
    }
    x_inbox.close();
    static_cast<Derived*>(this)->ended();
    tell_end(eu);
  }

  template <class T, class Output>
  bool try_clause(caf::type_erased_tuple& content,
    caf::typed_mpi<caf::detail::type_list<T>, Output>*) {
    if (content.size() != 1 || !content.match_element<T>(0))
      return false;
    static_cast<Derived*>(this)->on(content.get_as<T>(0));
    return true;
  }

  void handle_message(caf::type_erased_tuple& content) {
    if ((try_clause(content, static_cast<Clauses*>(nullptr)) || ...))
      return;
    if (content.match_elements<caf::exit_msg>())
      quit(content.get_as<caf::exit_msg>(0).reason);
  }

  caf::intrusive::lifo_inbox<caf::scheduled_actor::mailbox_policy> x_inbox;
  caf::mailbox_element* x_head = nullptr;
  worker* const x_home;
};

/// Makes one on `home`; where there are no workers `home` is null.
template <class T, class... Args>
typename T::handle spawn_lean(
  caf::actor_system& system, worker* home, Args&&... args) {
  caf::actor_config cfg{home};
  auto made = caf::make_actor<T, caf::strong_actor_ptr>(system.next_actor_id(),
    system.node(), &system, cfg, std::forward<Args>(args)...);
  return caf::actor_cast<typename T::handle>(made);
}

} // namespace parley
