#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include <caf/scoped_actor.hpp>

#include "protocol/defaults.hpp"
#include "protocol/errors.hpp"

namespace parley {

/// Asks actors from a thread that is none of theirs, and waits for the answer:
/// at most `patience`, and hardly longer than the server lives.
class actor_asker {
public:
  /// `stopping` becomes true when the server begins to stop.
  actor_asker(caf::actor_system& system, const std::atomic<bool>& stopping,
    std::chrono::milliseconds patience = defaults::admin_actor_patience)
    : x_system(system), x_stopping(stopping), x_patience(patience) {}

  /// `server_stopping` once the server stops, `overloaded` if no answer came
  /// in time; what was asked may still be done then.
  template <class Answer, class Handle, class... Ts>
  result<Answer> ask(const Handle& whom, Ts&&... what) {
    return finish(*begin<Answer>(whom, std::forward<Ts>(what)...));
  }

  /// One that is under way. Gone before it is finished: nobody wants to know.
  template <class Answer>
  struct question {
    explicit question(caf::actor_system& system) : self(system, true) {}
    // One each time: CAF never cancels the timeout of a request, and an answer
    // that nobody waits for any more would stay in the mailbox.
    caf::scoped_actor self;
    std::function<void(result<Answer>&)> receive;
  };

  /// Asks and does not wait.
  template <class Answer, class Handle, class... Ts>
  std::unique_ptr<question<Answer>> begin(const Handle& whom, Ts&&... what) {
    auto q = std::make_unique<question<Answer>>(x_system);
    auto pending =
      q->self->request(whom, caf::infinite, std::forward<Ts>(what)...);
    q->receive = [this, pending](result<Answer>& x) mutable {
      pending.receive([&x](const Answer& a) { x = a; },
        [&x, this](const caf::error& e) {
          x = fail(errc::overloaded,
            "the server did not answer: " + x_system.render(e));
        });
    };
    return q;
  }

  /// Waits for the answer, as `ask` does; once.
  template <class Answer>
  result<Answer> finish(question<Answer>& q) {
    return finish(q, x_patience);
  }

  /// With an own patience.
  template <class Answer>
  result<Answer> finish(
    question<Answer>& q, std::chrono::milliseconds patience) {
    if (auto arrived = wait_for_mail(q.self, patience); !arrived)
      return tl::unexpected{std::move(arrived.error())};
    result<Answer> x;
    q.receive(x);
    return x;
  }

  /// Until then; an answer that is there already is taken later, too.
  template <class Answer>
  result<Answer> finish(
    question<Answer>& q, std::chrono::steady_clock::time_point end) {
    using std::chrono::milliseconds;
    const auto left =
      std::chrono::ceil<milliseconds>(end - std::chrono::steady_clock::now());
    return finish(q, std::max(left, milliseconds{1}));
  }

  /// By when an answer to what is asked now has to be there.
  std::chrono::steady_clock::time_point end() const {
    return std::chrono::steady_clock::now() + x_patience;
  }

  bool is_stopping() const noexcept { return x_stopping; }

private:
  result<void> wait_for_mail(
    caf::scoped_actor& self, std::chrono::milliseconds patience) const {
    using clock = std::chrono::high_resolution_clock;
    auto end = clock::now() + patience;
    bool was_stopping = false;
    // What is there already counts, however late it is looked at.
    auto now = clock::now();
    do {
      if (is_stopping() && !std::exchange(was_stopping, true))
        end =
          std::min<clock::time_point>(end, now + defaults::admin_stop_patience);
      if (self->await_data(
            std::min<clock::time_point>(end, now + defaults::admin_wait_step)))
        return {};
      now = clock::now();
    } while (now < end);
    return was_stopping
      ? fail(errc::server_stopping, "the server stops")
      : fail(errc::overloaded, "the server did not answer in time");
  }

  caf::actor_system& x_system;
  const std::atomic<bool>& x_stopping;
  const std::chrono::milliseconds x_patience;
};

} // namespace parley
