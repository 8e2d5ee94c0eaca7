#include "tests/actors/engine/cases.hpp"

// A connection that takes over from one that still speaks.
namespace parley::test {

namespace {

/// That alice is typing, said by a connection and not seen by the session.
client_requests said_by(link_id link) {
  const address to{engine::user(bob), {}};
  return {link, {{request_number{}, typing{to}}}};
}

BOOST_AUTO_TEST_SUITE(taking_over)

BOOST_AUTO_TEST_CASE(
  what_was_said_before_counts_where_all_of_it_was_handed_on) {
  for (const bool hands_on : {true, false}) {
    engine e{1};
    e.make_account(alice);
    e.make_account(bob);
    auto& a = e.sign_in(alice, "desk");
    auto& b = e.sign_in(bob, "phone");
    a.leaves_legacy = hands_on;
    a.cut();
    e.settle();
    a.resume();
    e.settle();
    const auto before = a.link();
    a.resume();
    e.settle();
    BOOST_TEST(a.resumed);
    caf::anon_send(a.session(), said_by(before));
    e.settle();
    const size_t counts = hands_on ? 1 : 0;
    BOOST_TEST(b.typings == counts);
    // Once the new one speaks, all of the old one has come.
    caf::anon_send(a.session(), said_by(a.link()));
    e.settle();
    caf::anon_send(a.session(), said_by(before));
    e.settle();
    BOOST_TEST(b.typings == counts + 1);
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
