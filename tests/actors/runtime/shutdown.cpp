#include <utility>

#include "actors/runtime/pinned.hpp"
#include "tests/actors/runtime/running_system.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <caf/all.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

// Every case ends an actor system in the midst of something, several times
// over, and looks whether all actors' states were destroyed; the sanitizers
// look for what was touched too late. A deadlock shows as a time-out.

namespace parley::test {

namespace {

namespace asio = boost::asio;
namespace data = boost::unit_test::data;
using namespace std::chrono_literals;

using text_atom = caf::atom_constant<caf::atom("text")>;
using peer_atom = caf::atom_constant<caf::atom("peer")>;

/// Holds a peer, and passes each text on to it.
using relay_actor = caf::typed_actor<caf::reacts_to<text_atom, std::string>,
  caf::reacts_to<peer_atom, caf::strong_actor_ptr>>;

struct relay_state {
  relay_state() {}
  counted alive;
  std::string memory = std::string(100, 'm'); // a leak that is seen
  relay_actor peer;
  static inline const char* name = "relay";
};

relay_actor::behavior_type relay(
  pinned_pointer<relay_actor, relay_state> self, int) {
  self->set_down_handler([](caf::down_msg&) {});
  auto passed = std::make_shared<int>(0);
  return {
    [self, passed](text_atom, const std::string& text) {
      ++*passed;
      if (self->state.peer)
        self->send(self->state.peer, text_atom::value, text);
    },
    [self](peer_atom, const caf::strong_actor_ptr& peer) {
      self->state.peer = caf::actor_cast<relay_actor>(peer);
    },
  };
}

/// Holds its peer in its behavior instead.
relay_actor::behavior_type closed_relay(
  pinned_pointer<relay_actor, relay_state>, relay_actor peer) {
  return {
    [peer](text_atom, const std::string&) {},
    [](peer_atom, const caf::strong_actor_ptr&) {},
  };
}

void join(const relay_actor& a, const relay_actor& b) {
  caf::anon_send(
    a, peer_atom::value, caf::actor_cast<caf::strong_actor_ptr>(b));
}

const std::string text(200, 't'); // longer than what a string holds in place

/// Runs `f(running_system&)` and ends the system, `times` over.
template <class F>
void repeat(int workers, int times, F f) {
  for (int i = 0; i < times; ++i) {
    {
      running_system sut{static_cast<size_t>(workers)};
      f(sut);
    }
    BOOST_REQUIRE(counted::alive() == 0);
  }
}

const auto any_workers = data::make({1, 2, 8});

BOOST_AUTO_TEST_SUITE(shutdown)

BOOST_DATA_TEST_CASE(pending_io_that_holds_actors, any_workers, workers) {
  using socket = asio::local::stream_protocol::socket;
  repeat(workers, 10, [](running_system& sut) {
    std::atomic<int> waiting{0};
    for (size_t i = 0; i < 8; ++i) {
      auto& home = sut.at(i);
      std::vector<relay_actor> held;
      held.reserve(100);
      for (int n = 0; n < 100; ++n)
        held.push_back(spawn_on(home, relay, n));
      asio::post(home.io(), [&, held = std::move(held)] {
        auto timer = std::make_shared<asio::steady_timer>(home.io(), 1h);
        timer->async_wait([timer, held](auto) {});
        auto near = std::make_shared<socket>(home.io());
        auto far = std::make_shared<socket>(home.io());
        asio::local::connect_pair(*near, *far);
        auto buffer = std::make_shared<char>();
        near->async_read_some(asio::buffer(buffer.get(), 1),
          [near, far, buffer, held](auto, size_t) {});
        ++waiting;
      });
    }
    BOOST_TEST(eventually([&] { return waiting == 8; }));
    sut.scheduler().stop();
    BOOST_TEST(counted::alive() == 0);
  });
}

BOOST_DATA_TEST_CASE(actors_with_queued_messages, any_workers, workers) {
  repeat(workers, 20, [](running_system& sut) {
    for (int i = 0; i < 100; ++i) {
      auto a = spawn_on(sut.at(i), relay, 0);
      for (int n = 0; n < 20; ++n)
        caf::anon_send(a, text_atom::value, text);
    }
  });
}

BOOST_DATA_TEST_CASE(actors_not_yet_started, any_workers, workers) {
  repeat(workers, 20, [](running_system& sut) {
    for (int i = 0; i < 8; ++i)
      asio::post(sut.at(i).io(), [&sut, i] {
        for (int n = 0; n < 50; ++n)
          spawn_on(sut.at(i + n), relay, 0);
      });
    sut.system().spawn(relay, 0);
  });
}

BOOST_DATA_TEST_CASE(more_actors_held_by_delayed_messages_than_caf_has_room_for,
  any_workers, workers) {
  repeat(workers, 10, [](running_system& sut) {
    for (int i = 0; i < 300; ++i)
      caf::delayed_anon_send(
        spawn_on(sut.at(i), relay, 0), 1h, text_atom::value, text);
    BOOST_TEST(sut.clock().pending() == 300u);
  });
}

BOOST_DATA_TEST_CASE(delayed_messages_falling_due, any_workers, workers) {
  repeat(workers, 20, [](running_system& sut) {
    for (int i = 0; i < 300; ++i)
      caf::delayed_anon_send(spawn_on(sut.at(i), relay, 0),
        std::chrono::microseconds(10 * i), text_atom::value, text);
    std::this_thread::sleep_for(1ms);
  });
}

BOOST_DATA_TEST_CASE(traffic_that_never_ends, any_workers, workers) {
  repeat(workers, 10, [](running_system& sut) {
    for (int i = 0; i < 20; ++i) {
      auto a = spawn_on(sut.at(i), relay, 0);
      auto b = spawn_on(sut.at(i + 1), relay, 0);
      join(a, b);
      join(b, a);
      for (int balls = 0; balls < 20; ++balls)
        caf::anon_send(a, text_atom::value, text);
    }
    std::this_thread::sleep_for(2ms);
  });
}

BOOST_DATA_TEST_CASE(a_thread_that_goes_on_sending, any_workers, workers) {
  repeat(workers, 10, [&](running_system& sut) {
    // A detached actor is awaited by the system after the scheduler's end
    auto to = spawn_on(sut.at(1), relay, 0);
    auto next = spawn_on(sut.at(2), relay, 0);
    join(to, next);
    auto started = std::make_shared<std::atomic<bool>>(false);
    sut.system().spawn<caf::detached>(
      [started, to, next](caf::event_based_actor* self, int count) {
        self->monitor(to);
        for (int n = 0; n < count; ++n) {
          self->send(to, text_atom::value, text);
          self->delayed_send(next, 10us, text_atom::value, text);
          *started = true;
        }
      },
      3'000);
    BOOST_TEST(eventually([&] { return started->load(); }));
  });
}

BOOST_DATA_TEST_CASE(
  a_detached_actor_held_by_a_pinned_one, any_workers, workers) {
  repeat(workers, 10, [](running_system& sut) {
    auto owner = spawn_on(sut.at(0), relay, 0);
    join(owner, sut.system().spawn<caf::detached>(relay, 0));
    for (int n = 0; n < 100; ++n)
      caf::anon_send(owner, text_atom::value, text);
  });
}

BOOST_DATA_TEST_CASE(
  handles_held_in_a_circle_by_queued_actors, any_workers, workers) {
  repeat(workers, 10, [](running_system& sut) {
    for (int i = 0; i < 100; ++i) {
      auto a = spawn_on(sut.at(i), relay, 0);
      auto b = spawn_on(sut.at(i + 1), closed_relay, a);
      join(a, b);
      caf::anon_send(a, text_atom::value, text);
      caf::anon_send_exit(b, caf::exit_reason::user_shutdown);
    }
  });
}

BOOST_DATA_TEST_CASE(
  a_long_chain_of_actors_that_end_each_other, any_workers, workers) {
  repeat(workers, 1, [](running_system& sut) {
    // the end of the first reaches the last by 5 000 exits in turn
    std::vector<relay_actor> chain;
    chain.reserve(5'000);
    for (int i = 0; i < 5'000; ++i)
      chain.push_back(spawn_on(sut.at(i), relay, 0));
    for (size_t i = 1; i < chain.size(); ++i)
      caf::actor_cast<caf::abstract_actor*>(chain[i])->add_link(
        caf::actor_cast<caf::abstract_actor*>(chain[i - 1]));
    asio::post(sut.at(0).io(), [chain] {
      caf::anon_send_exit(chain.front(), caf::exit_reason::user_shutdown);
    });
  });
}

BOOST_DATA_TEST_CASE(
  messages_to_a_system_that_has_stopped, any_workers, workers) {
  std::vector<relay_actor> held;
  repeat(workers, 10, [&](running_system& sut) {
    for (int i = 0; i < 10; ++i)
      held.push_back(spawn_on(sut.at(i), relay, 0));
    caf::scoped_actor self{sut.system()};
    sut.scheduler().stop();
    for (auto& a : held)
      self->send(a, text_atom::value, text);
    for (auto& a : held)
      self->monitor(a);
    for (size_t n = 0; n < held.size(); ++n)
      self->receive([](const caf::down_msg&) {});
    held.clear();
  });
}

BOOST_DATA_TEST_CASE(actors_that_all_ended_in_time, any_workers, workers) {
  repeat(workers, 10, [](running_system& sut) {
    sut.system().await_actors_before_shutdown(true);
    for (int i = 0; i < 100; ++i) {
      auto a = spawn_on(sut.at(i), relay, 0);
      caf::anon_send(a, text_atom::value, text);
      caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
    }
  });
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
