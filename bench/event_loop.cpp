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

void event_loop::turn(int64_t deadline) {
  std::array<epoll_event, 256> events;
  constexpr int64_t second = 1'000'000'000;
  const int64_t wait = std::clamp<int64_t>(deadline - now_ns(), 0, second);
  int count = -1;
  if (x_fine) {
    const timespec time{.tv_sec = wait / second, .tv_nsec = wait % second};
    count =
      ::epoll_pwait2(x_epoll, events.data(), events.size(), &time, nullptr);
    // Kernels before 5.11 do not know it.
    x_fine = count >= 0 || errno != ENOSYS;
  }
  if (!x_fine) {
    const auto ms = static_cast<int>((wait + 999'999) / 1'000'000);
    count = ::epoll_wait(x_epoll, events.data(), events.size(), ms);
  }
  if (signal_came)
    throw interrupted{};
  for (int i = 0; i < count; ++i)
    static_cast<handler*>(events[static_cast<size_t>(i)].data.ptr)
      ->ready(events[static_cast<size_t>(i)].events);
}

} // namespace parley::bench
