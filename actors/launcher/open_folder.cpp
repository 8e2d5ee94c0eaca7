#include "actors/launcher/open_folder.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <deque>
#include <utility>

#include <dirent.h>
#include <fcntl.h>

namespace parley {

namespace fs = std::filesystem;

namespace {

/// As many as the kernel follows.
constexpr size_t links_max = 40;

/// One step after the other, so that nobody changes the way behind what was
/// looked at.
class walk {
public:
  walk(const fs::path& to, links followed) : x_to(to), x_followed(followed) {
    prepend(to);
    x_given = x_rest.size();
  }
  ~walk() { go_to(-1); }
  walk(const walk&) = delete;
  walk& operator=(const walk&) = delete;

  /// The folder, for no more than to go on from.
  result<int> go() {
    go_to(::open(x_to.is_absolute() ? "/" : ".", way));
    while (!x_rest.empty()) {
      auto name = std::move(x_rest.front());
      x_rest.pop_front();
      if (auto ok = step(name); !ok)
        return tl::unexpected{ok.error()};
    }
    return x_at;
  }

private:
  static constexpr int way = O_PATH | O_DIRECTORY | O_CLOEXEC;

  void go_to(int fd) noexcept {
    if (x_at >= 0)
      ::close(x_at);
    x_at = fd;
  }

  void prepend(const fs::path& x) {
    std::deque<std::string> names;
    for (const auto& name : x.relative_path())
      if (!name.empty() && name != ".")
        names.push_back(name);
    x_rest.insert(x_rest.begin(), names.begin(), names.end());
  }

  /// Makes this folder where it is none.
  bool make(const std::string& name) {
    // Others pass through its parents.
    const bool is_parent = !x_rest.empty();
    const auto mask = ::umask(S_IWGRP | S_IWOTH);
    const auto made =
      ::mkdirat(x_at, name.c_str(), is_parent ? ACCESSPERMS : mode_t{S_IRWXU});
    const auto why = errno;
    ::umask(mask);
    errno = why;
    return made == 0 || why == EEXIST;
  }

  int enter(const std::string& name) const {
    return ::openat(x_at, name.c_str(), way | O_NOFOLLOW);
  }

  result<void> step(const std::string& name) {
    // What a link leads to is not made.
    const bool makes = x_rest.size() < x_given;
    x_given = std::min(x_given, x_rest.size());
    auto fd = enter(name);
    if (fd < 0 && errno == ENOENT && makes && make(name))
      fd = enter(name);
    if (fd >= 0) {
      go_to(fd);
      return {};
    }
    const auto why = errno;
    struct stat found {};
    if (::fstatat(x_at, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0) {
      if (S_ISLNK(found.st_mode))
        return follow(name);
      if (!S_ISDIR(found.st_mode))
        return refuse_folder(x_to, "is no folder");
    }
    return refuse_folder(x_to,
      (why == ENOENT ? "cannot be made: " : "cannot be looked at: ")
        + std::string{std::strerror(why)});
  }

  /// What is read is what the open descriptor stands for.
  result<void> follow(const std::string& name) {
    const auto fd =
      ::openat(x_at, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat link {};
    std::array<char, PATH_MAX> text{};
    const bool found = fd >= 0 && ::fstat(fd, &link) == 0;
    const auto n = ::readlinkat(fd, "", text.data(), text.size());
    if (fd >= 0)
      ::close(fd);
    if (!found || n <= 0)
      return refuse_folder(x_to, "cannot be looked at: a link in it changes");
    if (x_followed == links::roots && x_rest.empty())
      return refuse_folder(x_to,
        "is a link, which root does not follow for another user; name the "
        "folder that it leads to");
    if (x_followed == links::roots && link.st_uid != 0)
      return refuse_folder(x_to,
        "is behind a link, " + name
          + ", which is not root's, so that root does not follow it");
    if (++x_links > links_max)
      return refuse_folder(x_to, "is behind too many links");
    const fs::path target{std::string{text.data(), static_cast<size_t>(n)}};
    prepend(target);
    if (target.is_absolute())
      go_to(::open("/", way));
    return {};
  }

  fs::path x_to;
  links x_followed;
  int x_at = -1;
  size_t x_links = 0;
  std::deque<std::string> x_rest;
  /// How many of these were given; those before come from a link.
  size_t x_given = 0;
};

} // namespace

tl::unexpected<failure> refuse_folder(
  const fs::path& x, const std::string& why) {
  return fail(
    errc::store_unavailable, "the data folder " + x.string() + " " + why);
}

open_folder::open_folder(int fd, fs::path path) noexcept
  : x_fd(fd), x_path(std::move(path)) {}

open_folder::open_folder(open_folder&& x) noexcept
  : x_fd(std::exchange(x.x_fd, -1)), x_path(std::move(x.x_path)) {}

open_folder& open_folder::operator=(open_folder&& x) noexcept {
  std::swap(x_fd, x.x_fd);
  std::swap(x_path, x.x_path);
  return *this;
}

open_folder::~open_folder() {
  if (x_fd >= 0)
    ::close(x_fd);
}

result<open_folder> open_folder::make(const fs::path& x, links followed) {
  walk way{x, followed};
  auto at = way.go();
  if (!at)
    return tl::unexpected{at.error()};
  const auto fd = ::openat(*at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return refuse_folder(
      x, "cannot be read: " + std::string{std::strerror(errno)});
  return open_folder{fd, x};
}

struct stat open_folder::status() const noexcept {
  struct stat x {};
  ::fstat(x_fd, &x);
  return x;
}

result<std::vector<std::string>> open_folder::names() const {
  const auto fd = ::openat(x_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  auto* entries = fd < 0 ? nullptr : ::fdopendir(fd);
  if (!entries) {
    if (fd >= 0)
      ::close(fd);
    return refuse_folder(
      x_path, "cannot be read: " + std::string{std::strerror(errno)});
  }
  std::vector<std::string> xs;
  while (const auto* x = ::readdir(entries))
    if (std::string name = x->d_name; name != "." && name != "..")
      xs.push_back(std::move(name));
  ::closedir(entries);
  return xs;
}

} // namespace parley
