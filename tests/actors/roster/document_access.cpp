#include <boost/test/unit_test.hpp>

#include "actors/roster/document_access.hpp"

using namespace parley;

namespace {

const auto owner = user_address::from_prepared("owner@example.org");
const auto other = user_address::from_prepared("other@example.org");
constexpr readers all[] = {
  readers::owner, readers::watchers, readers::everybody};

} // namespace

BOOST_AUTO_TEST_SUITE(document_access)

BOOST_AUTO_TEST_CASE(the_owner_reads_everything_whatever_its_privacy_says) {
  acquaintance with;
  with.privacy.block = {owner};
  for (auto x : all)
    BOOST_TEST(may_read(x, owner, owner, with));
}

BOOST_AUTO_TEST_CASE(a_stranger_reads_what_is_for_everybody_alone) {
  BOOST_TEST(!may_read(readers::owner, owner, other, {}));
  BOOST_TEST(!may_read(readers::watchers, owner, other, {}));
  BOOST_TEST(may_read(readers::everybody, owner, other, {}));
}

BOOST_AUTO_TEST_CASE(who_watches_reads_all_but_what_is_the_owners) {
  acquaintance with;
  with.watches = true;
  BOOST_TEST(!may_read(readers::owner, owner, other, with));
  BOOST_TEST(may_read(readers::watchers, owner, other, with));
  BOOST_TEST(may_read(readers::everybody, owner, other, with));
}

BOOST_AUTO_TEST_CASE(who_is_blocked_reads_nothing) {
  acquaintance with;
  with.watches = true;
  with.privacy.block = {other};
  for (auto x : all)
    BOOST_TEST(!may_read(x, owner, other, with));
  with.privacy.block.clear();
  with.privacy.domains = {{"example.org", approval::block}};
  for (auto x : all)
    BOOST_TEST(!may_read(x, owner, other, with));
  with.privacy.allow = {other};
  BOOST_TEST(may_read(readers::watchers, owner, other, with));
}

BOOST_AUTO_TEST_SUITE_END()
