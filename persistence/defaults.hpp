#pragma once

#include <chrono>

// Limits and defaults of the store, as in protocol/defaults.hpp.
namespace parley::defaults {

using namespace std::chrono_literals;

/// A store that was found damaged when it was to be opened again is looked
/// through again no earlier than this: all of it is read.
inline constexpr std::chrono::microseconds damage_retry = 60s;

/// How often the log tells of writes that damage made impossible, and of
/// readings that failed.
inline constexpr std::chrono::milliseconds damage_log_interval = 60s;

} // namespace parley::defaults
