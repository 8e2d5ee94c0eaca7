
#include "protocol/address.hpp"

#include "protocol/defaults.hpp"
#include "protocol/errors.hpp"
#include "protocol/vocabulary.hpp"

#include <boost/test/unit_test.hpp>

#include <random>

using namespace parley;

namespace {

/// What an address is prepared to, "" if it is none.
std::string prepared(std::string_view text) {
  auto x = address::parse(text);
  if (!x) {
    BOOST_TEST((x.error().code == errc::bad_address));
    BOOST_TEST(!x.error().text.empty());
    return {};
  }
  return x->str();
}

std::string repeated(std::string_view part, size_t n) {
  std::string x;
  while (n-- > 0)
    x += part;
  return x;
}

} // namespace

BOOST_AUTO_TEST_CASE(the_examples_of_rfc_7622_and_6122) {
  BOOST_TEST(prepared("juliet@example.com") == "juliet@example.com");
  BOOST_TEST(prepared("juliet@example.com/foo") == "juliet@example.com/foo");
  BOOST_TEST(
    prepared("juliet@example.com/foo bar") == "juliet@example.com/foo bar");
  BOOST_TEST(
    prepared("juliet@example.com/foo@bar") == "juliet@example.com/foo@bar");
  BOOST_TEST(prepared("foo\\20bar@example.com") == "foo\\20bar@example.com");
  BOOST_TEST(prepared("fussball@example.com") == "fussball@example.com");
  // Nodeprep folds the sharp s, PRECIS does not.
  BOOST_TEST(prepared("fu\u00dfball@example.com") == "fussball@example.com");
  BOOST_TEST(prepared("\u03c0@example.com") == "\u03c0@example.com");
  // Capital sigma, small sigma and, by folding, final sigma.
  BOOST_TEST(prepared("\u03a3@example.com") == "\u03c3@example.com");
  BOOST_TEST(prepared("\u03c3@example.com") == "\u03c3@example.com");
  BOOST_TEST(prepared("\u03c2@example.com") == "\u03c3@example.com");
  BOOST_TEST(prepared("king@example.com/\u265a") == "king@example.com/\u265a");
  BOOST_TEST(prepared("\"juliet\"@example.com") == "");
  BOOST_TEST(prepared("foo bar@example.com") == "");
  BOOST_TEST(prepared("@example.com/foo") == "");
  BOOST_TEST(prepared("foo@/bar") == "");
  BOOST_TEST(prepared("/foobar") == "");
  BOOST_TEST(prepared("example.com") == "");
}

BOOST_AUTO_TEST_CASE(case_is_folded_in_user_and_domain_and_kept_in_endpoint) {
  BOOST_TEST(prepared("Alice@Example.ORG/Desk") == "alice@example.org/Desk");
  BOOST_TEST(prepared("ÄRGER@KÖLN.de/Ä") == "ärger@köln.de/Ä");
  BOOST_TEST((user_address::parse("ALICE@example.org")
    == user_address::parse("alice@EXAMPLE.org")));
}

BOOST_AUTO_TEST_CASE(compatible_characters_are_equal) {
  // Full width letters; a letter and a combining mark; the Kelvin sign.
  BOOST_TEST(prepared("ａｌｉｃｅ@example.org") == "alice@example.org");
  BOOST_TEST(prepared("a\u0308@example.org") == "ä@example.org");
  BOOST_TEST(prepared("\u212aate@example.org") == "kate@example.org");
  BOOST_TEST(prepared("a@b/\ufb01x") == "a@b/fix");
  // Mapped to nothing: the soft hyphen, zero width joiners.
  BOOST_TEST(prepared("al\u00adice\u200d@example.org") == "alice@example.org");
}

BOOST_AUTO_TEST_CASE(domains_may_be_international_or_ip_addresses) {
  BOOST_TEST(prepared("a@bücher.example") == "a@bücher.example");
  BOOST_TEST(prepared("a@BÜCHER.example") == "a@bücher.example");
  BOOST_TEST(prepared("a@例え.テスト") == "a@例え.テスト");
  // Ideographic and full width dots separate labels like dots.
  BOOST_TEST(prepared("a@例え\u3002テスト") == "a@例え.テスト");
  BOOST_TEST(prepared("a@x\uff0ey\uff61z") == "a@x.y.z");
  BOOST_TEST(prepared("a@127.0.0.1") == "a@127.0.0.1");
  BOOST_TEST(prepared("a@[::1]") == "a@[::1]");
  BOOST_TEST(prepared("a@[FE80::1]/x") == "a@[fe80::1]/x");
}

BOOST_AUTO_TEST_CASE(the_dot_of_the_root_does_not_count) {
  BOOST_TEST(prepared("a@example.org.") == "a@example.org");
  BOOST_TEST(prepared("a@EXAMPLE.org./x") == "a@example.org/x");
  BOOST_TEST(prepared("a@.") == "");
}

BOOST_AUTO_TEST_CASE(a_domain_has_no_empty_label) {
  for (auto x : {"a@..", "a@b..c", "a@.b", "a@b..", "a@Ö..c", "a@.Ö"})
    BOOST_TEST(prepared(x) == "", x);
}

BOOST_AUTO_TEST_CASE(what_rfc_6122_forbids_is_refused) {
  for (auto c : {" ", "\"", "&", "'", ":", "<", ">", "@", "\x7f", "\t", "\n",
         "\x01", "\u00a0", "\u2028", "\ue000", "\ufffd", "\u200e"}) {
    auto x = "a" + std::string{c} + "b@example.org";
    BOOST_TEST(prepared(x) == "", x);
  }
  for (auto c : {" ", "!", "\"", "#", "$", "%", "&", "'", "(", ",", ";", "=",
         "@", "\\", "^", "`", "{", "~", "\x7f", "\t", "\n", "\ue000"}) {
    auto x = "a@ex" + std::string{c} + "ample";
    BOOST_TEST(prepared(x) == "", x);
  }
  for (auto c : {"\x7f", "\t", "\n", "\x01", "\u200e", "\u2028", "\ue000"}) {
    auto x = "a@example.org/x" + std::string{c};
    BOOST_TEST(prepared(x) == "", x);
  }
  // Right to left and left to right mixed (RFC 3454, 6).
  BOOST_TEST(prepared("\u05d0a@example.org") == "");
  BOOST_TEST(prepared("\u05d0\u05d1@example.org") != "");
}

BOOST_AUTO_TEST_CASE(zero_bytes_and_broken_utf8_are_refused) {
  using namespace std::literals;
  for (auto x : {"a\0b@c"sv, "a@b\0c"sv, "a@b/c\0"sv, "\0@b"sv, "\xff@b"sv,
         "a@\xc3"sv, "a@b/\xed\xa0\x80"sv, "a@b/\xc0\xaf"sv})
    BOOST_TEST(prepared(x) == "");
}

BOOST_AUTO_TEST_CASE(every_part_has_something) {
  for (auto x : {"", "@", "/", "@/", "a", "a@", "@b", "a@/c", "@b/c", "a@b/",
         "a/b", "a/b@c", "/a@b", "\u00ad@b", "a@\u00ad", "a@b/\u00ad"})
    BOOST_TEST(prepared(x) == "", x);
}

BOOST_AUTO_TEST_CASE(the_first_slash_begins_the_endpoint) {
  BOOST_TEST(prepared("a@b/c/d") == "a@b/c/d");
  BOOST_TEST(prepared("a@b//") == "a@b//");
  BOOST_TEST(prepared("a@b/c@d/e@f") == "a@b/c@d/e@f");
  auto x = address::parse("a@b/c/d@e");
  BOOST_REQUIRE(x);
  BOOST_TEST(x->user.str() == "a@b");
  BOOST_TEST(x->endpoint.str() == "c/d@e");
  BOOST_TEST(x->user.node() == "a");
  BOOST_TEST(x->user.domain() == "b");
}

BOOST_AUTO_TEST_CASE(a_second_at_before_the_slash_is_refused) {
  for (auto x : {"a@b@c", "a@@b", "@a@b", "a@b@", "a@b@c/d", "a@B@C"})
    BOOST_TEST(prepared(x) == "", x);
}

BOOST_AUTO_TEST_CASE(a_user_address_has_no_endpoint) {
  BOOST_TEST(!user_address::parse("a@b/c"));
  BOOST_TEST(!user_address::parse("A@b/c"));
  BOOST_TEST(user_address::parse("A@b").value().str() == "a@b");
}

BOOST_AUTO_TEST_CASE(a_part_has_at_most_255_bytes_as_prepared) {
  for (auto letter : {"x", "X"}) {
    auto most = repeated(letter, 255);
    auto more = repeated(letter, 256);
    BOOST_TEST(prepared(most + "@b") != "");
    BOOST_TEST(prepared(more + "@b") == "");
    BOOST_TEST(prepared("a@" + most) != "");
    BOOST_TEST(prepared("a@" + more) == "");
    BOOST_TEST(prepared("a@b/" + most) != "");
    BOOST_TEST(prepared("a@b/" + more) == "");
    BOOST_TEST(prepared(most + "@" + most + "/" + most).size() == 767u);
  }
  // Bytes, not characters.
  BOOST_TEST(prepared(repeated("ä", 127) + "@b") != "");
  BOOST_TEST(prepared(repeated("ä", 128) + "@b") == "");
  // Preparing shortens (full width letters have three bytes) …
  BOOST_TEST(prepared(repeated("ａ", 255) + "@b") == repeated("a", 255) + "@b");
  BOOST_TEST(prepared(repeated("ａ", 256) + "@b") == "");
  // … and lengthens: one character of three bytes becomes 33.
  BOOST_TEST(prepared("a@b/" + repeated("\ufdfa", 7)) != "");
  BOOST_TEST(prepared("a@b/" + repeated("\ufdfa", 8)) == "");
}

BOOST_AUTO_TEST_CASE(a_text_of_any_length_is_bounded) {
  auto limit = defaults::address_text_max;
  BOOST_TEST(prepared("a@b/" + repeated("\ufdfa", limit / 3 - 2)) == "");
  BOOST_TEST(
    prepared("a@b/" + repeated("\u00ad", (limit - 6) / 2) + "xx") != "");
  BOOST_TEST(prepared("a@b/" + repeated("\u00ad", limit / 2) + "xx") == "");
  BOOST_TEST(prepared(std::string(10'000'000, 'a')) == "");
  BOOST_TEST(!user_address::parse(std::string(10'000'000, '@')));
  BOOST_TEST(!endpoint_name::parse(std::string(10'000'000, 'x')));
}

BOOST_AUTO_TEST_CASE(characters_younger_than_stringprep_are_taken) {
  BOOST_TEST(prepared("a@b/\U0001f642") == "a@b/\U0001f642");
}

BOOST_AUTO_TEST_CASE(preparing_twice_changes_nothing) {
  auto seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random{seed};
  static const std::string pieces[] = {"a", "Z", "-", ".", "@", "/", " ", "ä",
    "Σ", "ß", "ﬁ", "İ", "ａ", "\u05d0", "\u0308", "\u00ad", "字", "\u2126",
    "\xff", "\U0001f642", "\u3002", "\u0130"};
  size_t good = 0;
  for (int i = 0; i < 100'000; ++i) {
    std::string text = "a";
    auto n = 1 + random() % 9;
    auto at = random() % n;
    for (size_t j = 0; j < n; ++j)
      text += j == at ? "@x" : pieces[random() % std::size(pieces)];
    auto x = address::parse(text);
    if (!x)
      continue;
    ++good;
    auto again = address::parse(x->str());
    BOOST_TEST_CONTEXT("seed " << seed << ", " << text) {
      BOOST_REQUIRE(again);
      BOOST_REQUIRE(again->str() == x->str());
      BOOST_REQUIRE((*again == *x));
    }
  }
  BOOST_TEST(good > 1000u);
}

BOOST_AUTO_TEST_CASE(every_reason_has_a_name_and_is_found_by_it) {
  size_t known = 0;
  for (int i = 1; i < 256; ++i) {
    auto code = static_cast<errc>(i);
    auto name = to_string(code);
    if (name == "none")
      continue;
    ++known;
    BOOST_TEST((errc_from_string(name) == code), name);
    for (auto c : name)
      BOOST_TEST(((c >= 'a' && c <= 'z') || c == '_'), name);
  }
  BOOST_TEST(known == 46u);
  BOOST_TEST((errc_from_string("no_such_reason") == errc::none));
  BOOST_TEST((errc_from_string("") == errc::none));
}

BOOST_AUTO_TEST_CASE(names_of_the_vocabulary_lead_there_and_back) {
  for (auto name : {"available", "chat", "away", "xa", "dnd", "unavailable"}) {
    auto x = show_from_string(name);
    BOOST_REQUIRE(x);
    BOOST_TEST(to_string(*x) == name);
  }
  BOOST_TEST(!show_from_string("busy"));
  BOOST_TEST(to_string(show::dnd) == "dnd");
  BOOST_TEST(to_string(outcome::kind::stored) == "stored");
  BOOST_TEST(to_string(outcome::kind::rejected) == "rejected");
  BOOST_TEST(to_string(receipt::kind::chosen) == "chosen");
}
