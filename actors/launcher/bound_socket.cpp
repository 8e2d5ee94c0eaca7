#include "actors/launcher/bound_socket.hpp"

#include <cerrno>
#include <cstring>
#include <memory>

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/defaults.hpp"

namespace parley {

namespace {

using addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

tl::unexpected<failure> refuse(const listen_address& at, std::string why) {
  return fail(
    errc::bad_address, "cannot listen on " + at.str() + ": " + std::move(why));
}

result<addresses> look_up(const listen_address& at) {
  addrinfo wanted{};
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* first = nullptr;
  auto code = ::getaddrinfo(
    at.host.c_str(), std::to_string(at.port).c_str(), &wanted, &first);
  if (code != 0)
    return refuse(at, ::gai_strerror(code));
  return addresses{first, ::freeaddrinfo};
}

uint16_t* port_of(sockaddr_storage& x) {
  return x.ss_family == AF_INET6 ? &reinterpret_cast<sockaddr_in6&>(x).sin6_port
                                 : &reinterpret_cast<sockaddr_in&>(x).sin_port;
}

} // namespace

bound_socket::bound_socket(bound_socket&& x) noexcept
  : x_fd(x.release()), x_is_v6(x.x_is_v6) {}

bound_socket& bound_socket::operator=(bound_socket&& x) noexcept {
  std::swap(x_fd, x.x_fd);
  std::swap(x_is_v6, x.x_is_v6);
  return *this;
}

bound_socket::~bound_socket() {
  if (x_fd >= 0)
    ::close(x_fd);
}

/// Binds what one HOST:PORT stands for.
class socket_binder {
public:
  /// An errno; 0: bound, or left out.
  int bind(const addrinfo& at) {
    sockaddr_storage where{};
    std::memcpy(&where, at.ai_addr, at.ai_addrlen);
    if (x_port != 0)
      *port_of(where) = x_port;
    auto is_v6 = at.ai_family == AF_INET6;
    bound_socket x{
      ::socket(at.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), is_v6};
    if (x.x_fd < 0)
      return errno == EAFNOSUPPORT ? leave_out(errno) : errno;
    auto& v6 = reinterpret_cast<const sockaddr_in6&>(where);
    // [::] alone takes IPv4 along.
    int only = is_v6 && !IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr);
    int on = 1;
    if (::setsockopt(x.x_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0
      || (is_v6
        && ::setsockopt(x.x_fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only)
          != 0))
      return errno;
    if (::bind(x.x_fd, reinterpret_cast<const sockaddr*>(&where), at.ai_addrlen)
      != 0)
      return errno == EADDRNOTAVAIL ? leave_out(errno) : errno;
    socklen_t size = sizeof where;
    if (::getsockname(x.x_fd, reinterpret_cast<sockaddr*>(&where), &size) != 0)
      return errno;
    x_port = *port_of(where);
    x_bound.push_back(std::move(x));
    return 0;
  }

  /// 0, or the errno of the address that failed.
  int bind_each(const addrinfo* first) {
    x_bound.clear();
    x_port = 0;
    for (auto at = first; at; at = at->ai_next)
      if (auto error = bind(*at))
        return error;
    return x_bound.empty() ? x_left_out : 0;
  }

  std::vector<bound_socket> take() { return std::move(x_bound); }

private:
  int leave_out(int why) {
    x_left_out = why;
    return 0;
  }

  std::vector<bound_socket> x_bound;
  /// In network order; 0: none was picked.
  in_port_t x_port = 0;
  int x_left_out = EADDRNOTAVAIL;
};

result<std::vector<bound_socket>> bound_socket::bind_all(
  const listen_address& at) {
  auto found = look_up(at);
  if (!found)
    return tl::unexpected{found.error()};
  socket_binder binder;
  // A port that was picked at one address may be taken at the next.
  auto tries = at.port == 0 ? defaults::port_tries : 1;
  int error = EADDRINUSE;
  while (error == EADDRINUSE && tries-- > 0)
    error = binder.bind_each(found->get());
  if (error != 0)
    return refuse(at, std::strerror(error));
  return binder.take();
}

} // namespace parley
