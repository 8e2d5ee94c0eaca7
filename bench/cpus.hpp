#pragma once

#include <optional>
#include <string>

#include <sched.h>

namespace parley::bench {

/// The CPUs that this process may use, divided: one for the load generator, the
/// others for what it starts.
struct divided_cpus {
  cpu_set_t own;
  cpu_set_t others;
};

/// The load generator's is the first. Nothing if there is but one. Throws
/// std::system_error if the kernel tells of none, as with more than 1 024.
std::optional<divided_cpus> divide_cpus();

/// Keeps this thread, and threads and processes that it starts from now on, on
/// these CPUs. Throws std::system_error if the kernel refuses.
void stay_on(const cpu_set_t& cpus);

/// As `0,2,3`.
std::string to_string(const cpu_set_t& cpus);

} // namespace parley::bench
