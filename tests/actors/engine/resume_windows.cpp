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

BOOST_AUTO_TEST_CASE(sessions_that_are_lost_together_all_end) {
  constexpr size_t count = 100 * defaults::sessions_expired_at_once + 1;
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
  all.front()->resume();
  e.advance(59s);
  BOOST_TEST(e.report(1).sessions.size() == count);
  e.advance(2s);
  BOOST_TEST(e.report(1).sessions.size() == 1u);
  BOOST_TEST(all.front()->is_in());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
