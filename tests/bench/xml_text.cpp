#include "bench/xml_text.hpp"

#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

using namespace parley::bench;

BOOST_AUTO_TEST_SUITE(xml_text)

namespace {

using piece_kind = stream_piece::kind;

/// What a stream is cut into; stops at what is broken.
std::vector<std::pair<piece_kind, std::string>> pieces_of(
  const std::string& stream, size_t step) {
  std::vector<std::pair<piece_kind, std::string>> out;
  std::string bytes;
  for (size_t at = 0; at < stream.size(); at += step) {
    bytes += stream.substr(at, step);
    while (true) {
      const auto piece = next_piece(bytes);
      const std::string text{piece.text};
      bytes.erase(0, piece.used);
      if (piece.what == piece_kind::more)
        break;
      out.emplace_back(piece.what, text);
      if (piece.what == piece_kind::broken)
        return out;
    }
  }
  return out;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_stream_is_cut_the_same_in_whatever_pieces_it_comes) {
  const std::string stream =
    "<?xml version='1.0'?>\n<stream:stream to='a>b' id=\"'\">"
    "<stream:features><a/></stream:features> \n<r xmlns='x'/>"
    "<message><body>1 > 0</body><x a='/>'/></message></stream:stream>";
  const auto whole = pieces_of(stream, stream.size());
  BOOST_REQUIRE(whole.size() == 5u);
  BOOST_TEST((whole[0].first == piece_kind::header));
  BOOST_TEST(whole[0].second == "<stream:stream to='a>b' id=\"'\">");
  BOOST_TEST((whole[1].first == piece_kind::element));
  BOOST_TEST(whole[2].second == "<r xmlns='x'/>");
  BOOST_TEST(
    whole[3].second == "<message><body>1 > 0</body><x a='/>'/></message>");
  BOOST_TEST((whole[4].first == piece_kind::end));
  for (size_t step = 1; step < stream.size(); ++step)
    BOOST_TEST((pieces_of(stream, step) == whole));
}

BOOST_AUTO_TEST_CASE(what_it_does_not_read_is_broken) {
  for (const auto* bad : {"text", "<a><!-- x --></a>", "<a><![CDATA[x]]></a>",
         "<?php x?>", "</a>", "<a><?b c?></a>", "<!DOCTYPE x>"})
    BOOST_TEST((pieces_of(bad, 100).back().first == piece_kind::broken), bad);
}

BOOST_AUTO_TEST_CASE(elements_are_looked_into_where_they_stand) {
  const element_view x{"<m from = 'a' id=\"b'c\" ><d><body>no</body></d>"
                       "<body>yes</body><e/></m>"};
  BOOST_TEST(x.name() == "m");
  BOOST_TEST(x.attribute("from") == "a");
  BOOST_TEST(x.attribute("id") == "b'c");
  BOOST_TEST(x.attribute("rom") == "");
  BOOST_TEST(x.child_text("body") == "yes");
  BOOST_TEST(x.child_text("e") == "");
  BOOST_TEST(x.child("e").has_value());
  BOOST_TEST(!x.child("f").has_value());
  const element_view empty{"<m a='1'/>"};
  BOOST_TEST(empty.name() == "m");
  BOOST_TEST(empty.content() == "");
}

BOOST_AUTO_TEST_CASE(text_comes_back_as_it_was_escaped) {
  const std::string text = "a < b && \"c\" > 'd'\n\t\xc3\xa9";
  std::string escaped;
  put_escaped(escaped, text);
  BOOST_TEST(escaped.find_first_of("<>'\"") == escaped.npos);
  std::string back;
  BOOST_TEST(unescape(escaped, back));
  BOOST_TEST(back == text);
  BOOST_TEST(unescape("&#10;&#x20ac;&#65;", back));
  BOOST_TEST(back
    == "\n\xe2\x82\xac"
       "A");
  for (const auto* bad : {"&", "&nbsp;", "&#x110000;", "&#;", "&amp"})
    BOOST_TEST(!unescape(bad, back));
}

BOOST_AUTO_TEST_SUITE_END()
