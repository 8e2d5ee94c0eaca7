#pragma once

#include <cstdint>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>

#include "bench/relay.hpp"

namespace parley::bench {

/// A relay on a thread of its own.
class running_relay {
public:
  explicit running_relay(uint32_t group) : x_relay(std::in_place, x_io, group) {
    x_port = x_relay->port();
    x_thread = std::thread{[this] { x_io.run(); }};
  }
  ~running_relay() {
    x_io.stop();
    x_thread.join();
    x_relay.reset();
  }

  uint16_t port() const noexcept { return x_port; }

private:
  boost::asio::io_context x_io{1};
  std::optional<relay> x_relay;
  uint16_t x_port = 0;
  std::thread x_thread;
};

} // namespace parley::bench
