#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

// Limits and defaults of the store, as in protocol/defaults.hpp.
namespace parley::defaults {

using namespace std::chrono_literals;

/// A store that was found damaged when it was to be opened again is looked
/// through again no earlier than this: all of it is read.
inline constexpr std::chrono::microseconds damage_retry = 60s;

/// Room that is made beforehand for a list that says it is longer.
inline constexpr uint64_t contacts_expected = 1000;

/// Changes of one contact list, one a commit, that wait in memory to be laid
/// upon it; with the next one the writer makes one list of them.
inline constexpr size_t contact_changes_max = 256;

/// A migration writes its batch at the end of the user with whom it has reached
/// so many bytes.
inline constexpr size_t migration_batch_bytes = 1024 * 1024;

/// Of so many rounds of notes, a minute each, one is of all: also of requests
/// that wait for an account, though none was made.
inline constexpr unsigned resend_all_every = 60;

/// How often the log tells of writes that damage made impossible, and of
/// readings that failed.
inline constexpr std::chrono::milliseconds damage_log_interval = 60s;

} // namespace parley::defaults
