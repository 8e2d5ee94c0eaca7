#include <utility>

#include "actors/runtime/pinned.hpp"
#include "tests/actors/runtime/running_system.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <caf/all.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <future>
#include <memory>
#include <thread>
#include <vector>

namespace parley::test {

namespace {

namespace asio = boost::asio;
namespace data = boost::unit_test::data;

using socket = asio::local::stream_protocol::socket;
using again_atom = caf::atom_constant<caf::atom("again")>;

/// Never comes to rest: sends to itself whatever it gets, and counts.
using busy_actor = caf::typed_actor<caf::reacts_to<again_atom>>;

struct busy_state {
  busy_state() {}
  static inline const char* name = "busy";
};

busy_actor::behavior_type busy(
  pinned_pointer<busy_actor, busy_state> self, std::atomic<uint64_t>* handled) {
  return {[self, handled](again_atom) {
    ++*handled;
    self->send(self, again_atom::value);
  }};
}

using counter = std::shared_ptr<std::atomic<uint64_t>>;

/// Sends back what it reads, and counts reads.
class echo : public std::enable_shared_from_this<echo> {
public:
  echo(socket s, counter reads)
    : socket_(std::move(s)), reads_(std::move(reads)) {}

  void read() {
    socket_.async_read_some(
      asio::buffer(buffer_), [self = shared_from_this()](auto ec, size_t n) {
        if (ec)
          return;
        ++*self->reads_;
        asio::async_write(self->socket_, asio::buffer(self->buffer_, n),
          [self](auto failed, size_t) {
            if (!failed)
              self->read();
          });
      });
  }

private:
  socket socket_;
  std::array<char, 4096> buffer_{};
  counter reads_;
};

/// One end here, for blocking use; an echo at the other, on `home`.
class echo_line {
public:
  explicit echo_line(worker& home) : near_(io_) {
    socket far{home.io()};
    asio::local::connect_pair(near_, far);
    auto peer = std::make_shared<echo>(std::move(far), reads_);
    asio::post(home.io(), [peer] { peer->read(); });
  }

  /// Sends a byte and waits for it.
  void round() {
    char c = 'x';
    asio::write(near_, asio::buffer(&c, 1));
    asio::read(near_, asio::buffer(&c, 1));
  }

  socket& near() { return near_; }

  uint64_t reads() const { return *reads_; }

private:
  counter reads_ = std::make_shared<std::atomic<uint64_t>>(0);
  asio::io_context io_;
  socket near_;
};

/// Handlers in a worker's io_context that are never at rest.
struct turner {
  worker* home = nullptr;
  std::atomic<uint64_t> turns{0};

  void turn() {
    ++turns;
    asio::post(home->io(), [this] { turn(); });
  }
};

/// Waits until `f` was called on the worker's thread, between drains.
template <class F>
void on_worker(worker& home, F f) {
  std::promise<void> called;
  asio::post(home.io(), [&] {
    f();
    called.set_value();
  });
  called.get_future().wait();
}

BOOST_AUTO_TEST_SUITE(fairness)

BOOST_DATA_TEST_CASE(sockets_are_served_while_actors_are_never_at_rest,
  data::make({1, 2, 8}) * data::make({1, 500}), workers, actors) {
  constexpr int rounds = 30;
  std::vector<std::atomic<uint64_t>> handled(actors);
  running_system sut{static_cast<size_t>(workers)};
  auto& home = sut.at(1);
  echo_line line{home};
  for (auto& n : handled) {
    auto a = spawn_on(home, busy, &n);
    for (int balls = 0; balls < 100; ++balls)
      caf::anon_send(a, again_atom::value);
  }
  BOOST_TEST(eventually([&] { return handled.back() > 0; }));
  for (int i = 0; i < rounds; ++i)
    line.round();
  BOOST_TEST(line.reads() == rounds);
  auto before = handled.front().load();
  BOOST_TEST(eventually([&] { return handled.front() > before; }));
}

BOOST_DATA_TEST_CASE(
  actors_run_while_sockets_are_never_at_rest, data::make({1, 2, 8}), workers) {
  constexpr uint64_t messages = 20'000;
  std::atomic<uint64_t> handled{0};
  std::atomic<bool> done{false};
  running_system sut{static_cast<size_t>(workers)};
  auto& home = sut.at(1);
  echo_line line{home};
  std::thread writer{[&] {
    std::array<char, 4096> block{};
    while (!done)
      line.near().write_some(asio::buffer(block));
  }};
  std::thread reader{[&] {
    std::array<char, 4096> block{};
    boost::system::error_code ec;
    while (line.near().read_some(asio::buffer(block), ec) > 0)
      continue;
  }};
  BOOST_TEST(eventually([&] { return line.reads() > 0; }));
  caf::anon_send(spawn_on(home, busy, &handled), again_atom::value);
  BOOST_TEST(eventually([&] { return handled > messages; }));
  auto before = line.reads();
  BOOST_TEST(eventually([&] { return line.reads() > before; }));
  done = true;
  writer.join();
  line.near().shutdown(socket::shutdown_both);
  reader.join();
}

BOOST_DATA_TEST_CASE(actors_and_handlers_that_never_rest_take_turns,
  data::make({1, 100}), actors) {
  constexpr uint64_t turns = 300;
  // what one drain can get done at best, with room for ten times faster ones
  constexpr uint64_t most_at_once = 100'000;
  std::atomic<uint64_t> handled{0};
  turner io;
  running_system sut{1};
  io.home = &sut.at(0);
  for (int i = 0; i < actors; ++i)
    caf::anon_send(spawn_on(sut.at(0), busy, &handled), again_atom::value);
  on_worker(sut.at(0), [&] { io.turn(); });
  BOOST_TEST(eventually([&] { return io.turns > turns; }));
  uint64_t had = 0;
  uint64_t before = 0;
  on_worker(sut.at(0), [&] {
    had = handled;
    before = io.turns;
  });
  BOOST_TEST(had >= turns / 2);
  BOOST_TEST(had < before * most_at_once);
}

BOOST_DATA_TEST_CASE(
  no_actor_starves_another_on_its_worker, data::make({1, 2}), workers) {
  constexpr uint64_t turns = 20;
  std::vector<std::atomic<uint64_t>> handled(50);
  std::vector<uint64_t> before;
  std::vector<uint64_t> after;
  running_system sut{static_cast<size_t>(workers)};
  for (auto& n : handled) {
    auto a = spawn_on(sut.at(0), busy, &n);
    for (int balls = 0; balls < 200; ++balls)
      caf::anon_send(a, again_atom::value);
  }
  auto all_above = [&](uint64_t x) {
    return std::all_of(
      handled.begin(), handled.end(), [x](auto& n) { return n > x; });
  };
  BOOST_TEST(eventually([&] { return all_above(200); }));
  on_worker(sut.at(0), [&] { before.assign(handled.begin(), handled.end()); });
  auto last = *std::max_element(before.begin(), before.end());
  BOOST_TEST(eventually(
    [&] { return all_above(last + turns * worker_limits::max_throughput); }));
  on_worker(sut.at(0), [&] { after.assign(handled.begin(), handled.end()); });
  for (size_t i = 0; i < after.size(); ++i)
    after[i] -= before[i];
  auto [least, most] = std::minmax_element(after.begin(), after.end());
  BOOST_TEST(*most - *least <= 2 * worker_limits::max_throughput);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
