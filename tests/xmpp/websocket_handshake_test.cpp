#include <boost/test/unit_test.hpp>

#include "protocol/xmpp/defaults.hpp"
#include "protocol/xmpp/websocket_handshake.hpp"
#include "tests/xmpp/stream_fixture.hpp"
#include "tests/xmpp/web_client.hpp"

using namespace parley::test;
using parley::xmpp::answer_to;
using parley::xmpp::handshake;
using parley::xmpp::http_answer;
using parley::xmpp::http_refusal;

namespace {

/// The status of the answer to a request that is changed.
std::string status_of(std::string_view change, std::string_view into) {
  const auto x = answer_to(web_request(change, into), true);
  BOOST_TEST(x.is_upgrade == x.text.starts_with("HTTP/1.1 101 "));
  return x.text.substr(9, 3);
}

std::string get(std::string_view target, std::string_view method = "GET") {
  return answer_to(std::string{method} + " " + std::string{target}
      + " HTTP/1.1\r\nHost: chat.example.org:5281\r\n\r\n",
    true)
    .text;
}

std::string body_of(const std::string& answer) {
  return answer.substr(answer.find("\r\n\r\n") + 4);
}

} // namespace

BOOST_AUTO_TEST_SUITE(websocket_handshake)

BOOST_AUTO_TEST_CASE(a_websocket_of_xmpp_is_opened) {
  const auto x = answer_to(web_request(), false);
  BOOST_TEST(x.is_upgrade);
  // The key and its answer of RFC 6455, 1.3.
  BOOST_TEST(x.text
    == "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
       "Connection: Upgrade\r\nSec-WebSocket-Protocol: xmpp\r\n"
       "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
  BOOST_TEST(status_of("/xmpp", "/xmpp?a=b") == "101");
}

BOOST_AUTO_TEST_CASE(what_is_no_such_request_gets_its_status) {
  BOOST_TEST(status_of("/xmpp", "/") == "404");
  BOOST_TEST(status_of("/xmpp", "/xmpp/") == "404");
  BOOST_TEST(status_of("/xmpp", "http://example.org/xmpp") == "404");
  BOOST_TEST(status_of("GET", "POST") == "405");
  BOOST_TEST(status_of("GET", "HEAD") == "405");
  BOOST_TEST(status_of("HTTP/1.1", "HTTP/1.0") == "505");
  BOOST_TEST(status_of("HTTP/1.1", "HTTP/2.0") == "400");
  BOOST_TEST(status_of("HTTP/1.1", "nonsense") == "400");
  BOOST_TEST(status_of("Host: example.org:5281\r\n", "") == "400");
  BOOST_TEST(status_of("example.org:5281", "a\"b") == "400");
  BOOST_TEST(status_of("Origin", "Host: other.example\r\nOrigin") == "400");
  BOOST_TEST(status_of("keep-alive, Upgrade", "close") == "426");
  BOOST_TEST(status_of("WebSocket", "h2c") == "426");
  BOOST_TEST(status_of("Version: 13", "Version: 8") == "426");
  BOOST_TEST(status_of("Sec-WebSocket-Version: 13\r\n", "") == "426");
  BOOST_TEST(status_of("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ=") == "400");
  BOOST_TEST(
    status_of("dGhlIHNhbXBsZSBub25jZQ==", "no base64 at all") == "400");
  BOOST_TEST(status_of("Origin: https://elsewhere.example\r\n",
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")
    == "400");
  BOOST_TEST(status_of("chat, xmpp", "chat") == "400");
  BOOST_TEST(status_of("chat, xmpp", "XMPP") == "400");
  BOOST_TEST(status_of("Sec-WebSocket-Protocol: chat, xmpp\r\n", "") == "400");
  BOOST_TEST(status_of("Origin", "Content-Length: 5\r\nOrigin") == "400");
  BOOST_TEST(
    status_of("Origin", "Transfer-Encoding: chunked\r\nOrigin") == "400");
  BOOST_TEST(status_of("Origin", "Or igin") == "400");
  BOOST_TEST(status_of("Origin", "X: \x01\r\nOrigin") == "400");
}

BOOST_AUTO_TEST_CASE(a_refusal_says_what_would_have_been_right) {
  BOOST_TEST(has(get("/xmpp"), "Upgrade: websocket\r\n"));
  BOOST_TEST(has(get("/xmpp"), "Sec-WebSocket-Version: 13\r\n"));
  BOOST_TEST(has(get("/xmpp", "POST"), "Allow: GET\r\n"));
  BOOST_TEST(has(get("/"), "Connection: close\r\n"));
  BOOST_TEST(has(http_refusal(503, "full", std::chrono::milliseconds{1500}),
    "Retry-After: 2\r\n"));
}

BOOST_AUTO_TEST_CASE(clients_find_the_websocket_from_any_page) {
  const auto xml = get("/.well-known/host-meta");
  BOOST_TEST(xml.starts_with("HTTP/1.1 200 OK\r\n"));
  BOOST_TEST(has(xml, "Access-Control-Allow-Origin: *\r\n"));
  BOOST_TEST(has(xml, "Content-Type: application/xrd+xml\r\n"));
  BOOST_TEST(has(xml,
    "<Link rel='urn:xmpp:alt-connections:websocket' "
    "href='wss://chat.example.org:5281/xmpp'/>"));
  const auto json = get("/.well-known/host-meta.json?x");
  BOOST_TEST(has(json, "Content-Type: application/json\r\n"));
  BOOST_TEST(has(json, "Access-Control-Allow-Origin: *\r\n"));
  const std::string body =
    R"({"links":[{"rel":"urn:xmpp:alt-connections:websocket",)"
    R"("href":"wss://chat.example.org:5281/xmpp"}]})"
    "\n";
  BOOST_TEST(body_of(json) == body);
  const auto head = get("/.well-known/host-meta.json", "HEAD");
  BOOST_TEST(
    has(head, "Content-Length: " + std::to_string(body.size()) + "\r\n"));
  BOOST_TEST(body_of(head) == "");
  BOOST_TEST(get("/.well-known/host-meta", "PUT").substr(9, 3) == "405");
}

BOOST_AUTO_TEST_CASE(without_tls_it_is_ws) {
  const auto x = answer_to("GET /.well-known/host-meta.json HTTP/1.1\r\n"
                           "Host: [::1]:5281\r\n\r\n",
    false);
  BOOST_TEST(has(x.text, "\"ws://[::1]:5281/xmpp\""));
}

BOOST_AUTO_TEST_CASE(a_host_that_would_break_out_of_its_quotes_is_refused) {
  for (const auto* host : {"'/><a b='", "a\"b", "a b", "", "a/b", "a\\b"})
    BOOST_TEST(answer_to("GET /.well-known/host-meta HTTP/1.1\r\nHost: "
        + std::string{host} + "\r\n\r\n",
      true)
                 .text.starts_with("HTTP/1.1 400 "));
  const std::string longer(parley::defaults::websocket_host_max + 1, 'a');
  BOOST_TEST(answer_to(web_request("example.org:5281", longer), true)
               .text.starts_with("HTTP/1.1 400 "));
}

BOOST_AUTO_TEST_CASE(a_request_comes_in_pieces_and_what_follows_is_left) {
  const auto all = web_request() + "behind";
  for (size_t cut = 0; cut < all.size(); ++cut) {
    handshake x;
    std::string_view first = std::string_view{all}.substr(0, cut);
    std::string_view second = std::string_view{all}.substr(cut);
    auto answer = x.take(first, true);
    if (!answer) {
      BOOST_TEST(first.empty());
      answer = x.take(second, true);
    }
    BOOST_REQUIRE(answer);
    BOOST_TEST(answer->is_upgrade);
    BOOST_TEST(std::string{first} + std::string{second} == "behind");
  }
}

BOOST_AUTO_TEST_CASE(a_request_without_end_is_refused_at_its_bound) {
  handshake x;
  std::optional<http_answer> answer;
  size_t n = 0;
  for (; !answer; ++n) {
    std::string_view one = "A";
    answer = x.take(one, true);
    BOOST_TEST(x.memory() <= 2 * parley::defaults::websocket_head_max);
  }
  BOOST_TEST(n == parley::defaults::websocket_head_max);
  BOOST_TEST(answer->text.starts_with("HTTP/1.1 431 "));
}

BOOST_AUTO_TEST_SUITE_END()
