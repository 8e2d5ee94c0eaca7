#pragma once

#include <utility>
#include <vector>

#include <caf/all.hpp>

#include "actors/interfaces.hpp"

namespace parley::test {

using hold_atom = caf::atom_constant<caf::atom("hold")>;

struct gate_state {
  gate_state() {}
  bool held = false;
  std::vector<std::pair<shared<operations>, router_actor>> waiting;
  static inline const char* name = "gate";
};

using gate_actor = store_writer_actor::extend<caf::reacts_to<hold_atom, bool>>;

/// Stands before the store's writer: a disk that stalls while told to.
inline gate_actor::behavior_type gate(
  gate_actor::stateful_pointer<gate_state> self, store_writer_actor writer) {
  return {
    [self, writer](const shared<operations>& what, const router_actor& who) {
      if (self->state.held)
        self->state.waiting.emplace_back(what, who);
      else
        self->send(writer, what, who);
    },
    [self, writer](
      const operations& what) -> caf::typed_response_promise<write_result> {
      auto promise = self->make_response_promise<write_result>();
      self->request(writer, caf::infinite, what)
        .then([promise](const write_result& x) mutable { promise.deliver(x); });
      return promise;
    },
    [](commit_atom) {},
    [self, writer](hold_atom, bool on) {
      self->state.held = on;
      if (on)
        return;
      for (auto& [what, who] : self->state.waiting)
        self->send(writer, what, who);
      self->state.waiting.clear();
    },
  };
}

} // namespace parley::test
