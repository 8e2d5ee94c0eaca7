#include "actors/launcher/admin_peer.hpp"

#include <cerrno>
#include <utility>

#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/defaults.hpp"

namespace parley {

namespace {

std::string peer_of(int fd) {
  ucred who{};
  socklen_t n = sizeof(who);
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0)
    return "unknown";
  auto* entry = ::getpwuid(who.uid);
  return entry ? entry->pw_name : "uid " + std::to_string(who.uid);
}

bool is_passing(int error) {
  return error == EINTR || error == EAGAIN || error == EWOULDBLOCK;
}

} // namespace

admin_peer::admin_peer(int fd, time_point now)
  : x_fd(fd), x_who(peer_of(fd)), x_last_active(now) {}

admin_peer::~admin_peer() {
  if (x_fd >= 0)
    ::close(x_fd);
}

admin_peer::admin_peer(admin_peer&& x) noexcept
  : x_fd(std::exchange(x.x_fd, -1)),
    x_who(std::move(x.x_who)),
    x_in(std::move(x.x_in)),
    x_out(std::move(x.x_out)),
    x_ends(x.x_ends),
    x_over(x.x_over),
    x_last_active(x.x_last_active) {}

admin_peer& admin_peer::operator=(admin_peer&& x) noexcept {
  std::swap(x_fd, x.x_fd);
  std::swap(x_who, x.x_who);
  std::swap(x_in, x.x_in);
  std::swap(x_out, x.x_out);
  std::swap(x_ends, x.x_ends);
  std::swap(x_over, x.x_over);
  std::swap(x_last_active, x.x_last_active);
  return *this;
}

short admin_peer::wanted_events() const noexcept {
  return x_out.empty() ? POLLIN : POLLOUT;
}

void admin_peer::handle(short events, time_point now) {
  if (!x_out.empty()) {
    if (events & (POLLOUT | POLLHUP | POLLERR))
      write(now);
  } else if (!has_line() && (events & (POLLIN | POLLHUP | POLLERR))) {
    // What came is answered before its end is noticed.
    read(now);
  }
}

void admin_peer::read(time_point now) {
  char buffer[64 * 1024];
  auto n = ::recv(x_fd, buffer, sizeof(buffer), 0);
  if (n < 0 && is_passing(errno))
    return;
  if (n <= 0) {
    x_over = true;
    return;
  }
  x_last_active = now;
  x_in.append(buffer, static_cast<size_t>(n));
  if (x_in.size() <= defaults::admin_line_max || has_line())
    return;
  x_in.clear();
  x_ends = true;
  put_line(R"({"error":"too_large","text":"the line is too long"})", now);
}

bool admin_peer::has_line() const noexcept {
  return x_out.empty() && x_in.find('\n') != x_in.npos;
}

std::optional<std::string> admin_peer::take_line() {
  if (!has_line())
    return std::nullopt;
  auto end = x_in.find('\n');
  auto line = x_in.substr(0, end);
  x_in.erase(0, end + 1);
  return line;
}

void admin_peer::put_line(std::string text, time_point now) {
  x_out += std::move(text);
  x_out += '\n';
  write(now);
}

void admin_peer::write(time_point now) {
  while (!x_out.empty()) {
    auto n = ::send(x_fd, x_out.data(), x_out.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 && is_passing(errno))
      return;
    if (n <= 0) {
      x_over = true;
      return;
    }
    x_last_active = now;
    x_out.erase(0, static_cast<size_t>(n));
  }
  x_over = x_over || x_ends;
}

} // namespace parley
