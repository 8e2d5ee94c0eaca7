#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

#include <caf/scoped_actor.hpp>

#include "protocol/defaults.hpp"
#include "protocol/errors.hpp"

namespace parley {

/// Asks actors from a thread that is none of theirs, and waits for the answer:
/// at most `admin_actor_patience`, and hardly longer than the server lives.
class actor_asker {
public:
  /// `stopping` becomes true when the server begins to stop.
  actor_asker(caf::actor_system& system, const std::atomic<bool>& stopping)
    : x_system(system), x_stopping(stopping) {}

  /// `server_stopping` once the server stops, `overloaded` if no answer came
  /// in time; what was asked may still be done then.
  template <class Answer, class Handle, class... Ts>
  result<Answer> ask(const Handle& whom, Ts&&... what) {
    // One each time: CAF never cancels the timeout of a request, and an answer
    // that nobody waits for any more would stay in the mailbox.
    caf::scoped_actor self{x_system, true};
    auto pending =
      self->request(whom, caf::infinite, std::forward<Ts>(what)...);
    if (auto arrived = wait_for_mail(self); !arrived)
      return tl::unexpected{std::move(arrived.error())};
    result<Answer> x;
    pending.receive([&x](const Answer& a) { x = a; },
      [&x, this](const caf::error& e) {
        x = fail(
          errc::overloaded, "the server did not answer: " + x_system.render(e));
      });
    return x;
  }

  bool is_stopping() const noexcept { return x_stopping; }

private:
  result<void> wait_for_mail(caf::scoped_actor& self) const {
    using clock = std::chrono::high_resolution_clock;
    auto end = clock::now() + defaults::admin_actor_patience;
    bool was_stopping = false;
    for (auto now = clock::now(); now < end; now = clock::now()) {
      if (is_stopping() && !std::exchange(was_stopping, true))
        end =
          std::min<clock::time_point>(end, now + defaults::admin_stop_patience);
      if (self->await_data(now + defaults::admin_wait_step))
        return {};
    }
    return was_stopping
      ? fail(errc::server_stopping, "the server stops")
      : fail(errc::overloaded, "the server did not answer in time");
  }

  caf::actor_system& x_system;
  const std::atomic<bool>& x_stopping;
};

} // namespace parley
