#include "protocol/xmpp/websocket_handshake.hpp"

#include <utility> // Boost 1.74 needs it first

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>

#include <algorithm>

#include "protocol/defaults.hpp"
#include "protocol/xmpp/defaults.hpp"
#include "protocol/xmpp/octets.hpp"

namespace parley::xmpp {

namespace http = boost::beast::http;
using boost::beast::string_view;

namespace {

using request = http::request<http::empty_body>;

constexpr std::string_view head_end = "\r\n\r\n";
constexpr std::string_view web_socket = "/xmpp";
constexpr std::string_view host_meta = "/.well-known/host-meta";
constexpr std::string_view host_meta_json = "/.well-known/host-meta.json";
/// RFC 6455, 1.3.
constexpr std::string_view accepting_guid =
  "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::string_view subprotocol = "xmpp";

std::string_view std_view(string_view x) noexcept {
  return {x.data(), x.size()};
}

/// HTTP that ends the connection.
std::string last_answer(unsigned status, std::string_view fields,
  std::string_view type, std::string_view body, bool without_body = false) {
  const auto reason = http::obsolete_reason(http::int_to_status(status));
  std::string x = "HTTP/1.1 " + std::to_string(status) + " ";
  x += std_view(reason);
  x += "\r\nConnection: close\r\nContent-Type: ";
  x += type;
  x += "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  x += fields;
  x += "\r\n";
  if (!without_body)
    x += body;
  return x;
}

http_answer refuse(
  unsigned status, std::string_view why, std::string_view fields = {}) {
  return {last_answer(status, fields, "text/plain; charset=utf-8",
            std::string{why} + "\n"),
    false};
}

/// Whether it may be put between quotes, whatever the format.
bool is_host(std::string_view x) noexcept {
  constexpr std::string_view others = ".-:[]_";
  return !x.empty() && x.size() <= defaults::websocket_host_max
    && std::all_of(x.begin(), x.end(), [others](char c) {
         return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9') || others.find(c) != others.npos;
       });
}

/// Whom the request is for; empty if it does not say so, once and well.
std::string_view host_of(const request& x) {
  const auto host = std_view(x[http::field::host]);
  const bool is_clear = x.count(http::field::host) == 1 && is_host(host);
  return is_clear ? host : std::string_view{};
}

/// XEP-0156: the WebSocket is where this was asked.
http_answer describe(const request& x, bool as_json, bool is_encrypted) {
  const auto host = host_of(x);
  if (host.empty())
    return refuse(400, "the Host is none");
  const auto url = std::string{is_encrypted ? "wss://" : "ws://"}
    + std::string{host} + std::string{web_socket};
  constexpr std::string_view kind = "urn:xmpp:alt-connections:websocket";
  std::string body;
  if (as_json)
    body = R"({"links":[{"rel":")" + std::string{kind} + R"(","href":")" + url
      + "\"}]}\n";
  else
    body = "<?xml version='1.0' encoding='utf-8'?>\n"
           "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\n"
           "  <Link rel='"
      + std::string{kind} + "' href='" + url + "'/>\n</XRD>\n";
  // For pages that came from elsewhere, as those of web clients do.
  return {last_answer(200, "Access-Control-Allow-Origin: *\r\n",
            as_json ? "application/json" : "application/xrd+xml", body,
            x.method() == http::verb::head),
    false};
}

bool names(string_view list, string_view wanted) {
  return http::token_list{list}.exists(wanted);
}

/// The name of a subprotocol is compared as it is.
bool offers_xmpp(string_view list) {
  const http::token_list offered{list};
  return std::any_of(offered.begin(), offered.end(),
    [](string_view x) { return std_view(x) == subprotocol; });
}

http_answer upgrade(const request& x) {
  constexpr size_t key_octets = 16;
  if (x.method() != http::verb::get)
    return refuse(405, "a WebSocket is asked for by GET", "Allow: GET\r\n");
  if (x.version() != 11)
    return refuse(505, "a WebSocket is asked for by HTTP/1.1");
  if (host_of(x).empty())
    return refuse(400, "the Host is none");
  constexpr std::string_view fields =
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
  if (!names(x[http::field::connection], "upgrade")
    || !names(x[http::field::upgrade], "websocket"))
    return refuse(426, "here is a WebSocket that speaks XMPP", fields);
  if (x[http::field::sec_websocket_version] != "13")
    return refuse(426, "the version of a WebSocket is 13", fields);
  const auto key = std_view(x[http::field::sec_websocket_key]);
  const auto octets = from_base64(key);
  if (x.count(http::field::sec_websocket_key) != 1 || !octets
    || octets->size() != key_octets)
    return refuse(400, "the Sec-WebSocket-Key is none");
  if (!offers_xmpp(x[http::field::sec_websocket_protocol]))
    return refuse(400, "the Sec-WebSocket-Protocol here is xmpp");
  std::string y = "HTTP/1.1 101 Switching Protocols\r\n"
                  "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Protocol: xmpp\r\nSec-WebSocket-Accept: ";
  y += to_base64(sha1(std::string{key} + std::string{accepting_guid}));
  y += head_end;
  return {std::move(y), true};
}

} // namespace

std::string http_refusal(unsigned status, std::string_view why,
  std::chrono::milliseconds retry_after) {
  std::string fields;
  if (retry_after.count() > 0)
    fields = "Retry-After: "
      + std::to_string(
        std::chrono::ceil<std::chrono::seconds>(retry_after).count())
      + "\r\n";
  return refuse(status, why, fields).text;
}

http_answer answer_to(std::string_view head, bool is_encrypted) {
  http::request_parser<http::empty_body> parser;
  parser.header_limit(defaults::websocket_head_max);
  boost::system::error_code ec;
  parser.put(boost::asio::const_buffer{head.data(), head.size()}, ec);
  // What would follow in a request with a body is none of a client's.
  if (ec || !parser.is_header_done() || parser.chunked()
    || parser.content_length().value_or(0) > 0)
    return refuse(400, "this is no request of HTTP that is answered here");
  const auto& x = parser.get();
  const auto target = std_view(x.target());
  const auto path = target.substr(0, target.find('?'));
  if (path == web_socket)
    return upgrade(x);
  if (path != host_meta && path != host_meta_json)
    return refuse(404, "there is /xmpp, a WebSocket");
  if (x.method() != http::verb::get && x.method() != http::verb::head)
    return refuse(405, "only GET", "Allow: GET, HEAD\r\n");
  return describe(x, path == host_meta_json, is_encrypted);
}

std::optional<http_answer> handshake::take(
  std::string_view& bytes, bool is_encrypted) {
  const auto room = defaults::websocket_head_max - x_head.size();
  const auto before = x_head.size();
  x_head += bytes.substr(0, room);
  const auto from = before - std::min(before, head_end.size() - 1);
  const auto found = x_head.find(head_end, from);
  if (found == x_head.npos) {
    const bool is_full = x_head.size() == defaults::websocket_head_max;
    bytes = {};
    if (is_full)
      return refuse(431,
        "a request has at most " + std::to_string(defaults::websocket_head_max)
          + " bytes");
    return std::nullopt;
  }
  const auto size = found + head_end.size();
  bytes.remove_prefix(size - before);
  return answer_to(std::string_view{x_head}.substr(0, size), is_encrypted);
}

} // namespace parley::xmpp
