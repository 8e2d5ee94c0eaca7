#include "bench/session_pool.hpp"

#include <algorithm>

#include "bench/limits.hpp"

namespace parley::bench {

using namespace std::chrono_literals;

session& session_pool::add(
  session::owner& o, std::string user, std::string endpoint) {
  const auto number = static_cast<uint32_t>(x_sessions.size());
  x_sessions.push_back(make_session(
    x_protocol, x_loop, o, number, std::move(user), std::move(endpoint)));
  return *x_sessions.back();
}

bool session_pool::open(const target& to) {
  const int64_t start = now_ns();
  const int64_t deadline = start + to_ns(limits::sign_in_deadline);
  const size_t at_once = to.relay ? 1 : limits::sign_ins_at_once;
  std::vector<session*> under_way;
  while (x_opened < x_sessions.size() || !under_way.empty()) {
    while (x_opened < x_sessions.size() && under_way.size() < at_once) {
      under_way.push_back(x_sessions[x_opened++].get());
      under_way.back()->open(to);
    }
    x_loop.turn(std::min(deadline, now_ns() + to_ns(1s)));
    for (const auto* s : under_way)
      if (s->is_closed())
        return false;
    std::erase_if(under_way, [](const auto* s) { return s->is_open(); });
    const int64_t now = now_ns();
    tick(now);
    if (now >= deadline)
      return false;
  }
  x_seconds_to_open = ns_to_seconds(now_ns() - start);
  return true;
}

void session_pool::tick(int64_t now) {
  if (now - x_last_tick < to_ns(1s))
    return;
  x_last_tick = now;
  for (const auto& s : x_sessions)
    s->tick(now);
}

bool session_pool::sign_out() {
  for (const auto& s : x_sessions)
    if (s->is_open())
      s->sign_out();
  return x_loop.run_until(now_ns() + to_ns(limits::settle_deadline), [this] {
    return std::none_of(x_sessions.begin(), x_sessions.end(),
      [](auto const& s) { return s->is_open(); });
  });
}

} // namespace parley::bench
