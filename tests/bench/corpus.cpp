#include "bench/corpus.hpp"

#include <set>
#include <string>

#include <boost/test/unit_test.hpp>

using namespace parley::bench;

BOOST_AUTO_TEST_SUITE(corpora)

namespace {

/// A folder that is not there: the built-in texts.
std::string const nowhere = "/nonexistent";

std::string body_of(const corpus& c, const im_name& name) {
  std::string out;
  corpus::head(name, out);
  out += c.text(name);
  return out;
}

} // namespace

BOOST_AUTO_TEST_CASE(bodies_have_the_size_that_was_asked_for) {
  for (const size_t size : {22, 23, 100, 1000, 32'768}) {
    const corpus c{size, 1, nowhere};
    for (uint64_t number = 1; number < 50; ++number) {
      const auto body = body_of(c, {7, number});
      BOOST_TEST(body.size() == size);
      BOOST_TEST(is_plain_text(body));
    }
    BOOST_TEST(c.longest() == size);
  }
}

BOOST_AUTO_TEST_CASE(a_body_says_whose_it_is) {
  const corpus c{100, 1, nowhere};
  const im_name name{4'000'000'000, 123'456'789'012};
  const auto found = c.check(body_of(c, name));
  BOOST_REQUIRE(found);
  BOOST_TEST((*found == name));
}

BOOST_AUTO_TEST_CASE(any_altered_byte_is_found) {
  const corpus c{std::nullopt, 3, nowhere};
  const im_name name{5, 77};
  const auto body = body_of(c, name);
  for (size_t i = 0; i < body.size(); ++i)
    for (const int flip : {1, 4, 128}) {
      auto altered = body;
      altered[i] = static_cast<char>(altered[i] ^ flip);
      const auto found = c.check(altered);
      // Another name in the head may by chance stand over the same text; the
      // IM's id tells then.
      BOOST_TEST((!found || !(*found == name)));
    }
  BOOST_TEST(!c.check(body.substr(0, body.size() - 1)));
  BOOST_TEST(!c.check(body + "."));
  BOOST_TEST(!c.check(""));
}

BOOST_AUTO_TEST_CASE(the_same_seed_gives_the_same_bodies) {
  const corpus one{200, 5, nowhere};
  const corpus same{200, 5, nowhere};
  const corpus other{200, 6, nowhere};
  int differences = 0;
  for (uint64_t number = 1; number < 100; ++number) {
    const im_name name{1, number};
    BOOST_TEST(body_of(one, name) == body_of(same, name));
    differences += body_of(one, name) != body_of(other, name) ? 1 : 0;
  }
  BOOST_TEST(differences > 50);
}

BOOST_AUTO_TEST_CASE(built_in_texts_are_of_several_scripts) {
  const corpus c{std::nullopt, 1, nowhere};
  BOOST_TEST(c.source() == "built-in");
  std::set<unsigned char> leading;
  for (const auto& text : built_in_texts()) {
    BOOST_TEST(is_plain_text(text));
    for (const unsigned char byte : text)
      if (byte >= 0xc2)
        leading.insert(byte);
  }
  // Cyrillic, Hebrew or Arabic, Indic, Han, Hangul, emoji.
  for (const unsigned byte : {0xd0, 0xd8, 0xe0, 0xe4, 0xec, 0xf0})
    BOOST_TEST(leading.contains(static_cast<unsigned char>(byte)));
}

BOOST_AUTO_TEST_CASE(texts_are_cut_between_characters) {
  std::string const text = "aß水👍";
  BOOST_TEST(cut(text, 100) == text);
  BOOST_TEST(cut(text, 10) == text);
  BOOST_TEST(cut(text, 9) == "aß水");
  BOOST_TEST(cut(text, 5) == "aß");
  BOOST_TEST(cut(text, 2) == "a");
  BOOST_TEST(cut(text, 0) == "");
}

BOOST_AUTO_TEST_CASE(only_clean_utf_8_is_text) {
  for (const auto* good :
    {"", "a\tb\n", "ß", "水", "👍🏽", "\xf4\x8f\xbf\xbf"})
    BOOST_TEST(is_plain_text(good));
  for (const auto* bad :
    {"\x1b[33m", "\x7f", "\x80", "\xc3", "\xc0\xaf", "\xe0\x80\x80",
      "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf0\x9f\x91", "\xc2\x85", "\xff"})
    BOOST_TEST(!is_plain_text(bad));
}

BOOST_AUTO_TEST_CASE(ids_name_their_im_and_their_run) {
  const id_maker ids{0xabcdef01};
  const im_name name{12, 34};
  std::string id;
  ids.write(name, id);
  BOOST_TEST(id.size() <= 29u);
  const auto found = ids.read(id);
  BOOST_REQUIRE(found);
  BOOST_TEST((*found == name));
  BOOST_TEST(!id_maker{0xabcdef02}.read(id));
  BOOST_TEST(!ids.read(id + "0"));
  BOOST_TEST(!ids.read(id.substr(1)));
}

BOOST_AUTO_TEST_SUITE_END()
