#include "actors/launcher/server_impl.hpp"

#include <utility> // Boost 1.74 needs it first

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <future>
#include <thread>

#include <caf/scoped_actor.hpp>
#include <spdlog/spdlog.h>

#include "actors/launcher/stop_defaults.hpp"
#include "protocol/defaults.hpp"

namespace parley {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// On their own threads. They hold handles of detached actors, whose threads
/// end only when the last handle is gone.
void server::impl::close_sockets() {
  for (size_t i = 0; i < sockets.size(); ++i) {
    std::promise<void> done;
    boost::asio::post(scheduler().at(i).io(), [&done, &x = *sockets[i]] {
      x.clear();
      done.set_value();
    });
    done.get_future().wait();
  }
}

/// Asks gateways and routers to stop and waits until they have, in all hardly
/// longer than routers take at most.
void server::impl::settle() {
  caf::scoped_actor self{*system, true};
  auto end =
    steady_clock::now() + defaults::stop_timeout + defaults::stop_slack;
  auto patience = [end] {
    return caf::duration{std::max(milliseconds{1},
      std::chrono::duration_cast<milliseconds>(end - steady_clock::now()))};
  };
  for (auto& g : gateways)
    self->request(g, patience(), stop_atom::value)
      .receive([](done_atom) {}, [](const caf::error&) {});
  // All routers at once: each may wait for what another has under way.
  uint64_t given_up = 0;
  uint64_t sessions = 0;
  std::vector<decltype(self->request(
    routers.front(), patience(), stop_atom::value))>
    pending;
  for (auto& r : routers)
    pending.push_back(self->request(r, patience(), stop_atom::value));
  for (auto& p : pending)
    p.receive(
      [&](const stop_report& x) {
        sessions += x.sessions;
        given_up += x.given_up;
      },
      [](const caf::error&) { SPDLOG_ERROR("a router did not stop in time"); });
  SPDLOG_INFO("stopped: {} sessions ended, {} IMs had no outcome by then",
    sessions, given_up);
}

/// Until the last client has hung up, or had its time.
void server::impl::await_last_words() {
  caf::scoped_actor self{*system, true};
  auto end = steady_clock::now() + defaults::last_words_wait;
  while (steady_clock::now() < end) {
    size_t open = 0;
    for (auto& g : gateways)
      self->request(g, defaults::last_words_wait, count_atom::value)
        .receive(
          [&open](
            const connection_counts& x) { open += x.signed_in + x.closing; },
          [](const caf::error&) {});
    if (open == 0)
      return;
    std::this_thread::sleep_for(defaults::last_words_step);
  }
}

void server::impl::stop() {
  if (std::exchange(stopped, true) || !system)
    return;
  stage->stops = true;
  for (auto& x : listeners)
    x->stop();
  if (admin)
    admin->stop_soon();
  if (metrics)
    metrics->stop_soon();
  auto end = [](auto& x) {
    if (x)
      caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
    x = nullptr;
  };
  // Its steps would only be in the way.
  end(sweeper);
  settle();
  // Its thread has noticed meanwhile, and waits for no actor any more.
  admin.reset();
  metrics.reset();
  sources = {};
  // The last words are written by the workers; then the sockets close.
  await_last_words();
  close_sockets();
  for (size_t i = 0; i < gateways.size(); ++i) {
    end(gateways[i]);
    end(routers[i]);
  }
  end(policies);
  end(admissions);
  end(registrations);
  end(passwords);
  for (auto& r : readers)
    end(r);
  end(writer);
  gateways.clear();
  routers.clear();
  readers.clear();
  listeners.clear();
  system.reset();
  sockets.clear();
  db.reset();
}

} // namespace parley
