#include <boost/test/unit_test.hpp>

#include "protocol/xmpp/ledger.hpp"

using namespace parley;
using namespace parley::xmpp;

BOOST_AUTO_TEST_SUITE(ledgers)

BOOST_AUTO_TEST_CASE(what_waits_for_an_outcome_holds_the_count_back) {
  ledger x;
  x.received();
  BOOST_TEST(x.done() == 0u);
  x.manage();
  x.received();
  BOOST_TEST(x.done() == 1u);
  x.received();
  x.open(request_number{1});
  x.received();
  x.open(request_number{2});
  x.received();
  BOOST_TEST(x.done() == 1u);
  x.close(request_number{2});
  BOOST_TEST(x.done() == 1u);
  x.close(request_number{1});
  BOOST_TEST(x.done() == 4u);
  BOOST_TEST(!x.has_open());
}

BOOST_AUTO_TEST_CASE(events_are_safe_once_their_stanzas_are_acknowledged) {
  ledger x;
  x.manage();
  x.sent({});
  x.sent(sequence{1});
  x.sent({});
  x.sent(sequence{4});
  BOOST_TEST(x.unacknowledged() == 4u);
  BOOST_TEST(x.acknowledged(1)->value == 0u);
  BOOST_TEST(x.acknowledged(3)->value == 1u);
  BOOST_TEST(x.acknowledged(3)->value == 0u);
  BOOST_TEST(x.acknowledged(4)->value == 4u);
  BOOST_TEST(x.unacknowledged() == 0u);
}

BOOST_AUTO_TEST_CASE(nobody_acknowledges_what_was_not_sent) {
  ledger x;
  x.manage();
  x.sent(sequence{1});
  BOOST_TEST(!x.acknowledged(2));
  BOOST_TEST(!x.acknowledged(UINT32_MAX));
  BOOST_TEST(x.acknowledged(1)->value == 1u);
  BOOST_TEST(!x.acknowledged(0));
}

BOOST_AUTO_TEST_CASE(without_management_bytes_that_arrived_count) {
  ledger x;
  x.sent({});
  BOOST_TEST(!x.awaits_bytes());
  x.sent(sequence{1});
  BOOST_TEST(x.awaits_bytes());
  BOOST_TEST(x.reached(1000).value == 0u); // not in the output yet
  x.placed(100);
  x.sent(sequence{2});
  x.placed(150);
  BOOST_TEST(x.reached(99).value == 0u);
  BOOST_TEST(x.reached(100).value == 1u);
  BOOST_TEST(x.reached(149).value == 0u);
  BOOST_TEST(x.reached(150).value == 2u);
  BOOST_TEST(!x.awaits_bytes());
}

BOOST_AUTO_TEST_CASE(bytes_alone_count_for_nothing_once_it_is_managed) {
  ledger x;
  x.sent(sequence{1});
  x.placed(10);
  x.manage();
  x.sent(sequence{2});
  x.placed(20);
  BOOST_TEST(x.reached(20).value == 1u);
  BOOST_TEST(!x.awaits_bytes());
  BOOST_TEST(x.acknowledged(1)->value == 2u);
}

BOOST_AUTO_TEST_CASE(after_a_resumption_what_was_not_acknowledged_counts_anew) {
  ledger x;
  x.manage();
  for (uint64_t i = 1; i <= 5; ++i)
    x.sent(sequence{i});
  BOOST_TEST(x.acknowledged(2)->value == 2u);
  x.resume();
  BOOST_TEST(x.unacknowledged() == 0u);
  for (uint64_t i = 3; i <= 5; ++i)
    x.sent(sequence{i});
  BOOST_TEST(x.acknowledged(4)->value == 4u);
  BOOST_TEST(x.acknowledged(5)->value == 5u);
}

BOOST_AUTO_TEST_SUITE_END()
