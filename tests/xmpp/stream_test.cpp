#include <boost/test/unit_test.hpp>

#include "tests/xmpp/stream_fixture.hpp"

using namespace parley;
using namespace parley::test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(streams)

BOOST_AUTO_TEST_CASE(a_client_signs_in_byte_by_byte) {
  for (size_t piece : {1, 2, 3, 7, 1000}) {
    talk x;
    x.sign_in(piece);
    BOOST_REQUIRE(x.owner.wish);
    BOOST_TEST(x.owner.wish->endpoint.str() == "desk");
    BOOST_TEST((x.owner.wish->presence.show == show::unavailable));
  }
}

BOOST_AUTO_TEST_CASE(a_wrong_password_is_not_authorised) {
  talk x;
  x.say(header);
  auto y = x.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' "
                 "mechanism='SCRAM-SHA-1'>biwsbj1hLHI9Yg==</auth>");
  BOOST_TEST(has(y, "<challenge"));
  y =
    x.say("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>eA==</response>");
  BOOST_TEST(has(y,
    "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
    "<not-authorized/>"));
  BOOST_TEST(!x.server->is_closed());
}

BOOST_AUTO_TEST_CASE(without_tls_there_is_no_plain) {
  talk x;
  BOOST_TEST(!has(x.say(header), "PLAIN"));
  BOOST_TEST(has(x.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' "
                       "mechanism='PLAIN'>AGEAYg==</auth>"),
    "<invalid-mechanism/>"));
}

BOOST_AUTO_TEST_CASE(tls_begins_when_the_client_says_so_and_binds_sasl) {
  for (const auto* mechanism : {"SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS",
         "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"}) {
    talk x{talk::kind::tls};
    auto features = x.say(header);
    BOOST_TEST(has(features, "<starttls"));
    BOOST_TEST(!has(features, "<mechanism>"));
    BOOST_TEST(has(x.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
                         "<message/>"),
      "<proceed"));
    x.begin_tls();
    features = x.say(header);
    BOOST_TEST(!has(features, "<starttls"));
    BOOST_TEST(
      has(features, "<mechanism>" + std::string{mechanism} + "</mechanism>"));
    BOOST_TEST(has(features, "type='tls-exporter'"));
    BOOST_TEST(x.authenticate_by(mechanism).starts_with("<success"));
    BOOST_TEST(has(x.say(header), "xmpp-bind"));
  }
}

BOOST_AUTO_TEST_CASE(tls_may_begin_with_the_first_byte) {
  talk x{talk::kind::tls};
  x.begin_tls();
  BOOST_TEST(!has(x.say(header), "<starttls"));
  BOOST_TEST(
    has(x.authenticate_by("PLAIN", "battery staple"), "<not-authorized/>"));
  BOOST_TEST(x.authenticate_by("PLAIN").starts_with("<success"));
}

BOOST_AUTO_TEST_CASE(where_there_is_tls_nobody_signs_in_without) {
  talk x{talk::kind::tls};
  x.say(header);
  BOOST_TEST(has(x.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' "
                       "mechanism='SCRAM-SHA-1'>biwsbj1hLHI9Yg==</auth>"),
    "<stream:error><not-authorized"));
  BOOST_TEST(x.owner.asked_for.empty());
}

BOOST_AUTO_TEST_CASE(nothing_is_said_before_a_sign_in) {
  talk x;
  x.say(header);
  auto y = x.say(to_bob);
  BOOST_TEST(has(y, "<stream:error><not-authorized"));
  BOOST_TEST(has(y, "</stream:stream>"));
  BOOST_TEST(x.server->is_closed());
}

BOOST_AUTO_TEST_CASE(who_talks_on_before_an_answer_is_held_and_then_cut_off) {
  for (const bool is_much : {false, true}) {
    talk x;
    x.authenticate();
    x.owner.answers_session = false;
    x.say("<iq type='set' id='b1'><bind "
          "xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
    BOOST_TEST(!x.server->takes_input());
    const auto y = x.say(is_much ? std::string(300'000, ' ') : "<presence/>");
    BOOST_TEST(has(y, "<policy-violation") == is_much);
    BOOST_TEST(x.server->is_closed() == is_much);
    x.server->accept(x.owner.grant);
    BOOST_TEST(x.asked().size() == (is_much ? 0u : 3u));
  }
}

BOOST_AUTO_TEST_CASE(faults_end_the_stream_with_their_condition) {
  auto fault = [](std::string_view text) {
    talk x;
    x.sign_in();
    auto y = x.say(text);
    BOOST_TEST(x.server->is_closed());
    BOOST_REQUIRE(x.owner.end);
    return y;
  };
  BOOST_TEST(has(fault("<message>&x;"), "<restricted-xml"));
  BOOST_TEST(has(fault("<a></b>"), "<not-well-formed"));
  BOOST_TEST(has(fault("<message from='bob@example.org'/>"), "<invalid-from"));
  BOOST_TEST(has(fault("<hello/>"), "<unsupported-stanza-type"));
  talk x;
  BOOST_TEST(has(x.say("GET / HTTP/1.1\r\n\r\n"), "<not-well-formed"));
  talk y;
  BOOST_TEST(has(y.say("<stream:stream to='example.org' "
                       "xmlns:stream='http://etherx.jabber.org/streams'>"),
    "<unsupported-version"));
}

BOOST_AUTO_TEST_CASE(who_does_not_sign_in_in_time_is_cut_off) {
  talk x;
  x.say(header);
  x.wait(31s);
  BOOST_TEST(has(x.heard(), "<connection-timeout"));
  BOOST_TEST(x.server->is_closed());
}

BOOST_AUTO_TEST_CASE(a_message_is_a_request_and_a_rejection_its_error) {
  talk x;
  x.sign_in();
  BOOST_TEST(x.say(to_bob) == "");
  auto asked = x.asked();
  BOOST_REQUIRE(asked.size() == 1u);
  BOOST_TEST(asked[0].number.value == 1u);
  const auto& s = std::get<send_im>(asked[0].what);
  BOOST_TEST(s.to.str() == "bob@example.org");
  BOOST_TEST(s.message->body == "hi");
  BOOST_TEST(s.message->from.str() == "alice@example.org/desk");
  BOOST_TEST(x.tell(1, delivered(1)));
  BOOST_TEST(x.heard() == "");
  x.say(to_bob);
  BOOST_TEST(x.tell(2, rejected(2, errc::quota_exceeded)));
  BOOST_TEST(x.heard()
    == "<message type='error' id='1' from='bob@example.org' "
       "to='alice@example.org/desk'><error type='wait'><resource-constraint "
       "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
       "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>quota_exceeded</text>"
       "</error></message>");
}

BOOST_AUTO_TEST_CASE(more_requests_than_the_window_has_wait_for_room) {
  talk x;
  x.owner.grant.requests.messages = 2;
  x.sign_in();
  for (int i = 0; i < 5; ++i)
    x.say(to_bob);
  BOOST_TEST(x.asked().size() == 2u);
  x.tell(1, delivered(1));
  BOOST_TEST(x.asked().size() == 1u);
  x.tell(2, delivered(2));
  x.tell(3, delivered(3));
  BOOST_TEST(x.asked().size() == 2u);
  BOOST_TEST(x.server->takes_input());
  for (int i = 0; i < 300; ++i)
    x.say(to_bob);
  BOOST_TEST(!x.server->takes_input());
}

BOOST_AUTO_TEST_CASE(who_is_not_read_is_not_closed_for_its_silence) {
  talk x;
  x.owner.grant.requests.messages = 2;
  x.owner.grant.heartbeat = std::chrono::seconds{60};
  x.sign_in();
  for (int i = 0; i < 300; ++i)
    x.say(to_bob);
  BOOST_REQUIRE(!x.server->takes_input());
  for (int i = 0; i < 10; ++i)
    x.wait(std::chrono::seconds{50});
  BOOST_TEST(!x.server->is_closed());
  for (uint64_t i = 1; i <= 300; ++i)
    x.tell(i, delivered(i));
  BOOST_REQUIRE(x.server->takes_input());
  for (int i = 0; i < 4; ++i)
    x.wait(std::chrono::seconds{50});
  BOOST_TEST(x.server->is_closed());
}

BOOST_AUTO_TEST_CASE(
  what_waits_when_the_client_has_gone_is_asked_all_the_same) {
  talk x;
  x.owner.grant.requests.messages = 2;
  x.sign_in();
  for (int i = 0; i < 5; ++i)
    x.say(to_bob);
  x.say("</stream:stream>");
  BOOST_TEST(x.asked().size() == 2u);
  x.server->disconnected();
  BOOST_TEST(!x.server->is_closed());
  x.tell(1, delivered(1));
  x.tell(2, delivered(2));
  BOOST_TEST(x.asked().size() == 2u);
  x.tell(3, delivered(3));
  x.tell(4, delivered(4));
  auto last = x.asked();
  BOOST_REQUIRE(last.size() == 2u);
  BOOST_TEST(std::holds_alternative<sign_out>(last[1].what));
  BOOST_TEST(x.server->is_closed());
}

BOOST_AUTO_TEST_CASE(a_client_that_has_gone_is_not_waited_for_without_end) {
  talk x;
  x.owner.grant.requests.messages = 1;
  x.sign_in();
  x.say(to_bob);
  x.say(to_bob);
  x.server->disconnected();
  BOOST_TEST(!x.server->is_closed());
  x.wait(11s);
  BOOST_TEST(x.server->is_closed());
}

BOOST_AUTO_TEST_CASE(the_window_counts_bytes_too) {
  talk x;
  x.owner.grant.requests = {50, 1000};
  x.sign_in();
  const auto large = "<message to='bob@example.org' type='chat'><body>"
    + std::string(600, 'x') + "</body></message>";
  x.say(large);
  x.say(large);
  BOOST_TEST(x.asked().size() == 1u);
  x.tell(1, delivered(1));
  BOOST_TEST(x.asked().size() == 1u);
}

BOOST_AUTO_TEST_CASE(an_im_is_safe_when_its_bytes_have_arrived) {
  talk x;
  x.sign_in();
  BOOST_TEST(!x.tell(1, incoming("m1")));
  BOOST_TEST(x.server->asks_what_reached());
  const auto text = x.heard();
  BOOST_TEST(has(text, "<body>hello</body>"));
  x.server->reached_all_but(1);
  BOOST_TEST(x.owner.acks.empty());
  x.server->reached_all_but(0);
  BOOST_REQUIRE(x.owner.acks.size() == 1u);
  BOOST_TEST(x.owner.acks[0].value == 1u);
  BOOST_TEST(!x.server->asks_what_reached());
  BOOST_TEST(!x.server->is_resumable());
}

BOOST_AUTO_TEST_CASE(a_conflict_ends_the_older_stream) {
  talk x;
  x.sign_in();
  x.server->close(failure{errc::replaced}, error_scope::session);
  const auto text = x.heard();
  BOOST_TEST(has(text, "<stream:error><conflict"));
  BOOST_TEST(text.ends_with("</stream:error></stream:stream>"));
}

BOOST_AUTO_TEST_CASE(who_ends_its_stream_signs_out) {
  talk x;
  x.sign_in();
  x.say("</stream:stream>");
  auto asked = x.asked();
  BOOST_REQUIRE(asked.size() == 1u);
  BOOST_TEST(std::holds_alternative<sign_out>(asked[0].what));
  x.server->close(failure{errc::signed_out}, error_scope::session);
  BOOST_TEST(x.heard() == "</stream:stream>");
}

BOOST_AUTO_TEST_CASE(a_silent_client_is_asked_and_then_given_up) {
  talk x;
  x.sign_in();
  x.heard();
  x.wait(61s);
  BOOST_TEST(has(x.heard(), "<ping xmlns='urn:xmpp:ping'/>"));
  x.wait(100s);
  BOOST_TEST(has(x.heard(), "<connection-timeout"));
}

BOOST_AUTO_TEST_CASE(unknown_questions_are_refused_and_pings_answered) {
  talk x;
  x.sign_in();
  BOOST_TEST(has(x.say("<iq type='get' id='1'><query xmlns='urn:x'/></iq>"),
    "<iq type='error' id='1'"));
  BOOST_TEST(x.say("<iq type='get' id='2' to='example.org'>"
                   "<ping xmlns='urn:xmpp:ping'/></iq>")
    == "<iq type='result' id='2' from='example.org' "
       "to='alice@example.org/desk'></iq>");
  BOOST_TEST(has(x.say("<iq type='get' id='3' to='other.org'>"
                       "<ping xmlns='urn:xmpp:ping'/></iq>"),
    "<remote-server-not-found"));
  BOOST_TEST(has(x.say("<message id='4' to='@@'><body>x</body></message>"),
    "<jid-malformed"));
}

BOOST_AUTO_TEST_CASE(presence_is_shown_once_the_client_is_available) {
  talk x;
  x.sign_in();
  presence_notice n;
  n.from = *address::parse("bob@example.org/phone");
  n.what.show = show::away;
  n.what.status = "lunch";
  x.tell(0, presence_event{shared<presence_notice>{n}});
  BOOST_TEST(x.heard() == "");
  x.say("<presence><show>dnd</show><priority>5</priority>"
        "<c xmlns='http://jabber.org/protocol/caps' ver='1'/></presence>");
  auto asked = x.asked();
  BOOST_REQUIRE(asked.size() == 3u);
  const auto& mine = std::get<set_availability>(asked[1].what).what;
  BOOST_TEST((mine.show == show::dnd));
  BOOST_TEST(mine.priority == 5);
  BOOST_TEST(
    mine.extension == "<c xmlns='http://jabber.org/protocol/caps' ver='1'/>");
  x.tell(1, answer{asked[1].number, done{}});
  auto text = x.heard();
  BOOST_TEST(has(text, "<presence from='alice@example.org/desk'"));
  BOOST_TEST(has(text,
    "<presence from='bob@example.org/phone' to='alice@example.org/desk'>"
    "<show>away</show><status>lunch</status></presence>"));
  n.what = {};
  n.what.show = show::unknown;
  n.from = *address::parse("bob@example.org");
  x.tell(0, presence_event{shared<presence_notice>{n}});
  BOOST_TEST(x.heard()
    == "<presence type='unavailable' from='bob@example.org/phone' "
       "to='alice@example.org/desk'/>");
  x.say("<presence><priority>200</priority></presence>");
  BOOST_TEST(x.asked().empty());
}

BOOST_AUTO_TEST_CASE(after_a_reset_who_is_silent_is_gone) {
  talk x;
  x.sign_in();
  x.say("<presence/>");
  x.tell(1, answer{request_number{2}, done{}});
  presence_notice bob;
  bob.from = *address::parse("bob@example.org/phone");
  auto carol = bob;
  carol.from = *address::parse("carol@example.org/phone");
  for (const auto& n : {bob, carol})
    x.tell(0, presence_event{shared<presence_notice>{n}});
  x.heard();
  x.tell(0, presence_reset{});
  x.tell(0, presence_event{shared<presence_notice>{bob}});
  x.heard();
  x.wait(3s);
  BOOST_TEST(x.heard()
    == "<presence type='unavailable' from='carol@example.org/phone' "
       "to='alice@example.org/desk'/>");
}

BOOST_AUTO_TEST_CASE(a_roster_is_listed_pushed_and_changed) {
  talk x;
  x.sign_in();
  x.say("<iq type='get' id='r1'><query xmlns='jabber:iq:roster'/></iq>");
  auto asked = x.asked();
  BOOST_REQUIRE(asked.size() == 1u);
  contact bob;
  bob.address = *user_address::parse("bob@example.org");
  bob.name = "Bob";
  bob.groups = {"Work"};
  bob.subscription = {half::active, half::pending};
  contact stranger;
  stranger.address = *user_address::parse("carol@example.org");
  stranger.listed = false;
  stranger.subscription.from = half::pending;
  contact_list list{{}, {7}, {bob, stranger}, {}};
  x.tell(1, answer{asked[0].number, list});
  BOOST_TEST(x.heard()
    == "<iq type='result' id='r1' to='alice@example.org/desk'>"
       "<query xmlns='jabber:iq:roster' ver='7'>"
       "<item jid='bob@example.org' name='Bob' subscription='to'>"
       "<group>Work</group></item></query></iq>");
  x.tell(0, contact_list{{7}, {8}, {}, {bob.address}});
  BOOST_TEST(has(x.heard(),
    "<query xmlns='jabber:iq:roster' ver='8'>"
    "<item jid='bob@example.org' subscription='remove'/></query></iq>"));
  x.say("<iq type='set' id='r2'><query xmlns='jabber:iq:roster'>"
        "<item jid='Dave@Example.org' name='D'><group>A</group></item>"
        "</query></iq>");
  asked = x.asked();
  BOOST_REQUIRE(asked.size() == 1u);
  const auto& add = std::get<add_contacts>(asked[0].what);
  BOOST_TEST(add.contacts[0].address == "dave@example.org");
  contacts_changed full;
  full.refused = {{"dave@example.org", failure{errc::contact_list_full}, {}}};
  x.tell(2, answer{asked[0].number, full});
  BOOST_TEST(has(x.heard(), "<iq type='error' id='r2'"));
}

BOOST_AUTO_TEST_CASE(who_knows_a_version_is_told_of_requests_all_the_same) {
  talk x;
  x.sign_in();
  x.say("<iq type='get' id='r1'><query xmlns='jabber:iq:roster' ver='7'/></iq>"
        "<presence/>");
  auto asked = x.asked();
  BOOST_REQUIRE(asked.size() == 4u);
  BOOST_TEST(std::get<list_contacts>(asked[0].what).known.value == 0u);
  BOOST_TEST(std::get<list_contacts>(asked[1].what).known.value == 7u);
  contact carol;
  carol.address = *user_address::parse("carol@example.org");
  carol.listed = false;
  carol.subscription.from = half::pending;
  x.tell(1, answer{asked[0].number, contact_list{{}, {7}, {carol}, {}}});
  x.tell(2, answer{asked[1].number, contact_list{{7}, {7}, {}, {}}});
  BOOST_TEST(
    x.heard() == "<iq type='result' id='r1' to='alice@example.org/desk'></iq>");
  x.tell(3, answer{asked[2].number, done{}});
  BOOST_TEST(has(x.heard(),
    "<presence type='subscribe' from='carol@example."
    "org'"));
}

BOOST_AUTO_TEST_SUITE_END()
