#include "bench/process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <thread>

#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/clock.hpp"
#include "bench/limits.hpp"

namespace parley::bench {

using namespace std::chrono_literals;

child_process::child_process(const std::vector<std::string>& arguments,
  const std::optional<cpu_set_t>& cpus) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0)
    throw std::system_error{errno, std::generic_category(), "pipe"};
  std::vector<char*> words;
  for (const auto& argument : arguments)
    words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  const pid_t parent = ::getpid();
  x_id = ::fork();
  if (x_id == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    // The parent may have gone before the line above.
    if (::getppid() != parent)
      ::_exit(127);
    if (cpus && ::sched_setaffinity(0, sizeof *cpus, &*cpus) != 0)
      ::_exit(127);
    ::dup2(::open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
    ::dup2(pipe[1], STDOUT_FILENO);
    ::execv(words[0], words.data());
    ::_exit(127);
  }
  ::close(pipe[1]);
  if (x_id < 0) {
    ::close(pipe[0]);
    throw std::system_error{errno, std::generic_category(), "fork"};
  }
  x_output = pipe[0];
}

child_process::~child_process() {
  stop(now_ns() + to_ns(limits::stop_deadline));
  ::close(x_output);
}

std::optional<std::string> child_process::read_line(int64_t deadline) {
  while (true) {
    if (const size_t end = x_text.find('\n'); end != std::string::npos) {
      auto line = x_text.substr(0, end);
      x_text.erase(0, end + 1);
      return line;
    }
    if (!fill(deadline))
      return std::nullopt;
  }
}

std::optional<int> child_process::wait(int64_t deadline) {
  while (!x_ended) {
    x_text.clear();
    int status = 0;
    if (::waitpid(x_id, &status, WNOHANG) == x_id) {
      x_ended = true;
      x_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    } else if (now_ns() >= deadline) {
      return std::nullopt;
    } else if (!fill(std::min(deadline, now_ns() + to_ns(10ms)))) {
      std::this_thread::sleep_for(1ms);
    }
  }
  return x_code;
}

int child_process::stop(int64_t deadline) {
  if (x_ended)
    return x_code;
  ::kill(x_id, SIGTERM);
  if (const auto code = wait(deadline))
    return *code;
  ::kill(x_id, SIGKILL);
  return wait(INT64_MAX).value_or(0);
}

bool child_process::fill(int64_t deadline) {
  const int64_t left = std::max<int64_t>(deadline - now_ns(), 0);
  const auto ms = static_cast<int>(std::min<int64_t>(left / 1'000'000, 1000));
  pollfd look{.fd = x_output, .events = POLLIN, .revents = 0};
  const int ready = ::poll(&look, 1, ms);
  if (ready == 0)
    return now_ns() < deadline;
  std::array<char, 4096> buffer;
  const ssize_t n = ::read(x_output, buffer.data(), buffer.size());
  if (n <= 0)
    return false;
  x_text.append(buffer.data(), static_cast<size_t>(n));
  return true;
}

std::optional<int64_t> cpu_time(pid_t process) {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(process, &clock) != 0
    || ::clock_gettime(clock, &time) != 0)
    return std::nullopt;
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::vector<pid_t> process_family(pid_t process) {
  std::vector<pid_t> out{process};
  for (size_t i = 0; i < out.size(); ++i) {
    const auto tasks = "/proc/" + std::to_string(out[i]) + "/task";
    std::error_code gone;
    for (const auto& task : std::filesystem::directory_iterator{tasks, gone}) {
      std::ifstream in{task.path() / "children"};
      for (pid_t child = 0; in >> child;)
        out.push_back(child);
    }
  }
  return out;
}

std::optional<int64_t> family_cpu_time(pid_t process) {
  auto sum = cpu_time(process);
  for (const auto p : process_family(process))
    if (sum && p != process)
      *sum += cpu_time(p).value_or(0);
  return sum;
}

namespace {

/// A line `Name:  123 kB`, in bytes.
std::optional<uint64_t> kilobytes(
  const std::string& file, const std::string& name) {
  std::ifstream in{file};
  for (std::string word; in >> word;) {
    uint64_t value = 0;
    if (word == name && in >> value)
      return value * 1024;
  }
  return std::nullopt;
}

} // namespace

std::optional<uint64_t> resident_memory(pid_t process) {
  const auto folder = "/proc/" + std::to_string(process);
  if (const auto exact = kilobytes(folder + "/smaps_rollup", "Rss:"))
    return exact;
  return kilobytes(folder + "/status", "VmRSS:");
}

namespace {

std::optional<uint64_t> family_memory(pid_t process) {
  auto sum = resident_memory(process);
  for (const auto p : process_family(process))
    if (sum && p != process)
      *sum += resident_memory(p).value_or(0);
  return sum;
}

} // namespace

std::optional<uint64_t> settled_memory(pid_t process) {
  const int64_t deadline = now_ns() + to_ns(limits::memory_deadline);
  auto last = family_memory(process);
  while (last && now_ns() < deadline) {
    std::this_thread::sleep_for(limits::memory_interval);
    const auto next = family_memory(process);
    if (!next)
      return std::nullopt;
    const auto change = std::max(*next, *last) - std::min(*next, *last);
    last = next;
    if (change * 1000 < *next)
      break;
  }
  return last;
}

uint64_t raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

std::string own_path() {
  return std::filesystem::read_symlink("/proc/self/exe").string();
}

} // namespace parley::bench
