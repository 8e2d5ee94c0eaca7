#include <boost/test/unit_test.hpp>

#include "actors/roster/roster_weight.hpp"

using namespace parley;

namespace {

user_address user(const std::string& name) {
  return user_address::from_prepared(name + "@example.org");
}

constexpr uint64_t max = 100'000;

request long_names(size_t contacts) {
  add_contacts x;
  for (size_t i = 0; i < contacts; ++i) {
    auto address = "c" + std::to_string(i) + "@example.org";
    x.contacts.push_back(
      {std::move(address), std::string(500, 'n'), {std::string(500, 'g')}});
  }
  return x;
}

store_operation written(const std::string& name, size_t bytes) {
  put_contact x;
  x.user = user("alice");
  x.what.what.address = user(name);
  x.what.what.name = std::string(bytes, 'n');
  return x;
}

store_operation blocking(size_t users) {
  put_roster x;
  x.user = user("alice");
  for (size_t i = 0; i < users; ++i)
    x.what.privacy.block.push_back(user("u" + std::to_string(i)));
  return x;
}

} // namespace

BOOST_AUTO_TEST_SUITE(roster_weights_of_users)

BOOST_AUTO_TEST_CASE(what_waits_is_bounded_and_given_back) {
  roster_weight x;
  size_t taken = 0;
  while (x.take(long_names(10), max))
    ++taken;
  BOOST_TEST(taken >= 1u);
  BOOST_TEST(x.waiting() <= max);
  BOOST_TEST(x.waiting() >= taken * 10 * 1000);
  x.commit();
  BOOST_TEST(!x.take(long_names(10), max));
  x.committed(false);
  BOOST_TEST(x.waiting() == 0u);
  BOOST_TEST(x.take(long_names(10), max));
  x.committed(true);
  BOOST_TEST(x.total() == 0u);
}

BOOST_AUTO_TEST_CASE(one_request_always_has_room) {
  roster_weight x;
  BOOST_TEST(x.take(long_names(1000), max));
  BOOST_TEST(x.waiting() > max);
  BOOST_TEST(!x.take(long_names(1), max));
}

BOOST_AUTO_TEST_CASE(a_change_of_long_lists_weighs_as_much_as_they_do) {
  roster_weight x;
  set_privacy what;
  what.sharing = sharing::off;
  BOOST_TEST(x.take(what, max));
  const auto before = x.waiting();
  BOOST_TEST(before < 2'000u);
  x.written(blocking(1'000));
  x.take(what, UINT64_MAX);
  BOOST_TEST(x.waiting() > before + 1'000 * 10);
}

BOOST_AUTO_TEST_CASE(what_is_written_is_added_until_it_is_counted_anew) {
  roster_weight x;
  x.counted(50'000, 100);
  for (int i = 0; i < 15; ++i)
    x.written(written("bob", 1'000));
  BOOST_TEST(!x.is_stale());
  BOOST_TEST(x.total() >= 50'100u + 15 * 1'000);
  for (int i = 0; i < 10; ++i)
    x.written(written("bob", 1'000));
  BOOST_TEST(x.is_stale());
  x.counted(51'000, 100);
  BOOST_TEST(!x.is_stale());
  BOOST_TEST(x.total() == 51'100u);
}

BOOST_AUTO_TEST_CASE(all_of_a_worker_are_summed) {
  roster_weights all;
  all.set(user("alice"), 1'000'000);
  all.set(user("bob"), 1'000);
  all.set(user("alice"), 600'000);
  BOOST_TEST(all.total() == 601'000u);
  BOOST_TEST(all.of(user("alice")) == 600'000u);
  BOOST_TEST(all.excess_of(user("alice")) < 600'000u);
  BOOST_TEST(all.excess_of(user("bob")) == 0u);
  all.set(user("alice"), 0);
  all.set(user("nobody"), 0);
  BOOST_TEST(all.total() == 1'000u);
  BOOST_TEST(all.of(user("alice")) == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
