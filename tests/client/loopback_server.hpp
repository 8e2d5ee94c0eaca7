#pragma once

#include <memory>
#include <set>

// Asio of Boost 1.74 uses std::exchange without including it.
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "tests/client/model_server.hpp"

namespace parley::test {

/// The model server behind a real socket on a loopback address.
class loopback_server {
public:
  loopback_server(boost::asio::io_context& io, model_server& server,
    const char* address = "127.0.0.1");
  ~loopback_server();

  uint16_t port() const;
  /// Closes all sockets, as if the network broke.
  void cut_all();
  /// Refuses further connections.
  void stop_listening();

private:
  class peer;
  void accept();
  void sweep();
  /// A link may get output through another one's input.
  void write_all();

  boost::asio::io_context& x_io;
  model_server& x_server;
  boost::asio::ip::tcp::acceptor x_acceptor;
  boost::asio::steady_timer x_timer;
  std::set<std::shared_ptr<peer>> x_peers;
};

} // namespace parley::test
