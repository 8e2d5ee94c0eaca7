#pragma once

#include <chrono>

// Limits of an orderly end beside those in protocol/defaults.hpp.
namespace parley::defaults {

using namespace std::chrono_literals;

/// How long clients have to take their last words once all sessions have ended,
/// and how often it is looked whether all have hung up.
inline constexpr std::chrono::milliseconds last_words_wait = 1s;
inline constexpr std::chrono::milliseconds last_words_step = 10ms;

/// The process ends itself when it has not stopped within this: a disk that
/// does not answer holds threads for ever.
inline constexpr std::chrono::milliseconds stop_deadline = 15s;

} // namespace parley::defaults
