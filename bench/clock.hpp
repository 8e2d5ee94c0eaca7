#pragma once

#include <chrono>
#include <cstdint>

namespace parley::bench {

/// Nanoseconds of the monotonic clock; every time in bench/ is one of these.
inline int64_t now_ns() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
    std::chrono::steady_clock::now().time_since_epoch())
    .count();
}

template <class Rep, class Period>
constexpr int64_t to_ns(std::chrono::duration<Rep, Period> x) noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(x).count();
}

constexpr int64_t seconds_to_ns(double seconds) noexcept {
  return static_cast<int64_t>(seconds * 1e9);
}

constexpr double ns_to_seconds(int64_t ns) noexcept {
  return static_cast<double>(ns) / 1e9;
}

} // namespace parley::bench
