#include <boost/test/unit_test.hpp>

#include "tests/xmpp/stream_fixture.hpp"

#include <tuple>

using namespace parley;
using namespace parley::test;

namespace {

user_address user(std::string_view name) {
  return *user_address::parse(std::string{name} + "@example.org");
}

/// Bob, Carol, Dave: somebody whom alice's list knows.
contact one(std::string_view name, subscription_state state, bool listed) {
  contact x;
  x.address = user(name);
  x.subscription = state;
  x.listed = listed;
  return x;
}

std::string typed(std::string_view type, std::string_view from) {
  return "<presence type='" + std::string{type} + "' from='" + std::string{from}
  + "@example.org' to='alice@example.org'/>";
}

/// Available, with a list whose version is 7.
struct contacts_talk : talk {
  explicit contacts_talk(std::vector<contact> known = {}) {
    sign_in();
    say("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>"
        "<presence/>");
    const auto all = asked();
    answers(all.at(0), contact_list{{}, {7}, std::move(known), {}});
    answers(all.at(1), done{});
    heard();
  }

  template <class T>
  void answers(const numbered_request& to, T what) {
    tell(++x_event, answer{to.number, std::move(what)});
  }
  /// The request that ends a subscription with bob.
  numbered_request ends(std::string_view type) {
    say("<presence to='bob@example.org' type='" + std::string{type} + "'/>");
    return asked().at(0);
  }
  /// What a change of the list is to the client.
  std::string changes(uint64_t since, contact what) {
    tell(0, contact_list{{since}, {since + 1}, {std::move(what)}, {}});
    return heard();
  }
  std::string loses(uint64_t since, std::string_view whom) {
    tell(0, contact_list{{since}, {since + 1}, {}, {user(whom)}});
    return heard();
  }

private:
  uint64_t x_event = 0;
};

} // namespace

BOOST_AUTO_TEST_SUITE(contacts)

BOOST_AUTO_TEST_CASE(changes_that_a_slow_client_missed_are_asked_for_once) {
  contacts_talk x{{one("dave", {half::active, half::none}, true)}};
  // The session had to leave out 8, and then 9 to 11.
  BOOST_TEST(x.changes(8, one("erin", {}, true)) == "");
  const auto asked = x.asked();
  BOOST_REQUIRE(asked.size() == 1u);
  BOOST_TEST(std::get<list_contacts>(asked[0].what).known.value == 7u);
  BOOST_TEST(x.changes(11, one("erin", {}, true)) == "");
  BOOST_TEST(x.asked().empty());
  x.answers(asked[0],
    contact_list{{7}, {12},
      {one("bob", {half::none, half::pending}, false),
        one("dave", {half::none, half::none}, true), one("erin", {}, true)},
      {}});
  const auto text = x.heard();
  BOOST_TEST(has(text, "ver='7'><item jid='dave@example.org'"));
  BOOST_TEST(has(text, "ver='12'><item jid='erin@example.org'"));
  BOOST_TEST(has(text, typed("subscribe", "bob")));
  BOOST_TEST(has(text, typed("unsubscribed", "dave")));
  BOOST_TEST(text.find(typed("subscribe", "bob"))
    == text.rfind(typed("subscribe", "bob")));
  BOOST_TEST(has(x.changes(12, one("frank", {}, true)), "ver='13'"));
  BOOST_TEST(x.asked().empty());
}

BOOST_AUTO_TEST_CASE(who_is_not_in_a_whole_list_that_came_instead_is_gone) {
  contacts_talk x{{one("dave", {}, true)}};
  x.changes(8, one("erin", {}, true));
  const auto asked = x.asked();
  BOOST_REQUIRE(asked.size() == 1u);
  x.answers(asked[0], contact_list{{}, {12}, {one("erin", {}, true)}, {}});
  BOOST_TEST(has(x.heard(),
    "ver='12'><item jid='dave@example.org' subscription='remove'/>"));
}

BOOST_AUTO_TEST_CASE(a_change_that_a_list_has_overtaken_changes_nothing) {
  contacts_talk x{{one("dave", {}, true)}};
  BOOST_TEST(x.changes(4, one("dave", {half::active, half::none}, true)) == "");
  BOOST_TEST(x.asked().empty());
}

BOOST_AUTO_TEST_CASE(a_list_asked_for_anew_tells_of_ends_that_were_missed) {
  contacts_talk x{{one("dave", {half::active, half::none}, true)}};
  x.say("<iq type='get' id='s'><query xmlns='jabber:iq:roster'/></iq>");
  x.answers(
    x.asked().at(0), contact_list{{}, {9}, {one("dave", {}, true)}, {}});
  BOOST_TEST(has(x.heard(), typed("unsubscribed", "dave")));
}

// -- ends, of which the client hears unless it made them

BOOST_AUTO_TEST_CASE(who_ends_what_is_not_there_hears_of_the_next_end) {
  for (const auto& [said, told, state] :
    {std::tuple{"unsubscribed", "unsubscribed",
       subscription_state{half::active, half::none}},
      std::tuple{"unsubscribe", "unsubscribe",
        subscription_state{half::none, half::active}}}) {
    contacts_talk x{{one("bob", state, true)}};
    x.answers(x.ends(said), done{});
    BOOST_TEST(x.heard() == "");
    BOOST_TEST(has(x.changes(7, one("bob", {}, true)), typed(told, "bob")));
  }
}

BOOST_AUTO_TEST_CASE(who_ends_both_directions_is_told_of_neither) {
  contacts_talk x{{one("bob", {half::active, half::active}, true)}};
  const auto to = x.ends("unsubscribe");
  const auto from = x.ends("unsubscribed");
  BOOST_TEST(!has(
    x.changes(7, one("bob", {half::none, half::active}, true)), "<presence"));
  x.answers(to, done{});
  BOOST_TEST(!has(x.changes(8, one("bob", {}, true)), "<presence"));
  x.answers(from, done{});
  // Once more both, which another ends.
  x.changes(9, one("bob", {half::active, half::active}, true));
  const auto text = x.changes(10, one("bob", {}, true));
  BOOST_TEST(has(text, typed("unsubscribed", "bob")));
  BOOST_TEST(has(text, typed("unsubscribe", "bob")));
}

BOOST_AUTO_TEST_CASE(an_end_in_one_direction_is_told_while_it_ends_the_other) {
  contacts_talk x{{one("bob", {half::active, half::active}, true)}};
  x.ends("unsubscribe");
  BOOST_TEST(has(x.changes(7, one("bob", {half::active, half::none}, true)),
    typed("unsubscribe", "bob")));
  BOOST_TEST(!has(x.changes(8, one("bob", {}, true)), "<presence"));
}

BOOST_AUTO_TEST_CASE(an_end_that_failed_leaves_the_next_one_to_be_told) {
  contacts_talk x{{one("bob", {half::active, half::none}, true)}};
  x.answers(x.ends("unsubscribe"), failure{errc::store_failed});
  BOOST_TEST(has(x.heard(), "<presence type='error'"));
  BOOST_TEST(
    has(x.changes(7, one("bob", {}, true)), typed("unsubscribed", "bob")));
}

BOOST_AUTO_TEST_CASE(an_end_that_is_told_after_its_answer_is_no_news) {
  contacts_talk x{{one("bob", {half::active, half::none}, true)}};
  x.answers(x.ends("unsubscribe"), done{});
  BOOST_TEST(!has(x.changes(7, one("bob", {}, true)), "<presence"));
  // Told of together with a new beginning, it is over all the same.
  x.changes(8, one("bob", {half::active, half::none}, true));
  x.answers(x.ends("unsubscribe"), done{});
  x.changes(9, one("bob", {half::active, half::none}, true));
  BOOST_TEST(
    has(x.changes(10, one("bob", {}, true)), typed("unsubscribed", "bob")));
}

BOOST_AUTO_TEST_CASE(a_request_that_is_taken_back_leaves_the_screen) {
  constexpr subscription_state asks{half::none, half::pending};
  contacts_talk x{{one("bob", asks, false), one("carol", asks, true)}};
  BOOST_TEST(has(x.loses(7, "bob"), typed("unsubscribe", "bob")));
  BOOST_TEST(
    has(x.changes(8, one("carol", {}, true)), typed("unsubscribe", "carol")));
  // What this client has refused was not taken back.
  x.changes(9, one("bob", asks, false));
  x.ends("unsubscribed");
  BOOST_TEST(!has(x.loses(10, "bob"), "<presence"));
}

BOOST_AUTO_TEST_CASE(who_was_added_is_removed_by_this_user_alone) {
  contacts_talk x{{one("bob", {half::none, half::active}, true),
    one("carol", {half::none, half::active}, false)}};
  BOOST_TEST(!has(x.loses(7, "bob"), "<presence"));
  BOOST_TEST(has(x.loses(8, "carol"), typed("unsubscribe", "carol")));
}

BOOST_AUTO_TEST_SUITE_END()
