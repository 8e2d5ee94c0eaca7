#include "actors/router/known_ids.hpp"

#include <boost/test/unit_test.hpp>

namespace parley::test {

namespace {

shared<id_filter> filter_of(std::initializer_list<uint64_t> hashes) {
  id_filter x;
  for (auto h : hashes)
    x.insert(h);
  return shared<id_filter>{std::move(x)};
}

/// Hashes that no filter of these few takes for another.
constexpr uint64_t a = 0x1234'5678'9abc'def0;
constexpr uint64_t b = 0x0fed'cba9'8765'4321;
constexpr uint64_t c = 0x5555'0000'aaaa'1111;
constexpr uint64_t d = 0x7777'2222'3333'9999;

BOOST_AUTO_TEST_SUITE(ids_on_disk)

BOOST_AUTO_TEST_CASE(are_those_of_the_start_and_those_that_came) {
  known_ids ids;
  BOOST_TEST(!ids.may_contain(a));
  ids.start(filter_of({a}));
  ids.insert(b);
  BOOST_TEST(ids.may_contain(a));
  BOOST_TEST(ids.may_contain(b));
  BOOST_TEST(!ids.may_contain(c));
}

BOOST_AUTO_TEST_CASE(are_forgotten_with_a_scan_that_did_not_find_them) {
  known_ids ids;
  ids.start(filter_of({a, b}));
  ids.insert(c);
  ids.scan_begins();
  // Until it ends all are known.
  BOOST_TEST((ids.may_contain(a) && ids.may_contain(b) && ids.may_contain(c)));
  ids.scanned(filter_of({b}));
  BOOST_TEST(!ids.may_contain(a));
  BOOST_TEST(ids.may_contain(b));
  BOOST_TEST(!ids.may_contain(c));
}

BOOST_AUTO_TEST_CASE(stay_when_they_come_during_a_scan) {
  known_ids ids;
  ids.scan_begins();
  ids.insert(a);
  BOOST_TEST(ids.may_contain(a));
  // One that was given up is followed by another.
  ids.scan_begins();
  ids.insert(b);
  ids.scanned(filter_of({c}));
  ids.insert(d);
  for (auto h : {a, b, c, d})
    BOOST_TEST(ids.may_contain(h));
  ids.scan_begins();
  ids.scanned(filter_of({}));
  for (auto h : {a, b, c, d})
    BOOST_TEST(!ids.may_contain(h));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
