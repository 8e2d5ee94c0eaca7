#include "actors/accounts/password_line.hpp"

#include <boost/test/unit_test.hpp>

#include "actors/accounts/password.hpp"
#include "actors/runtime/seldom.hpp"
#include "actors/types.hpp"
#include "protocol/scram_keys.hpp"
#include "tests/support/deterministic.hpp"

namespace parley::test {

namespace {

using namespace std::chrono_literals;

using listener_actor = caf::typed_actor<caf::reacts_to<password_checked>>;

struct listener_state {
  listener_state() {}
  static inline const char* name = "listener";
};

listener_actor::behavior_type listen(
  listener_actor::stateful_pointer<listener_state>,
  std::vector<password_checked>* heard) {
  return {[heard](const password_checked& x) { heard->push_back(x); }};
}

BOOST_AUTO_TEST_SUITE(passwords)

BOOST_AUTO_TEST_CASE(the_line_is_bounded_and_those_who_left_keep_their_place) {
  password_line line{3};
  BOOST_TEST(line.enter(1));
  BOOST_TEST(line.enter(2));
  BOOST_TEST(line.enter(3));
  BOOST_TEST(!line.enter(4));
  line.leave(2);
  line.leave(77);
  // It is still in the mailbox.
  BOOST_TEST(!line.enter(4));
  BOOST_TEST(line.claim(1));
  BOOST_TEST(!line.claim(2));
  BOOST_TEST(line.size() == 1u);
  BOOST_TEST(line.enter(4));
  BOOST_TEST(line.claim(3));
  BOOST_TEST(line.claim(4));
  BOOST_TEST(line.size() == 0u);
}

BOOST_AUTO_TEST_CASE(what_nobody_waits_for_is_not_hashed) {
  deterministic_system d{1, [](auto& cfg) { add_message_types(cfg); }};
  auto line = std::make_shared<password_line>(10);
  std::vector<password_checked> heard;
  auto checker = d.spawn(password, 1u, line);
  auto gateway = d.spawn(listen, &heard);
  auto keys = derive_keys("pencil", 1).value();
  for (uint64_t ticket : {1, 2, 3}) {
    BOOST_REQUIRE(line->enter(ticket));
    caf::anon_send(checker, std::string{ticket == 3 ? "pen" : "pencil"}, keys,
      ticket, gateway);
  }
  line->leave(1);
  d.settle();
  BOOST_REQUIRE(heard.size() == 2u);
  BOOST_TEST(heard[0].ticket == 2u);
  BOOST_TEST(heard[0].fits);
  BOOST_TEST(heard[1].ticket == 3u);
  BOOST_TEST(!heard[1].fits);
  BOOST_TEST(line->size() == 0u);
}

BOOST_AUTO_TEST_CASE(seldom_lets_one_pass_and_counts_the_rest) {
  using time_point = seldom::time_point;
  constexpr time_point start{1h};
  seldom log{1s};
  BOOST_TEST(log.pass(start).value() == 0u);
  for (int i = 0; i < 10; ++i)
    BOOST_TEST(!log.pass(start + 999ms).has_value());
  BOOST_TEST(log.rest(start + 999ms) == 0u);
  BOOST_TEST(log.pass(start + 1s).value() == 10u);
  BOOST_TEST(!log.pass(start + 1s).has_value());
  BOOST_TEST(log.rest(start + 2s) == 1u);
  BOOST_TEST(log.rest(start + 2s) == 0u);
  BOOST_TEST(log.pass(start + 2s).value() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
