#include "actors/launcher/admin_server.hpp"

#include <cstring>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <spdlog/spdlog.h>

#include "actors/launcher/admin_requests.hpp"
#include "protocol/defaults.hpp"

namespace parley {

namespace {

/// Who is at the other end, for the audit log.
std::string peer_of(int fd) {
  ucred who{};
  socklen_t n = sizeof(who);
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0)
    return "unknown";
  auto* entry = ::getpwuid(who.uid);
  return entry ? entry->pw_name : "uid " + std::to_string(who.uid);
}

bool send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    auto n = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (n <= 0)
      return false;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

} // namespace

struct admin_server::impl {
  std::string path;
  int listening = -1;
  int wake[2] = {-1, -1};
  std::thread thread;

  ~impl() {
    for (auto fd : {listening, wake[0], wake[1]})
      if (fd >= 0)
        ::close(fd);
  }

  /// False when it is time to end.
  bool wait_readable(int fd) const {
    pollfd fds[] = {{fd, POLLIN, 0}, {wake[0], POLLIN, 0}};
    auto ms = static_cast<int>(
      std::chrono::milliseconds{defaults::admin_patience}.count());
    auto n = ::poll(fds, 2, fd == listening ? -1 : ms);
    return n > 0 && (fds[0].revents & (POLLIN | POLLHUP)) != 0
      && fds[1].revents == 0;
  }

  void serve(int fd, admin_requests& requests) const {
    timeval patience{std::chrono::seconds{defaults::admin_patience}.count(), 0};
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    auto who = peer_of(fd);
    std::string in;
    while (wait_readable(fd)) {
      char buffer[64 * 1024];
      auto n = ::recv(fd, buffer, sizeof(buffer), 0);
      if (n <= 0)
        return;
      in.append(buffer, static_cast<size_t>(n));
      size_t start = 0;
      for (auto end = in.find('\n'); end != in.npos;
           end = in.find('\n', start)) {
        auto answer = requests.answer(in.substr(start, end - start), who);
        if (!send_all(fd, answer + "\n"))
          return;
        start = end + 1;
      }
      in.erase(0, start);
      if (in.size() > defaults::admin_line_max) {
        (void)send_all(fd,
          "{\"error\":\"too_large\",\"text\":\"the line is "
          "too long\"}\n");
        return;
      }
    }
  }

  void run(caf::actor_system& system, actors reach) {
    admin_requests requests{system, std::move(reach)};
    while (wait_readable(listening)) {
      auto fd = ::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0)
        continue;
      serve(fd, requests);
      ::close(fd);
    }
  }
};

admin_server::admin_server(std::unique_ptr<impl> x) : x_impl(std::move(x)) {}

admin_server::~admin_server() {
  char end = 0;
  (void)!::write(x_impl->wake[1], &end, 1);
  x_impl->thread.join();
  ::unlink(x_impl->path.c_str());
}

result<std::unique_ptr<admin_server>> admin_server::start(
  caf::actor_system& system, std::string path, actors reach) {
  auto refuse = [&path] {
    return fail(errc::store_unavailable,
      "cannot make the admin socket " + path + ": " + std::strerror(errno));
  };
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  if (path.size() >= sizeof(at.sun_path))
    return fail(errc::store_unavailable,
      "the path of the admin socket is too long: " + path);
  path.copy(at.sun_path, sizeof(at.sun_path) - 1);
  auto x = std::make_unique<impl>();
  x->path = path;
  x->listening = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (x->listening < 0 || ::pipe2(x->wake, O_CLOEXEC) != 0)
    return refuse();
  // The store's lock says that no other server is here: a socket is a
  // left-over.
  ::unlink(path.c_str());
  auto mask = ::umask(S_IRWXG | S_IRWXO | S_IXUSR);
  auto bound =
    ::bind(x->listening, reinterpret_cast<const sockaddr*>(&at), sizeof(at));
  ::umask(mask);
  if (bound != 0 || ::listen(x->listening, SOMAXCONN) != 0)
    return refuse();
  x->thread = std::thread{[raw = x.get(), &system, reach = std::move(reach)] {
    raw->run(system, reach);
  }};
  return std::unique_ptr<admin_server>{new admin_server(std::move(x))};
}

} // namespace parley
