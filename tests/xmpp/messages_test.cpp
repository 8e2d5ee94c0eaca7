#include <boost/test/unit_test.hpp>

#include "protocol/xmpp/messages.hpp"
#include "protocol/xmpp/stanza_reader.hpp"

using namespace parley;
using namespace parley::xmpp;

namespace {

const auto alice = *address::parse("alice@example.org/desk");
const auto bob = *address::parse("bob@example.org");
const auto bobs_desk = *address::parse("bob@example.org/desk");
// 2026-11-22T08:00:00.250Z
constexpr wall_time morning{std::chrono::milliseconds{1795334400250}};

element read(std::string_view text) {
  auto x = parse_element(text);
  BOOST_REQUIRE(x);
  return *x;
}

/// What Bob receives when Alice sends this.
std::string passed(std::string_view text, delivery_marks marks = {}) {
  std::string out;
  append_message(out, im_of(read(text), alice, morning, "made-1"), bob, marks);
  return out;
}

message_class class_of(std::string_view text, const address& to) {
  return classify(read(text), to);
}

} // namespace

BOOST_AUTO_TEST_SUITE(messages)

BOOST_AUTO_TEST_CASE(a_message_arrives_as_it_was_sent) {
  BOOST_TEST(passed("<message to='bob@example.org' type='chat' id='1'>"
                    "<body>hi &amp; bye</body><thread>t</thread>"
                    "<request xmlns='urn:xmpp:receipts'/></message>")
    == "<message from='alice@example.org/desk' to='bob@example.org' "
       "type='chat' id='1'><body>hi &amp; bye</body><thread>t</thread>"
       "<request xmlns='urn:xmpp:receipts'/></message>");
  BOOST_TEST(passed("<message><body>hi</body></message>")
    == "<message from='alice@example.org/desk' to='bob@example.org'>"
       "<body>hi</body></message>");
}

BOOST_AUTO_TEST_CASE(payloads_without_a_body_arrive_too) {
  const auto text =
    "<message id='2'><reactions xmlns='urn:xmpp:reactions:0' id='1'>"
    "<reaction>+</reaction></reactions><store xmlns='urn:xmpp:hints'/>"
    "</message>";
  BOOST_TEST(im_of(read(text), alice, morning, "x").body == "");
  BOOST_TEST(passed(text)
    == "<message from='alice@example.org/desk' to='bob@example.org' id='2'>"
       "<reactions xmlns='urn:xmpp:reactions:0' id='1'><reaction>+</reaction>"
       "</reactions><store xmlns='urn:xmpp:hints'/></message>");
}

BOOST_AUTO_TEST_CASE(bodies_in_several_languages_keep_them) {
  const auto text = "<message xml:lang='en'><body>hi</body>"
                    "<body xml:lang='de'>hallo</body></message>";
  BOOST_TEST(im_of(read(text), alice, morning, "x").body == "hi");
  BOOST_TEST(passed(text)
    == "<message from='alice@example.org/desk' to='bob@example.org' "
       "xml:lang='en'><body>hi</body><body xml:lang='de'>hallo</body>"
       "</message>");
  const auto german = "<message><body xml:lang='de'>hallo</body></message>";
  BOOST_TEST(im_of(read(german), alice, morning, "x").body == "hallo");
  BOOST_TEST(passed(german)
    == "<message from='alice@example.org/desk' to='bob@example.org'>"
       "<body xml:lang='de'>hallo</body></message>");
}

BOOST_AUTO_TEST_CASE(nobody_but_the_server_says_when_something_was_sent) {
  BOOST_TEST(passed("<message><body>hi</body><delay xmlns='urn:xmpp:delay' "
                    "stamp='2000-01-01T00:00:00Z'/></message>")
    == "<message from='alice@example.org/desk' to='bob@example.org'>"
       "<body>hi</body></message>");
  BOOST_TEST(passed("<message><body>hi</body></message>", {"example.org", true})
    == "<message from='alice@example.org/desk' to='bob@example.org'>"
       "<body>hi</body><delay xmlns='urn:xmpp:delay' from='example.org' "
       "stamp='2026-11-22T08:00:00.250Z'/>"
       "<no-permanent-store xmlns='urn:xmpp:hints'/></message>");
}

BOOST_AUTO_TEST_CASE(the_origin_id_is_what_retries_are_known_by) {
  auto id_of = [](std::string_view text) {
    return im_of(read(text), alice, morning, "made-1").id.value;
  };
  BOOST_TEST(id_of("<message id='1'><origin-id xmlns='urn:xmpp:sid:0' "
                   "id='o1'/></message>")
    == "o1");
  BOOST_TEST(id_of("<message id='1'/>") == "made-1");
  BOOST_TEST(id_of("<message><origin-id xmlns='urn:xmpp:sid:0' id='"
               + std::string(129, 'x') + "'/></message>")
    == "made-1");
}

BOOST_AUTO_TEST_CASE(what_was_displayed_is_read_for_other_protocols) {
  auto x = im_of(read("<message><displayed xmlns='urn:xmpp:chat-markers:0' "
                      "id='m7'/></message>"),
    alice, morning, "x");
  BOOST_REQUIRE(x.payloads.size() == 2u);
  BOOST_TEST(x.payloads[1].type == "read");
  BOOST_TEST(x.payloads[1].data == "m7");
}

BOOST_AUTO_TEST_CASE(an_im_of_another_protocol_is_a_chat_message) {
  im x;
  x.id.value = "m'1";
  x.from = alice;
  x.body = "a < b";
  x.payloads = {{"read", "m0"}, {"example.org/other", "\xff"}};
  std::string out;
  append_message(out, x, bob, {});
  BOOST_TEST(out
    == "<message type='chat' id='m&apos;1' from='alice@example.org/desk' "
       "to='bob@example.org'><body>a &lt; b</body>"
       "<origin-id xmlns='urn:xmpp:sid:0' id='m&apos;1'/>"
       "<displayed xmlns='urn:xmpp:chat-markers:0' id='m0'/></message>");
}

BOOST_AUTO_TEST_CASE(the_type_says_who_gets_a_message) {
  const auto chat = "<message type='chat'><body>x</body></message>";
  const auto normal = "<message><body>x</body></message>";
  const auto odd = "<message type='odd'><body>x</body></message>";
  BOOST_TEST((class_of(chat, bob) == message_class::im));
  BOOST_TEST((class_of(chat, bobs_desk) == message_class::im));
  BOOST_TEST((class_of(normal, bob) == message_class::im));
  BOOST_TEST((class_of(normal, bobs_desk) == message_class::strict_im));
  BOOST_TEST((class_of(odd, bobs_desk) == message_class::strict_im));
  const auto headline = "<message type='headline'><body>x</body></message>";
  BOOST_TEST((class_of(headline, bob) == message_class::headline));
  const auto room = "<message type='groupchat'><body>x</body></message>";
  BOOST_TEST((class_of(room, bob) == message_class::impossible));
  BOOST_TEST((class_of(room, bobs_desk) == message_class::endpoint_only));
  const auto error = "<message type='error'><body>x</body></message>";
  BOOST_TEST((class_of(error, bob) == message_class::ignored));
  BOOST_TEST((class_of(error, bobs_desk) == message_class::endpoint_only));
}

BOOST_AUTO_TEST_CASE(what_is_not_worth_keeping_is_not_kept) {
  const auto composing =
    "<message type='chat'><composing "
    "xmlns='http://jabber.org/protocol/chatstates'/><thread>t</thread>"
    "<no-store xmlns='urn:xmpp:hints'/></message>";
  BOOST_TEST((class_of(composing, bob) == message_class::fleeting));
  BOOST_TEST(is_composing(read(composing)));
  BOOST_TEST((class_of("<message/>", bob) == message_class::fleeting));
  BOOST_TEST((class_of("<message><body>x</body><no-store "
                       "xmlns='urn:xmpp:hints'/></message>",
                bob)
    == message_class::fleeting));
  BOOST_TEST((class_of("<message><received xmlns='urn:xmpp:receipts' "
                       "id='1'/></message>",
                bob)
    == message_class::im));
}

BOOST_AUTO_TEST_CASE(other_stanzas_are_passed_on_whole) {
  const auto iq = read("<iq type='get' id='1' to='bob@example.org/desk' "
                       "from='x@y'><query xmlns='jabber:iq:version'/></iq>");
  const auto x = im_of(iq, alice, morning, "x");
  BOOST_TEST(x.body == "");
  std::string out;
  append_passed(out, x, bobs_desk);
  BOOST_TEST(out
    == "<iq from='alice@example.org/desk' to='bob@example.org/desk' "
       "type='get' id='1'><query xmlns='jabber:iq:version'/></iq>");
  BOOST_REQUIRE(stanza_of(x));
  BOOST_TEST((*stanza_of(x))["id"] == "1");
}

BOOST_AUTO_TEST_CASE(what_was_read_is_told_only_if_it_is_text) {
  im x;
  x.id.value = "1";
  x.from = alice;
  x.payloads = {{"read", "m1"}, {"read", "\xff"}};
  std::string out;
  append_message(out, x, bobs_desk, {});
  const auto element = parse_element(out);
  BOOST_REQUIRE(element);
  size_t marks = 0;
  for (const auto& c : element->children)
    marks += c.name == "displayed";
  BOOST_TEST(marks == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
