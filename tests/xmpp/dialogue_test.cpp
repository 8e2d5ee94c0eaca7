#include <boost/test/unit_test.hpp>

#include "protocol/defaults.hpp"
#include "tests/xmpp/stream_fixture.hpp"

using namespace parley;
using namespace parley::test;

namespace {

/// Signed in and available.
struct available_talk : talk {
  available_talk() {
    sign_in();
    say("<presence/>");
    uint64_t number = 0;
    for (const auto& r : asked())
      if (std::holds_alternative<set_availability>(r.what))
        tell(++number, answer{r.number, done{}});
      else if (std::holds_alternative<set_privacy>(r.what))
        tell(++number, answer{r.number, privacy{}});
    heard();
  }

  void show(std::string_view from, parley::show what) {
    presence_notice n;
    n.from = *address::parse(from);
    n.what.show = what;
    tell(0, presence_event{shared<presence_notice>{n}});
  }
  /// The only request of the last read.
  numbered_request one() {
    auto all = asked();
    BOOST_REQUIRE(all.size() == 1u);
    return all[0];
  }
};

contact bob_as(subscription_state state) {
  contact x;
  x.address = *user_address::parse("bob@example.org");
  x.subscription = state;
  return x;
}

} // namespace

BOOST_AUTO_TEST_SUITE(dialogues)

BOOST_AUTO_TEST_CASE(subscriptions_are_asked_for_by_presence) {
  available_talk x;
  auto asks = [&x](std::string_view type) {
    x.say("<presence to='Bob@example.org/phone' type='" + std::string{type}
      + "'/>");
    return x.one().what;
  };
  const auto bob = *user_address::parse("bob@example.org");
  BOOST_TEST((std::get<subscribe>(asks("subscribe")).to == bob));
  BOOST_TEST((std::get<approve>(asks("subscribed")).from == bob));
  BOOST_TEST((std::get<unsubscribe>(asks("unsubscribe")).to == bob));
  BOOST_TEST((std::get<deny>(asks("unsubscribed")).from == bob));
  BOOST_TEST(has(x.say("<presence to='bob@example.org' type='odd'/>"),
    "<presence type='error'"));
}

BOOST_AUTO_TEST_CASE(what_becomes_of_subscriptions_is_told_by_presence) {
  available_talk x;
  auto told = [&x](subscription_state state) {
    x.tell(0, contact_list{{1}, {2}, {bob_as(state)}, {}});
    return x.heard();
  };
  auto presence = [](std::string_view type) {
    return "<presence type='" + std::string{type}
    + "' from='bob@example.org' to='alice@example.org'/>";
  };
  BOOST_TEST(told({half::none, half::pending}) == presence("subscribe"));
  BOOST_TEST(told({half::pending, half::pending}) == "");
  BOOST_TEST(told({half::active, half::active}) == presence("subscribed"));
  BOOST_TEST(told({half::none, half::active}) == presence("unsubscribed"));
  BOOST_TEST(told({half::none, half::none}) == presence("unsubscribe"));
}

BOOST_AUTO_TEST_CASE(an_approval_at_once_is_told_too) {
  available_talk x;
  x.tell(0, contact_list{{1}, {2}, {bob_as({half::active, half::none})}, {}});
  BOOST_TEST(x.heard()
    == "<presence type='subscribed' from='bob@example.org' "
       "to='alice@example.org'/>");
}

BOOST_AUTO_TEST_CASE(a_contact_that_was_removed_is_no_news_and_a_watcher_is) {
  available_talk x;
  const auto bob = *user_address::parse("bob@example.org");
  x.tell(0, contact_list{{1}, {2}, {bob_as({half::active, half::active})}, {}});
  x.heard();
  x.tell(0, contact_list{{2}, {3}, {}, {bob}});
  BOOST_TEST(x.heard() == "");
  auto watcher = bob_as({half::none, half::active});
  watcher.listed = false;
  x.tell(0, contact_list{{3}, {4}, {watcher}, {}});
  x.tell(0, contact_list{{4}, {5}, {}, {bob}});
  BOOST_TEST(x.heard()
    == "<presence type='unsubscribe' from='bob@example.org' "
       "to='alice@example.org'/>");
}

BOOST_AUTO_TEST_CASE(an_end_of_its_own_making_is_not_told_to_a_client) {
  available_talk x;
  x.tell(0, contact_list{{1}, {2}, {bob_as({half::active, half::none})}, {}});
  x.heard();
  x.say("<presence to='bob@example.org' type='unsubscribe'/>");
  x.heard();
  x.tell(0, contact_list{{2}, {3}, {bob_as({half::none, half::none})}, {}});
  BOOST_TEST(x.heard() == "");
}

BOOST_AUTO_TEST_CASE(a_client_that_nobody_looks_at_gets_the_last_presence) {
  available_talk x;
  BOOST_TEST(x.say("<inactive xmlns='urn:xmpp:csi:0'/>") == "");
  x.show("bob@example.org/phone", show::away);
  x.show("bob@example.org/phone", show::dnd);
  x.show("carol@example.org/desk", show::available);
  x.show("carol@example.org/desk", show::unavailable);
  x.tell(0, typing_notice{*address::parse("bob@example.org/phone")});
  BOOST_TEST(x.heard() == "");
  BOOST_TEST(!x.tell(9, incoming("m1")));
  BOOST_TEST(has(x.heard(), "<message"));
  BOOST_TEST(x.say("<active xmlns='urn:xmpp:csi:0'/>")
    == "<presence from='bob@example.org/phone' to='alice@example.org/desk'>"
       "<show>dnd</show></presence>"
       "<presence type='unavailable' from='carol@example.org/desk' "
       "to='alice@example.org/desk'/>");
}

BOOST_AUTO_TEST_CASE(who_leaves_and_comes_at_once_is_shown_all_again) {
  available_talk x;
  x.show("bob@example.org/phone", show::away);
  contact carol;
  carol.address = *user_address::parse("carol@example.org");
  carol.listed = false;
  carol.subscription.from = half::pending;
  x.tell(0, contact_list{{}, {1}, {carol}, {}});
  x.heard();
  x.say("<presence type='unavailable'/><presence/>");
  uint64_t number = 1;
  for (const auto& r : x.asked())
    if (std::holds_alternative<set_availability>(r.what))
      x.tell(++number, answer{r.number, done{}});
  BOOST_TEST(number == 3u);
  const auto text = x.heard();
  BOOST_TEST(has(text, "<presence from='bob@example.org/phone'"));
  BOOST_TEST(has(text, "<presence type='subscribe' from='carol@example.org'"));
}

BOOST_AUTO_TEST_CASE(a_refused_presence_is_nobodys) {
  available_talk x;
  x.say("<presence><show>dnd</show></presence><presence id='2'/>");
  const auto all = x.asked();
  BOOST_REQUIRE(all.size() == 2u);
  x.tell(2, answer{all[1].number, failure{errc::overloaded}});
  BOOST_TEST(has(x.heard(), "<presence type='error' id='2'"));
  x.tell(3, answer{all[0].number, done{}});
  BOOST_TEST(has(x.heard(), "<show>dnd</show>"));
}

BOOST_AUTO_TEST_CASE(a_probe_is_answered_with_what_may_be_seen) {
  available_talk x;
  x.show("bob@example.org/phone", show::away);
  x.heard();
  BOOST_TEST(x.say("<presence type='probe' to='carol@example.org'/>") == "");
  BOOST_TEST(x.say("<presence type='probe' to='bob@example.org/desk'/>") == "");
  BOOST_TEST(x.say("<presence type='probe' to='bob@example.org'/>")
    == "<presence from='bob@example.org/phone' to='alice@example.org/desk'>"
       "<show>away</show></presence>");
}

BOOST_AUTO_TEST_CASE(groups_beyond_what_a_contact_may_have_are_not_looked_at) {
  available_talk x;
  const auto with_groups = [](size_t count, std::string_view more) {
    std::string groups;
    for (size_t i = 0; i < count; ++i)
      groups += "<group>" + std::to_string(i) + "</group>";
    return "<iq type='set' id='1'><query xmlns='jabber:iq:roster'>"
           "<item jid='bob@example.org'>"
      + groups + std::string{more} + "</item></query></iq>";
  };
  constexpr auto most = defaults::contact_groups_max;
  x.say(with_groups(most, {}));
  BOOST_TEST(
    std::get<add_contacts>(x.one().what).contacts[0].groups.size() == most);
  // One of them twice is no longer seen.
  const auto answer = x.say(with_groups(most, "<group>0</group>"));
  BOOST_TEST(has(answer, "<not-acceptable"));
  BOOST_TEST(x.asked().empty());
}

BOOST_AUTO_TEST_CASE(presence_that_is_not_shared_is_not_passed_on) {
  available_talk x;
  x.tell(0, policy_values{{{"presence.sharing", "off"}}});
  BOOST_TEST(
    has(x.say("<presence to='carol@example.org/desk'/>"), "<not-allowed"));
  BOOST_TEST(x.asked().empty());
}

BOOST_AUTO_TEST_CASE(an_odd_priority_is_the_usual_one) {
  available_talk x;
  x.say("<presence><show> </show><priority>+5</priority></presence>");
  const auto r = x.one();
  BOOST_TEST(std::get<set_availability>(r.what).what.priority == 5);
  BOOST_TEST((std::get<set_availability>(r.what).what.show == show::available));
}

BOOST_AUTO_TEST_CASE(a_message_to_many_is_a_broadcast_without_its_secrets) {
  available_talk x;
  x.say("<message to='example.org' id='1'><body>all</body>"
        "<addresses xmlns='http://jabber.org/protocol/address'>"
        "<address type='to' jid='bob@example.org'/>"
        "<address type='bcc' jid='carol@example.org'/></addresses></message>");
  auto r = x.one();
  const auto& b = std::get<broadcast>(r.what);
  const std::vector<std::string> to{"bob@example.org", "carol@example.org"};
  BOOST_TEST(b.to == to, boost::test_tools::per_element());
  BOOST_TEST(b.message->body == "all");
  BOOST_REQUIRE(b.message->payloads.size() == 1u);
  BOOST_TEST(has(b.message->payloads[0].data, "bob@example.org"));
  BOOST_TEST(!has(b.message->payloads[0].data, "carol"));
  broadcast_outcomes o;
  o.outcomes = {{to[0], {outcome::kind::stored, {}}},
    {to[1], {outcome::kind::rejected, failure{errc::quota_exceeded}}}};
  BOOST_TEST(x.tell(2, answer{r.number, o}));
  const auto text = x.heard();
  BOOST_TEST(
    has(text, "<message type='error' id='1' from='carol@example.org'"));
  BOOST_TEST(!has(text, "bob"));
}

BOOST_AUTO_TEST_CASE(questions_of_endpoints_are_passed_on_and_come_back) {
  available_talk x;
  x.say("<iq type='get' id='7' to='bob@example.org/phone'>"
        "<query xmlns='jabber:iq:version'/></iq>");
  auto r = x.one();
  const auto& p = std::get<pass_on>(r.what);
  BOOST_TEST(r.number.value == 0u);
  BOOST_TEST(p.returns);
  BOOST_TEST((p.reach == reach::endpoint));
  x.tell(0, passed_on{p.message, p.to, false, true});
  BOOST_TEST(x.heard()
    == "<iq type='error' id='7' from='bob@example.org/phone' "
       "to='alice@example.org/desk'><error type='cancel'><service-unavailable "
       "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>");
}

BOOST_AUTO_TEST_CASE(what_the_server_can_do_is_found_by_its_capabilities) {
  talk x;
  x.say(header);
  x.authenticate_by("SCRAM-SHA-256");
  const auto features = x.say(header);
  constexpr std::string_view start = "node='urn:parley' ver='";
  const auto from = features.find(start);
  BOOST_REQUIRE(from != features.npos);
  const auto version = features.substr(from + start.size(), 28);
  x.say("<iq type='set' id='1'><bind "
        "xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
  const auto ask = [&x](const std::string& node) {
    return x.say("<iq type='get' id='2' to='example.org'><query "
                 "xmlns='http://jabber.org/protocol/disco#info'"
      + node + "/></iq>");
  };
  BOOST_TEST(has(ask(" node='urn:parley#" + version + "'"),
    "<feature var='urn:xmpp:ping'/>"));
  BOOST_TEST(has(ask(" node='urn:parley#other'"), "<item-not-found"));
  BOOST_TEST(!has(ask(""), "jabber:x:data"));
  x.tell(0, policy_values{{{"im.body_max", "5"}, {"im.cut_and_paste", "off"}}});
  const auto answer = ask("");
  BOOST_TEST(has(answer,
    "<field var='FORM_TYPE' type='hidden'><value>urn:parley:policy</value>"
    "</field><field var='im.cut_and_paste'><value>off</value></field></x>"));
  BOOST_TEST(!has(answer, "im.body_max"));
}

BOOST_AUTO_TEST_CASE(directed_presence_is_taken_back_at_the_end) {
  available_talk x;
  x.say("<presence to='carol@example.org/desk'/>");
  x.asked();
  x.server->disconnected();
  auto last = x.one();
  const auto& p = std::get<pass_on>(last.what);
  BOOST_TEST(p.to.str() == "carol@example.org/desk");
  BOOST_TEST(has(p.message->payloads.at(0).data, "type='unavailable'"));
}

BOOST_AUTO_TEST_CASE(a_history_that_is_not_wanted_is_said_with_each_message) {
  available_talk x;
  x.tell(0, policy_values{{{"im.client_history", "off"}}});
  x.tell(9, incoming("m1"));
  BOOST_TEST(
    has(x.heard(), "<no-permanent-store xmlns='urn:xmpp:hints'/></message>"));
}

BOOST_AUTO_TEST_SUITE_END()
