#include "persistence/sip_hash.hpp"
#include "tests/persistence/fixture.hpp"

#include <cstddef>
#include <string>
#include <utility>

using namespace parley;
using namespace parley::test;

BOOST_AUTO_TEST_SUITE(hashes)

// The authors' own values: key 00 01 … 0f, text 00 01 … of each length.
BOOST_AUTO_TEST_CASE(sip_hash_gives_what_its_authors_publish) {
  const std::pair<size_t, uint64_t> known[]{{0, 0x726fdb47dd0e0e31},
    {1, 0x74f839c593dc67fd}, {7, 0xab0200f58b01d137}, {8, 0x93f5f5799a932462},
    {15, 0xa129ca6149be45e5}, {16, 0x3f2acc7f57c29bdb},
    {63, 0x958a324ceb064572}};
  for (auto [size, value] : known) {
    std::string text;
    for (size_t i = 0; i < size; ++i)
      text.push_back(static_cast<char>(i));
    sip_hash hash(0x0706050403020100, 0x0f0e0d0c0b0a0908);
    hash.add(text);
    BOOST_TEST(hash.finish() == value, "of " << size << " bytes");
  }
}

BOOST_AUTO_TEST_CASE(sip_hash_does_not_see_pieces) {
  std::string text = "every way of cutting it in three gives the same";
  sip_hash whole(1, 2);
  whole.add(text);
  auto expected = whole.finish();
  for (size_t i = 0; i <= text.size(); ++i)
    for (size_t j = i; j <= text.size(); ++j) {
      sip_hash hash(1, 2);
      hash.add(std::string_view(text).substr(0, i));
      hash.add(std::string_view(text).substr(i, j - i));
      hash.add(std::string_view(text).substr(j));
      BOOST_REQUIRE(hash.finish() == expected);
    }
}

// They stand in data folders: a change here is a new schema.
BOOST_AUTO_TEST_CASE(retry_hash_stays_what_it_was) {
  BOOST_TEST(retry_hash({alice, {"m1"}, bob}) == 0x42ca996aa2d4675d);
  BOOST_TEST(retry_hash({}) == 0xd7e1c3d0c39e856e);
}

BOOST_AUTO_TEST_CASE(content_hash_stays_what_it_was) {
  auto x = make_im(alice, "m1", "Grüße");
  BOOST_TEST(content_hash(x) == 0x2c163741fb5850c3);
  x.payloads = {{"read", "m0"}, {"like", ""}};
  x.receipts = true;
  BOOST_TEST(content_hash(x) == 0x45fa095124e667f6);
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
