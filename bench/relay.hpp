#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include <boost/asio/io_context.hpp>

namespace parley::bench {

/// The limit that Parley is measured against: forwards bytes between the
/// connections of a group and does nothing else. Connections form groups in
/// the order of their coming; what the first of a group sends goes to all
/// others of it, what any other sends goes to the first.
///
/// Reads and writes as Parley's gateway does, on one io_context: waits until a
/// socket is readable, reads once into one shared buffer, writes at once, and
/// waits for a socket only if it takes no more. Listens on 127.0.0.1.
class relay {
public:
  /// `group` ≥ 2 connections. Throws boost::system::system_error if it cannot
  /// listen.
  relay(boost::asio::io_context& io, uint32_t group, uint16_t port = 0);
  ~relay();
  relay(const relay&) = delete;
  relay& operator=(const relay&) = delete;

  uint16_t port() const;

private:
  class impl;
  std::shared_ptr<impl> x_impl;
};

} // namespace parley::bench
