#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdio>
#include <malloc.h>
#include <random>
#include <string>
#include <vector>

#include <openssl/err.h>

#include "protocol/defaults.hpp"
#include "protocol/defaults_tls.hpp"
#include "protocol/tls.hpp"
#include "tests/protocol/tls_peer.hpp"

using namespace parley;
using namespace parley::test;

namespace {

constexpr std::array versions{TLS1_2_VERSION, TLS1_3_VERSION};

std::string some_bytes(size_t size) {
  std::string x(size, '\0');
  for (size_t i = 0; i < size; ++i)
    x[i] = static_cast<char>(i * 31 + i / 251);
  return x;
}

} // namespace

BOOST_AUTO_TEST_CASE(both_versions_shake_hands_and_carry_data_both_ways) {
  for (const int version : versions) {
    auto server = server_side();
    auto client = tls_peer::client(version);
    talk(server, client);
    BOOST_REQUIRE(server.last.has_value());
    BOOST_TEST(server.stage.handshake_done());
    BOOST_TEST(client.done());
    BOOST_TEST(server.stage.version()
      == (version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3"));
    server.receive(client.send("ping"));
    BOOST_TEST(server.plain == "ping");
    BOOST_TEST(server.stage.send("pong", server.cipher).has_value());
    client.receive(server.take());
    BOOST_TEST(client.plain == "pong");
  }
}

BOOST_AUTO_TEST_CASE(handshakes_and_data_survive_being_cut_at_every_byte) {
  for (const int version : versions) {
    // Byte by byte, and then in two pieces at each place of each flight.
    for (const size_t piece : {1u, 2u, 7u, 100u}) {
      auto server = server_side();
      auto client = tls_peer::client(version);
      talk(server, client, piece);
      BOOST_REQUIRE(server.last.has_value());
      BOOST_TEST(server.stage.handshake_done());
      const auto bytes = client.send("in pieces");
      for (const char byte : bytes)
        server.receive({&byte, 1});
      BOOST_TEST(server.plain == "in pieces");
    }
    for (size_t at = 1;; ++at) {
      auto server = server_side();
      auto client = tls_peer::client(version);
      const auto hello = client.receive({});
      if (at >= hello.size())
        break;
      server.receive(std::string_view{hello}.substr(0, at));
      server.receive(std::string_view{hello}.substr(at));
      const auto rest = client.receive(server.take());
      server.receive(std::string_view{rest}.substr(0, at % rest.size()));
      server.receive(std::string_view{rest}.substr(at % rest.size()));
      client.receive(server.take());
      BOOST_REQUIRE(server.stage.handshake_done());
      BOOST_REQUIRE(client.done());
    }
  }
}

BOOST_AUTO_TEST_CASE(old_versions_and_weak_ciphers_are_refused) {
  // Said by us, whatever OpenSSL's configuration says.
  for (auto* session : {server_context()->make_session(),
         trusting_context()->make_session("example.org")}) {
    BOOST_TEST(SSL_get_min_proto_version(session) == TLS1_2_VERSION);
    SSL_free(session);
  }
  auto server = server_side();
  auto old = tls_peer::client(TLS1_1_VERSION);
  talk(server, old);
  BOOST_REQUIRE(!server.last.has_value());
  BOOST_TEST((server.last.error().code == errc::tls_failed));
  BOOST_TEST(!old.done());
  for (const char* weak :
    {"AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "DHE-RSA-AES128-SHA"}) {
    auto strict = server_side();
    auto client = tls_peer::client(TLS1_2_VERSION);
    SSL_set_cipher_list(client.ssl(), weak);
    talk(strict, client);
    BOOST_TEST(!strict.last.has_value());
    BOOST_TEST(!client.done());
  }
}

BOOST_AUTO_TEST_CASE(nobody_renegotiates) {
  auto server = server_side();
  auto client = tls_peer::client(TLS1_2_VERSION);
  talk(server, client);
  SSL_renegotiate(client.ssl());
  talk(server, client);
  ERR_clear_error();
  BOOST_TEST(SSL_total_renegotiations(client.ssl()) <= 1);
  BOOST_TEST(SSL_num_renegotiations(client.ssl()) <= 1);
  BOOST_TEST(client.plain.empty());
  BOOST_TEST(server.plain.empty());
}

BOOST_AUTO_TEST_CASE(a_peer_without_tls_is_named_in_the_failure) {
  const auto text_for = [](std::string_view bytes, size_t piece) {
    auto server = server_side();
    for (auto rest = bytes; !rest.empty() && server.last;) {
      server.receive(rest.substr(0, piece));
      rest.remove_prefix(std::min(piece, rest.size()));
    }
    BOOST_REQUIRE(!server.last.has_value());
    BOOST_TEST((server.last.error().code == errc::tls_failed));
    BOOST_TEST(server.plain.empty());
    return server.last.error().text;
  };
  const std::string parley{"PARLEY\x01\n\0\0\0\x02\x12\0", 14};
  for (const size_t piece : {1u, 3u, 1000u}) {
    BOOST_TEST(text_for(parley, piece)
      == "TLS was expected, the peer speaks Parley without it");
    BOOST_TEST(text_for("GET / HTTP/1.1\r\nHost: x\r\n\r\n", piece)
      == "TLS was expected, the peer sends plain text");
    BOOST_TEST(text_for(std::string(20, '\0'), piece) == "TLS was expected");
  }
}

BOOST_AUTO_TEST_CASE(after_a_failure_nothing_more_happens) {
  auto server = server_side();
  server.receive("this is not a handshake");
  BOOST_REQUIRE(!server.last.has_value());
  server.take();
  BOOST_TEST(
    !server.stage.receive("more", server.plain, server.cipher).has_value());
  BOOST_TEST(!server.stage.send("text", server.cipher).has_value());
  server.stage.close(server.cipher);
  BOOST_TEST(server.cipher.empty());
  BOOST_TEST(server.plain.empty());
}

namespace {

/// Records of a first message that says it has so many bytes, and has so many.
std::string client_hello(size_t announced, size_t bytes) {
  std::string message{1, '\x01'};
  for (const int shift : {16, 8, 0})
    message += static_cast<char>(announced >> shift);
  message += "\x03\x03" + some_bytes(bytes);
  std::string records;
  for (size_t at = 0; at < message.size(); at += 1'000) {
    const auto part = message.substr(at, 1'000);
    records += "\x16\x03\x01";
    records += static_cast<char>(part.size() >> 8);
    records += static_cast<char>(part.size());
    records += part;
  }
  return records;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_handshake_that_is_too_long_fails_however_it_is_cut) {
  const auto bytes = client_hello(130'000, 129'000);
  for (const size_t piece : {500u, 16'000u, 129'500u}) {
    auto server = server_side();
    size_t taken = 0;
    for (; taken < bytes.size() && server.last; taken += piece)
      server.receive(std::string_view{bytes}.substr(taken, piece));
    BOOST_REQUIRE(!server.last.has_value());
    BOOST_TEST((server.last.error().code == errc::tls_failed));
    BOOST_TEST(server.last.error().text == "TLS: the handshake is too long");
    BOOST_TEST(taken <= defaults::tls_handshake_max + 2 * piece);
  }
}

BOOST_AUTO_TEST_CASE(what_comes_with_the_end_of_a_handshake_may_be_long) {
  const auto text = some_bytes(100'000);
  for (const int version : versions) {
    auto server = server_side();
    auto client = tls_peer::client(version);
    server.receive(client.receive({}));
    auto bytes = client.receive(server.take());
    if (version == TLS1_2_VERSION) {
      server.receive(bytes);
      bytes = client.receive(server.take());
    }
    server.receive(bytes + client.send(text));
    BOOST_REQUIRE(server.last.has_value());
    BOOST_TEST((server.plain == text));
  }
}

BOOST_AUTO_TEST_CASE(
  a_handshake_that_has_begun_holds_more_than_before_and_after) {
  auto server = server_side();
  BOOST_TEST(server.stage.memory() == defaults::tls_connection_bytes);
  server.receive(client_hello(130'000, 3));
  BOOST_TEST(server.last.has_value());
  BOOST_TEST(server.stage.memory() == defaults::tls_handshake_bytes);
  auto other = server_side();
  auto client = tls_peer::client(TLS1_3_VERSION);
  talk(other, client);
  BOOST_TEST(other.stage.memory() == defaults::tls_connection_bytes);
}

BOOST_AUTO_TEST_CASE(a_record_that_came_in_part_is_counted_until_it_is_whole) {
  for (const int version : versions) {
    auto server = server_side();
    auto client = tls_peer::client(version);
    talk(server, client);
    const auto before = server.stage.memory();
    for (const size_t part : {1, 4, 5, 6, 100}) {
      const auto record = client.send(std::string(16'000, 'x'));
      server.receive(record.substr(0, part));
      BOOST_TEST(
        server.stage.memory() == before + defaults::tls_record_bytes, part);
      server.receive(record.substr(part));
      BOOST_TEST(server.stage.memory() == before);
    }
    BOOST_TEST(server.plain.size() == 5 * 16'000);
  }
}

BOOST_AUTO_TEST_CASE(nothing_is_sent_before_the_handshake_is_done) {
  auto server = server_side();
  BOOST_TEST(!server.stage.send("early", server.cipher).has_value());
  BOOST_TEST(server.cipher.empty());
}

BOOST_AUTO_TEST_CASE(closing_is_told_both_ways) {
  for (const int version : versions) {
    auto server = server_side();
    auto client = tls_peer::client(version);
    talk(server, client);
    BOOST_TEST(!server.stage.closed_by_peer());
    auto bytes = client.send("last words");
    bytes += client.close();
    server.receive(bytes);
    BOOST_TEST(server.last.has_value());
    BOOST_TEST(server.plain == "last words");
    BOOST_TEST(server.stage.closed_by_peer());
    server.stage.close(server.cipher);
    client.receive(server.take());
    BOOST_TEST((SSL_get_shutdown(client.ssl()) & SSL_RECEIVED_SHUTDOWN) != 0);
  }
}

BOOST_AUTO_TEST_CASE(much_data_arrives_whole_in_few_records) {
  const auto text = some_bytes(3 * 1024 * 1024 + 17);
  for (const int version : versions) {
    auto server = server_side();
    auto client = tls_peer::client(version);
    talk(server, client);
    BOOST_TEST(server.stage.send(text, server.cipher).has_value());
    // A record of 16 KiB costs at most 29 bytes more.
    BOOST_TEST(
      server.cipher.size() < text.size() + (text.size() >> 14) * 30 + 60);
    client.receive(server.take());
    BOOST_TEST((client.plain == text));
    const auto cipher = client.send(text);
    for (std::string_view rest = cipher; !rest.empty();) {
      const size_t piece = 10'007;
      server.receive(rest.substr(0, piece));
      rest.remove_prefix(std::min(piece, rest.size()));
    }
    BOOST_TEST((server.plain == text));
  }
}

BOOST_AUTO_TEST_CASE(channel_binding_is_the_same_at_both_ends) {
  {
    auto server = server_side();
    auto client = tls_peer::client(TLS1_3_VERSION);
    BOOST_TEST(server.stage.tls_exporter().empty());
    talk(server, client);
    std::string expected(32, '\0');
    SSL_export_keying_material(client.ssl(),
      reinterpret_cast<unsigned char*>(expected.data()), expected.size(),
      "EXPORTER-Channel-Binding", 24, nullptr, 0, 0);
    BOOST_TEST((server.stage.tls_exporter() == expected));
    BOOST_TEST(server.stage.tls_unique().empty());
  }
  auto server = server_side();
  auto client = tls_peer::client(TLS1_2_VERSION);
  BOOST_TEST(server.stage.tls_unique().empty());
  talk(server, client);
  std::string expected(64, '\0');
  expected.resize(
    SSL_get_finished(client.ssl(), expected.data(), expected.size()));
  BOOST_TEST(expected.size() == 12u);
  BOOST_TEST((server.stage.tls_unique() == expected));
  BOOST_TEST(server.stage.tls_exporter().empty());
  // Two connections are never bound alike.
  auto other = server_side();
  auto other_client = tls_peer::client(TLS1_2_VERSION);
  talk(other, other_client);
  BOOST_TEST((other.stage.tls_unique() != expected));
}

BOOST_AUTO_TEST_CASE(without_extended_master_secret_tls_1_2_does_not_bind) {
  auto server = server_side();
  auto client = tls_peer::client(TLS1_2_VERSION);
  SSL_set_options(client.ssl(), SSL_OP_NO_EXTENDED_MASTER_SECRET);
  talk(server, client);
  BOOST_TEST(server.stage.handshake_done());
  BOOST_TEST(server.stage.tls_unique().empty());
}

BOOST_AUTO_TEST_CASE(the_client_stage_binds_as_the_server_does) {
  auto server = server_side();
  side client{tls_stage{*trusting_context(), "example.org"}, {}, {}};
  talk(server, client);
  BOOST_REQUIRE(client.last.has_value());
  BOOST_TEST(client.stage.tls_exporter().size() == 32u);
  BOOST_TEST((client.stage.tls_exporter() == server.stage.tls_exporter()));
  // And with a server of TLS 1.2.
  auto old = tls_peer::server(TLS1_2_VERSION, example_certificate());
  side bound{tls_stage{*trusting_context(), "example.org"}, {}, {}};
  bound.receive({});
  bound.receive(old.receive(bound.take()));
  bound.receive(old.receive(bound.take()));
  BOOST_REQUIRE(bound.stage.handshake_done());
  std::string expected(64, '\0');
  expected.resize(
    SSL_get_peer_finished(old.ssl(), expected.data(), expected.size()));
  BOOST_TEST((bound.stage.tls_unique() == expected));
}

BOOST_AUTO_TEST_CASE(damaged_bytes_fail_and_yield_nothing) {
  const auto seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random{seed};
  for (int round = 0; round < 2'000; ++round) {
    auto server = server_side();
    auto client = tls_peer::client(versions[random() % 2]);
    auto bytes = client.receive({});
    const bool late = random() % 2;
    if (late) {
      server.receive(bytes);
      bytes = client.receive(server.take());
    }
    for (auto n = 1 + random() % 4; n > 0; --n)
      bytes[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
    server.receive(bytes);
    server.receive(some_bytes(random() % 100));
    BOOST_TEST_REQUIRE(server.plain.empty(), "seed " << seed);
  }
  // And within a session.
  for (const int version : versions) {
    for (size_t at = 0; at < 26; ++at) {
      auto server = server_side();
      auto client = tls_peer::client(version);
      talk(server, client);
      auto bytes = client.send("secret");
      bytes[at] ^= 1;
      // A longer record only waits for its rest.
      server.receive(bytes + std::string(1 << 15, 'x'));
      BOOST_TEST(!server.last.has_value());
      BOOST_TEST(server.plain.empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(an_idle_connection_holds_no_buffers) {
  // Printed, and bounded generously: what is meant is "no 16 KiB buffers".
  constexpr size_t count = 200;
  constexpr size_t bytes_max = 24 * 1024;
  for (const int version : versions) {
    std::vector<side> servers;
    servers.reserve(count);
    { // What OpenSSL makes once.
      auto server = server_side();
      auto client = tls_peer::client(version);
      talk(server, client);
    }
    const auto before = mallinfo2().uordblks;
    for (size_t i = 0; i < count; ++i) {
      servers.push_back(server_side());
      auto client = tls_peer::client(version);
      talk(servers.back(), client);
      servers.back().receive(client.send(some_bytes(20'000)));
      client.receive(servers.back().take());
      // Assigning an empty string would keep the capacity.
      std::string{}.swap(servers.back().plain);
      std::string{}.swap(servers.back().cipher);
    }
    const auto each = (mallinfo2().uordblks - before) / count;
    BOOST_TEST_MESSAGE(
      servers.front().stage.version() << ": " << each << " bytes a connection");
    std::printf("%s: %zu bytes an idle connection\n",
      servers.front().stage.version().c_str(), each);
    // Sanitizers count otherwise.
    if (before > 0)
      BOOST_TEST(each < bytes_max);
  }
}
