#include <boost/test/unit_test.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "protocol/tls.hpp"
#include "tests/protocol/tls_peer.hpp"

using namespace parley;
using namespace parley::test;

BOOST_AUTO_TEST_CASE(a_client_checks_whom_it_talks_to) {
  const auto error_for = [](const auto& context, const std::string& host) {
    auto server = server_side();
    side client{tls_stage{*context, host}, {}, {}};
    talk(server, client);
    if (client.last)
      BOOST_TEST(client.stage.handshake_done());
    else
      BOOST_TEST((client.last.error().code == errc::tls_failed));
    return client.last ? std::string{"none"} : client.last.error().text;
  };
  for (const auto* host : {"example.org", "localhost", "127.0.0.1", "::1"})
    BOOST_TEST(error_for(trusting_context(), host) == "none");
  BOOST_TEST(error_for(trusting_context(), "example.com")
    == "the server's certificate: hostname mismatch");
  BOOST_TEST(error_for(trusting_context(), "127.0.0.2")
    == "the server's certificate: IP address mismatch");
  BOOST_TEST(error_for(trusting_context(), "") != "none");
  const auto system = tls_client_context::trust_system();
  BOOST_REQUIRE(system.has_value());
  BOOST_TEST(error_for(*system, "example.org")
    == "the server's certificate: self-signed certificate");
  const auto anybody = tls_client_context::trust_anybody();
  BOOST_REQUIRE(anybody.has_value());
  BOOST_TEST(error_for(*anybody, "whoever") == "none");
  BOOST_TEST(!(*anybody)->verifies());
  BOOST_TEST(trusting_context()->verifies());
  BOOST_TEST((tls_client_context::trust_file("/nowhere/at/all").error().code
    == errc::store_unavailable));
}

BOOST_AUTO_TEST_CASE(a_self_signed_certificate_is_written_for_its_owner) {
  namespace fs = std::filesystem;
  const temporary_folder folder;
  const auto certificate = folder.file("c.pem");
  const auto key = folder.file("k.pem");
  for (const auto* domain : {"example.org", "localhost", "192.0.2.7",
         "b\xc3\xbc"
         "cher.example"}) {
    BOOST_TEST(make_self_signed(certificate, key, domain).has_value());
    BOOST_TEST((fs::status(key).permissions()
      == (fs::perms::owner_read | fs::perms::owner_write)));
    BOOST_TEST(tls_context::load(certificate, key).has_value());
  }
  BOOST_TEST(std::distance(fs::directory_iterator{folder.file("")},
               fs::directory_iterator{})
    == 2);
  auto* file = std::fopen(certificate.c_str(), "r");
  auto* x = PEM_read_X509(file, nullptr, nullptr, nullptr);
  std::fclose(file);
  BOOST_REQUIRE(x);
  BOOST_TEST(X509_check_host(x, "xn--bcher-kva.example", 0, 0, nullptr) == 1);
  int days = 0;
  int seconds = 0;
  ASN1_TIME_diff(
    &days, &seconds, X509_get0_notBefore(x), X509_get0_notAfter(x));
  BOOST_TEST(days > 3650);
  X509_free(x);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_a_certificate_is_refused) {
  const temporary_folder folder;
  const auto certificate = folder.file("c.pem");
  const auto key = folder.file("k.pem");
  for (const std::string domain : {"", "a b"}) {
    const auto made = make_self_signed(certificate, key, domain);
    if (domain.empty())
      BOOST_TEST((made.error().code == errc::bad_request));
  }
  const auto lost =
    make_self_signed(folder.file("no/c.pem"), folder.file("no/k.pem"), "x.y");
  BOOST_REQUIRE(!lost.has_value());
  BOOST_TEST((lost.error().code == errc::store_unavailable));
  BOOST_TEST(
    lost.error().text.find("No such file or directory") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(files_that_do_not_fit_are_refused_with_their_names) {
  const temporary_folder folder;
  const auto& good = example_certificate();
  const certificate other{folder.file("c.pem"), folder.file("k.pem")};
  BOOST_REQUIRE(make_self_signed(other.certificate_file, other.key_file, "x.y")
                  .has_value());
  const auto text_of = [](const std::string& c, const std::string& k) {
    const auto x = tls_context::load(c, k);
    BOOST_REQUIRE(!x.has_value());
    BOOST_TEST((x.error().code == errc::store_unavailable));
    return x.error().text;
  };
  BOOST_TEST(
    text_of(good.certificate_file, other.key_file).find("key values mismatch")
    != std::string::npos);
  BOOST_TEST(text_of(folder.file("none"), good.key_file).find("none")
    != std::string::npos);
  BOOST_TEST(text_of(good.certificate_file, folder.file("none")).find("none")
    != std::string::npos);
  BOOST_TEST(text_of(good.key_file, good.key_file).size() > 0u);
  // A passphrase would be asked for at the terminal.
  auto* key = EVP_EC_gen("P-256");
  const auto locked = folder.file("locked.pem");
  auto* file = std::fopen(locked.c_str(), "w");
  PEM_write_PKCS8PrivateKey(
    file, key, EVP_aes_128_cbc(), "secret", 6, nullptr, nullptr);
  std::fclose(file);
  EVP_PKEY_free(key);
  BOOST_TEST(
    text_of(good.certificate_file, locked).find("locked") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(reloading_changes_new_connections_alone) {
  const temporary_folder folder;
  const auto certificate = folder.file("c.pem");
  const auto key = folder.file("k.pem");
  BOOST_REQUIRE(make_self_signed(certificate, key, "one.example").has_value());
  const auto context = tls_context::load(certificate, key).value();
  const auto name_shown = [&](tls_peer& client) {
    auto* x = SSL_get1_peer_certificate(client.ssl());
    const bool one = X509_check_host(x, "one.example", 0, 0, nullptr) == 1;
    X509_free(x);
    return std::string{one ? "one" : "two"};
  };
  side before{tls_stage{*context}, {}, {}};
  auto early = tls_peer::client(TLS1_3_VERSION);
  talk(before, early);
  BOOST_TEST(name_shown(early) == "one");
  const auto first = read_certificate(certificate).value();
  const auto now = std::chrono::system_clock::now();
  BOOST_TEST((first.begins > now - std::chrono::hours{48}));
  BOOST_TEST((first.begins <= now && now < first.ends));
  const auto is_in_use = [&](const certificate_state& x) {
    return context->in_use().certificate->digest == x.digest;
  };
  BOOST_TEST(is_in_use(first));
  BOOST_TEST((context->in_use().not_reloaded.code == errc::none));

  // What cannot be loaded changes nothing.
  std::ofstream{certificate} << "nonsense";
  BOOST_TEST(!context->reload().has_value());
  BOOST_TEST(is_in_use(first));
  BOOST_TEST(
    context->in_use().not_reloaded.text.find(certificate) != std::string::npos);
  BOOST_TEST(read_certificate(certificate).error().text
    == certificate + " holds no certificate");
  side between{tls_stage{*context}, {}, {}};
  auto middle = tls_peer::client(TLS1_3_VERSION);
  talk(between, middle);
  BOOST_TEST(name_shown(middle) == "one");

  BOOST_REQUIRE(make_self_signed(certificate, key, "two.example").has_value());
  side half{tls_stage{*context}, {}, {}};
  const auto second = read_certificate(certificate).value();
  BOOST_TEST(is_in_use(first));
  BOOST_TEST(context->reload().has_value());
  BOOST_TEST(is_in_use(second));
  BOOST_TEST(!is_in_use(first));
  BOOST_TEST((context->in_use().not_reloaded.code == errc::none));
  side after{tls_stage{*context}, {}, {}};
  auto late = tls_peer::client(TLS1_3_VERSION);
  talk(after, late);
  BOOST_TEST(name_shown(late) == "two");
  auto started = tls_peer::client(TLS1_3_VERSION);
  talk(half, started);
  BOOST_TEST(name_shown(started) == "one");

  before.receive(early.send("still here"));
  BOOST_TEST(before.plain == "still here");
}
