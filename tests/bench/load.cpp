#include <memory>
#include <string>

#include <boost/test/unit_test.hpp>

#include "bench/broadcast_load.hpp"
#include "bench/im_load.hpp"
#include "tests/bench/running_relay.hpp"

using namespace parley::bench;

BOOST_AUTO_TEST_SUITE(loads)

namespace {

/// All that a load behind a relay needs.
struct fixture {
  explicit fixture(uint32_t group) : peer(group) {
    to.address =
      loopback_address::parse("127.0.0.1:" + std::to_string(peer.port()))
        .value();
    to.relay = true;
  }

  /// Runs a load until it sent something, and returns how many copies came.
  template <class Load>
  uint64_t run(Load& load) {
    BOOST_REQUIRE(load.open());
    load.start();
    for (int i = 0; i < 100 && load.counts().copies < 100; ++i)
      load.run(0.05);
    load.settle();
    load.finish();
    for (const auto& line : faults.lines())
      BOOST_ERROR(line);
    BOOST_TEST(load.counts().stored == 0u);
    return load.counts().copies;
  }

  running_relay peer;
  event_loop loop;
  target to;
  user_names names;
  corpus bodies{std::nullopt, 1};
  id_maker ids{1};
  fault_log faults;
};

} // namespace

BOOST_AUTO_TEST_CASE(closed_loops_run_without_a_fault) {
  for (const auto kind : {traffic::one_way, traffic::both, traffic::ping_pong})
    for (const uint32_t window : {1, 16}) {
      fixture f{2};
      im_load load{f.loop, f.to,
        {.kind = kind, .pairs = 3, .window = window, .rate = {}}, f.names,
        f.bodies, f.ids, f.faults};
      BOOST_TEST(f.run(load) >= 100u);
      BOOST_TEST(load.counts().delivered == load.sent());
      BOOST_TEST(load.counts().copies == load.sent());
      BOOST_TEST(load.counts().outcome.count() == load.sent());
    }
}

BOOST_AUTO_TEST_CASE(an_open_loop_sends_what_is_due) {
  fixture f{2};
  im_load load{f.loop, f.to, {.pairs = 2, .window = 64, .rate = 5000.0},
    f.names, f.bodies, f.ids, f.faults};
  BOOST_TEST(f.run(load) >= 100u);
  BOOST_TEST(load.counts().delivered == load.sent());
}

BOOST_AUTO_TEST_CASE(every_endpoint_gets_what_forks) {
  fixture f{4};
  im_load load{f.loop, f.to,
    {.kind = traffic::one_way,
      .pairs = 2,
      .endpoints = 3,
      .window = 4,
      .rate = {}},
    f.names, f.bodies, f.ids, f.faults};
  BOOST_TEST(f.run(load) >= 100u);
  BOOST_TEST(load.counts().copies == 3 * load.sent());
}

BOOST_AUTO_TEST_CASE(a_broadcast_reaches_all) {
  fixture f{6};
  broadcast_load load{f.loop, f.to, 5, 4, f.names, f.bodies, f.ids, f.faults};
  BOOST_TEST(f.run(load) >= 100u);
  BOOST_TEST(load.counts().copies == load.counts().delivered);
}

BOOST_AUTO_TEST_CASE(a_broken_connection_is_a_fault) {
  auto peer = std::make_unique<running_relay>(2);
  fixture f{2};
  f.to.address =
    loopback_address::parse("127.0.0.1:" + std::to_string(peer->port()))
      .value();
  im_load load{f.loop, f.to, {.pairs = 1, .window = 1, .rate = {}}, f.names,
    f.bodies, f.ids, f.faults};
  BOOST_REQUIRE(load.open());
  load.start();
  load.run(0.05);
  peer.reset();
  load.run(5);
  BOOST_TEST(f.faults.count(fault_kind::connection) == 1u);
}

BOOST_AUTO_TEST_CASE(frames_that_are_lost_are_noticed) {
  // Groups of three, of which the checker knows two: the third one's IMs come
  // to somebody else.
  fixture f{3};
  im_load load{f.loop, f.to,
    {.kind = traffic::one_way,
      .pairs = 3,
      .endpoints = 1,
      .window = 1,
      .rate = {}},
    f.names, f.bodies, f.ids, f.faults};
  BOOST_REQUIRE(load.open());
  load.start();
  load.run(0.3);
  load.finish();
  BOOST_TEST(f.faults.total() > 0u);
}

BOOST_AUTO_TEST_SUITE_END()
