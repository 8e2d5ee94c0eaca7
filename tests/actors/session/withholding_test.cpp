#include "actors/session/withholding.hpp"

#include <boost/test/unit_test.hpp>

namespace parley::test {

namespace {

/// What a client is told of an IM that was refused so, alone and of many.
errc told_of_im(errc why) {
  answer one{1, outcome{outcome::kind::rejected, failure{why, "bob's file"}}};
  withhold(one);
  broadcast_outcomes all;
  all.outcomes.push_back(
    {"bob", {outcome::kind::rejected, failure{why, "a file"}}});
  answer many{1, std::move(all)};
  withhold(many);
  auto& first = std::get<outcome>(one.what).why;
  auto& second = std::get<broadcast_outcomes>(many.what).outcomes[0].what.why;
  BOOST_TEST((first.code == second.code));
  BOOST_TEST(first.text == second.text);
  BOOST_TEST(first.text.find("file") == std::string::npos);
  return first.code;
}

errc told_of_request(errc why) {
  answer one{1, failure{why, "bob's file"}};
  withhold(one);
  auto& told = std::get<failure>(one.what);
  BOOST_TEST(told.text.find("file") == std::string::npos);
  return told.code;
}

BOOST_AUTO_TEST_SUITE(withholding)

BOOST_AUTO_TEST_CASE(an_im_is_said_to_be_nowhere_only_if_it_is) {
  BOOST_TEST((told_of_im(errc::store_failed) == errc::store_failed));
  BOOST_TEST((told_of_im(errc::store_corrupt) == errc::store_failed));
  BOOST_TEST((told_of_im(errc::store_unavailable) == errc::store_unavailable));
}

BOOST_AUTO_TEST_CASE(a_request_is_told_whether_it_was_writing_that_failed) {
  BOOST_TEST((told_of_request(errc::store_failed) == errc::store_failed));
  for (auto why : {errc::store_corrupt, errc::store_unavailable})
    BOOST_TEST((told_of_request(why) == errc::store_unavailable));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
