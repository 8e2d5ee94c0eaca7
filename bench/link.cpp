#include "bench/link.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <unistd.h>

namespace parley::bench {

std::optional<loopback_address> loopback_address::parse(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return std::nullopt;
  std::string host{text.substr(0, colon)};
  const auto digits = text.substr(colon + 1);
  uint16_t port = 0;
  const auto [end, error] =
    std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size() || port == 0)
    return std::nullopt;
  loopback_address out;
  out.text = text;
  if (host == "localhost")
    host = "127.0.0.1";
  sockaddr_in v4{};
  if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    if (ntohl(v4.sin_addr.s_addr) >> 24 != IN_LOOPBACKNET)
      return std::nullopt;
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&out.bytes, &v4, sizeof v4);
    out.size = sizeof v4;
    return out;
  }
  sockaddr_in6 v6{};
  if (host.size() > 2 && host.front() == '[' && host.back() == ']'
    && ::inet_pton(
         AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6.sin6_addr)
      == 1
    && IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr)) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&out.bytes, &v6, sizeof v6);
    out.size = sizeof v6;
    return out;
  }
  return std::nullopt;
}

tls_client::tls_client() : x_context(SSL_CTX_new(TLS_client_method())) {
  if (!x_context)
    throw std::runtime_error{"OpenSSL makes no context"};
  SSL_CTX_set_min_proto_version(x_context, TLS1_2_VERSION);
  SSL_CTX_set_verify(x_context, SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_mode(x_context,
    SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
      | SSL_MODE_RELEASE_BUFFERS);
}

tls_client::~tls_client() {
  SSL_CTX_free(x_context);
}

SSL* tls_client::make_session(int descriptor) const {
  SSL* const ssl = SSL_new(x_context);
  if (ssl && SSL_set_fd(ssl, descriptor) == 1) {
    SSL_set_connect_state(ssl);
    return ssl;
  }
  SSL_free(ssl);
  return nullptr;
}

link::~link() {
  close();
}

std::optional<std::string> link::open(
  const loopback_address& to, const tls_client* tls, uint32_t source) {
  const auto failed = [this](const char* what) -> std::optional<std::string> {
    std::string why = std::string{what} + ": " + std::strerror(errno);
    close();
    return why;
  };
  const int family = to.bytes.ss_family;
  x_descriptor =
    ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (x_descriptor < 0)
    return failed("socket");
  const int one = 1;
  ::setsockopt(x_descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (family == AF_INET && source > 0) {
    ::setsockopt(
      x_descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + source);
    if (::bind(
          x_descriptor, reinterpret_cast<const sockaddr*>(&from), sizeof from)
      != 0)
      return failed("bind");
  }
  if (::connect(
        x_descriptor, reinterpret_cast<const sockaddr*>(&to.bytes), to.size)
      != 0
    && errno != EINPROGRESS)
    return failed("connect");
  if (tls && !(x_ssl = tls->make_session(x_descriptor)))
    return failed("TLS");
  return std::nullopt;
}

link::progress link::connect() {
  if (!x_connected) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(x_descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
      x_why = std::string{"connect: "} + std::strerror(error);
      return progress::failed;
    }
    x_connected = true;
  }
  if (!x_ssl)
    return progress::done;
  ERR_clear_error();
  const int result = SSL_do_handshake(x_ssl);
  if (result == 1)
    return progress::done;
  switch (SSL_get_error(x_ssl, result)) {
  case SSL_ERROR_WANT_READ:
    return progress::wait_read;
  case SSL_ERROR_WANT_WRITE:
    return progress::wait_write;
  default:
    x_why = "the TLS handshake failed";
    if (const auto* reason = ERR_reason_error_string(ERR_peek_error()))
      x_why += std::string{": "} + reason;
    return progress::failed;
  }
}

link::transfer link::read(std::span<char> into) noexcept {
  if (x_ssl) {
    ERR_clear_error();
    size_t bytes = 0;
    const int result = SSL_read_ex(x_ssl, into.data(), into.size(), &bytes);
    return result == 1 ? transfer{state::some, bytes} : ended(result);
  }
  const ssize_t n = ::recv(x_descriptor, into.data(), into.size(), 0);
  if (n > 0)
    return {state::some, static_cast<size_t>(n)};
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return {state::blocked, 0};
  return {state::closed, 0};
}

link::transfer link::write(std::string_view bytes) noexcept {
  if (x_ssl) {
    ERR_clear_error();
    size_t written = 0;
    const int result =
      SSL_write_ex(x_ssl, bytes.data(), bytes.size(), &written);
    return result == 1 ? transfer{state::some, written} : ended(result);
  }
  const ssize_t n =
    ::send(x_descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (n >= 0)
    return {state::some, static_cast<size_t>(n)};
  if (errno == EAGAIN || errno == EINTR)
    return {state::blocked, 0};
  return {state::closed, 0};
}

link::transfer link::ended(int ssl_result) noexcept {
  const int error = SSL_get_error(x_ssl, ssl_result);
  const bool wait =
    error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
  return {wait ? state::blocked : state::closed, 0};
}

bool link::buffered() const noexcept {
  return x_ssl && SSL_pending(x_ssl) > 0;
}

void link::close() noexcept {
  SSL_free(x_ssl);
  x_ssl = nullptr;
  if (x_descriptor >= 0)
    ::close(x_descriptor);
  x_descriptor = -1;
  x_connected = false;
}

} // namespace parley::bench
