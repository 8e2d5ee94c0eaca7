#include "bench/presence_load.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "bench/limits.hpp"

namespace parley::bench {

using namespace std::chrono_literals;

namespace {

constexpr const char* endpoint = "presence";

/// More than this, and going on shows nothing new.
constexpr uint64_t faults_max = 1'000;

} // namespace

presence_load::presence_load(event_loop& loop, const target& to,
  const acquaintances& who, const presence_parameters& parameters,
  const user_names& names, fault_log& faults)
  : x_loop(loop),
    x_target(to),
    x_who(who),
    x_parameters(parameters),
    x_faults(faults),
    x_window(parameters.window),
    x_check(who, names, endpoint, faults),
    x_pool(loop, to.protocol),
    x_users(who.users()),
    x_timer(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
  if (x_timer < 0)
    throw std::system_error{errno, std::generic_category(), "timerfd"};
  x_loop.add(x_timer, EPOLLIN, *this);
  for (uint32_t i = 0; i < who.users(); ++i) {
    auto& p = x_users[i];
    p.self = &x_pool.add(*this, names.user(i), endpoint);
    p.under_way.resize(x_window);
    if (who.watchers_of(i) > 0)
      x_changing.push_back(i);
  }
}

presence_load::~presence_load() {
  x_loop.remove(x_timer);
  ::close(x_timer);
}

bool presence_load::open() {
  for (uint32_t i = 0; i < x_who.users(); ++i)
    x_check.online(i);
  if (!x_pool.open(x_target))
    return false;
  for (const auto user : x_changing)
    x_window = std::min(x_window, x_users[user].self->requests_granted());
  if (x_target.relay) {
    // Nobody is told of anybody there until it changes.
    for (const auto user : x_changing)
      make_change(x_users[user], user);
    for (const auto user : x_changing)
      x_users[user].self->flush();
  }
  settle();
  return x_faults.total() == 0 && told();
}

void presence_load::start() {
  x_sending = true;
  for (const auto user : x_changing) {
    x_users[user].turn = 0;
    x_users[user].owed = x_parameters.rate ? 0 : x_window;
  }
  if (x_parameters.rate) {
    x_schedule.emplace(*x_parameters.rate, x_changing.size(), now_ns());
    arm();
    return;
  }
  for (const auto user : x_changing)
    pump(user);
}

void presence_load::run(double seconds) {
  const int64_t end = now_ns() + seconds_to_ns(seconds);
  while (!x_over && x_faults.total() < faults_max) {
    const int64_t now = now_ns();
    if (now >= end)
      return;
    x_pool.tick(now);
    x_loop.turn(std::min(end, now + to_ns(1s)));
  }
}

void presence_load::settle() {
  x_sending = false;
  x_schedule.reset();
  for (auto& p : x_users)
    p.owed = 0;
  const int64_t deadline = now_ns() + to_ns(limits::settle_deadline);
  while (!x_over && !told() && now_ns() < deadline
    && x_faults.total() < faults_max) {
    x_pool.tick(now_ns());
    x_loop.turn(now_ns() + to_ns(10ms));
  }
  run(ns_to_seconds(to_ns(limits::linger)));
}

void presence_load::finish() {
  x_check.finish();
  for (const auto user : x_changing)
    if (const auto& p = x_users[user]; !x_target.relay && p.answered < p.made)
      x_faults.add(fault_kind::no_outcome,
        p.self->address() + " has no answer to change "
          + std::to_string(p.answered + 1));
}

bool presence_load::sign_out() {
  x_over = true;
  return x_pool.sign_out();
}

bool presence_load::told() const noexcept {
  return std::all_of(x_changing.begin(), x_changing.end(), [this](auto user) {
    const auto& p = x_users[user];
    return p.all_seen == p.made && (x_target.relay || p.answered == p.made);
  }) && x_check.converged();
}

void presence_load::arm() {
  const int64_t due = x_schedule->next_due();
  itimerspec when{};
  when.it_value.tv_sec = due / 1'000'000'000;
  when.it_value.tv_nsec = due % 1'000'000'000;
  ::timerfd_settime(x_timer, TFD_TIMER_ABSTIME, &when, nullptr);
}

void presence_load::ready(uint32_t) {
  uint64_t expirations = 0;
  if (::read(x_timer, &expirations, sizeof expirations) < 0 || !x_schedule)
    return;
  x_schedule->advance(now_ns(), [this](size_t lane) {
    ++x_users[x_changing[lane]].owed;
    pump(x_changing[lane]);
  });
  arm();
}

void presence_load::pump(uint32_t user) {
  auto& p = x_users[user];
  if (!x_sending || !p.self->is_open())
    return;
  bool some = false;
  const auto done = [&] {
    return x_target.relay ? p.all_seen : std::min(p.all_seen, p.answered);
  };
  while (p.owed > 0 && p.made - done() < x_window) {
    --p.owed;
    make_change(p, user);
    some = true;
  }
  if (some)
    p.self->flush();
}

void presence_load::make_change(presentity& p, uint32_t user) {
  p.made = x_check.change(user);
  auto& c = p.under_way[p.made % p.under_way.size()];
  c.intended = now_ns();
  if (x_schedule) {
    const auto lane =
      std::lower_bound(x_changing.begin(), x_changing.end(), user);
    c.intended = x_schedule->intended(
      static_cast<size_t>(lane - x_changing.begin()), p.turn++);
  }
  c.unseen = x_who.watchers_of(user);
  x_status.clear();
  presence_check::put_status(x_status, p.made);
  p.self->set_presence(presence_check::show_of(p.made), x_status);
}

void presence_load::presence_arrived(session& who, const presence_view& what) {
  if (x_over)
    return;
  ++x_counts.notifications;
  const auto news = x_check.arrived(who.number(), what);
  if (!news || !news->now)
    return;
  auto& p = x_users[news->whom];
  const int64_t now = now_ns();
  const uint64_t before = news->before.value_or(0);
  if (*news->now > before)
    x_counts.coalesced += *news->now - before - 1;
  for (uint64_t n = before + 1; n <= *news->now; ++n) {
    auto& c = p.under_way[n % p.under_way.size()];
    x_counts.seen.record(
      static_cast<uint64_t>(std::max<int64_t>(now - c.intended, 0)));
    // No later change is seen by all before an earlier one is.
    if (--c.unseen > 0)
      continue;
    p.all_seen = n;
    ++x_counts.changes;
    if (!x_schedule && x_sending)
      ++p.owed;
    x_pumped.push_back(news->whom);
  }
}

void presence_load::done_arrived(session& who, uint64_t) {
  ++x_users[who.number()].answered;
  x_pumped.push_back(who.number());
}

void presence_load::read_done(session&) {
  while (!x_pumped.empty()) {
    const auto user = x_pumped.back();
    x_pumped.pop_back();
    pump(user);
  }
}

void presence_load::im_arrived(session& who, const im_view&) {
  x_faults.add(
    fault_kind::unknown, who.address() + " got an IM that nobody sent");
}

void presence_load::outcome_arrived(
  session& who, uint64_t request, const outcome_view&) {
  x_faults.add(fault_kind::rejected,
    who.address() + ": change " + std::to_string(request) + " was refused");
}

void presence_load::closed(session& who, const std::string& why) {
  if (x_over)
    return;
  x_over = true;
  x_faults.add(fault_kind::connection, who.address() + ": " + why);
}

figures figures_of(const presence_counts& counts, double seconds,
  std::optional<int64_t> cpu, int64_t own_cpu) {
  constexpr double ns_per_us = 1e3;
  const auto told = static_cast<double>(counts.notifications);
  figures out{{"notifications_per_s", told / seconds},
    {"changes_per_s", static_cast<double>(counts.changes) / seconds}};
  add_latency(out, "seen", counts.seen);
  const auto add_cpu = [&](const std::string& whose, int64_t ns) {
    const auto used = static_cast<double>(ns);
    if (told > 0)
      out.push_back(
        {whose + "cpu_us_per_notification", used / ns_per_us / told});
    out.push_back({whose + "cpu_percent", used / 1e7 / seconds});
  };
  if (cpu)
    add_cpu("", *cpu);
  add_cpu("bench_", own_cpu);
  out.push_back({"coalesced", static_cast<double>(counts.coalesced)});
  return out;
}

} // namespace parley::bench
