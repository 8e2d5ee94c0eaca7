#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <netinet/in.h>
#include <sys/socket.h>

typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_st SSL;

namespace parley::bench {

/// A loopback address and port.
struct loopback_address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
  /// `HOST:PORT` as it was given.
  std::string text;

  /// `127.x.y.z:PORT`, `[::1]:PORT` or `localhost:PORT`; nothing for anything
  /// else: parley-bench puts load on this machine alone.
  static std::optional<loopback_address> parse(std::string_view text);
};

/// What TLS connections share. Certificates are not verified: the server is on
/// this machine, and its certificate is its own.
class tls_client {
public:
  /// Throws std::runtime_error if OpenSSL refuses.
  tls_client();
  ~tls_client();
  tls_client(const tls_client&) = delete;
  tls_client& operator=(const tls_client&) = delete;

  SSL* make_session(int descriptor) const;

private:
  SSL_CTX* x_context;
};

/// A non-blocking socket, with TLS or without.
class link {
public:
  link() = default;
  ~link();
  link(const link&) = delete;
  link& operator=(const link&) = delete;

  /// Starts connecting. `tls` may be null: plain TCP. `source` chooses the
  /// address on this side, 127.0.0.(1 + source), so that ports suffice.
  /// Otherwise returns what is wrong.
  std::optional<std::string> open(
    const loopback_address& to, const tls_client* tls, uint32_t source);

  enum class progress : uint8_t { done, wait_read, wait_write, failed };
  /// Brings the connection and its TLS handshake further; call it when the
  /// socket is ready, until it is `done`.
  progress connect();

  enum class state : uint8_t { some, blocked, closed };
  struct transfer {
    link::state state = state::blocked;
    size_t bytes = 0;
  };
  transfer read(std::span<char> into) noexcept;
  transfer write(std::string_view bytes) noexcept;
  /// Whether a read may find bytes without the socket being ready.
  bool buffered() const noexcept;

  void close() noexcept;
  int descriptor() const noexcept { return x_descriptor; }
  /// Why it failed, for a person.
  const std::string& why() const noexcept { return x_why; }

private:
  transfer ended(int ssl_result) noexcept;

  int x_descriptor = -1;
  SSL* x_ssl = nullptr;
  bool x_connected = false;
  std::string x_why;
};

} // namespace parley::bench
