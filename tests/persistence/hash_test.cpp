#include "tests/persistence/fixture.hpp"

#include <cstddef>
#include <string>
#include <utility>

using namespace parley;
using namespace parley::test;

BOOST_AUTO_TEST_SUITE(hashes)

// It stands in data folders: a change here is a new schema.
BOOST_AUTO_TEST_CASE(content_hash_stays_what_it_was) {
  auto x = make_im(alice, "m1", "Grüße");
  BOOST_TEST(content_hash(x) == 18382106845394856996u);
  x.payloads = {{"read", "m0"}, {"like", ""}};
  x.receipts = true;
  BOOST_TEST(content_hash(x) == 9272612564917846027u);
}

BOOST_AUTO_TEST_CASE(content_hash_sees_content_alone) {
  auto x = make_im(alice, "m1", "hello");
  auto y = make_im(bob, "m2", "hello", at(5));
  BOOST_TEST(content_hash(x) == content_hash(y));

  auto differs = [&](const im& other) {
    return content_hash(other) != content_hash(x);
  };
  auto z = x;
  z.body = "hellp";
  BOOST_TEST(differs(z));
  z = x;
  z.receipts = true;
  BOOST_TEST(differs(z));
  z = x;
  z.payloads = {{"like", "m0"}};
  BOOST_TEST(differs(z));
  auto moved = x;
  moved.payloads = {{"likem", "0"}};
  BOOST_TEST(content_hash(z) != content_hash(moved));
}

BOOST_AUTO_TEST_CASE(retry_hash_sees_where_the_parts_meet) {
  auto of = [](std::string sender, std::string id, std::string recipient) {
    return retry_hash({user(sender), {id}, user(recipient)});
  };
  BOOST_TEST(of("ab", "c", "d") != of("a", "bc", "d"));
  BOOST_TEST(of("a", "bc", "d") != of("a", "b", "cd"));
  BOOST_TEST(of("a", "b", "c") != of("c", "b", "a"));
}

BOOST_AUTO_TEST_SUITE_END()
