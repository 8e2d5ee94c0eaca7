#include "tests/actors/engine/engine.hpp"

#include "protocol/defaults.hpp"

// What one client can make the server, or another client, bear.
namespace parley::test {

namespace {

using namespace std::chrono_literals;
using habit = simulated_client::habit;

const std::string alice = engine::name_on(0);
const std::string bob = engine::name_on(1);

BOOST_AUTO_TEST_SUITE(bounds)

BOOST_AUTO_TEST_CASE(who_types_without_end_is_heard_now_and_then) {
  engine e{1};
  e.make_account(alice);
  e.make_account(bob);
  auto& a = e.sign_in(alice, "desk");
  auto& b = e.sign_in(bob, "phone");
  for (int i = 0; i < 1'000; ++i)
    a.type(bob);
  e.settle();
  BOOST_TEST(b.typings == static_cast<size_t>(defaults::typing_burst));
  e.advance(1s);
  for (int i = 0; i < 1'000; ++i)
    a.type(bob);
  e.settle();
  BOOST_TEST(b.typings
    == static_cast<size_t>(
      defaults::typing_burst + defaults::typing_per_second));
}

BOOST_AUTO_TEST_CASE(receipts_that_nobody_takes_are_bounded) {
  engine e{1};
  e.make_account(alice);
  auto& a = e.sign_in(alice, "desk");
  a.acknowledging = habit::silent;
  session_output many;
  many.what.resize(3 * defaults::receipts_max, event{receipt{}});
  caf::anon_send(a.session(), many);
  e.settle();
  BOOST_TEST(a.receipts == defaults::receipts_max);
  a.cut();
  e.settle();
  a.resume();
  e.settle();
  BOOST_TEST(a.resumed);
  a.acknowledge();
  caf::anon_send(a.session(), many);
  e.settle();
  BOOST_TEST(a.receipts >= 2 * defaults::receipts_max);
}

BOOST_AUTO_TEST_CASE(a_narrower_window_costs_no_session) {
  engine e{1};
  e.make_account(alice);
  e.make_account(bob);
  auto& a = e.sign_in(alice, "desk");
  e.hold_writes();
  for (int i = 0; i < 40; ++i)
    a.send(bob); // nobody is there: they wait for the disk
  e.settle();
  e.set("session.buffer", "5");
  auto late = a.send(bob);
  e.settle();
  BOOST_TEST(a.is_in());
  BOOST_TEST(a.outcome_of(late) == "window_exceeded");
  e.let_writes_go();
  BOOST_TEST(a.is_in());
  BOOST_TEST(e.on_disk(bob).size() == 40u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
