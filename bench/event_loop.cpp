#include "bench/event_loop.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "bench/limits.hpp"

namespace parley::bench {

namespace {

volatile std::sig_atomic_t signal_came = 0;

constexpr size_t events_at_once = 256;

} // namespace

void watch_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { signal_came = 1; };
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

event_loop::event_loop()
  : x_epoll(::epoll_create1(EPOLL_CLOEXEC)), x_buffer(limits::read_size) {
  if (x_epoll < 0)
    throw std::system_error{errno, std::generic_category(), "epoll_create1"};
  // Timers are 50 µs late otherwise, and that would count as latency.
  ::prctl(PR_SET_TIMERSLACK, 1);
}

event_loop::~event_loop() {
  ::close(x_epoll);
}

void event_loop::add(int descriptor, uint32_t events, handler& h) {
  epoll_event event{.events = events, .data = {.ptr = &h}};
  if (::epoll_ctl(x_epoll, EPOLL_CTL_ADD, descriptor, &event) != 0)
    throw std::system_error{errno, std::generic_category(), "epoll_ctl"};
}

void event_loop::change(int descriptor, uint32_t events, handler& h) noexcept {
  epoll_event event{.events = events, .data = {.ptr = &h}};
  ::epoll_ctl(x_epoll, EPOLL_CTL_MOD, descriptor, &event);
}

void event_loop::remove(int descriptor) noexcept {
  ::epoll_ctl(x_epoll, EPOLL_CTL_DEL, descriptor, nullptr);
}

void event_loop::put_behind(event_loop& other) {
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  if (::epoll_ctl(x_epoll, EPOLL_CTL_ADD, other.x_epoll, &event) != 0)
    throw std::system_error{errno, std::generic_category(), "epoll_ctl"};
  x_behind = &other;
}

void event_loop::turn(int64_t deadline) {
  constexpr int64_t second = 1'000'000'000;
  handle_ready(
    std::clamp<int64_t>(deadline - now_ns(), 0, second), events_at_once);
}

void event_loop::handle_ready(int64_t wait, size_t max) {
  std::array<epoll_event, events_at_once> events;
  constexpr int64_t second = 1'000'000'000;
  int count = -1;
  if (x_fine) {
    const timespec time{.tv_sec = wait / second, .tv_nsec = wait % second};
    count = ::epoll_pwait2(
      x_epoll, events.data(), static_cast<int>(max), &time, nullptr);
    // Kernels before 5.11 do not know it.
    x_fine = count >= 0 || errno != ENOSYS;
  }
  if (!x_fine) {
    const auto ms = static_cast<int>((wait + 999'999) / 1'000'000);
    count = ::epoll_wait(x_epoll, events.data(), static_cast<int>(max), ms);
  }
  if (signal_came)
    throw interrupted{};
  bool behind = false;
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<size_t>(i)];
    if (event.data.ptr)
      static_cast<handler*>(event.data.ptr)->ready(event.events);
    else
      behind = true;
  }
  if (behind)
    x_behind->handle_ready(0, 1);
}

} // namespace parley::bench
