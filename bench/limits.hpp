#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

/// Bounds and defaults of parley-bench, with a sentence each. A value beyond
/// its bound is refused on the command line, never cut silently.
namespace parley::bench::limits {

using namespace std::chrono_literals;

/// Seconds of measuring in one round, and of warming up before it.
inline constexpr double seconds_max = 3600;
inline constexpr double seconds_default = 5;
inline constexpr double warmup_default = 1;

/// Rounds that alternate with the relay; medians are over these.
inline constexpr uint32_t rounds_max = 99;
inline constexpr uint32_t rounds_default = 3;

/// Pairs of users, and endpoints of each; 64 fit the checker's bit set.
inline constexpr uint32_t pairs_max = 100'000;
inline constexpr uint32_t endpoints_max = 64;

/// IMs without outcome per conversation.
inline constexpr uint32_t window_max = 10'000;

/// IMs a second in total, open loop.
inline constexpr double rate_max = 10'000'000;

/// Users, sessions, recipients.
inline constexpr uint32_t users_max = 1'000'000;

/// Contacts of one user; `contacts.max` does not count here.
inline constexpr uint32_t contacts_max = 10'000;
/// Users without contacts who sign in first in `signin`, to compare with.
inline constexpr uint32_t strangers = 1'000;
/// `signin-cost`: users of each kind that sign in and out; those whose contacts
/// are online are fewer, because each of them is told to everybody.
inline constexpr uint32_t cost_users = 500;
inline constexpr uint32_t cost_users_seen = 100;
/// And how many users their offline contacts are drawn from.
inline constexpr uint32_t cost_absent = 2'000;

/// Idle sessions unless asked otherwise.
inline constexpr uint32_t sessions_default = 20'000;
/// Those signed in before the first look at memory, so that what a server
/// allocates once is not taken for what a session costs.
inline constexpr uint32_t sessions_first = 200;

/// With fewer sessions than this, no memory of a session is given.
inline constexpr size_t sessions_for_memory = 1'000;

/// IMs to one absent recipient.
inline constexpr uint32_t stored_max = 1'000'000;
/// IMs to all absent recipients together; each is followed until it came.
inline constexpr uint64_t stored_total_max = 5'000'000;

/// Bytes of a body: what a frame can carry with its other fields.
inline constexpr size_t body_max = 255 * 1024;
/// Bytes of a natural text (`--body text`); longer ones are left out.
inline constexpr size_t text_max = 4096;
/// Different texts held at a time.
inline constexpr size_t texts_max = 2048;

/// Connections that are signing in at a time.
inline constexpr uint32_t sign_ins_at_once = 64;
/// All sign-ins of one run together; most of it is the server's.
inline constexpr auto sign_in_deadline = 300s;

/// After the last send, everything under way must be settled within this, and
/// while something is awaited, something must come within it: longer than
/// grace, suspension and resubmission together.
inline constexpr auto settle_deadline = 30s;

/// And for this long nothing may come that should not.
inline constexpr auto linger = 200ms;

/// Threads of a started server.
inline constexpr uint32_t threads_max = 256;

/// A started server must be ready, and gone after SIGTERM, within these.
inline constexpr auto start_deadline = 30s;
inline constexpr auto stop_deadline = 15s;
inline constexpr auto import_deadline = 300s;

/// Resident memory counts as settled when two looks this far apart differ by
/// less than a thousandth, or after the deadline.
inline constexpr auto memory_interval = 500ms;
inline constexpr auto memory_deadline = 15s;

/// After a drain the users sign in again and must get nothing for this long.
inline constexpr auto nothing_more = 1s;

/// Bytes that one connection holds unsent before it counts as stuck.
inline constexpr size_t output_max = 64 * 1024 * 1024;
/// Bytes that the relay holds for one connection before it stops reading from
/// those that feed it.
inline constexpr size_t relay_output_max = 1024 * 1024;
/// Bytes read at once, by the load generator and by the relay.
inline constexpr size_t read_size = 128 * 1024;

/// File descriptors kept free, here and in a server with the same limit, which
/// keeps 400 for its store and more for logs and pipes.
inline constexpr uint64_t spare_descriptors = 500;

/// Connections per source address: ephemeral ports are some 28 000.
inline constexpr uint32_t connections_per_source = 20'000;

/// SCRAM iterations of imported users; derived once for all of them, so the
/// number costs nothing and can be the usual one.
inline constexpr uint32_t scram_iterations = 4096;

/// Faults that are described one by one; all are counted.
inline constexpr size_t faults_described = 20;

} // namespace parley::bench::limits
