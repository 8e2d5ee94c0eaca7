#include "bench/signin_load.hpp"

#include <algorithm>

#include "bench/limits.hpp"

namespace parley::bench {

using namespace std::chrono_literals;

namespace {

constexpr const char* endpoint = "presence";

/// More than this, and going on shows nothing new.
constexpr uint64_t faults_max = 1'000;

} // namespace

signin_load::signin_load(event_loop& loop, const target& to,
  const acquaintances& who, const user_names& names, fault_log& faults)
  : x_loop(loop),
    x_target(to),
    x_who(who),
    x_names(names),
    x_faults(faults),
    x_check(who, names, endpoint, faults),
    x_sessions(who.users()) {}

bool signin_load::enter(uint32_t first, uint32_t last) {
  const int64_t start = now_ns();
  const int64_t deadline = start + to_ns(limits::sign_in_deadline);
  x_notifications = 0;
  x_last_news = start;
  // Who sees it first may know of a sign-in before it is answered.
  for (uint32_t i = first; i < last; ++i)
    x_check.online(i);
  std::vector<session*> under_way;
  session::owner& self = *this;
  for (uint32_t next = first; next < last || !under_way.empty();) {
    for (; next < last && under_way.size() < limits::sign_ins_at_once; ++next) {
      x_sessions[next] = make_session(
        x_target.protocol, x_loop, self, next, x_names.user(next), endpoint);
      under_way.push_back(x_sessions[next].get());
      under_way.back()->open(x_target);
    }
    x_loop.turn(std::min(deadline, now_ns() + to_ns(1s)));
    std::erase_if(under_way, [](const auto* s) { return s->is_open(); });
    tick();
    if (x_faults.total() > 0 || now_ns() >= deadline)
      return false;
  }
  x_seconds = ns_to_seconds(now_ns() - start);
  return converge(start);
}

bool signin_load::leave(uint32_t first, uint32_t last, uint32_t step) {
  const int64_t start = now_ns();
  const int64_t deadline = start + to_ns(limits::settle_deadline);
  x_notifications = 0;
  x_last_news = start;
  std::vector<const session*> leaving;
  for (uint32_t i = first; i < last; i += step) {
    if (!x_check.is_online(i))
      continue;
    x_check.offline(i);
    leaving.push_back(x_sessions[i].get());
    x_sessions[i]->sign_out();
  }
  const bool left = x_loop.run_until(deadline, [&] {
    return std::all_of(leaving.begin(), leaving.end(),
      [](const auto* s) { return s->is_closed(); });
  });
  if (!left) {
    x_faults.add(fault_kind::connection, "sessions stay after they signed out");
    return false;
  }
  x_seconds = ns_to_seconds(now_ns() - start);
  return converge(start);
}

bool signin_load::change(uint32_t first, uint32_t last) {
  const int64_t start = now_ns();
  x_notifications = 0;
  x_last_news = start;
  for (uint32_t i = first; i < last; ++i) {
    const uint64_t number = x_check.change(i);
    x_status.clear();
    presence_check::put_status(x_status, number);
    const uint64_t all = x_notifications + x_who.watchers_of(i);
    x_sessions[i]->set_presence(presence_check::show_of(number), x_status);
    x_sessions[i]->flush();
    const bool told =
      x_loop.run_until(now_ns() + to_ns(limits::settle_deadline),
        [&] { return x_notifications >= all || x_faults.total() > 0; });
    if (!told) {
      x_check.finish();
      return false;
    }
    tick();
  }
  return converge(start);
}

bool signin_load::converge(int64_t start) {
  const int64_t deadline = now_ns() + to_ns(limits::settle_deadline);
  constexpr auto look = 20ms;
  while (!x_check.converged()) {
    if (x_faults.total() >= faults_max)
      return false;
    if (now_ns() >= deadline) {
      x_check.finish();
      return false;
    }
    const int64_t end = now_ns() + to_ns(look);
    while (now_ns() < end)
      x_loop.turn(end);
    tick();
  }
  x_converged = ns_to_seconds(x_last_news - start);
  return x_faults.total() == 0;
}

void signin_load::rest(double seconds) {
  const int64_t end = now_ns() + seconds_to_ns(seconds);
  while (now_ns() < end) {
    x_loop.turn(std::min(end, now_ns() + to_ns(1s)));
    tick();
  }
}

void signin_load::tick() {
  const int64_t now = now_ns();
  if (now - x_last_tick < to_ns(1s))
    return;
  x_last_tick = now;
  for (const auto& s : x_sessions)
    if (s)
      s->tick(now);
}

void signin_load::im_arrived(session& who, const im_view&) {
  x_faults.add(
    fault_kind::unknown, who.address() + " got an IM that nobody sent");
}

void signin_load::outcome_arrived(session& who, uint64_t, const outcome_view&) {
  x_faults.add(
    fault_kind::unknown, who.address() + " got an answer to nothing");
}

void signin_load::presence_arrived(session& who, const presence_view& what) {
  // Who leaves may be told of others, or not any more.
  if (!x_check.is_online(who.number()))
    return;
  ++x_notifications;
  x_last_news = now_ns();
  x_check.arrived(who.number(), what);
}

void signin_load::closed(session& who, const std::string& why) {
  if (x_check.is_online(who.number()))
    x_faults.add(fault_kind::connection, who.address() + ": " + why);
}

} // namespace parley::bench
