#include "tests/actors/engine/presence_cases.hpp"

#include "tests/actors/engine/halves.hpp"

// Contacts of other domains than the server's own.
namespace parley::test {

namespace {

using namespace presence;
using namespace std::chrono_literals;

const std::string dave = "dave@elsewhere.net";

add_contacts adding(const std::string& whom) {
  return add_contacts{{{whom, {}, {}}}};
}

BOOST_AUTO_TEST_SUITE(presence_elsewhere)

BOOST_AUTO_TEST_CASE(a_request_waits_for_an_account_that_is_made_later) {
  for (bool restarts : {false, true})
    in_any_order([restarts](engine& e) {
      auto& a = e.sign_in(alice, "desk");
      a.follow_contacts();
      auto n = a.request(subscribe{user(dave)});
      e.settle();
      BOOST_TEST(a.answer_to(n) == "done");
      e.advance(3min);
      auto* entry = a.screen.find(user(dave));
      BOOST_REQUIRE(entry);
      BOOST_TEST((entry->subscription.to == half::pending));
      e.make_account(dave);
      if (restarts)
        a.sign_out();
      auto& d = e.sign_in(dave, "phone");
      d.follow_contacts();
      e.advance(2min);
      if (restarts)
        a.sign_in({}, {});
      e.settle();
      BOOST_TEST(sees(a, dave) == "phone=available");
      BOOST_TEST(disagreements(*e.db, {user(alice), user(dave)}).empty());
      BOOST_TEST(open_notes(*e.db) == 0u);
    });
}

BOOST_AUTO_TEST_CASE(one_who_takes_it_back_before_that_is_not_subscribed) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    a.request(subscribe{user(dave)});
    e.advance(2min);
    a.request(unsubscribe{user(dave)});
    e.settle();
    BOOST_TEST(open_notes(*e.db) == 0u);
    e.make_account(dave);
    e.sign_in(dave, "phone");
    e.advance(2min);
    BOOST_TEST(sees(a, dave) == "");
    BOOST_TEST(disagreements(*e.db, {user(alice), user(dave)}).empty());
  });
}

BOOST_AUTO_TEST_CASE(a_name_that_nobody_has_is_refused_where_others_are_known) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    auto before = a.request(adding("erin@elsewhere.net"));
    e.settle();
    BOOST_TEST(a.answer_to(before) == "done");
    e.make_account(dave);
    auto typo = a.request(adding("dvae@elsewhere.net"));
    auto asked = a.request(subscribe{user("dvae@elsewhere.net")});
    auto there = a.request(adding(dave));
    auto foreign = a.request(adding("dave@example.com"));
    e.settle();
    BOOST_TEST(a.answer_to(typo) == "no_such_user");
    BOOST_TEST(a.answer_to(asked) == "no_such_user");
    BOOST_TEST(a.answer_to(there) == "done");
    BOOST_TEST(a.answer_to(foreign) == "done");
    // A domain stays known.
    e.remove_account(dave);
    auto gone = e.sign_in(bob, "desk").request(adding(dave));
    e.settle();
    BOOST_TEST(e.clients.back()->answer_to(gone) == "no_such_user");
  });
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
