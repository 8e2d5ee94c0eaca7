#include <boost/test/unit_test.hpp>

#include <array>
#include <string>

#include <gsasl.h>

#include "protocol/defaults.hpp"
#include "protocol/scram_keys.hpp"

using namespace parley;

namespace {

constexpr uint32_t few_iterations = 7;

std::string from_base64(std::string_view text) {
  char* out = nullptr;
  size_t size = 0;
  BOOST_REQUIRE(
    gsasl_base64_from(text.data(), text.size(), &out, &size) == GSASL_OK);
  std::string octets{out, size};
  gsasl_free(out);
  return octets;
}

/// The same keys by another implementation.
scram_keys::per_hash by_gsasl(Gsasl_hash hash, const std::string& password,
  const scram_keys::per_hash& like) {
  std::array<char, GSASL_HASH_MAX_SIZE> salted, client, server, stored;
  BOOST_REQUIRE(gsasl_scram_secrets_from_password(hash, password.c_str(),
                  like.iterations, like.salt.data(), like.salt.size(),
                  salted.data(), client.data(), server.data(), stored.data())
    == GSASL_OK);
  const auto size = gsasl_hash_length(hash);
  return {
    like.salt, like.iterations, {stored.data(), size}, {server.data(), size}};
}

} // namespace

BOOST_AUTO_TEST_CASE(keys_of_the_examples_in_rfc_5802_and_7677_match) {
  scram_keys keys;
  keys.sha256 = {from_base64("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096,
    from_base64("WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="),
    from_base64("wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=")};
  BOOST_TEST(password_matches("pencil", keys));
  BOOST_TEST(!password_matches("pencils", keys));
  keys = {};
  keys.sha1 = {from_base64("QSXCR+Q6sek8bf92"), 4096,
    from_base64("6dlGYMOdZcOPutkcNY8U2g7vK9Y="),
    from_base64("D+CSWLOshSulAsxiupA+qs2/fTE=")};
  BOOST_TEST(password_matches("pencil", keys));
  BOOST_TEST(!password_matches("pencils", keys));
}

BOOST_AUTO_TEST_CASE(derived_keys_are_those_of_libgsasl) {
  for (const std::string password :
    {"pencil", "p\xc3\xa4ssw\xc3\xb6rd", "\xe2\x85\xa8", "a b", "I\xc2\xadX"}) {
    const auto keys = derive_keys(password, few_iterations);
    BOOST_REQUIRE(keys);
    BOOST_TEST((keys->sha1 == by_gsasl(GSASL_HASH_SHA1, password, keys->sha1)));
    BOOST_TEST(
      (keys->sha256 == by_gsasl(GSASL_HASH_SHA256, password, keys->sha256)));
    BOOST_TEST(keys->sha1.stored_key.size() == 20u);
    BOOST_TEST(keys->sha256.stored_key.size() == 32u);
  }
}

BOOST_AUTO_TEST_CASE(every_derivation_has_fresh_salts) {
  const auto one = derive_keys("pencil", few_iterations);
  const auto other = derive_keys("pencil", few_iterations);
  BOOST_REQUIRE(one.has_value());
  BOOST_REQUIRE(other.has_value());
  BOOST_TEST(one->sha1.salt.size() == defaults::scram_salt_bytes);
  BOOST_TEST(one->sha256.salt.size() == defaults::scram_salt_bytes);
  BOOST_TEST(one->sha1.salt != other->sha1.salt);
  BOOST_TEST(one->sha256.salt != other->sha256.salt);
  BOOST_TEST(one->sha1.salt != one->sha256.salt);
}

BOOST_AUTO_TEST_CASE(passwords_that_saslprep_holds_for_equal_match) {
  const auto keys = derive_keys("IX", few_iterations);
  BOOST_REQUIRE(keys.has_value());
  BOOST_TEST(password_matches("IX", *keys));
  BOOST_TEST(password_matches("\xe2\x85\xa8", *keys));
  BOOST_TEST(password_matches("I\xc2\xadX", *keys));
  BOOST_TEST(!password_matches("ix", *keys));
}

BOOST_AUTO_TEST_CASE(passwords_that_cannot_be_are_refused_and_match_nothing) {
  const auto keys = derive_keys("pencil", few_iterations);
  BOOST_REQUIRE(keys.has_value());
  const std::string too_long(defaults::password_max + 1, 'x');
  for (const auto& password : {std::string{}, std::string{"a\tb"},
         std::string{"a\0b", 3}, std::string{"\xc3"}, too_long,
         // Soft hyphens are mapped to nothing, and nothing is left.
         std::string{"\xc2\xad"},
         // Right to left and left to right mixed.
         std::string{"\xd8\xa7"
                     "1"}}) {
    const auto refused = derive_keys(password, few_iterations);
    BOOST_REQUIRE(!refused.has_value());
    BOOST_TEST((refused.error().code == errc::bad_request));
    BOOST_TEST(!password_matches(password, *keys));
  }
  BOOST_TEST(derive_keys(too_long, few_iterations).error().limit.value()
    == defaults::password_max);
  BOOST_TEST(
    derive_keys(std::string(defaults::password_max, 'x'), few_iterations)
      .has_value());
}

BOOST_AUTO_TEST_CASE(keys_of_one_hash_suffice_and_none_match_nothing) {
  auto keys = derive_keys("pencil", few_iterations);
  BOOST_REQUIRE(keys.has_value());
  auto only1 = *keys;
  only1.sha256 = {};
  auto only256 = *keys;
  only256.sha1 = {};
  BOOST_TEST(password_matches("pencil", only1));
  BOOST_TEST(password_matches("pencil", only256));
  BOOST_TEST(!password_matches("pen", only1));
  BOOST_TEST(!password_matches("pencil", scram_keys{}));
  only256.sha256.iterations = 0;
  BOOST_TEST(!password_matches("pencil", only256));
}
