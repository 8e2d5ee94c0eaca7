#include <boost/test/unit_test.hpp>

#include "tests/client/simulation.hpp"

using namespace parley;
using namespace parley::test;
using namespace std::chrono_literals;

namespace {

/// Bob acknowledges by hand, and alice has sent him three IMs.
struct careful_bob : simulation {
  test_user& alice = add("alice", 1);
  test_user& bob = add("bob", 2, acknowledging::manual);

  careful_bob() {
    wait(200ms);
    for (int i = 0; i < 3; ++i)
      alice.send("bob@example.org", "x");
    settle();
  }
};

} // namespace

BOOST_AUTO_TEST_CASE(nothing_is_delivered_before_its_owner_says_so) {
  careful_bob x;
  BOOST_TEST(x.bob.messages.size() == 3u);
  BOOST_TEST(x.alice.outcomes.empty());
  x.bob.core.acknowledge(x.bob.messages[1].ticket);
  x.settle();
  BOOST_TEST(x.alice.outcomes.empty());
  x.bob.core.acknowledge(x.bob.messages[0].ticket);
  x.settle();
  BOOST_TEST(x.alice.outcomes.size() == 2u);
}

BOOST_AUTO_TEST_CASE(answers_before_the_first_held_im_are_acknowledged) {
  simulation x;
  x.server.add_account("carol@example.org");
  auto& bob = x.add("bob", 2, acknowledging::manual);
  x.wait(200ms);
  for (int i = 0; i < 50; ++i)
    bob.send("carol@example.org", "x");
  x.settle();
  BOOST_TEST(bob.outcomes.size() == 50u);
}

BOOST_AUTO_TEST_CASE(a_resume_does_not_acknowledge_what_is_held) {
  careful_bob x;
  x.bob.cut();
  x.wait(2s);
  BOOST_TEST(x.bob.readies.back().second);
  BOOST_TEST(x.bob.messages.size() == 3u);
  BOOST_TEST(x.alice.outcomes.empty());
  for (auto& y : x.bob.messages)
    x.bob.core.acknowledge(y.ticket);
  x.settle();
  BOOST_TEST(x.alice.outcomes.size() == 3u);
}

BOOST_AUTO_TEST_CASE(held_ims_of_an_ended_session_wait_for_the_same_word) {
  careful_bob x;
  x.server.end_sessions("bob@example.org", errc::expired);
  x.wait(2s);
  BOOST_TEST(!x.bob.readies.back().second);
  // Offered again, not shown again, not acknowledged.
  BOOST_TEST(x.bob.messages.size() == 3u);
  x.server.end_sessions("bob@example.org", errc::expired);
  x.wait(2s);
  x.bob.core.acknowledge(x.bob.messages[0].ticket);
  x.bob.core.acknowledge(x.bob.messages[1].ticket);
  x.settle();
  x.server.end_sessions("bob@example.org", errc::expired);
  x.wait(2s);
  x.alice.send("bob@example.org", "next");
  x.settle();
  BOOST_TEST(x.bob.messages.size() == 4u);
}

BOOST_AUTO_TEST_CASE(who_acknowledges_nothing_can_still_sign_out) {
  careful_bob x;
  x.server.add_account("carol@example.org");
  BOOST_TEST(!x.bob.core.is_held_back());
  for (int i = 0; i < 50; ++i)
    x.bob.send("carol@example.org", "x");
  x.settle();
  // The window is full of answers behind an IM that is held.
  BOOST_TEST(x.bob.outcomes.size() == 5u);
  BOOST_TEST(x.bob.core.is_held_back());
  x.bob.core.sign_out(leaving::at_once);
  x.settle();
  BOOST_TEST(x.bob.ends.size() == 1u);
  BOOST_TEST((x.bob.ends.front().code == errc::signed_out));
  // What was passed over is still known.
  BOOST_TEST(x.bob.core.open_ims().size() == 45u);
  BOOST_TEST(x.server.violations == 0u);
}

BOOST_AUTO_TEST_CASE(a_sign_out_at_once_survives_a_broken_connection) {
  for (bool arrived : {true, false}) {
    careful_bob x;
    x.server.add_account("carol@example.org");
    for (int i = 0; i < 50; ++i)
      x.bob.send("carol@example.org", "x");
    x.settle();
    x.bob.core.sign_out(leaving::at_once);
    if (arrived)
      x.bob.to_server(SIZE_MAX);
    x.bob.cut();
    x.wait(2s);
    BOOST_TEST(x.bob.ends.size() == 1u);
    BOOST_TEST((x.bob.ends.front().code == errc::signed_out));
  }
}
