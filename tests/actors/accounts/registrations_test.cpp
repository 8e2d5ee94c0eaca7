#include "actors/accounts/registrations.hpp"

#include <boost/test/unit_test.hpp>

#include "protocol/defaults.hpp"

using namespace parley;
using namespace std::chrono_literals;

namespace {

const registrations::time_point start{1000h};

user_address user(size_t n) {
  return *user_address::parse("u" + std::to_string(n) + "@example.org");
}

errc code_of(const std::optional<failure>& x) {
  return x ? x->code : errc::none;
}

/// Tries and ends it.
errc code_of_try(registrations& x, size_t n, const std::string& source,
  registrations::time_point now) {
  const auto code = code_of(x.begin(user(n), source, now));
  if (code == errc::none)
    x.end(user(n));
  return code;
}

} // namespace

BOOST_AUTO_TEST_SUITE(accounts_of_strangers)

BOOST_AUTO_TEST_CASE(a_source_has_so_many_tries_in_a_time) {
  registrations x;
  constexpr auto max = defaults::registrations_per_source;
  for (size_t i = 0; i < max; ++i)
    BOOST_TEST((code_of_try(x, i, "a", start + i * 1min) == errc::none));
  const auto why = x.begin(user(max), "a", start + 10min);
  BOOST_REQUIRE((code_of(why) == errc::rate_limited));
  BOOST_TEST((why->retry_after == 50min));
  BOOST_TEST((code_of_try(x, max, "b", start + 10min) == errc::none));
  // One place is free, not all.
  BOOST_TEST((code_of_try(x, max, "a", start + 1h) == errc::none));
  BOOST_TEST((code_of_try(x, max, "a", start + 1h) == errc::rate_limited));
}

BOOST_AUTO_TEST_CASE(a_name_is_made_once_at_a_time) {
  registrations x;
  BOOST_TEST((code_of(x.begin(user(1), "a", start)) == errc::none));
  BOOST_TEST((code_of(x.begin(user(1), "b", start)) == errc::exists));
  BOOST_TEST((code_of(x.begin(user(2), "b", start)) == errc::none));
  x.end(user(1));
  BOOST_TEST((code_of(x.begin(user(1), "b", start)) == errc::none));
}

BOOST_AUTO_TEST_CASE(sources_are_bounded_and_forgotten) {
  registrations x;
  const auto max = defaults::registration_sources_max;
  for (size_t i = 0; i < max; ++i)
    BOOST_REQUIRE((code_of_try(x, i, std::to_string(i), start) == errc::none));
  BOOST_TEST((code_of_try(x, 0, "more", start) == errc::overloaded));
  BOOST_TEST((code_of_try(x, 0, "1", start) == errc::none));
  BOOST_TEST(x.sources() == max);
  BOOST_TEST((code_of_try(x, 0, "more", start + 1h) == errc::none));
  BOOST_TEST(x.sources() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
