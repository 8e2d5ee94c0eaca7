#include "tests/actors/engine/cases.hpp"

#include "protocol/defaults.hpp"

// When sessions without connection end.
namespace parley::test {

namespace {

using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(resume_windows)

BOOST_AUTO_TEST_CASE(a_window_begins_with_each_loss_of_a_connection) {
  in_any_order([](engine& e) {
    auto& b = e.sign_in(bob, "phone");
    for (int i = 0; i < 4; ++i) {
      b.cut();
      e.advance(40s);
      b.resume();
      e.settle();
      BOOST_TEST(b.resumed);
    }
    e.advance(2min); // it is here
    BOOST_TEST(e.report(1).sessions.size() == 1u);
    b.cut();
    e.advance(55s);
    BOOST_TEST(e.report(1).sessions.size() == 1u);
    e.advance(7s);
    BOOST_TEST(e.report(1).sessions.empty());
  });
}

BOOST_AUTO_TEST_CASE(who_comes_and_goes_leaves_nothing_that_ends_others) {
  in_any_order([](engine& e) {
    auto& b = e.sign_in(bob, "phone");
    auto& other = e.sign_in(bob, "desk");
    other.cut();
    e.advance(1s);
    for (int i = 0; i < 20; ++i) {
      b.cut();
      e.settle();
      b.resume();
      e.settle();
    }
    BOOST_TEST(b.resumed);
    e.advance(62s);
    BOOST_TEST(b.is_in());
    BOOST_TEST(e.report(1).sessions.size() == 1u);
  });
}

BOOST_AUTO_TEST_CASE(sessions_that_are_lost_together_end_some_at_a_time) {
  constexpr size_t count = 2 * defaults::sessions_expired_at_once + 10;
  policy rules;
  rules.session_endpoints_max = count;
  engine e{1, rules};
  e.make_account(bob);
  std::vector<simulated_client*> all;
  for (size_t i = 0; i < count; ++i)
    all.push_back(&e.sign_in(bob, "e" + std::to_string(i)));
  for (auto* x : all)
    x->cut();
  e.settle();
  const auto left = [&] { return e.report(1).sessions.size(); };
  e.advance(59s);
  BOOST_TEST(left() == count);
  // As long as they are there they can be resumed.
  size_t looks = 0;
  for (auto before = left(); before > 0; ++looks) {
    e.advance(defaults::sweep_interval);
    const auto now = left();
    BOOST_REQUIRE(before - now <= defaults::sessions_expired_at_once);
    BOOST_REQUIRE(looks < 30);
    before = now;
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
