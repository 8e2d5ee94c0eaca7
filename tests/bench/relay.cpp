#include "bench/relay.hpp"

#include <string>
#include <thread>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/bench/running_relay.hpp"

namespace asio = boost::asio;
using asio::ip::tcp;
using parley::bench::running_relay;

BOOST_AUTO_TEST_SUITE(relays)

namespace {

struct clients {
  clients(uint16_t port, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      sockets.emplace_back(io);
      sockets.back().connect({asio::ip::address_v4::loopback(), port});
    }
  }

  void write(size_t from, const std::string& text) {
    asio::write(sockets[from], asio::buffer(text));
  }
  std::string read(size_t at, size_t size) {
    std::string out(size, '\0');
    asio::read(sockets[at], asio::buffer(out));
    return out;
  }

  asio::io_context io;
  std::vector<tcp::socket> sockets;
};

} // namespace

BOOST_AUTO_TEST_CASE(pairs_hear_each_other_and_nobody_else) {
  running_relay r{2};
  clients c{r.port(), 4};
  c.write(0, "from 0");
  c.write(1, "from 1");
  c.write(2, "from 2");
  c.write(3, "from 3");
  BOOST_TEST(c.read(1, 6) == "from 0");
  BOOST_TEST(c.read(0, 6) == "from 1");
  BOOST_TEST(c.read(3, 6) == "from 2");
  BOOST_TEST(c.read(2, 6) == "from 3");
}

BOOST_AUTO_TEST_CASE(the_first_of_a_group_speaks_to_all_of_it) {
  running_relay r{3};
  clients c{r.port(), 3};
  c.write(0, "to all");
  BOOST_TEST(c.read(1, 6) == "to all");
  BOOST_TEST(c.read(2, 6) == "to all");
  c.write(2, "back 2");
  BOOST_TEST(c.read(0, 6) == "back 2");
  c.write(1, "back 1");
  BOOST_TEST(c.read(0, 6) == "back 1");
}

BOOST_AUTO_TEST_CASE(a_peer_that_reads_late_gets_every_byte) {
  running_relay r{2};
  clients c{r.port(), 2};
  // More than sockets and relay hold together.
  std::string big(32 * 1024 * 1024, '\0');
  for (size_t i = 0; i < big.size(); ++i)
    big[i] = static_cast<char>(i * 31 + (i >> 13));
  std::thread writer{[&] { c.write(0, big); }};
  c.write(1, "x");
  BOOST_TEST(c.read(0, 1) == "x");
  BOOST_TEST((c.read(1, big.size()) == big));
  writer.join();
}

BOOST_AUTO_TEST_CASE(when_one_leaves_its_group_is_closed) {
  running_relay r{2};
  clients c{r.port(), 2};
  c.write(0, "hello!");
  BOOST_TEST(c.read(1, 6) == "hello!");
  c.sockets[0].close();
  boost::system::error_code ec;
  char byte = 0;
  c.sockets[1].read_some(asio::buffer(&byte, 1), ec);
  BOOST_TEST(bool{ec});
}

BOOST_AUTO_TEST_SUITE_END()
