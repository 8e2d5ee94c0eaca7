#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdio>
#include <malloc.h>
#include <memory>
#include <string>
#include <vector>

#include "protocol/defaults.hpp"
#include "tests/protocol/connection_fixture.hpp"

using namespace parley;
using namespace parley::test;
using namespace std::chrono_literals;
using kind = dialogue::kind;

BOOST_AUTO_TEST_CASE(a_silent_connection_beats) {
  dialogue d;
  d.sign_in();
  const auto pings = [&] {
    d.to_client();
    return std::ranges::count_if(d.client.frames,
      [](const auto& x) { return std::holds_alternative<native::ping>(x); });
  };
  d.wait(59s);
  BOOST_TEST(pings() == 0);
  d.wait(1s + defaults::sweep_interval);
  BOOST_TEST(pings() == 1);
  d.client.say(native::pong{});
  d.pump();
  d.wait(59s);
  BOOST_TEST(pings() == 1);
  d.wait(2s);
  BOOST_TEST(pings() == 2);
  BOOST_TEST(!d.server->is_closed());
}

BOOST_AUTO_TEST_CASE(a_client_that_only_listens_is_asked_for_life) {
  dialogue d;
  d.sign_in();
  for (uint64_t i = 1; i <= 130; ++i) {
    d.server->send({i}, incoming("m" + std::to_string(i)));
    d.to_client();
    d.wait(1s);
  }
  const auto pings = std::ranges::count_if(d.client.frames,
    [](const auto& x) { return std::holds_alternative<native::ping>(x); });
  BOOST_TEST(pings == 2);
  d.wait(20s);
  BOOST_TEST(d.server->is_closed());
}

BOOST_AUTO_TEST_CASE(a_client_that_only_talks_hears_beats) {
  dialogue d;
  d.sign_in();
  for (int i = 0; i < 300; ++i) {
    d.client.say(native::ack{});
    d.pump();
    d.wait(1s);
    d.to_client();
  }
  const auto pings = std::ranges::count_if(d.client.frames,
    [](const auto& x) { return std::holds_alternative<native::ping>(x); });
  BOOST_TEST(pings >= 4);
  BOOST_TEST(pings <= 5);
  BOOST_TEST(!d.server->is_closed());
}

BOOST_AUTO_TEST_CASE(a_silent_peer_is_given_up_after_two_and_a_half_beats) {
  dialogue d;
  d.sign_in();
  d.wait(150s - 1ms);
  BOOST_TEST(!d.server->is_closed());
  d.wait(1ms);
  BOOST_TEST(d.server->is_closed());
  BOOST_TEST((d.owner.end->code == errc::timed_out));
  d.to_client();
  BOOST_TEST((d.client.refused().scope == error_scope::connection));
  BOOST_TEST((d.client.refused().why.code == errc::timed_out));
}

BOOST_AUTO_TEST_CASE(any_byte_counts_as_life) {
  dialogue d;
  d.sign_in();
  const auto bytes = send_bytes(1, std::string(100, 'i'));
  for (size_t i = 0; i + 1 < bytes.size(); ++i) {
    d.wait(149s);
    d.to_server({&bytes[i], 1});
    d.server->written(d.server->output().size());
  }
  BOOST_TEST(!d.server->is_closed());
}

BOOST_AUTO_TEST_CASE(the_beat_can_be_changed) {
  dialogue d;
  d.sign_in();
  d.server->heartbeat_changed(2s);
  d.wait(2s + defaults::sweep_interval);
  d.to_client();
  BOOST_TEST(d.client.last<native::ping>());
  d.wait(3s);
  BOOST_TEST(d.server->is_closed());

  // A client keeps to the beat that it was told.
  dialogue slower;
  slower.owner.grant.heartbeat = 2s;
  slower.sign_in();
  slower.server->heartbeat_changed(600s);
  const auto before = slower.client.frames.size();
  slower.wait(10s);
  slower.to_client();
  BOOST_TEST(slower.client.frames.size() >= before + 4);
  BOOST_TEST(!slower.server->is_closed());
}

BOOST_AUTO_TEST_CASE(no_beat_where_none_was_granted) {
  dialogue d;
  d.owner.grant.heartbeat = 0s;
  d.sign_in();
  d.wait(1000s);
  BOOST_TEST(!d.server->is_closed());
  BOOST_TEST(d.server->output().empty());
}

BOOST_AUTO_TEST_CASE(silence_while_the_owner_does_not_read_is_not_the_peers) {
  dialogue d;
  d.sign_in();
  d.wait(100s);
  d.server->reading(false);
  d.wait(1000s);
  BOOST_TEST(!d.server->is_closed());
  // It still beats, for the client's sake.
  d.to_client();
  BOOST_TEST(d.client.last<native::ping>());
  d.server->reading(true);
  d.wait(150s - 1ms);
  BOOST_TEST(!d.server->is_closed());
  d.wait(1ms);
  BOOST_TEST(d.server->is_closed());
}

BOOST_AUTO_TEST_CASE(a_peer_lives_that_takes_some_of_much_output) {
  dialogue d;
  d.sign_in();
  uint64_t n = 0;
  while (d.server->output_waiting() <= 4 * defaults::output_pause)
    d.server->send({++n}, incoming("m", std::string(30'000, 'x')));
  // Its owner reads nothing from it meanwhile, as an answer to a probe.
  for (int i = 0; i < 10; ++i) {
    d.wait(100s);
    d.server->probe(5s, d.now);
    d.wait(4s);
    d.server->written(1'000);
    d.wait(4s);
    BOOST_TEST(!d.server->is_closed());
  }
  d.wait(150s);
  BOOST_TEST(d.server->is_closed());
  BOOST_TEST((d.owner.end->code == errc::slow_consumer));
}

BOOST_AUTO_TEST_CASE(taking_little_output_is_no_sign_of_life) {
  dialogue d;
  d.sign_in();
  for (uint64_t n = 1; n <= 150; ++n) {
    d.server->send({n}, incoming("m"));
    d.server->written(d.server->output().size());
    d.wait(1s);
  }
  BOOST_TEST(d.server->is_closed());
  BOOST_TEST((d.owner.end->code == errc::timed_out));
}

BOOST_AUTO_TEST_CASE(a_probe_must_be_answered_in_time) {
  for (const bool answered : {false, true}) {
    dialogue d;
    d.sign_in();
    d.wait(1s);
    d.server->probe(5s, d.now);
    d.to_client();
    BOOST_TEST(d.client.last<native::ping>());
    d.wait(3s);
    // A second one does not give more time.
    d.server->probe(5s, d.now);
    if (answered) {
      d.client.say(native::pong{});
      d.pump();
    }
    d.wait(2s - 1ms);
    BOOST_TEST(!d.server->is_closed());
    d.wait(1ms);
    BOOST_TEST(d.server->is_closed() == !answered);
    if (!answered)
      BOOST_TEST((d.owner.end->code == errc::timed_out));
    d.wait(20s);
    BOOST_TEST(d.server->is_closed() == !answered);
  }
}

// -- memory -------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(an_idle_connection_holds_no_buffers) {
  constexpr size_t count = 500;
  constexpr size_t plain_bytes_max = 600;
  fake_owner owner;
  const auto config = [] {
    dialogue d;
    return d.config;
  }();
  std::vector<std::unique_ptr<dialogue>> all;
  // All of a dialogue but its connection.
  for (size_t i = 0; i < count; ++i) {
    all.push_back(std::make_unique<dialogue>());
    all.back()->sign_in();
    for (uint64_t n = 1; n <= 10; ++n) {
      all.back()->server->send({n}, incoming("m", std::string(9'000, 'x')));
      all.back()->client.raw(send_bytes(n, "m", std::string(9'000, 'x')));
      all.back()->pump(1'000);
    }
  }
  const auto told = all.front()->server->memory();
  const auto before = mallinfo2().uordblks;
  for (auto& d : all)
    d->server.reset();
  const auto each = (before - mallinfo2().uordblks) / count;
  std::printf("an idle plain connection: %zu bytes, said to be %zu\n", each,
    told + sizeof(connection));
  BOOST_TEST(told + sizeof(connection) < plain_bytes_max);
  // A sanitizer's allocator is not asked.
  if (before > 0)
    BOOST_TEST(each < plain_bytes_max);
}

BOOST_AUTO_TEST_CASE(memory_tells_what_waits) {
  dialogue d;
  d.sign_in();
  const auto idle = d.server->memory();
  d.server->send({1}, incoming("m", std::string(100'000, 'x')));
  BOOST_TEST(d.server->memory() >= idle + 100'000);
  d.server->written(d.server->output().size());
  BOOST_TEST(d.server->memory() == idle);
  const auto bytes = send_bytes(1, "m", std::string(50'000, 'x'));
  d.to_server(std::string_view{bytes}.substr(0, 40'000));
  BOOST_TEST(d.server->memory() >= idle + 40'000);
  d.to_server(std::string_view{bytes}.substr(40'000));
  BOOST_TEST(d.server->memory() <= idle + 60'000);
  d.to_server(send_bytes(2, "n"));
  BOOST_TEST(d.server->memory() == idle);
  dialogue secure{kind::tls};
  secure.sign_in();
  BOOST_TEST(secure.server->memory() >= idle + defaults::tls_connection_bytes);
}
