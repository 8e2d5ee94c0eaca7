#include <boost/test/unit_test.hpp>

#include "protocol/defaults.hpp"
#include "tests/actors/gateway/served.hpp"

// The way to a session, as far as the gateway has a word in it.
namespace parley::test {

namespace {

using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(signing_in)

BOOST_AUTO_TEST_CASE(a_password_is_checked_and_lets_in) {
  served s{10, true};
  auto p = s.connect(s.home());
  p.begin_sign_in("PLAIN");
  BOOST_TEST(p.read_until(
    [&] { return p.client.last<native::session_started>() != nullptr; }));
  BOOST_TEST(s.line->size() == 0u);
}

BOOST_AUTO_TEST_CASE(where_too_many_passwords_wait_one_more_is_refused) {
  served s{1, true};
  BOOST_REQUIRE(s.line->enter(999'999));
  auto p = s.connect(s.home());
  p.begin_sign_in("PLAIN");
  const auto said = p.refusal();
  BOOST_TEST((said.why.code == errc::overloaded));
  BOOST_TEST((said.scope == error_scope::request));
  BOOST_TEST((said.why.retry_after == defaults::password_retry_after));
  // It may come again, and costs nothing but time.
  BOOST_TEST(s.line->claim(999'999));
  p.client.authenticate("PLAIN", alice, alices_password);
  BOOST_TEST(p.read_until(
    [&] { return p.client.last<native::session_started>() != nullptr; }));
}

BOOST_AUTO_TEST_CASE(who_fails_on_is_told_when_to_come_again) {
  served s;
  for (uint32_t i = 1; i <= defaults::free_failures; ++i) {
    auto p = s.connect(s.home());
    p.greet();
    p.client.authenticate("SCRAM-SHA-256", alice, "wrong");
    BOOST_REQUIRE(p.read_until(
      [&] { return p.client.last<native::sasl_challenge>() != nullptr; }));
    p.finish_sign_in();
    const auto& said = p.refusal();
    BOOST_TEST((said.why.code == errc::authentication_failed));
    // Unless the half second is over already.
    if (i == defaults::free_failures && said.why.retry_after)
      BOOST_TEST((*said.why.retry_after <= defaults::failure_delay_first));
    else
      BOOST_TEST(!said.why.retry_after.has_value());
  }
}

BOOST_AUTO_TEST_CASE(who_leaves_while_its_password_waits_has_failed) {
  served s{10, true, nullptr, hashing::stalled};
  {
    auto p = s.connect(s.home());
    p.begin_sign_in("PLAIN");
    BOOST_REQUIRE(eventually([&] { return s.line->size() == 1; }));
    BOOST_TEST(s.tries().wrong == 0u);
  }
  BOOST_TEST(eventually([&] { return s.tries().wrong == 1; }));
  BOOST_TEST(s.tries().undecided == 0u);
}

BOOST_AUTO_TEST_CASE(strangers_are_not_told_what_ails_the_store) {
  for (auto code :
    {errc::store_corrupt, errc::store_failed, errc::store_unavailable}) {
    served s;
    s.trouble = failure{code, "alice@example.org is damaged in 000012.sst"};
    auto p = s.connect(s.home());
    p.greet();
    p.client.authenticate("SCRAM-SHA-256", alice, alices_password);
    const auto& said = p.refusal();
    BOOST_TEST((said.why.code == errc::store_unavailable));
    BOOST_TEST(said.why.text == "the server cannot read its accounts");
    // It is not the client's failure.
    BOOST_TEST(eventually([&] { return s.tries().undecided == 1; }));
    BOOST_TEST(s.tries().wrong == 0u);
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
