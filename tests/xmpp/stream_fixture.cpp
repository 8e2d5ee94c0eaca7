#include "tests/xmpp/stream_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <utility>

#include "protocol/decoys.hpp"
#include "protocol/xmpp/octets.hpp"
#include "tests/protocol/tls_peer.hpp"
#include "tests/xmpp/web_client.hpp"

namespace parley::test {

namespace {

/// What stands between two texts.
std::string between(
  const std::string& all, std::string_view first, std::string_view last) {
  auto from = all.find(first);
  BOOST_REQUIRE_MESSAGE(from != all.npos, all);
  from += first.size();
  return all.substr(from, all.find(last, from) - from);
}

/// A stanza as it stands without a stream around it.
std::string in_client_namespace(std::string_view text) {
  std::string x{text};
  for (const std::string_view name : {"<iq", "<message", "<presence"})
    if (text.starts_with(name))
      x.insert(name.size(), " xmlns='jabber:client'");
  return x;
}

} // namespace

talk::talk(kind k, xmpp::carrier by)
  : config(std::make_shared<connection_config>()), opening(header) {
  config->domain = "example.org";
  if (k == kind::tls)
    config->tls = server_context();
  config->decoys = std::make_shared<decoys>("secret");
  server =
    std::make_unique<xmpp::stream>(config, owner, "127.0.0.1:1", now, by);
  owner.link = server.get();
  owner.grant.self = *address::parse("alice@example.org/desk");
  owner.grant.token = "24 octets of some secret";
  owner.grant.requests = {50, 1 << 20};
  owner.grant.heartbeat = std::chrono::seconds{60};
  owner.grant.resume_window = std::chrono::seconds{60};
}

void talk::to_server(std::string_view bytes) {
  if (!bytes.empty())
    server->receive({bytes.data(), bytes.size()}, now, wall);
}

void talk::begin_tls() {
  static const auto context = trusting_context();
  x_tls.emplace(*context, "example.org");
  std::string plain;
  std::string cipher;
  BOOST_REQUIRE(x_tls->receive({}, plain, cipher));
  to_server(cipher);
  BOOST_TEST(heard() == "");
  BOOST_REQUIRE(x_tls->handshake_done());
}

void talk::open_web() {
  const auto answer = say(web_request());
  BOOST_TEST(answer.starts_with("HTTP/1.1 101 "), answer);
  x_is_web = true;
  opening = web_header;
}

std::string talk::say(std::string_view text, size_t piece) {
  std::string frame;
  if (x_is_web)
    text = frame = web_frame(in_client_namespace(text));
  while (!text.empty()) {
    const auto n = std::min(piece, text.size());
    std::string cipher;
    if (x_tls)
      BOOST_REQUIRE(x_tls->send(text.substr(0, n), cipher));
    to_server(x_tls ? std::string_view{cipher} : text.substr(0, n));
    text.remove_prefix(n);
  }
  return heard();
}

std::string talk::heard() {
  if (!x_is_web)
    return heard_bytes();
  std::string all;
  for (const auto& m : web_messages(heard_bytes())) {
    BOOST_TEST(web_closed == 0u);
    if (m.opcode == 1)
      all += m.payload;
    else if (m.opcode == 8)
      web_closed = static_cast<unsigned char>(m.payload[0]) << 8
        | static_cast<unsigned char>(m.payload[1]);
  }
  return all;
}

std::string talk::heard_bytes() {
  std::string all;
  while (true) {
    const std::string bytes{server->output()};
    if (bytes.empty())
      return all;
    server->written(bytes.size());
    std::string cipher;
    if (!x_tls)
      all += bytes;
    else
      BOOST_REQUIRE(x_tls->receive(bytes, all, cipher));
    to_server(cipher);
  }
}

bool talk::tell(uint64_t number, event what) {
  return server->send(sequence{number}, what);
}

void talk::wait(std::chrono::milliseconds time) {
  for (const auto end = now + time; now < end;) {
    now += std::chrono::milliseconds{100};
    server->tick(now);
  }
}

/// How SASL is spelt.
struct talk::profile {
  std::string xmlns;
  /// The client's first element, and what stands in it around its octets.
  std::string begin;
  std::string before;
  std::string after;
  /// Around the octets of a success.
  std::string proof_begin;
  std::string proof_end;
};

std::string talk::authenticate_as(const profile& how,
  const std::string& mechanism, std::string_view password, size_t piece) {
  const std::vector<std::string> offered{mechanism};
  sasl_channel channel;
  if (x_tls)
    channel = {true, x_tls->tls_exporter(), x_tls->tls_unique()};
  auto client = *sasl_client::make(offered, channel, "alice", password);
  const auto octets = xmpp::to_base64(client.initial());
  auto answer =
    say("<" + how.begin + " xmlns='" + how.xmlns + "' mechanism='" + mechanism
        + "'>" + how.before + octets + how.after + "</" + how.begin + ">",
      piece);
  while (answer.starts_with("<challenge")) {
    const auto challenge = between(answer, how.xmlns + "'>", "</challenge>");
    const auto response = client.respond(*xmpp::from_base64(challenge));
    BOOST_REQUIRE(response);
    answer = say("<response xmlns='" + how.xmlns + "'>"
        + xmpp::to_base64(*response) + "</response>",
      piece);
  }
  if (answer.starts_with("<success")) {
    const auto last = between(answer, how.proof_begin, how.proof_end);
    BOOST_TEST(client.finish(*xmpp::from_base64(last)).has_value());
  }
  return answer;
}

std::string talk::authenticate_by(
  const std::string& mechanism, std::string_view password, size_t piece) {
  return authenticate_as({"urn:ietf:params:xml:ns:xmpp-sasl", "auth", {}, {},
                           "xmpp-sasl'>", "</success>"},
    mechanism, password, piece);
}

std::string talk::authenticate_whole(
  std::string_view wishes, std::string_view password, size_t piece) {
  return authenticate_as(
    {"urn:xmpp:sasl:2", "authenticate", "<initial-response>",
      "</initial-response>" + std::string{wishes}, "<additional-data>",
      "</additional-data>"},
    "SCRAM-SHA-256", password, piece);
}

void talk::authenticate(size_t piece) {
  BOOST_TEST(
    say(opening, piece).find("<mechanism>SCRAM-SHA-256<") != std::string::npos);
  BOOST_TEST(authenticate_by("SCRAM-SHA-256", alices_password, piece)
               .starts_with("<success"));
  BOOST_TEST(say(opening, piece).find("xmpp-bind") != std::string::npos);
}

void talk::sign_in(size_t piece) {
  authenticate(piece);
  BOOST_TEST(
    say("<iq type='set' id='b1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
        "<resource>desk</resource></bind></iq>",
      piece)
    == "<iq" + std::string{x_is_web ? " xmlns='jabber:client'" : ""}
      + " type='result' id='b1'><bind "
        "xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
        "<jid>alice@example.org/desk</jid></bind></iq>");
  BOOST_REQUIRE(server->in_session());
}

std::string talk::resume(talk& before, uint32_t h) {
  authenticate();
  owner.answers_session = false;
  say("<resume xmlns='urn:xmpp:sm:3' previd='"
    + xmpp::to_base64(owner.grant.token) + "' h='" + std::to_string(h) + "'/>");
  BOOST_REQUIRE(owner.resumption);
  BOOST_TEST(owner.resumption->by.str() == alice);
  auto grant = owner.grant;
  grant.resumed = true;
  before.server->disconnected();
  owner.acks.push_back(server->accept(grant, before.server->take_legacy()));
  return heard();
}

event delivered(uint64_t request) {
  return answer{request_number{request}, outcome{outcome::kind::delivered, {}}};
}

event rejected(uint64_t request, errc why) {
  return answer{
    request_number{request}, outcome{outcome::kind::rejected, failure{why}}};
}

std::vector<numbered_request> talk::asked() {
  std::vector<numbered_request> all;
  for (auto& some : std::exchange(owner.requests, {}))
    std::move(some.begin(), some.end(), std::back_inserter(all));
  return all;
}

} // namespace parley::test
