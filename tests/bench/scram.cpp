#include "bench/scram.hpp"

#include <boost/test/unit_test.hpp>

using namespace parley::bench;

BOOST_AUTO_TEST_SUITE(scram)

// The example of RFC 7677, 3.
BOOST_AUTO_TEST_CASE(the_exchange_of_rfc_7677_comes_out) {
  secret_cache cache;
  scram_exchange exchange{"user", "rOprNGfwEbeRWgbNEkqO"};
  BOOST_TEST(exchange.first() == "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
  const auto answer =
    exchange.answer("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                    "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
      "pencil", cache);
  BOOST_REQUIRE(answer);
  BOOST_TEST(*answer
    == "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
       "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
  BOOST_TEST(exchange.verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
  BOOST_TEST(
    !exchange.verify("v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
}

// The example of RFC 5802, 5.
BOOST_AUTO_TEST_CASE(the_exchange_of_rfc_5802_comes_out) {
  secret_cache cache;
  scram_exchange exchange{"user", "fyko+d2lbbFgONRv9qkxdawL", scram_hash::sha1};
  const auto answer =
    exchange.answer("r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
                    "s=QSXCR+Q6sek8bf92,i=4096",
      "pencil", cache);
  BOOST_REQUIRE(answer);
  BOOST_TEST(*answer
    == "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
       "p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=");
  BOOST_TEST(exchange.verify("v=rmF9pqV8S7suAoZWja4dJRkFsKQ="));
}

BOOST_AUTO_TEST_CASE(a_challenge_that_makes_no_sense_has_no_answer) {
  secret_cache cache;
  for (const auto* bad : {"", "r=other,s=QUJD,i=1", "r=nonceX,s=QUJD",
         "r=nonceX,i=1", "r=nonceX,s=***,i=1", "r=nonceX,s=QUJD,i=0",
         "r=nonceX,s=QUJD,i=99999999"}) {
    scram_exchange exchange{"user", "nonce"};
    BOOST_TEST(!exchange.answer(bad, "password", cache));
    BOOST_TEST(!exchange.verify(""));
  }
}

BOOST_AUTO_TEST_CASE(keys_are_written_as_rfc_5803_says) {
  const scram_secret secret{"client", "stored", "server"};
  BOOST_TEST(rfc5803(secret, "salt", 4096)
    == "SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy");
  BOOST_TEST(rfc5803(secret, "salt", 1, scram_hash::sha1)
    == "SCRAM-SHA-1$1:c2FsdA==$c3RvcmVk:c2VydmVy");
}

BOOST_AUTO_TEST_SUITE_END()
