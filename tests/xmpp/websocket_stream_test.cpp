#include <boost/test/unit_test.hpp>

#include <algorithm>

#include "protocol/defaults.hpp"
#include "protocol/xmpp/defaults.hpp"
#include "protocol/xmpp/websocket.hpp"
#include "tests/xmpp/stream_fixture.hpp"
#include "tests/xmpp/web_client.hpp"

using namespace parley;
using namespace parley::test;
using namespace std::chrono_literals;
using xmpp::carrier;

namespace {

struct web_talk : talk {
  explicit web_talk(kind k = kind::plain) : talk(k, carrier::websocket) {
    if (k == kind::tls)
      begin_tls();
    open_web();
  }
};

/// One that has signed in.
struct web_session : web_talk {
  web_session() { sign_in(); }
};

constexpr std::string_view web_close =
  "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>";

} // namespace

BOOST_AUTO_TEST_SUITE(websocket_streams)

BOOST_AUTO_TEST_CASE(a_browser_signs_in_byte_by_byte) {
  for (size_t piece : {1, 2, 3, 7, 1000}) {
    web_talk x;
    x.sign_in(piece);
    BOOST_REQUIRE(x.owner.wish);
    BOOST_TEST(x.owner.wish->endpoint.str() == "desk");
    BOOST_TEST(x.owner.wish->transport == "plain, WebSocket");
  }
}

BOOST_AUTO_TEST_CASE(a_browser_signs_in_under_tls) {
  for (const auto* mechanism :
    {"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"}) {
    web_talk x{talk::kind::tls};
    const auto features = x.say(web_header);
    BOOST_TEST(!has(features, "<starttls"));
    BOOST_TEST(
      has(features, "<mechanism>" + std::string{mechanism} + "</mechanism>"));
    BOOST_TEST(x.authenticate_by(mechanism).starts_with("<success"));
    BOOST_TEST(has(x.say(web_header), "xmpp-bind"));
  }
}

BOOST_AUTO_TEST_CASE(a_stream_begins_with_open_and_its_features) {
  web_talk x;
  const auto y = x.say(web_header);
  BOOST_TEST(y.starts_with("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' "
                           "id='"),
    y);
  BOOST_TEST(has(y,
    "' from='example.org' version='1.0' xml:lang='en'/>"
    "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>"));
}

BOOST_AUTO_TEST_CASE(each_message_is_one_element_with_its_namespaces) {
  std::string out;
  xmpp::append_messages(out,
    "<presence/><message a='&gt;&lt; xmlns='><body>a</body><x/></message>"
    "<iq type='set'/><r xmlns='urn:xmpp:sm:3'/><message/>"
    "<stream:error><x xmlns='y'/></stream:error>");
  const auto all = web_messages(out);
  BOOST_REQUIRE(all.size() == 6u);
  BOOST_TEST(all[0].payload == "<presence xmlns='jabber:client'/>");
  BOOST_TEST(all[1].payload
    == "<message xmlns='jabber:client' a='&gt;&lt; xmlns='><body>a</body><x/>"
       "</message>");
  BOOST_TEST(all[2].payload == "<iq xmlns='jabber:client' type='set'/>");
  BOOST_TEST(all[3].payload == "<r xmlns='urn:xmpp:sm:3'/>");
  BOOST_TEST(all[4].payload == "<message xmlns='jabber:client'/>");
  BOOST_TEST(all[5].payload
    == "<stream:error xmlns:stream='http://etherx.jabber.org/streams'>"
       "<x xmlns='y'/></stream:error>");
}

BOOST_AUTO_TEST_CASE(what_is_no_single_element_ends_the_stream) {
  const auto fault = [](std::string_view payload) {
    web_session x;
    x.to_server(web_frame(payload));
    auto y = x.heard();
    BOOST_TEST(x.server->is_closed());
    BOOST_TEST(x.web_closed == 1000u);
    BOOST_TEST(y.ends_with(web_close), y);
    return y;
  };
  BOOST_TEST(has(fault("<presence xmlns='jabber:client'/>"
                       "<presence xmlns='jabber:client'/>"),
    "<bad-format"));
  BOOST_TEST(has(fault("<presence xmlns='jabber:client'>"), "<bad-format"));
  BOOST_TEST(has(fault(""), "<bad-format"));
  BOOST_TEST(has(fault(" "), "<bad-format"));
  BOOST_TEST(has(fault("text"), "<bad-format"));
  BOOST_TEST(has(fault("</x>"), "<not-well-formed"));
  BOOST_TEST(has(fault("</stream:stream>"), "<not-well-formed"));
  BOOST_TEST(
    has(fault("<?xml version='1.0'?><presence/>"), "<not-well-formed"));
  BOOST_TEST(has(fault("<!-- --><presence/>"), "<restricted-xml"));
  BOOST_TEST(has(fault("\xff"), "<not-well-formed"));
  // A namespace is not taken from elsewhere.
  BOOST_TEST(has(fault("<presence/>"), "<unsupported-stanza-type"));
  BOOST_TEST(has(fault(web_header), "<bad-format"));
}

BOOST_AUTO_TEST_CASE(a_stream_header_of_tcp_is_none_here) {
  web_talk x;
  BOOST_TEST(has(x.say(header), "<stream:error"));
  BOOST_TEST(x.server->is_closed());
}

BOOST_AUTO_TEST_CASE(a_stanza_may_come_in_fragments_with_pings_between) {
  web_session x;
  const std::string stanza =
    "<message xmlns='jabber:client' to='bob@example.org' id='1' type='chat'>"
    "<body>hi</body></message> ";
  for (size_t cut = 0; cut <= stanza.size(); ++cut) {
    x.to_server(web_frame(stanza.substr(0, cut), 0x01));
    x.to_server(web_frame("ping", 0x89));
    const auto pong = web_messages(x.heard_bytes());
    BOOST_REQUIRE(pong.size() == 1u);
    BOOST_TEST((pong[0] == web_message{0xa, "ping"}));
    x.to_server(web_frame(stanza.substr(cut), 0x80));
    const auto asked = x.asked();
    BOOST_REQUIRE(asked.size() == 1u);
    BOOST_TEST(std::get<send_im>(asked[0].what).message->body == "hi");
    x.tell(cut + 1, delivered(cut + 1));
  }
  BOOST_TEST(!x.server->is_closed());
}

BOOST_AUTO_TEST_CASE(broken_frames_are_told_by_their_code_alone) {
  for (auto [frame, code] : {std::pair{web_frame("x", 0x82), 1003u},
         std::pair{web_frame("x", 0x83), 1002u},
         std::pair{std::string{"\x81\x01x"}, 1002u}}) {
    web_session x;
    x.to_server(frame);
    BOOST_TEST(x.heard() == "");
    BOOST_TEST(x.web_closed == code);
    BOOST_TEST(x.server->is_closed());
    BOOST_TEST((x.owner.end->code == errc::bad_frame));
  }
}

BOOST_AUTO_TEST_CASE(a_message_is_as_long_as_a_stanza_may_be) {
  web_talk stranger;
  stranger.say(web_header);
  stranger.to_server(
    web_frame(std::string(defaults::stranger_frame_max + 1, ' ')));
  BOOST_TEST(has(stranger.heard(), "<policy-violation"));
  web_session x;
  const auto large =
    "<message xmlns='jabber:client' to='bob@example.org'><body>"
    + std::string(defaults::im_content_max - 1000, 'x') + "</body></message>";
  x.to_server(web_frame(large));
  BOOST_TEST(x.asked().size() == 1u);
  // It is refused before it comes.
  x.to_server(
    web_frame(std::string(defaults::frame_max + 1, 'x')).substr(0, 14));
  BOOST_TEST(has(x.heard(), "<policy-violation"));
  BOOST_TEST(x.server->is_closed());
}

BOOST_AUTO_TEST_CASE(who_closes_the_stream_signs_out_and_gets_both_closes) {
  web_session x;
  x.say(web_close);
  const auto asked = x.asked();
  BOOST_REQUIRE(asked.size() == 1u);
  BOOST_TEST(std::holds_alternative<sign_out>(asked[0].what));
  x.server->close(failure{errc::signed_out}, error_scope::session);
  BOOST_TEST(x.heard() == web_close);
  BOOST_TEST(x.web_closed == 1000u);
}

BOOST_AUTO_TEST_CASE(a_close_frame_alone_is_a_connection_that_breaks) {
  web_session x;
  x.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
  x.to_server(web_frame("\x03\xe9", 0x88));
  BOOST_TEST(x.heard() == "");
  BOOST_TEST(x.web_closed == 1000u);
  BOOST_TEST(x.server->is_closed());
  BOOST_TEST((x.owner.end->code == errc::none));
  BOOST_TEST(x.asked().empty()); // no sign-out
  BOOST_TEST(x.server->is_resumable());
}

BOOST_AUTO_TEST_CASE(nothing_follows_a_close_frame) {
  web_talk y;
  y.owner.grant.requests.messages = 1;
  y.sign_in();
  y.say(to_bob);
  y.say(to_bob);
  y.to_server(web_frame("", 0x88));
  BOOST_TEST(!y.server->is_closed()); // something waits for room
  BOOST_TEST(y.heard() == "");
  BOOST_TEST(y.web_closed == 1000u);
  y.tell(1, rejected(1, errc::quota_exceeded));
  BOOST_TEST(y.heard_bytes() == "");
  // What was not sent is not taken for received.
  BOOST_TEST(!y.tell(2, incoming("m1")));
  BOOST_TEST(y.heard_bytes() == "");
  BOOST_TEST(!y.server->asks_what_reached());
  y.server->reached_all_but(0);
  BOOST_TEST(y.owner.acks.empty());
}

BOOST_AUTO_TEST_CASE(a_stream_resumes_over_another_websocket_or_tcp) {
  for (const auto by : {carrier::websocket, carrier::tcp}) {
    web_session first;
    const auto enabled =
      first.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    BOOST_TEST(has(enabled, "<enabled xmlns='urn:xmpp:sm:3'"));
    first.say("<r xmlns='urn:xmpp:sm:3'/>");
    BOOST_TEST(!first.tell(1, incoming("m1")));
    BOOST_TEST(has(first.heard(), "<body>hello</body>"));
    talk second{talk::kind::plain, by};
    if (by == carrier::websocket)
      second.open_web();
    BOOST_TEST(has(second.resume(first, 0), "<resumed xmlns='urn:xmpp:sm:3'"));
    BOOST_TEST(second.server->in_session());
  }
}

BOOST_AUTO_TEST_CASE(an_im_over_websocket_is_safe_when_its_bytes_have_arrived) {
  web_session x;
  BOOST_TEST(!x.tell(1, incoming("m1")));
  BOOST_TEST(has(x.heard(), "<body>hello</body>"));
  x.server->reached_all_but(1);
  BOOST_TEST(x.owner.acks.empty());
  x.server->reached_all_but(0);
  BOOST_REQUIRE(x.owner.acks.size() == 1u);
  BOOST_TEST(x.owner.acks[0].value == 1u);
}

BOOST_AUTO_TEST_CASE(a_conflict_ends_the_older_websocket) {
  web_session x;
  x.server->close(failure{errc::replaced}, error_scope::session);
  const auto text = x.heard();
  BOOST_TEST(text.starts_with("<stream:error "
                              "xmlns:stream='http://etherx.jabber.org/streams'>"
                              "<conflict"),
    text);
  BOOST_TEST(text.ends_with("</stream:error>" + std::string{web_close}));
  BOOST_TEST(x.web_closed == 1000u);
}

BOOST_AUTO_TEST_CASE(before_the_handshake_the_end_is_told_in_http) {
  for (auto [code, status] :
    {std::pair{errc::timed_out, "408"}, std::pair{errc::overloaded, "503"},
      std::pair{errc::too_many_connections, "503"}}) {
    talk x{talk::kind::plain, carrier::websocket};
    x.say("GET /xm");
    failure why{code, "no"};
    why.retry_after = 5s;
    x.server->close(why, error_scope::connection);
    const auto y = x.heard();
    BOOST_TEST(y.starts_with("HTTP/1.1 " + std::string{status}), y);
    BOOST_TEST(has(y, "\r\nConnection: close\r\n"));
    BOOST_TEST(has(y, "Retry-After: 5") == (code != errc::timed_out));
  }
}

BOOST_AUTO_TEST_CASE(a_request_that_never_ends_is_given_up) {
  talk x{talk::kind::plain, carrier::websocket};
  for (int i = 0; i < 31 && !x.server->is_closed(); ++i) {
    x.say("G");
    x.wait(1s);
  }
  BOOST_TEST(x.heard().starts_with("HTTP/1.1 408 "));
  BOOST_TEST(x.server->is_closed());
}

BOOST_AUTO_TEST_CASE(http_that_is_answered_ends_the_connection) {
  talk x{talk::kind::plain, carrier::websocket};
  BOOST_TEST(x.say("GET /.well-known/host-meta HTTP/1.1\r\nHost: a\r\n\r\n"
                   "GET /.well-known/host-meta HTTP/1.1\r\nHost: a\r\n\r\n")
               .starts_with("HTTP/1.1 200 "));
  BOOST_TEST(x.server->is_closed());
  BOOST_TEST(x.owner.asked_for.empty());
}

BOOST_AUTO_TEST_CASE(garbage_is_no_request_whatever_it_is) {
  for (const std::string_view text :
    {"\r\n\r\n", "<stream:stream>\r\n\r\n", "GET\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /xmpp HTTP/1.1\n\n\r\n\r\n",
      "GET /xmpp\x01 HTTP/1.1\r\n\r\n", "GET  /xmpp  HTTP/1.1\r\n\r\n"}) {
    talk x{talk::kind::plain, carrier::websocket};
    BOOST_TEST(x.say(text).starts_with("HTTP/1.1 400 "));
    BOOST_TEST(x.server->is_closed());
  }
}

BOOST_AUTO_TEST_CASE(where_there_is_tls_there_is_no_websocket_without) {
  talk x{talk::kind::tls, carrier::websocket};
  const auto y = x.say(web_request());
  BOOST_TEST(y.starts_with("HTTP/1.1 400 "), y);
  BOOST_TEST(x.server->is_closed());
}

BOOST_AUTO_TEST_CASE(who_pings_and_does_not_read_is_cut_off) {
  web_talk x;
  const auto ping = web_frame(std::string(125, 'p'), 0x89);
  std::string many;
  for (int i = 0; i < 100; ++i)
    many += ping;
  for (int i = 0; i < 1000 && !x.server->is_closed(); ++i)
    x.to_server(many);
  BOOST_TEST((x.owner.end->code == errc::slow_consumer));
}

BOOST_AUTO_TEST_CASE(an_idle_session_holds_no_buffers) {
  web_session x;
  talk tcp;
  tcp.sign_in();
  for (auto* each : {static_cast<talk*>(&x), &tcp}) {
    each->tell(1, incoming("m1"));
    each->heard();
    each->server->reached_all_but(0);
  }
  BOOST_TEST(
    x.server->memory() <= tcp.server->memory() + sizeof(xmpp::websocket) + 16);
  BOOST_TEST(sizeof(xmpp::websocket) <= 176u);
}

BOOST_AUTO_TEST_SUITE_END()
