#include "actors/accounts/secret_hash.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace parley::test {

namespace {

BOOST_AUTO_TEST_SUITE(hashing_in_secret)

BOOST_AUTO_TEST_CASE(equal_texts_have_one_hash_and_others_another) {
  const secret_hash hash;
  BOOST_TEST(hash("alice") == hash(std::string{"alice"}));
  BOOST_TEST(hash("alice") != hash("alicf"));
  BOOST_TEST(hash("") != hash(std::string(1, '\0')));
}

BOOST_AUTO_TEST_CASE(each_hashes_otherwise) {
  const secret_hash one;
  const secret_hash other;
  BOOST_TEST(one("alice") != other("alice"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
