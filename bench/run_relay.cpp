#include <csignal>
#include <cstdio>
#include <iostream>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "bench/process.hpp"
#include "bench/relay.hpp"
#include "bench/scenarios.hpp"
#include "bench/server_under_test.hpp"

namespace parley::bench {

int run_relay(const options& what) {
  raise_descriptor_limit();
  boost::asio::io_context io{1};
  relay r{io, what.group};
  boost::asio::signal_set signals{io, SIGTERM, SIGINT};
  signals.async_wait([&io](const auto&, int) { io.stop(); });
  std::printf("ready 127.0.0.1:%u\n", static_cast<unsigned>(r.port()));
  std::fflush(stdout);
  io.run();
  return 0;
}

int run_users(const options& what) {
  write_users(std::cout, what.names, what.count, what.password);
  return std::cout.flush() ? 0 : 2;
}

} // namespace parley::bench
