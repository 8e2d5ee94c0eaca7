#include <boost/test/unit_test.hpp>

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <chrono>
#include <thread>

#include "actors/gateway/client_socket.hpp"
#include "protocol/defaults.hpp"
#include "protocol/defaults_memory.hpp"
#include "tests/actors/gateway/served.hpp"

// When nothing more is read from a client.
namespace parley::test {

namespace {

using namespace std::chrono_literals;

void ask(peer& p, uint64_t number) {
  p.client.raw(send_bytes(number, "m" + std::to_string(number)));
  p.flush();
}

/// Nothing more is read from this client, on account of what it leaves unread
/// or of its worker; its first request has come.
void hold_back(served& s, peer& p, bool by_budget) {
  const std::string body(64 * 1024, 'x');
  if (!by_budget)
    // Beyond what the system takes, and no more than can be read in time.
    s.on(s.home(), [&] {
      for (uint64_t n = 1; n <= 24; ++n)
        s.sessions.link->send({n}, incoming("m", body));
    });
  ask(p, 1);
  BOOST_REQUIRE(eventually([&] { return s.sessions.requests == 1; }));
  if (by_budget)
    s.on(s.home(),
      [&] { *s.pending_bytes[s.home()] = defaults::worker_budget_bytes + 1; });
}

/// The worker has looked at all its sockets since.
void let_it_look(served& s) {
  for (int i = 0; i < 3; ++i) {
    auto p = s.connect(s.home());
    p.greet();
  }
}

/// Bytes that have come for this socket and were not read; below 0 once it is
/// closed.
int unread(int socket) {
  int n = 0;
  return ::ioctl(socket, FIONREAD, &n) == 0 ? n : -1;
}

BOOST_AUTO_TEST_SUITE(holding_back)

BOOST_AUTO_TEST_CASE(beyond_the_budget_of_its_worker_no_client_is_read_from) {
  served s;
  auto p = sign_in(s);
  auto& pending = *s.pending_bytes[s.home()];
  hold_back(s, p, true);
  ask(p, 2);
  // Strangers are let in meanwhile, and nothing of the client comes.
  let_it_look(s);
  BOOST_TEST(s.sessions.requests == 1);
  // A little less is not enough.
  s.on(s.home(), [&] { pending = defaults::worker_budget_low + 1; });
  let_it_look(s);
  BOOST_TEST(s.sessions.requests == 1);
  s.on(s.home(), [&] { pending = 0; });
  BOOST_TEST(eventually([&] { return s.sessions.requests == 2; }));
  ask(p, 3);
  BOOST_TEST(eventually([&] { return s.sessions.requests == 3; }));
}

BOOST_AUTO_TEST_CASE(who_does_not_read_is_not_read_from) {
  served s;
  auto p = sign_in(s);
  // More than the system takes in its place.
  const std::string body(64 * 1024, 'x');
  constexpr uint64_t count = 150;
  s.on(s.home(), [&] {
    for (uint64_t n = 1; n <= count; ++n)
      s.sessions.link->send({n}, incoming("m", body));
  });
  ask(p, 1);
  BOOST_REQUIRE(eventually([&] { return s.sessions.requests == 1; }));
  ask(p, 2);
  let_it_look(s);
  BOOST_TEST(s.sessions.requests == 1);
  // A typing notice would be the last of all that waits.
  s.on(s.home(), [&] {
    s.sessions.link->send(
      {}, typing_notice{address::parse("bob@example.org/phone").value()});
  });
  auto ims = [&] {
    return std::count_if(
      p.client.frames.begin(), p.client.frames.end(), [](const auto& x) {
        return std::holds_alternative<native::numbered_event>(x);
      });
  };
  BOOST_TEST(p.read_until([&] { return ims() >= long{count}; }));
  BOOST_TEST(ims() == long{count});
  BOOST_TEST(eventually([&] { return s.sessions.requests == 2; }));
  // Now there is room for one.
  s.on(s.home(), [&] {
    s.sessions.link->send(
      {}, typing_notice{address::parse("bob@example.org/phone").value()});
  });
  BOOST_TEST(p.read_until([&] { return ims() == long{count} + 1; }));
}

BOOST_AUTO_TEST_CASE(the_system_takes_little_for_who_does_not_read) {
  served s;
  auto p = sign_in(s);
  const std::string body(64 * 1024, 'x');
  constexpr uint64_t count = 150;
  uint64_t waits = 0;
  s.on(s.home(), [&] {
    for (uint64_t n = 1; n <= count; ++n)
      s.sessions.link->send({n}, incoming("m", body));
  });
  let_it_look(s);
  s.on(s.home(), [&] { waits = s.sessions.link->waits_to_be_written(); });
  // Most of it is what the peer's own system takes.
  BOOST_TEST(count * body.size() - waits < 1024u * 1024);
}

BOOST_AUTO_TEST_CASE(a_session_sends_ahead_of_its_client_so_far_and_goes_on) {
  served s;
  auto p = sign_in(s);
  const std::string body(64 * 1024, 'x');
  uint64_t sent = 0;
  // As sessions do, for as long as its socket takes it.
  auto send = [&] {
    s.on(s.home(), [&] {
      for (int i = 0; i < 1'000 && s.sessions.link->takes_events(); ++i)
        s.sessions.link->send({++sent}, incoming("m", body));
    });
  };
  uint64_t waits = 0;
  for (int i = 0; i < 200 && waits <= defaults::output_pause; ++i) {
    send();
    let_it_look(s);
    s.on(s.home(), [&] { waits = s.sessions.link->waits_to_be_written(); });
  }
  BOOST_TEST(waits > defaults::output_pause);
  BOOST_TEST(waits < defaults::output_pause + 2 * body.size());
  s.sessions.drained = 0;
  auto all = [&] {
    return static_cast<uint64_t>(
             std::count_if(p.client.frames.begin(), p.client.frames.end(),
               [](const auto& x) {
                 return std::holds_alternative<native::numbered_event>(x);
               }))
      == sent;
  };
  BOOST_TEST(p.read_until(all));
  BOOST_TEST(eventually([&] { return s.sessions.drained > 0; }));
}

BOOST_AUTO_TEST_CASE(one_that_is_held_back_can_be_closed) {
  for (const bool by_budget : {true, false}) {
    served s;
    auto p = sign_in(s);
    hold_back(s, p, by_budget);
    s.on(s.home(), [&] {
      s.sessions.link->close(failure{errc::kicked}, error_scope::session);
      *s.pending_bytes[s.home()] = 0;
    });
    BOOST_TEST((p.refusal().why.code == errc::kicked));
    BOOST_TEST(p.read_to_the_end());
    BOOST_TEST(s.sessions.requests == 1);
  }
}

BOOST_AUTO_TEST_CASE(until_its_session_has_taken_one_read_there_is_no_other) {
  served s;
  auto p = sign_in(s);
  s.sessions.takes_its_time = true;
  ask(p, 1);
  BOOST_REQUIRE(eventually([&] { return s.sessions.requests == 1; }));
  for (uint64_t n = 2; n < 10; ++n)
    ask(p, n);
  let_it_look(s);
  BOOST_TEST(s.sessions.requests == 1);
  s.sessions.takes_its_time = false;
  s.on(s.home(), [&] { s.sessions.link->handled(0); });
  BOOST_TEST(eventually([&] { return s.sessions.requests == 9; }));
}

BOOST_AUTO_TEST_CASE(who_says_much_is_read_behind_others) {
  served s;
  auto much = sign_in(s);
  const int socket = s.latest();
  constexpr int room = 1024 * 1024;
  BOOST_REQUIRE(
    ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)) == 0);
  link_ptr link;
  s.on(s.home(), [&] { link = s.sessions.link; });
  auto little = sign_in(s);
  // More than one read takes.
  s.sessions.takes_its_time = true;
  const std::string body(10'000, 'x');
  constexpr int count = 20;
  static_assert(count * 10'000 > client_socket::most_read_bytes);
  s.on(s.home(), [&] {
    for (uint64_t n = 1; n <= count; ++n)
      much.client.raw(send_bytes(n, "m" + std::to_string(n), body));
    much.flush();
    BOOST_TEST(eventually([&] { return unread(socket) > count * 10'000; }));
  });
  BOOST_REQUIRE(eventually([&] { return s.sessions.requests > 0; }));
  // The rest of it, and one of somebody else: both can be read now.
  constexpr uint64_t lone = 77;
  s.sessions.takes_its_time = false;
  s.on(s.home(), [&] {
    link->handled(0);
    link = nullptr;
    ask(little, lone);
  });
  std::vector<uint64_t> order;
  BOOST_REQUIRE(eventually([&] {
    s.on(s.home(), [&] { order = s.sessions.first_numbers; });
    return order.size() >= 3;
  }));
  BOOST_TEST(order[0] == 1u);
  BOOST_TEST(order[1] == lone);
}

BOOST_AUTO_TEST_CASE(who_begins_to_say_much_is_first_read_a_little) {
  served s;
  auto much = sign_in(s);
  const int socket = s.latest();
  auto little = sign_in(s);
  constexpr uint64_t lone = 77;
  s.on(s.home(), [&] {
    for (uint64_t n = 1; n <= 3; ++n)
      much.client.raw(
        send_bytes(n, "m" + std::to_string(n), std::string(8'000, 'x')));
    much.flush();
    BOOST_TEST(eventually([&] { return unread(socket) > 3 * 8'000; }));
    ask(little, lone);
    BOOST_TEST(eventually([&] { return unread(s.latest()) > 0; }));
  });
  std::vector<uint64_t> order;
  BOOST_REQUIRE(eventually([&] {
    s.on(s.home(), [&] { order = s.sessions.first_numbers; });
    return order.size() >= 2;
  }));
  BOOST_TEST(order[0] == lone);
}

BOOST_AUTO_TEST_CASE(who_said_much_a_while_ago_is_read_in_its_turn) {
  served s;
  auto much = sign_in(s);
  const int first = s.latest();
  link_ptr link;
  s.on(s.home(), [&] { link = s.sessions.link; });
  auto little = sign_in(s);
  const int second = s.latest();
  much.client.raw(send_bytes(1, "m1", std::string(20'000, 'x')));
  much.flush();
  BOOST_REQUIRE(eventually([&] { return s.sessions.requests == 1; }));
  s.on(s.home(), [&] {
    link->handled(0);
    link = nullptr;
  });
  std::this_thread::sleep_for(1'100ms);
  constexpr uint64_t before = 2;
  constexpr uint64_t lone = 77;
  s.on(s.home(), [&] {
    ask(much, before);
    BOOST_TEST(eventually([&] { return unread(first) > 0; }));
    ask(little, lone);
    BOOST_TEST(eventually([&] { return unread(second) > 0; }));
  });
  std::vector<uint64_t> order;
  BOOST_REQUIRE(eventually([&] {
    s.on(s.home(), [&] { order = s.sessions.first_numbers; });
    return order.size() >= 3;
  }));
  BOOST_TEST(order[1] == before);
  BOOST_TEST(order[2] == lone);
}

BOOST_AUTO_TEST_CASE(where_memory_is_short_the_largest_holder_is_held_back) {
  constexpr uint64_t bound = 64 * 1024 * 1024;
  served s{10, false, std::make_shared<memory_budget>(bound, 2)};
  auto p = sign_in(s);
  auto hold = [&](uint64_t bytes) {
    s.on(s.other(),
      [&] { s.budget->of(s.other())->set(held_for::retries, bytes); });
    let_it_look(s);
  };
  // The session holds a lot for it, of which it tells with each request.
  s.sessions.holds = bound / 16;
  ask(p, 1);
  BOOST_REQUIRE(eventually([&] { return s.sessions.requests == 1; }));
  ask(p, 2);
  BOOST_REQUIRE(eventually([&] { return s.sessions.requests == 2; }));
  // Half of what was free is gone: that is too much now.
  hold(bound / 2);
  BOOST_REQUIRE(eventually([&] { return s.budget->highest() >= bound / 2; }));
  // One read may bring several requests, and the books of others are looked at
  // now and then.
  int asked = 2;
  BOOST_REQUIRE(eventually([&] {
    const bool is_held = s.budget->reads_held_back > 0u;
    if (!is_held && s.sessions.requests == asked)
      ask(p, static_cast<uint64_t>(++asked));
    return is_held;
  }));
  ask(p, static_cast<uint64_t>(++asked));
  let_it_look(s);
  BOOST_TEST(s.sessions.requests < asked);
  // There is more again.
  hold(0);
  BOOST_TEST(eventually([&] { return s.sessions.requests == asked; }));
}

BOOST_AUTO_TEST_CASE(where_memory_is_short_a_frame_that_has_come_is_taken) {
  constexpr uint64_t bound = 64 * 1024 * 1024;
  served s{10, false, std::make_shared<memory_budget>(bound, 2)};
  auto p = sign_in(s);
  const int socket = s.latest();
  constexpr uint64_t most = bound - bound / 16;
  s.on(
    s.other(), [&] { s.budget->of(s.other())->set(held_for::retries, most); });
  s.on(s.home(), [&] { s.sockets[s.home()]->sweep(); });
  // It could not be held in part.
  const std::string body(31 * 1024, 'x');
  static_assert(31 * 1024 > defaults::budget_holder_floor);
  s.on(s.home(), [&] {
    p.client.raw(send_bytes(1, "m1", body));
    p.flush();
    BOOST_TEST(eventually([&] { return unread(socket) > 31 * 1024; }));
  });
  BOOST_TEST(eventually([&] { return s.sessions.requests == 1; }));
  BOOST_TEST(s.budget->reads_held_back == 0u);
}

BOOST_AUTO_TEST_CASE(where_memory_is_short_strangers_go_before_sessions) {
  constexpr uint64_t bound = 64 * 1024 * 1024;
  served s{10, false, std::make_shared<memory_budget>(bound, 2)};
  auto p = sign_in(s);
  auto stranger = s.connect(s.home());
  s.on(
    s.other(), [&] { s.budget->of(s.other())->set(held_for::retries, bound); });
  BOOST_REQUIRE(eventually([&] { return s.budget->highest() >= bound; }));
  int asked = 0;
  BOOST_REQUIRE(eventually([&] {
    if (s.budget->reads_held_back == 0u && s.sessions.requests == asked)
      ask(p, static_cast<uint64_t>(++asked));
    return s.budget->reads_held_back > 0u;
  }));
  BOOST_TEST((stranger.refusal().why.code == errc::overloaded));
  BOOST_TEST(s.budget->ended_sessions == 0u);
  s.on(s.other(), [&] { s.budget->of(s.other())->set(held_for::retries, 0); });
  ask(p, static_cast<uint64_t>(++asked));
  BOOST_TEST(eventually([&] { return s.sessions.requests == asked; }));
}

BOOST_AUTO_TEST_CASE(who_is_held_back_counts_once_however_often_it_has_less) {
  constexpr uint64_t bound = 64 * 1024 * 1024;
  served s{10, false, std::make_shared<memory_budget>(bound, 2)};
  auto p = sign_in(s);
  s.on(
    s.other(), [&] { s.budget->of(s.other())->set(held_for::retries, bound); });
  BOOST_REQUIRE(eventually([&] { return s.budget->highest() >= bound; }));
  int asked = 0;
  BOOST_REQUIRE(eventually([&] {
    if (s.budget->reads_held_back == 0u && s.sessions.requests == asked)
      ask(p, static_cast<uint64_t>(++asked));
    return s.budget->reads_held_back > 0u;
  }));
  uint64_t most = 0;
  auto has_less = [&] {
    s.on(s.home(), [&] {
      for (size_t i = 0; i < defaults::budget_ended_at_once; ++i)
        s.sessions.link->holds(bound);
      most = std::max(most, s.sockets[s.home()]->counts().held_back);
    });
  };
  // Until memory has been short for so long that it is closed.
  const auto end = std::chrono::steady_clock::now()
    + defaults::budget_retry_after + defaults::admin_patience;
  while (
    s.budget->ended_sessions == 0u && std::chrono::steady_clock::now() < end)
    has_less();
  BOOST_TEST(most == 1u);
  BOOST_TEST(s.budget->reads_held_back == 1u);
  BOOST_TEST(s.budget->ended_sessions == 1u);
}

BOOST_AUTO_TEST_CASE(where_memory_is_short_nobody_new_is_let_in) {
  constexpr uint64_t bound = 64 * 1024 * 1024;
  served s{10, false, std::make_shared<memory_budget>(bound, 2)};
  s.on(
    s.home(), [&] { s.budget->of(s.home())->set(held_for::retries, bound); });
  // Whoever looks at it.
  BOOST_REQUIRE(eventually([&] { return s.budget->highest() >= bound; }));
  auto p = s.connect(s.home());
  const auto& refused = p.refusal();
  BOOST_TEST((refused.why.code == errc::overloaded));
  BOOST_TEST((refused.why.retry_after == defaults::budget_retry_after));
  BOOST_TEST(s.budget->refused_connections == 1u);
}

BOOST_AUTO_TEST_CASE(who_has_said_nothing_yet_is_in_the_book) {
  constexpr uint64_t bound = 64 * 1024 * 1024;
  served s{10, true, std::make_shared<memory_budget>(bound, 2)};
  {
    const auto p = s.connect(s.home());
    BOOST_TEST(s.budget->total() >= defaults::tls_connection_bytes);
  }
  BOOST_TEST(eventually([&] { return s.budget->total() == 0; }));
}

BOOST_AUTO_TEST_CASE(what_connections_hold_is_given_back) {
  constexpr uint64_t bound = 64 * 1024 * 1024;
  served s{10, false, std::make_shared<memory_budget>(bound, 2)};
  {
    auto p = sign_in(s);
    const std::string body(64 * 1024, 'x');
    s.on(s.home(), [&] {
      for (uint64_t n = 1; n <= 150; ++n)
        s.sessions.link->send({n}, incoming("m", body));
    });
    BOOST_TEST(eventually([&] {
      return s.budget->by_kind()[static_cast<size_t>(held_for::outputs)]
        > body.size();
    }));
    s.on(s.home(), [&] { s.sessions.link = nullptr; });
  }
  BOOST_TEST(eventually([&] { return s.budget->total() == 0; }));
}

// Closing on unread bytes would take the last words from the client.
BOOST_AUTO_TEST_CASE(one_that_is_held_back_is_read_again_once_it_is_closed) {
  for (const bool by_budget : {true, false}) {
    served s;
    auto p = sign_in(s);
    hold_back(s, p, by_budget);
    const int socket = s.latest();
    ask(p, 2);
    BOOST_REQUIRE(eventually([&] { return unread(socket) > 0; }));
    // What it waits for does not come.
    s.on(s.home(), [&] {
      s.sessions.link->close(failure{errc::kicked}, error_scope::session);
    });
    BOOST_TEST((p.refusal().why.code == errc::kicked));
    let_it_look(s);
    BOOST_TEST(unread(socket) <= 0);
    BOOST_TEST(s.sessions.requests == 1);
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
