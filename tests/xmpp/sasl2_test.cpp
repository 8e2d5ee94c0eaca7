#include <boost/test/unit_test.hpp>

#include "protocol/xmpp/octets.hpp"
#include "tests/xmpp/stream_fixture.hpp"

using namespace parley;
using namespace parley::test;

namespace {

constexpr std::string_view agent =
  "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'>"
  "<software>AwesomeXMPP</software></user-agent>";

std::string binding(std::string_view wishes = {}) {
  return "<bind xmlns='urn:xmpp:bind:0'><tag>AwesomeXMPP</tag>"
    + std::string{wishes} + "</bind>";
}

std::string resuming(const talk& x, int h) {
  return "<resume xmlns='urn:xmpp:sm:3' previd='"
    + xmpp::to_base64(x.owner.grant.token) + "' h='" + std::to_string(h)
    + "'/>";
}

std::string endpoint_of(const talk& x) {
  BOOST_REQUIRE(x.owner.wish);
  return x.owner.wish->endpoint.str();
}

/// Alice, who can be resumed.
void begin_managed(talk& x) {
  x.sign_in();
  x.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
}

constexpr std::string_view session_features = "<stream:features><c xmlns=";

} // namespace

// Sign-in, binding and the rest at once (XEP-0388, XEP-0386).
BOOST_AUTO_TEST_SUITE(whole_sign_ins)

BOOST_AUTO_TEST_CASE(they_are_offered_beside_the_others) {
  talk x;
  const auto features = x.say(header);
  BOOST_TEST(has(features, "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-"));
  BOOST_TEST(has(features, "<authentication xmlns='urn:xmpp:sasl:2'>"));
  BOOST_TEST(has(features, "<bind xmlns='urn:xmpp:bind:0'>"));
  talk y{talk::kind::tls};
  BOOST_TEST(!has(y.say(header), "urn:xmpp:sasl:2"));
}

BOOST_AUTO_TEST_CASE(a_client_is_in_a_session_at_once) {
  for (const size_t piece : {size_t{1}, size_t{7}, SIZE_MAX}) {
    talk x;
    x.say(header);
    const auto text = x.authenticate_whole(
      std::string{agent} + binding(), alices_password, piece);
    BOOST_TEST(x.server->in_session());
    BOOST_TEST(has(text,
                 "<authorization-identifier>alice@example.org/" + endpoint_of(x)
                   + "</authorization-identifier><bound "
                     "xmlns='urn:xmpp:bind:0'></bound></success>"
                   + std::string{session_features}),
      text);
    BOOST_TEST(endpoint_of(x).starts_with("AwesomeXMPP/"));
    BOOST_TEST(
      endpoint_of(x).size() == std::string{"AwesomeXMPP/"}.size() + 12);
    BOOST_TEST(!has(endpoint_of(x), "d4565fa7"));
    x.say(to_bob);
    BOOST_TEST(x.asked().size() == 1u);
  }
}

BOOST_AUTO_TEST_CASE(a_client_has_the_same_endpoint_each_time) {
  const auto endpoint = [](std::string_view wishes) {
    talk x;
    x.say(header);
    x.authenticate_whole(wishes);
    return endpoint_of(x);
  };
  const auto mine = endpoint(std::string{agent} + binding());
  BOOST_TEST(endpoint(std::string{agent} + binding()) == mine);
  BOOST_TEST(endpoint("<user-agent id='another'/>" + binding()) != mine);
  // Who does not say which it is is another each time.
  BOOST_TEST(endpoint(binding()).starts_with("AwesomeXMPP/"));
  BOOST_TEST(endpoint(binding()) != endpoint(binding()));
  BOOST_TEST(endpoint("<bind xmlns='urn:xmpp:bind:0'/>") == "");
  // What no name may hold is left out.
  const std::string long_tag(2'000, 'x');
  BOOST_TEST(endpoint(std::string{agent} + "<bind xmlns='urn:xmpp:bind:0'><tag>"
               + long_tag + "</tag></bind>")
               .size()
    == 12u);
}

BOOST_AUTO_TEST_CASE(what_a_session_begins_with_is_asked_for_too) {
  talk x;
  x.say(header);
  const auto text =
    x.authenticate_whole(binding("<enable xmlns='urn:xmpp:sm:3' resume='true'/>"
                                 "<enable xmlns='urn:xmpp:carbons:2'/>"
                                 "<inactive xmlns='urn:xmpp:csi:0'/>"));
  BOOST_TEST(has(text, "<bound xmlns='urn:xmpp:bind:0'><enabled xmlns="));
  BOOST_TEST(has(text, "resume='true' max='60'/></bound></success>"));
  BOOST_TEST(x.server->is_resumable());
  const auto asked = x.asked();
  BOOST_REQUIRE(asked.size() == 1u);
  const auto* copies = std::get_if<set_copies>(&asked[0].what);
  BOOST_REQUIRE(copies);
  x.tell(1, answer{asked[0].number, done{}});
  BOOST_TEST(x.heard() == "");
}

BOOST_AUTO_TEST_CASE(without_a_binding_the_stream_goes_on_as_ever) {
  talk x;
  x.say(header);
  const auto text = x.authenticate_whole("");
  BOOST_TEST(has(text,
    "<authorization-identifier>alice@example.org</authorization-identifier>"
    "</success><stream:features><bind "));
  // No new stream begins.
  BOOST_TEST(has(x.say("<iq type='set' id='b'><bind "
                       "xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"),
    "<jid>alice@example.org/"));
}

BOOST_AUTO_TEST_CASE(a_client_resumes_at_once) {
  talk before;
  begin_managed(before);
  before.say(to_bob);
  before.tell(1, incoming("m1"));
  talk x;
  x.say(header);
  x.owner.answers_session = false;
  BOOST_TEST(x.authenticate_whole(resuming(x, 0) + binding()) == "");
  BOOST_REQUIRE(x.owner.resumption);
  BOOST_TEST(x.owner.resumption->by.str() == alice);
  auto grant = x.owner.grant;
  grant.resumed = true;
  before.server->disconnected();
  x.server->accept(grant, before.server->take_legacy());
  // As ever, once its IM has its outcome.
  BOOST_TEST(x.heard() == "");
  x.tell(1, incoming("m1"));
  x.tell(2, delivered(1));
  const auto text = x.heard();
  BOOST_TEST(text.starts_with("<success xmlns='urn:xmpp:sasl:2'>"));
  BOOST_TEST(
    has(text, "desk</authorization-identifier><resumed xmlns='urn:xmpp:sm:3'"));
  BOOST_TEST(has(text, "h='1'/></success>" + std::string{session_features}));
  BOOST_TEST(text.find("<message") > text.find("</stream:features>"));
  BOOST_TEST(has(text, "id='m1'"));
}

BOOST_AUTO_TEST_CASE(who_cannot_resume_is_bound) {
  talk x;
  x.say(header);
  x.owner.answers_session = false;
  x.authenticate_whole(resuming(x, 0) + binding());
  BOOST_REQUIRE(x.owner.resumption);
  BOOST_TEST(!x.owner.wish.has_value());
  x.server->refuse(failure{errc::resume_failed});
  BOOST_REQUIRE(x.owner.wish);
  x.server->accept(x.owner.grant);
  const auto text = x.heard();
  BOOST_TEST(
    has(text, "</authorization-identifier><failed xmlns='urn:xmpp:sm:3'"));
  BOOST_TEST(text.find("</failed><bound ") != text.npos);
  // The same if it says nothing that could be resumed.
  talk y;
  y.say(header);
  const auto other = y.authenticate_whole(
    "<resume xmlns='urn:xmpp:sm:3' previd='?' h='x'/>" + binding());
  BOOST_TEST(has(other, "</failed><bound "));
  BOOST_TEST(y.server->in_session());
}

BOOST_AUTO_TEST_CASE(who_cannot_resume_and_asks_for_nothing_else_may_bind) {
  talk x;
  x.say(header);
  const auto text =
    x.authenticate_whole("<resume xmlns='urn:xmpp:sm:3' previd='?' h='x'/>");
  BOOST_TEST(has(text, "</failed></success><stream:features><bind "));
}

BOOST_AUTO_TEST_CASE(a_wrong_password_binds_nothing) {
  talk x;
  x.say(header);
  const auto text = x.authenticate_whole(binding(), "battery staple");
  BOOST_TEST(
    text.starts_with("<failure xmlns='urn:xmpp:sasl:2'><not-authorized "
                     "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"),
    text);
  BOOST_TEST(!x.owner.wish.has_value());
  // It may try again, also as RFC 6120 has it.
  BOOST_TEST(x.authenticate_by("SCRAM-SHA-1").starts_with("<success"));
}

BOOST_AUTO_TEST_CASE(a_session_that_is_refused_is_a_sign_in_that_failed) {
  talk x;
  x.say(header);
  x.owner.answers_session = false;
  x.authenticate_whole(binding());
  failure why{errc::overloaded, "too many sessions"};
  why.retry_after = std::chrono::milliseconds{500};
  x.server->refuse(why);
  const auto text = x.heard();
  BOOST_TEST(has(text, "<temporary-auth-failure "));
  BOOST_TEST(has(text, "try again in 500 ms"));
  x.owner.answers_session = true;
  BOOST_TEST(x.authenticate_whole(binding()).starts_with("<success"));
}

BOOST_AUTO_TEST_CASE(an_exchange_is_finished_as_it_was_begun) {
  talk x;
  x.say(header);
  BOOST_TEST(
    has(x.say("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='SCRAM-SHA-1'>"
              "<initial-response>biwsbj1hLHI9Yg==</initial-response>"
              "</authenticate>"),
      "<challenge xmlns='urn:xmpp:sasl:2'>"));
  BOOST_TEST(has(
    x.say("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>eA==</response>"),
    "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><aborted/>"));
  BOOST_TEST(has(x.say("<abort xmlns='urn:xmpp:sasl:2'/>"),
    "<failure xmlns='urn:xmpp:sasl:2'><aborted "));
  BOOST_TEST(
    has(x.say("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='SCRAM-SHA-1'>"
              "<initial-response>?</initial-response></authenticate>"),
      "<incorrect-encoding "));
}

BOOST_AUTO_TEST_CASE(an_account_that_is_gone_meanwhile_is_not_authorised) {
  talk x;
  x.say(header);
  x.owner.answers_session = false;
  x.authenticate_whole(binding());
  x.server->refuse(failure{errc::authentication_failed});
  BOOST_TEST(has(x.heard(), "<not-authorized "));
}

BOOST_AUTO_TEST_CASE(who_begins_anew_gives_up_what_it_began) {
  talk x;
  x.say(header);
  x.say("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='SCRAM-SHA-1'>"
        "<initial-response>biwsbj1hLHI9Yg==</initial-response>"
    + binding() + "</authenticate>");
  const auto text = x.authenticate_by("SCRAM-SHA-1");
  BOOST_TEST(text.starts_with("<success xmlns='urn:ietf:params:xml:ns:"));
  BOOST_TEST(!x.owner.wish.has_value());
}

BOOST_AUTO_TEST_CASE(plain_over_tls_needs_no_proof_of_the_server) {
  talk x{talk::kind::tls};
  x.begin_tls();
  x.say(header);
  const auto plain =
    xmpp::to_base64(std::string{"\0alice\0", 7} + std::string{alices_password});
  const auto text =
    x.say("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'>"
          "<initial-response>"
      + plain + "</initial-response>" + binding() + "</authenticate>");
  BOOST_TEST(text.starts_with("<success xmlns='urn:xmpp:sasl:2'>"
                              "<authorization-identifier>"),
    text);
}

BOOST_AUTO_TEST_CASE(a_stranger_makes_it_hold_no_more_than_it_sends) {
  std::string much;
  for (int i = 0; i < 800; ++i)
    much += "<a/>";
  const auto begin = [](talk& x, const std::string& wishes) {
    x.say(header);
    x.say("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='SCRAM-SHA-1'>"
          "<initial-response>biwsbj1hLHI9Yg==</initial-response>"
      + wishes + "</authenticate>");
    BOOST_TEST(!x.server->is_closed());
    return x.server->memory();
  };
  talk x;
  talk y;
  talk z;
  const auto little = begin(x, "");
  const auto nothing_kept = begin(y,
    "<resume xmlns='urn:xmpp:sm:3'>" + much + "</resume>"
      + "<bind xmlns='urn:xmpp:bind:0'><enable xmlns='urn:xmpp:sm:3'>" + much
      + "</enable></bind>");
  BOOST_TEST(nothing_kept < little + 4'096);
  // What it keeps is counted.
  const auto long_tag = std::string(4'000, 'x');
  BOOST_TEST(
    begin(z, "<bind xmlns='urn:xmpp:bind:0'><tag>" + long_tag + "</tag></bind>")
    > little + long_tag.size() / 2);
}

BOOST_AUTO_TEST_CASE(over_a_websocket_each_element_is_a_message) {
  talk x{talk::kind::plain, xmpp::carrier::websocket};
  x.open_web();
  x.say(x.opening);
  const auto text = x.authenticate_whole(std::string{agent} + binding());
  BOOST_TEST(has(text, "<bound "));
  // The features are an element by themselves.
  BOOST_TEST(has(text, "</success><stream:features xmlns:stream="), text);
  BOOST_TEST(x.server->in_session());
}

BOOST_AUTO_TEST_SUITE_END()
