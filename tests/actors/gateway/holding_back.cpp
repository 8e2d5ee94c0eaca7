#include <boost/test/unit_test.hpp>

#include "protocol/defaults.hpp"
#include "tests/actors/gateway/served.hpp"

// When nothing more is read from a client.
namespace parley::test {

namespace {

using namespace std::chrono_literals;

/// A client in its session.
peer sign_in(served& s) {
  auto p = s.connect(s.home());
  p.begin_sign_in();
  p.finish_sign_in();
  BOOST_REQUIRE(p.read_until(
    [&] { return p.client.last<native::session_started>() != nullptr; }));
  return p;
}

void ask(peer& p, uint64_t number) {
  p.client.raw(send_bytes(number, "m" + std::to_string(number)));
  p.flush();
}

/// The worker has looked at all its sockets since.
void let_it_look(served& s) {
  for (int i = 0; i < 3; ++i) {
    auto p = s.connect(s.home());
    p.greet();
  }
}

BOOST_AUTO_TEST_SUITE(holding_back)

BOOST_AUTO_TEST_CASE(beyond_the_budget_of_its_worker_no_client_is_read_from) {
  served s;
  auto p = sign_in(s);
  auto& pending = *s.pending_bytes[s.home()];
  s.on(s.home(), [&] { pending = defaults::worker_budget_bytes + 1; });
  // What is there already comes in one more read.
  ask(p, 1);
  BOOST_REQUIRE(eventually([&] { return s.sessions.requests == 1; }));
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

BOOST_AUTO_TEST_CASE(one_that_is_held_back_can_be_closed) {
  for (const bool by_budget : {true, false}) {
    served s;
    auto p = sign_in(s);
    const std::string body(64 * 1024, 'x');
    s.on(s.home(), [&] {
      if (by_budget)
        *s.pending_bytes[s.home()] = defaults::worker_budget_bytes + 1;
      else
        for (uint64_t n = 1; n <= 150; ++n)
          s.sessions.link->send({n}, incoming("m", body));
    });
    ask(p, 1);
    BOOST_REQUIRE(eventually([&] { return s.sessions.requests == 1; }));
    s.on(s.home(), [&] {
      s.sessions.link->close(failure{errc::kicked}, error_scope::session);
      *s.pending_bytes[s.home()] = 0;
    });
    BOOST_TEST((p.refusal().why.code == errc::kicked));
    BOOST_TEST(p.read_to_the_end());
    BOOST_TEST(s.sessions.requests == 1);
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
