#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Asio of Boost 1.74 uses std::exchange without including it.
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "protocol/client/client.hpp"
#include "protocol/tls.hpp"

/// Internal to client and client_loop.
namespace parley {

struct client_target::impl {
  client_options options;
  std::shared_ptr<const client_core_config> core;
  /// Null: plain TCP.
  std::shared_ptr<tls_client_context> tls;
};

class client_loop::impl {
public:
  explicit impl(boost::asio::io_context& io);

  /// From now on ticks come.
  void add(client::impl& x);
  void remove(client::impl& x) noexcept;
  /// Writes the output of `x` at the end of this turn.
  void flush_later(std::shared_ptr<client::impl> x);

  boost::asio::io_context& io;
  /// For reads, and for plain text on its way through TLS; empty between uses.
  std::vector<char> buffer;
  std::string plain;

private:
  void sweep();
  void flush();

  boost::asio::steady_timer x_timer;
  std::vector<client::impl*> x_clients;
  std::vector<std::shared_ptr<client::impl>> x_dirty;
};

class client::impl : public std::enable_shared_from_this<client::impl>,
                     private client_core::transport {
public:
  impl(client_loop::impl& loop, std::shared_ptr<const client_target> target,
    client_account account, client_events& events, uint64_t seed);

  void start();
  /// The client is destroyed: nothing is called any more.
  void close();
  void tick(steady_time now) { core.tick(now); }
  void flush();

  client_core core;
  /// Where it stands in the loop's list.
  size_t place = 0;

private:
  using tcp = boost::asio::ip::tcp;
  using error_code = boost::system::error_code;

  void connect_wanted() override;
  void output_ready() override;
  void close_wanted() override;

  void resolve();
  void connect_to(std::vector<tcp::endpoint> where);
  void connected(const error_code& why);
  void begin_tls();
  void announce_connection();
  void wait_readable();
  void read();
  /// False if the connection is over.
  bool take(std::string_view bytes);
  bool take_cipher(std::string_view bytes);
  void wait_writable();
  void lost(failure why);
  void lost(std::string_view doing, const error_code& why);
  void drop_socket() noexcept;
  void leave_loop() noexcept;

  /// Calls `(this->*f)(args…)` unless the connection has changed meanwhile.
  template <class F>
  auto guarded(F f);

  client_loop::impl& x_loop;
  std::shared_ptr<const client_target> x_target;
  std::unique_ptr<tcp::resolver> x_resolver;
  tcp::socket x_socket;
  std::unique_ptr<tls_stage> x_tls;
  /// Cipher text that waits for the socket.
  std::string x_cipher;
  /// Counts connections, so that handlers of an earlier one know it.
  uint32_t x_connection = 0;
  bool x_in_loop = false;
  bool x_reading = false;
  bool x_waits_to_write = false;
  bool x_announced = false;
};

} // namespace parley
