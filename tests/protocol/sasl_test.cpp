#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "protocol/decoys.hpp"
#include "protocol/defaults.hpp"
#include "protocol/gsasl_session.hpp"
#include "protocol/sasl.hpp"

using namespace parley;
using namespace std::literals;
using step = sasl_server::step;

namespace {

constexpr std::string_view user = "alice@example.org";
constexpr std::string_view password = "correct horse";

const scram_keys& account() {
  static const scram_keys keys =
    derive_keys(password, defaults::scram_iterations).value();
  return keys;
}

sasl_channel plain_channel() {
  return {};
}

sasl_channel tls13_channel() {
  return {true, std::string(32, '\x13'), {}};
}

sasl_channel tls12_channel() {
  return {true, {}, std::string(12, '\x12')};
}

sasl_server server_of(std::string_view mechanism, const sasl_channel& channel) {
  auto x = sasl_server::make(
    mechanism, channel, "example.org", std::make_shared<decoys>("secret"));
  BOOST_REQUIRE(x.has_value());
  return std::move(*x);
}

sasl_client client_of(const std::vector<std::string>& offered,
  const sasl_channel& channel, std::string_view name = user,
  std::string_view secret = password) {
  auto x = sasl_client::make(offered, channel, name, secret);
  BOOST_REQUIRE(x.has_value());
  return std::move(*x);
}

/// What an eavesdropper sees of an exchange, and how it ended.
struct transcript {
  step last = step::failed;
  std::vector<size_t> sizes;
  bool server_proved = false;
  std::string user;
};

/// Plays both sides against each other.
transcript play(sasl_client& client, sasl_server& server,
  const scram_keys* keys, bool fits = true) {
  transcript x;
  x.last = server.respond(client.initial());
  while (true) {
    switch (x.last) {
    case step::find_keys:
      x.last = server.keys_found(keys);
      break;
    case step::check_password:
      x.last =
        server.password_checked(fits && server.take_password() == password);
      break;
    case step::challenge: {
      x.sizes.push_back(server.data().size());
      const auto response = client.respond(server.data());
      if (!response)
        return x;
      x.last = server.respond(*response);
      break;
    }
    case step::succeeded:
      x.sizes.push_back(server.data().size());
      x.server_proved = client.finish(server.data()).has_value();
      x.user = server.user().str();
      return x;
    case step::failed:
      return x;
    }
  }
}

transcript play(const std::string& mechanism, const sasl_channel& channel,
  const scram_keys* keys, std::string_view name = user,
  std::string_view secret = password) {
  auto client = client_of({mechanism}, channel, name, secret);
  BOOST_REQUIRE(client.mechanism() == mechanism);
  auto server = server_of(mechanism, channel);
  return play(client, server, keys, keys != nullptr);
}

/// A client of libgsasl alone that may wish to act as somebody else.
std::string first_message(
  std::string_view mechanism, const std::string& authzid) {
  const auto entry =
    std::ranges::find(sasl_mechanism_table, mechanism, &sasl_mechanism::name);
  auto session = gsasl_session::client(*entry);
  session.set(GSASL_AUTHID, std::string{user});
  session.set(GSASL_AUTHZID, authzid);
  session.set(GSASL_PASSWORD, std::string{password});
  return session.step({}).output;
}

} // namespace

BOOST_AUTO_TEST_CASE(mechanisms_are_offered_as_the_channel_allows) {
  const std::vector<std::string> plain{"SCRAM-SHA-256", "SCRAM-SHA-1"};
  const std::vector<std::string> tls{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"};
  BOOST_TEST(sasl_mechanisms(plain_channel()) == plain);
  BOOST_TEST(sasl_mechanisms(tls13_channel()) == tls);
  BOOST_TEST(sasl_mechanisms(tls12_channel()) == tls);
}

BOOST_AUTO_TEST_CASE(every_offered_mechanism_signs_in) {
  for (const auto& channel :
    {plain_channel(), tls13_channel(), tls12_channel()})
    for (const auto& mechanism : sasl_mechanisms(channel)) {
      auto client = client_of({mechanism}, channel);
      auto server = server_of(mechanism, channel);
      const auto x = play(client, server, &account());
      BOOST_TEST_CONTEXT(mechanism) {
        BOOST_TEST((x.last == step::succeeded));
        BOOST_TEST(x.server_proved);
        BOOST_TEST(x.user == user);
      }
    }
}

BOOST_AUTO_TEST_CASE(a_mechanism_that_is_not_offered_is_unavailable) {
  for (const auto* name :
    {"PLAIN", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512", "", "scram-sha-256"}) {
    const auto x = sasl_server::make(name, plain_channel(), "d", nullptr);
    BOOST_REQUIRE(!x.has_value());
    BOOST_TEST((x.error().code == errc::mechanism_unavailable));
  }
}

BOOST_AUTO_TEST_CASE(the_client_takes_the_best_that_is_safe) {
  const std::vector<std::string> all{"PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256",
    "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS", "X-UNHEARD-OF"};
  BOOST_TEST(
    client_of(all, tls13_channel()).mechanism() == "SCRAM-SHA-256-PLUS");
  BOOST_TEST(client_of(all, plain_channel()).mechanism() == "SCRAM-SHA-256");
  const std::vector<std::string> only_plain{"PLAIN"};
  BOOST_TEST(client_of(only_plain, tls13_channel()).mechanism() == "PLAIN");
  const auto unsafe =
    sasl_client::make(only_plain, plain_channel(), user, password);
  BOOST_REQUIRE(!unsafe.has_value());
  BOOST_TEST((unsafe.error().code == errc::mechanism_unavailable));
}

BOOST_AUTO_TEST_CASE(a_wrong_password_fails) {
  for (const auto& mechanism : sasl_mechanisms(tls13_channel())) {
    const auto x =
      play(mechanism, tls13_channel(), &account(), user, "wrong horse");
    BOOST_TEST((x.last == step::failed));
  }
  const auto x =
    play("SCRAM-SHA-1", plain_channel(), &account(), user, "wrong horse");
  BOOST_TEST((x.last == step::failed));
}

BOOST_AUTO_TEST_CASE(an_unknown_user_looks_like_a_wrong_password) {
  for (const std::string mechanism : {"SCRAM-SHA-256", "SCRAM-SHA-1"}) {
    const auto wrong =
      play(mechanism, plain_channel(), &account(), user, "wrong");
    const auto unknown =
      play(mechanism, plain_channel(), nullptr, "alicf@example.org", "wrong");
    BOOST_TEST((wrong.last == step::failed));
    BOOST_TEST((unknown.last == step::failed));
    BOOST_TEST(wrong.sizes == unknown.sizes);
    BOOST_TEST(wrong.sizes.size() == 1u);
  }
}

BOOST_AUTO_TEST_CASE(an_unknown_user_keeps_its_salt_however_it_is_written) {
  const auto salt_of = [](std::string_view name) {
    auto client = client_of({"SCRAM-SHA-256"}, plain_channel(), name);
    auto server = server_of("SCRAM-SHA-256", plain_channel());
    BOOST_REQUIRE((server.respond(client.initial()) == step::find_keys));
    BOOST_REQUIRE((server.keys_found(nullptr) == step::challenge));
    const auto& data = server.data();
    const auto from = data.find(",s=");
    return data.substr(from, data.find(",i=") - from);
  };
  const auto salt = salt_of("eve@example.org");
  BOOST_TEST(salt == salt_of("eve@example.org"));
  BOOST_TEST(salt == salt_of("EVE@Example.org"));
  BOOST_TEST(salt == salt_of("eve"));
  BOOST_TEST(salt != salt_of("eva"));
}

BOOST_AUTO_TEST_CASE(a_name_that_is_no_address_takes_the_same_way_and_fails) {
  const auto wrong =
    play("SCRAM-SHA-256", plain_channel(), &account(), user, "wrong");
  const auto x =
    play("SCRAM-SHA-256", plain_channel(), nullptr, "a b c d e@example.org");
  BOOST_TEST((x.last == step::failed));
  BOOST_TEST(x.sizes == wrong.sizes);
}

BOOST_AUTO_TEST_CASE(an_account_with_keys_of_the_other_hash_alone_fails) {
  auto keys = account();
  keys.sha1 = {};
  BOOST_TEST(
    (play("SCRAM-SHA-1", plain_channel(), &keys).last == step::failed));
  BOOST_TEST(
    (play("SCRAM-SHA-256", plain_channel(), &keys).last == step::succeeded));
}

BOOST_AUTO_TEST_CASE(a_name_without_domain_gets_the_servers) {
  const auto x = play("SCRAM-SHA-256", plain_channel(), &account(), "Alice");
  BOOST_TEST((x.last == step::succeeded));
  BOOST_TEST(x.user == user);
}

BOOST_AUTO_TEST_CASE(another_channel_does_not_bind) {
  auto between = tls13_channel();
  between.tls_exporter.back() ^= 1;
  for (const std::string mechanism :
    {"SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"}) {
    auto client = client_of({mechanism}, between);
    auto server = server_of(mechanism, tls13_channel());
    BOOST_TEST((play(client, server, &account()).last == step::failed));
  }
  between = tls12_channel();
  between.tls_unique.front() ^= 1;
  auto client = client_of({"SCRAM-SHA-256-PLUS"}, between);
  auto server = server_of("SCRAM-SHA-256-PLUS", tls12_channel());
  BOOST_TEST((play(client, server, &account()).last == step::failed));
}

BOOST_AUTO_TEST_CASE(a_client_that_was_told_of_no_binding_is_refused) {
  for (const std::string mechanism : {"SCRAM-SHA-256", "SCRAM-SHA-1"}) {
    for (const auto& channel : {tls13_channel(), tls12_channel()}) {
      auto server = server_of(mechanism, channel);
      BOOST_TEST((server.respond("y,,n=alice,r=abcdef") == step::failed));
      // One that never could bind may sign in.
      auto simple = server_of(mechanism, channel);
      BOOST_TEST((simple.respond("n,,n=alice,r=abcdef") == step::find_keys));
    }
    auto unbound = server_of(mechanism, plain_channel());
    BOOST_TEST((unbound.respond("y,,n=alice,r=abcdef") == step::find_keys));
  }
}

BOOST_AUTO_TEST_CASE(a_client_that_binds_must_bind_to_what_is_there) {
  auto other_kind = server_of("SCRAM-SHA-256-PLUS", tls13_channel());
  auto next = other_kind.respond("p=tls-unique,,n=alice,r=abcdef");
  if (next == step::find_keys)
    next = other_kind.keys_found(&account());
  BOOST_TEST((next == step::failed));
  auto none = server_of("SCRAM-SHA-256-PLUS", tls13_channel());
  BOOST_TEST((none.respond("n,,n=alice,r=abcdef") == step::failed));
}

BOOST_AUTO_TEST_CASE(a_client_with_an_unchecked_server_insists_on_binding) {
  auto unchecked = tls13_channel();
  unchecked.confidential = false;
  const std::vector<std::string> stripped{"SCRAM-SHA-256", "PLAIN"};
  const auto x = sasl_client::make(stripped, unchecked, user, password);
  BOOST_REQUIRE(!x.has_value());
  BOOST_TEST((x.error().code == errc::mechanism_unavailable));
  BOOST_TEST(client_of(sasl_mechanisms(tls13_channel()), unchecked).mechanism()
    == "SCRAM-SHA-256-PLUS");
  BOOST_TEST(
    client_of(stripped, tls13_channel()).mechanism() == "SCRAM-SHA-256");
}

BOOST_AUTO_TEST_CASE(nobody_acts_as_another) {
  for (const std::string mechanism : {"SCRAM-SHA-256", "PLAIN"}) {
    auto other = server_of(mechanism, tls13_channel());
    BOOST_TEST((other.respond(first_message(mechanism, "bob@example.org"))
      == step::failed));
    for (const std::string self : {"alice@example.org", "ALICE", ""}) {
      auto server = server_of(mechanism, tls13_channel());
      const auto next = server.respond(first_message(mechanism, self));
      BOOST_TEST((next == step::find_keys || next == step::check_password));
      BOOST_TEST(server.user().str() == user);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_client_may_begin_without_a_message_once) {
  auto client = client_of({"SCRAM-SHA-256"}, plain_channel());
  auto server = server_of("SCRAM-SHA-256", plain_channel());
  BOOST_TEST((server.respond("") == step::challenge));
  BOOST_TEST(server.data().empty());
  BOOST_TEST((play(client, server, &account()).last == step::succeeded));

  auto stubborn = server_of("SCRAM-SHA-256", plain_channel());
  BOOST_TEST((stubborn.respond("") == step::challenge));
  BOOST_TEST((stubborn.respond("") == step::failed));
}

BOOST_AUTO_TEST_CASE(messages_out_of_turn_and_oversize_fail) {
  auto client = client_of({"SCRAM-SHA-256"}, plain_channel());
  {
    auto server = server_of("SCRAM-SHA-256", plain_channel());
    BOOST_TEST((server.respond(client.initial()) == step::find_keys));
    BOOST_TEST((server.respond(client.initial()) == step::failed));
    BOOST_TEST((server.keys_found(&account()) == step::failed));
  }
  {
    auto server = server_of("SCRAM-SHA-256", plain_channel());
    BOOST_TEST((server.keys_found(&account()) == step::failed));
  }
  {
    auto server = server_of("SCRAM-SHA-256", plain_channel());
    BOOST_TEST((server.password_checked(true) == step::failed));
  }
  {
    auto server = server_of("SCRAM-SHA-256", plain_channel());
    BOOST_TEST((server.respond(client.initial()) == step::find_keys));
    BOOST_TEST((server.password_checked(true) == step::failed));
  }
  {
    auto server = server_of("SCRAM-SHA-256", plain_channel());
    const auto long_name =
      "n,,n=alice,r=" + std::string(defaults::sasl_message_max, 'x');
    BOOST_TEST((server.respond(long_name) == step::failed));
  }
}

BOOST_AUTO_TEST_CASE(a_server_that_does_not_know_the_keys_is_found_out) {
  for (const std::string forged : {"", "v=", "v=AAAA", "e=no"}) {
    auto client = client_of({"SCRAM-SHA-256"}, plain_channel());
    auto server = server_of("SCRAM-SHA-256", plain_channel());
    BOOST_REQUIRE((server.respond(client.initial()) == step::find_keys));
    BOOST_REQUIRE((server.keys_found(&account()) == step::challenge));
    BOOST_REQUIRE(client.respond(server.data()).has_value());
    BOOST_TEST(!client.finish(forged).has_value());
  }
  // Right stored key, wrong server key: half of the account leaked.
  auto stolen = account();
  stolen.sha256.server_key[3] ^= 1;
  auto client = client_of({"SCRAM-SHA-256"}, plain_channel());
  auto server = server_of("SCRAM-SHA-256", plain_channel());
  const auto x = play(client, server, &stolen);
  BOOST_TEST((x.last == step::succeeded));
  BOOST_TEST(!x.server_proved);
  // A server that skips the exchange.
  auto hasty = client_of({"SCRAM-SHA-256"}, plain_channel());
  BOOST_TEST(!hasty.finish("v=AAAA").has_value());
}

BOOST_AUTO_TEST_CASE(the_client_does_not_work_for_ever) {
  auto client = client_of({"SCRAM-SHA-256"}, plain_channel());
  const auto& first = client.initial();
  const auto nonce = first.substr(first.find("r=") + 2);
  BOOST_TEST(!client.respond("r=" + nonce + "xyz,s=QSXCR+Q6sek8bf92,i=1000001")
                .has_value());
  auto other = client_of({"SCRAM-SHA-256"}, plain_channel());
  BOOST_TEST(!other.respond(std::string(defaults::sasl_message_max + 1, 'x'))
                .has_value());
}

BOOST_AUTO_TEST_CASE(a_password_with_characters_beyond_ascii_signs_in) {
  const std::string secret = "\xe2\x85\xa8 p\xc3\xa4ss";
  const auto keys = derive_keys(secret, defaults::scram_iterations);
  BOOST_REQUIRE(keys.has_value());
  for (const std::string mechanism : {"SCRAM-SHA-256", "SCRAM-SHA-1"})
    BOOST_TEST((play(mechanism, plain_channel(), &*keys, user, secret).last
      == step::succeeded));
}

BOOST_AUTO_TEST_CASE(no_damaged_message_signs_in) {
  // Every cut and every flipped bit of the client's messages.
  const auto attempt = [](auto&& damage_first, auto&& damage_proof) {
    auto client = client_of({"SCRAM-SHA-256"}, plain_channel());
    auto server = server_of("SCRAM-SHA-256", plain_channel());
    auto first = client.initial();
    if (!damage_first(first))
      return std::optional<step>{};
    auto next = server.respond(first);
    if (next == step::find_keys)
      next =
        server.keys_found(server.user().str() == user ? &account() : nullptr);
    if (next != step::challenge)
      return std::optional{next};
    auto proof = client.respond(server.data());
    if (!proof)
      return std::optional{step::failed};
    if (!damage_proof(*proof))
      return std::optional<step>{};
    return std::optional{server.respond(*proof)};
  };
  const auto none = [](std::string&) { return true; };
  BOOST_REQUIRE((attempt(none, none) == step::succeeded));
  const auto cut = [](size_t at) {
    return [at](std::string& x) {
      const bool within = at < x.size();
      x.resize(std::min(at, x.size()));
      return within;
    };
  };
  const auto flip = [](size_t at) {
    return [at](std::string& x) {
      // The last digit before the padding has bits that mean nothing.
      if (at / 8 + 2 >= x.size())
        return false;
      x[at / 8] = static_cast<char>(x[at / 8] ^ (1 << at % 8));
      return true;
    };
  };
  for (size_t i = 0;; ++i) {
    const auto x = attempt(none, cut(i));
    if (!x)
      break;
    BOOST_TEST((*x != step::succeeded), "cut at " << i);
  }
  for (size_t i = 0;; ++i) {
    const auto x = attempt(none, flip(i));
    if (!x)
      break;
    BOOST_TEST((*x != step::succeeded), "bit " << i);
  }
  for (size_t i = 0;; ++i) {
    const auto x = attempt(cut(i), none);
    if (!x)
      break;
    BOOST_TEST((*x != step::succeeded), "cut of the first at " << i);
  }
}

BOOST_AUTO_TEST_CASE(random_bytes_never_sign_in) {
  const auto seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random{seed};
  const std::string_view alphabet = "nyp=,acrisv@:/AZaz09+\0\xc3\xa4"sv;
  for (int round = 0; round < 10'000; ++round) {
    const auto names = sasl_mechanisms(tls13_channel());
    auto server = server_of(names[random() % names.size()], tls13_channel());
    for (int message = 0; message < 3; ++message) {
      std::string text = random() % 2 ? "n,,n=alice,r=" : "";
      for (auto n = random() % 60; n > 0; --n)
        text += random() % 4 ? alphabet[random() % alphabet.size()]
                             : static_cast<char>(random());
      auto next = server.respond(text);
      if (next == step::find_keys)
        next = server.keys_found(random() % 2 ? &account() : nullptr);
      if (next == step::check_password)
        next = server.password_checked(false);
      BOOST_TEST_REQUIRE((next != step::succeeded), "seed " << seed);
    }
  }
}
