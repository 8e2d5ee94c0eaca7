#include <boost/test/unit_test.hpp>

#include "tests/xmpp/stream_fixture.hpp"

using namespace parley;
using namespace parley::test;

namespace {

using copy = incoming_im::copy;

constexpr std::string_view enable_copies =
  "<iq type='set' id='c1'><enable xmlns='urn:xmpp:carbons:2'/></iq>";

struct copied_talk : talk {
  copied_talk() { sign_in(); }

  send_im sends(const std::string& within) {
    say("<message to='bob@example.org' type='chat'><body>hi</body>" + within
      + "</message>");
    auto all = asked();
    BOOST_REQUIRE(all.size() == 1u);
    return std::get<send_im>(all[0].what);
  }
};

event copied(copy what, event x) {
  std::get<incoming_im>(x).copied = what;
  return x;
}

} // namespace

BOOST_AUTO_TEST_SUITE(copies)

BOOST_AUTO_TEST_CASE(they_are_switched_on_and_off) {
  copied_talk x;
  for (const bool on : {true, false}) {
    const std::string name = on ? "enable" : "disable";
    x.say(
      "<iq type='set' id='c1'><" + name + " xmlns='urn:xmpp:carbons:2'/></iq>");
    auto all = x.asked();
    BOOST_REQUIRE(all.size() == 1u);
    BOOST_TEST(std::get<set_copies>(all[0].what).wanted == on);
    BOOST_TEST(x.heard() == "");
    x.tell(all[0].number.value, answer{all[0].number, done{}});
    BOOST_TEST(x.heard().starts_with("<iq type='result' id='c1'"));
  }
  BOOST_TEST(
    has(x.say("<iq type='get' id='c2'><enable xmlns='urn:xmpp:carbons:2'/>"
              "</iq>"),
      "<service-unavailable"));
}

BOOST_AUTO_TEST_CASE(the_server_says_that_it_has_them) {
  copied_talk x;
  BOOST_TEST(has(x.say("<iq type='get' id='d1' to='example.org'><query "
                       "xmlns='http://jabber.org/protocol/disco#info'/></iq>"),
    "<feature var='urn:xmpp:carbons:2'/>"));
}

BOOST_AUTO_TEST_CASE(a_copy_is_a_message_within_one_from_oneself) {
  copied_talk x;
  x.tell(1, copied(copy::received, incoming("m1", "hi, Alice")));
  BOOST_TEST(x.heard()
    == "<message type='chat' from='alice@example.org' "
       "to='alice@example.org/desk'><received xmlns='urn:xmpp:carbons:2'>"
       "<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' "
       "stamp='1970-01-01T00:00:00.000Z'/><message xmlns='jabber:client' "
       "type='chat' id='m1' from='bob@example.org/phone' "
       "to='alice@example.org'><body>hi, Alice</body>"
       "<origin-id xmlns='urn:xmpp:sid:0' id='m1'/></message></forwarded>"
       "</received></message>");
}

BOOST_AUTO_TEST_CASE(a_stanza_is_copied_as_it_was_sent) {
  copied_talk x;
  auto s = x.sends("<active xmlns='http://jabber.org/protocol/chatstates'/>"
                   "<thread>t1</thread>");
  x.tell(1, incoming_im{s.message, s.to, false, copy::sent});
  const auto text = x.heard();
  BOOST_TEST(has(text, "<sent xmlns='urn:xmpp:carbons:2'><forwarded "));
  BOOST_TEST(has(text,
    "<message xmlns='jabber:client' from='alice@example.org/desk' "
    "to='bob@example.org' type='chat'><body>hi</body>"
    "<active xmlns='http://jabber.org/protocol/chatstates'/>"
    "<thread>t1</thread></message></forwarded></sent></message>"));
}

BOOST_AUTO_TEST_CASE(private_words_are_not_copied) {
  copied_talk x;
  BOOST_TEST(x.sends("").copies);
  const auto s = x.sends("<private xmlns='urn:xmpp:carbons:2'/>");
  BOOST_TEST(!s.copies);
  BOOST_TEST(!has(s.message->payloads.at(0).data, "private"));
  BOOST_TEST(!x.sends("<no-copy xmlns='urn:xmpp:hints'/>").copies);
  // Nobody else's word of it counts.
  BOOST_TEST(x.sends("<private xmlns='urn:example'/>").copies);
}

BOOST_AUTO_TEST_CASE(a_copy_is_acknowledged_as_an_im_is) {
  copied_talk x;
  x.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
  BOOST_TEST(!x.tell(1, copied(copy::received, incoming("m1"))));
  BOOST_TEST(!x.tell(2, copied(copy::sent, incoming("m2"))));
  x.heard();
  x.say("<a xmlns='urn:xmpp:sm:3' h='2'/>");
  BOOST_REQUIRE(x.owner.acks.size() == 1u);
  BOOST_TEST(x.owner.acks[0].value == 2u);
}

BOOST_AUTO_TEST_CASE(a_history_that_is_not_wanted_is_said_in_copies) {
  copied_talk x;
  x.tell(0, policy_values{{{"im.client_history", "off"}}});
  x.tell(1, copied(copy::received, incoming("m1")));
  BOOST_TEST(has(x.heard(),
    "<no-permanent-store xmlns='urn:xmpp:hints'/></message></forwarded>"));
}

BOOST_AUTO_TEST_SUITE_END()
