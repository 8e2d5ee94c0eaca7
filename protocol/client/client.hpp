#pragma once

#include <cstdint>
#include <memory>
#include <string>

// Asio of Boost 1.74 uses std::exchange without including it.
#include <utility>

#include <boost/asio/io_context.hpp>

#include "protocol/client/core.hpp"
#include "protocol/client/events.hpp"
#include "protocol/errors.hpp"

namespace parley {

/// Where a server is and how far it is trusted.
struct client_options {
  enum class protection : uint8_t {
    /// TCP alone.
    plain,
    /// TLS; the certificate must be signed by `ca_file` (PEM), or by one of the
    /// system's authorities if that is empty, and be made out to `host`.
    tls,
    /// TLS with any certificate: safe from listeners, not from impostors.
    tls_unverified,
  };

  /// Name, IPv4 or IPv6 address (without brackets).
  std::string host;
  uint16_t port = 0;
  protection transport = protection::tls;
  std::string ca_file;
  client_core_config core;
};

/// `HOST:PORT`, `[IPv6]:PORT`; sets host and port. `bad_request` otherwise.
result<void> parse_server(std::string_view text, client_options& to);

/// Options checked and loaded; shared by any number of clients.
class client_target {
public:
  /// `store_unavailable` or `tls_failed` if the CA file is of no use.
  static result<std::shared_ptr<const client_target>> make(
    client_options options);
  ~client_target();

private:
  friend class client;
  struct impl;
  std::unique_ptr<impl> x_impl;
  explicit client_target(std::unique_ptr<impl> x);
};

/// What the clients on one io_context share: the read buffer, the sweep of
/// their deadlines and the flush of their output. One thread runs the
/// io_context, and no longer once the loop is destroyed. Outlives its clients.
class client_loop {
public:
  explicit client_loop(boost::asio::io_context& io);
  ~client_loop();
  client_loop(const client_loop&) = delete;
  client_loop& operator=(const client_loop&) = delete;

  boost::asio::io_context& io() noexcept;

private:
  friend class client;
  class impl;
  std::unique_ptr<impl> x_impl;
};

/// A client_core on a socket: connects, speaks TLS, reconnects by itself.
/// Output made within one turn of the io_context goes out in one write. All of
/// it is used from the loop's thread.
class client {
public:
  client(client_loop& loop, std::shared_ptr<const client_target> target,
    client_account account, client_events& events, uint64_t seed);
  /// Closes the socket without signing out: the session is suspended.
  ~client();
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  /// Connects. Once.
  void start();

  /// All requests are made there. `send(…)` and so on of `core()` may be
  /// called at any time after construction.
  client_core& core() noexcept;
  client_core* operator->() noexcept { return &core(); }

private:
  friend class client_loop;
  class impl;
  std::shared_ptr<impl> x_impl;
};

} // namespace parley
