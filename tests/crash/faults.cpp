// To be preloaded into the real server (LD_PRELOAD): stands between it and the
// kernel, and at a call that a test has chosen ends the process as SIGKILL
// does, or fails as a disk does. The test writes what it wants into a file that
// both have mapped (faults.py), named by PARLEY_FAULTS; without it, and until
// something is wanted, every call goes through.

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

/// What a call does. `makes`: opens a file for writing. `names`: names come, go
/// or change, and files change their length.
enum call : uint32_t {
  writes = 1,
  syncs = 2,
  makes = 4,
  names = 8,
  sends = 16
};

/// What it is done to: the write-ahead log, a table, any other file of the
/// folder, a socket.
enum kind : uint32_t { logs = 1, tables = 2, others = 4, sockets = 8 };

enum action : uint32_t { kills = 1, fails = 2, hangs = 3 };

/// When to kill: before the call, when half of the bytes are out, after it.
enum stage : uint32_t { before = 0, half = 1, after = 2 };

/// The mapped file; faults.py has the same layout.
struct plan {
  /// Written last by the test; 0: nothing is wanted.
  std::atomic<uint32_t> armed;
  uint32_t action;
  uint32_t calls;
  uint32_t kinds;
  uint32_t stage;
  int32_t error;
  /// Which of the calls that fit kills, from 1; before it they go through.
  uint64_t nth;
  /// Calls that fitted since it was armed.
  std::atomic<uint64_t> seen;
  /// The process was ended here.
  std::atomic<uint32_t> fired;
  uint32_t marker_size;
  /// Only what writes this fits, and a sync after it.
  char marker[208];
  /// Absolute, with a slash at its end: only files in it fit.
  char folder[256];
  /// For the test: the file it happened at.
  char where[256];
};
static_assert(sizeof(plan) == 768 && offsetof(plan, marker) == 48);

plan* wanted() {
  static plan* mapped = [] {
    const char* path = std::getenv("PARLEY_FAULTS");
    // Not by open(), which asks for this.
    int fd = path ? static_cast<int>(
               ::syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC))
                  : -1;
    if (fd < 0)
      return static_cast<plan*>(nullptr);
    void* at =
      ::mmap(nullptr, sizeof(plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return at == MAP_FAILED ? nullptr : static_cast<plan*>(at);
  }();
  return mapped;
}

/// What was written holds the marker, and the sync after it is the one.
std::atomic<bool> sync_is_due = false;

kind kind_of(std::string_view path) {
  if (path.ends_with(".log"))
    return logs;
  return path.ends_with(".sst") ? tables : others;
}

std::string path_of(int fd) {
  char path[512];
  auto link = "/proc/self/fd/" + std::to_string(fd);
  auto n = ::readlink(link.c_str(), path, sizeof(path));
  return n < 0 ? "" : std::string(path, static_cast<size_t>(n));
}

[[noreturn]] void die(plan& x, const std::string& path) {
  std::snprintf(x.where, sizeof(x.where), "%s", path.c_str());
  x.fired = 1;
  ::kill(::getpid(), SIGKILL);
  for (;;)
    ::pause();
}

/// What is to become of one call.
struct fate {
  plan* of = nullptr;
  std::string path;
  int error = 0;
  bool after_half = false;
  bool after_all = false;

  /// To be called with the result of the call.
  template <class T>
  T passed(T result) {
    if (after_all)
      die(*of, path);
    return result;
  }
};

bool has_marker(const plan& x, std::string_view bytes) {
  std::string_view marker{x.marker, x.marker_size};
  return bytes.find(marker) != std::string_view::npos;
}

fate judge(call what, const std::string& path, std::string_view bytes) {
  fate f;
  auto* x = wanted();
  if (!x || x->armed == 0)
    return f;
  bool is_socket = path.starts_with("socket:");
  if (!is_socket && !path.starts_with(x->folder))
    return f;
  if ((x->kinds & (is_socket ? sockets : kind_of(path))) == 0)
    return f;
  if (x->marker_size > 0 && what == writes && (x->calls & syncs) != 0
    && has_marker(*x, bytes))
    sync_is_due = true;
  if ((x->calls & what) == 0)
    return f;
  if (x->marker_size > 0
    && !(what == syncs ? sync_is_due.exchange(false) : has_marker(*x, bytes)))
    return f;
  f.of = x;
  f.path = path;
  auto count = ++x->seen;
  if (x->action == fails) {
    f.error = x->error;
  } else if (x->action == hangs) {
    for (auto armed = x->armed.load(); armed != 0 && armed == x->armed;)
      ::usleep(10'000);
  } else if (count == x->nth) {
    if (x->stage == before)
      die(*x, path);
    f.after_half = x->stage == half;
    f.after_all = x->stage == after;
  }
  return f;
}

fate judge(call what, int fd, std::string_view bytes = {}) {
  auto* x = wanted();
  if (!x || x->armed == 0)
    return {};
  return judge(what, path_of(fd), bytes);
}

/// The function that would have been called.
template <class Function>
Function* real(const char* called, Function*) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, called));
}

#define REAL(f) static auto* const next = real(#f, &f)

int refuse(int error) {
  errno = error;
  return -1;
}

} // namespace

extern "C" {

// -- bytes

ssize_t write(int fd, const void* bytes, size_t n) {
  REAL(write);
  auto f = judge(writes, fd, {static_cast<const char*>(bytes), n});
  if (f.error != 0)
    return refuse(f.error);
  if (f.after_half) {
    (void)!next(fd, bytes, n / 2);
    die(*f.of, f.path);
  }
  return f.passed(next(fd, bytes, n));
}

ssize_t pwrite(int fd, const void* bytes, size_t n, off_t at) {
  REAL(pwrite);
  auto f = judge(writes, fd, {static_cast<const char*>(bytes), n});
  return f.error != 0 ? refuse(f.error) : f.passed(next(fd, bytes, n, at));
}

ssize_t send(int fd, const void* bytes, size_t n, int flags) {
  REAL(send);
  auto f = judge(sends, fd, {static_cast<const char*>(bytes), n});
  if (f.after_half) {
    next(fd, bytes, n / 2, flags);
    die(*f.of, f.path);
  }
  return f.passed(next(fd, bytes, n, flags));
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  REAL(sendmsg);
  if (message->msg_iovlen != 1)
    return next(fd, message, flags);
  const auto& part = message->msg_iov[0];
  auto f =
    judge(sends, fd, {static_cast<const char*>(part.iov_base), part.iov_len});
  if (f.after_half) {
    ::send(fd, part.iov_base, part.iov_len / 2, flags);
    die(*f.of, f.path);
  }
  return f.passed(next(fd, message, flags));
}

// -- syncs

int fdatasync(int fd) {
  REAL(fdatasync);
  auto f = judge(syncs, fd);
  return f.error != 0 ? refuse(f.error) : f.passed(next(fd));
}

int fsync(int fd) {
  REAL(fsync);
  auto f = judge(syncs, fd);
  return f.error != 0 ? refuse(f.error) : f.passed(next(fd));
}

// -- files

int open(const char* path, int flags, ...) {
  REAL(open);
  va_list more;
  va_start(more, flags);
  auto mode = va_arg(more, mode_t);
  va_end(more);
  if ((flags & (O_WRONLY | O_RDWR)) == 0)
    return next(path, flags, mode);
  auto f = judge(makes, std::string{path}, {});
  return f.error != 0 ? refuse(f.error) : f.passed(next(path, flags, mode));
}

int ftruncate(int fd, off_t n) noexcept {
  REAL(ftruncate);
  auto f = judge(names, fd);
  return f.error != 0 ? refuse(f.error) : f.passed(next(fd, n));
}

int fallocate(int fd, int mode, off_t at, off_t n) {
  REAL(fallocate);
  auto f = judge(makes, fd);
  return f.error != 0 ? refuse(f.error) : f.passed(next(fd, mode, at, n));
}

int rename(const char* from, const char* to) noexcept {
  REAL(rename);
  auto f = judge(names, std::string{to}, {});
  return f.error != 0 ? refuse(f.error) : f.passed(next(from, to));
}

int unlink(const char* path) noexcept {
  REAL(unlink);
  auto f = judge(names, std::string{path}, {});
  return f.error != 0 ? refuse(f.error) : f.passed(next(path));
}

int mkdir(const char* path, mode_t mode) noexcept {
  REAL(mkdir);
  auto f = judge(names, std::string{path}, {});
  return f.error != 0 ? refuse(f.error) : f.passed(next(path, mode));
}

} // extern "C"
