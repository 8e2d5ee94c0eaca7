#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sched.h>
#include <sys/types.h>

namespace parley::bench {

/// A child process whose standard output is read line by line. It gets SIGTERM
/// when this object or this process ends.
class child_process {
public:
  /// Runs `arguments[0]`, a path, on `cpus` or those of this process. Throws
  /// std::system_error if there can be no child; a file that cannot be executed
  /// ends the child with 127, and so do CPUs that it may not use.
  explicit child_process(const std::vector<std::string>& arguments,
    const std::optional<cpu_set_t>& cpus = {});
  ~child_process();
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  pid_t id() const noexcept { return x_id; }
  /// The next line without its newline; nothing at the end or at `deadline`.
  std::optional<std::string> read_line(int64_t deadline);
  /// The exit code (128 + the signal if there was one); nothing at `deadline`.
  /// What the child prints meanwhile is read and dropped.
  std::optional<int> wait(int64_t deadline);
  /// SIGTERM, and SIGKILL at `deadline`; returns the exit code.
  int stop(int64_t deadline);

private:
  bool fill(int64_t deadline);

  pid_t x_id = -1;
  int x_output = -1;
  bool x_ended = false;
  int x_code = 0;
  std::string x_text;
};

/// A process and all that come from it.
std::vector<pid_t> process_family(pid_t process);

/// Nanoseconds of CPU that a process used until now, all threads, user and
/// system; nothing if it is not there.
std::optional<int64_t> cpu_time(pid_t process);

/// The same of all its family; nothing if it is not there itself.
std::optional<int64_t> family_cpu_time(pid_t process);

/// Bytes of a process in memory (Rss of smaps_rollup, which is exact, else
/// VmRSS); nothing if it may not be read.
std::optional<uint64_t> resident_memory(pid_t process);

/// `resident_memory` of all its family, once it stopped changing.
std::optional<uint64_t> settled_memory(pid_t process);

/// Raises the limit of open files as far as allowed; returns it.
uint64_t raise_descriptor_limit();

/// The path of this executable.
std::string own_path();

} // namespace parley::bench
