#include "actors/launcher/admin_socket.hpp"

#include <cerrno>
#include <cstring>
#include <string_view>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "actors/launcher/printable.hpp"

namespace parley {

using nlohmann::json;

admin_refused::admin_refused(std::string_view reason, std::string what)
  : answer{{"error", reason}, {"text", what}}, text(std::move(what)) {}

admin_refused::admin_refused(json x)
  : answer(std::move(x)),
    text(printable_line(answer.value("error", std::string{})) + ": "
      + printable(answer.value("text", std::string{}), "  ")) {}

admin_socket::admin_socket(
  const std::string& folder, std::chrono::seconds patience)
  : x_patience(patience) {
  auto path = folder + "/admin.sock";
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  if (path.size() >= sizeof(at.sun_path))
    throw admin_refused{"no_server", "the path is too long: " + path};
  path.copy(at.sun_path, sizeof(at.sun_path) - 1);
  x_fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  timeval wait{patience.count(), 0};
  if (x_fd < 0
    || ::setsockopt(x_fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) != 0
    || ::setsockopt(x_fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) != 0
    || ::connect(x_fd, reinterpret_cast<const sockaddr*>(&at), sizeof(at))
      != 0) {
    auto error = errno;
    ::close(x_fd);
    throw admin_refused{"no_server",
      "no server runs on " + folder + " that you may operate ("
        + std::strerror(error) + "); `parley serve --data " + folder
        + "` starts one"};
  }
}

admin_socket::~admin_socket() {
  ::close(x_fd);
}

void admin_socket::fail(const char* doing, int error) const {
  if (error == EAGAIN || error == EWOULDBLOCK)
    throw admin_refused{to_string(errc::timed_out),
      "the server did not answer within " + std::to_string(x_patience.count())
        + " s"};
  throw admin_refused{"connection_lost",
    std::string{"the server closed the connection while "} + doing};
}

void admin_socket::send_line(std::string line) {
  line += '\n';
  for (std::string_view rest = line; !rest.empty();) {
    auto n = ::send(x_fd, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      fail("it was asked", errno);
    rest.remove_prefix(static_cast<size_t>(n));
  }
}

std::string admin_socket::receive_line() {
  size_t looked = 0;
  size_t end = 0;
  while ((end = x_in.find('\n', looked)) == x_in.npos) {
    looked = x_in.size();
    char buffer[64 * 1024];
    auto n = ::recv(x_fd, buffer, sizeof(buffer), 0);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      fail("it was to answer", n == 0 ? 0 : errno);
    x_in.append(buffer, static_cast<size_t>(n));
  }
  auto line = x_in.substr(0, end);
  x_in.erase(0, end + 1);
  return line;
}

json admin_socket::ask(const json& what) {
  send_line(what.dump(-1, ' ', false, json::error_handler_t::replace));
  auto answer = json::parse(receive_line(), nullptr, false);
  if (!answer.is_object())
    throw admin_refused{"bad_answer", "the server's answer is no JSON object"};
  return answer;
}

} // namespace parley
