#include "actors/router/changed_documents.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace parley::test::changed {

namespace {

const auto alice = user_address::from_prepared("alice@example.org");
const auto bob = user_address::from_prepared("bob@example.org");

BOOST_AUTO_TEST_SUITE(documents_changed)

BOOST_AUTO_TEST_CASE(what_changed_after_a_reading_is_known) {
  changed_documents x;
  const auto first = x.last();
  BOOST_TEST(first != 0u);
  BOOST_TEST(!x.may_have_changed(alice, "c", first));
  x.add(alice, "c");
  const auto second = x.last();
  BOOST_TEST(x.may_have_changed(alice, "c", first));
  BOOST_TEST(!x.may_have_changed(alice, "d", first));
  BOOST_TEST(!x.may_have_changed(bob, "c", first));
  BOOST_TEST(!x.may_have_changed(alice, "c", second));
}

BOOST_AUTO_TEST_CASE(many_changes_of_others_mean_little) {
  changed_documents x;
  const auto first = x.last();
  for (int i = 0; i < 300; ++i)
    x.add(bob, std::to_string(i));
  int doubted = 0;
  for (int i = 0; i < 1'000; ++i)
    doubted += x.may_have_changed(alice, std::to_string(i), first);
  BOOST_TEST(doubted < 200);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test::changed
