#include <random>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "protocol/defaults.hpp"
#include "protocol/xmpp/defaults.hpp"
#include "protocol/xmpp/stanza_reader.hpp"

using namespace parley;
using namespace parley::xmpp;

namespace {

constexpr std::string_view opening =
  "<?xml version='1.0'?><stream:stream to='example.org' version='1.0' "
  "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

/// What a reader made of a whole input: each event as text.
struct reading {
  std::vector<std::string> events;
  std::string fault;
};

std::string text_of(const stanza_reader::event& x) {
  std::string out;
  if (auto* h = std::get_if<stanza_reader::header>(&x)) {
    out = "header ";
    append_element(out, h->tag, ns::streams);
  } else if (auto* s = std::get_if<stanza_reader::stanza>(&x)) {
    append_element(out, s->tag, ns::client);
  } else {
    out = "end";
  }
  return out;
}

/// Fed in two pieces, cut at `cut`.
reading read(std::string_view all, size_t cut = SIZE_MAX,
  size_t max = defaults::frame_max) {
  stanza_reader reader{max};
  reading x;
  cut = std::min(cut, all.size());
  for (auto piece : {all.substr(0, cut), all.substr(cut)}) {
    while (x.fault.empty()) {
      auto found = reader.next(piece);
      if (!found)
        x.fault = found.error().condition;
      else if (*found)
        x.events.push_back(text_of(**found));
      else
        break;
    }
    BOOST_TEST((piece.empty() || !x.fault.empty()));
  }
  return x;
}

/// Within a stream; the condition, empty if there is no fault.
std::string fault_of(std::string_view stanza) {
  auto whole = read(std::string{opening} + std::string{stanza});
  for (size_t i = 0; i <= stanza.size(); ++i) {
    auto cut =
      read(std::string{opening} + std::string{stanza}, opening.size() + i);
    BOOST_TEST(cut.fault == whole.fault);
  }
  return whole.fault;
}

} // namespace

BOOST_AUTO_TEST_SUITE(stanza_readers)

BOOST_AUTO_TEST_CASE(a_stream_is_a_header_stanzas_and_an_end) {
  auto x = read(std::string{opening}
    + "<message to='b@example.org'><body>hi</body></message> \n"
      "<presence/></stream:stream>");
  std::vector<std::string> expected{
    "header <stream to='example.org' version='1.0'/>",
    "<message to='b@example.org'><body>hi</body></message>", "<presence/>",
    "end"};
  BOOST_TEST(x.events == expected, boost::test_tools::per_element());
  BOOST_TEST(x.fault == "");
}

BOOST_AUTO_TEST_CASE(cut_in_two_anywhere_it_reads_the_same) {
  const auto all = std::string{opening}
    + "<message id='&quot;1&#x41;&quot;' xml:lang='de'><body>gr\xc3\xbc\xc3\x9f"
      " &lt;&amp;<![CDATA[<raw>]]></body><x xmlns='urn:x' "
      "xmlns:p='urn:p' p:a='1'><p:y/>t</x></message>\n<iq/> "
      "<stream:features/></stream:stream>";
  const auto whole = read(all);
  BOOST_TEST(whole.fault == "");
  BOOST_TEST(whole.events.size() == 5u);
  BOOST_TEST(whole.events[1]
    == "<message id='&quot;1A&quot;' xml:lang='de'>"
       "<body>gr\xc3\xbc\xc3\x9f &lt;&amp;&lt;raw&gt;</body>"
       "<x xmlns='urn:x' xmlns:a0='urn:p' a0:a='1'><y xmlns='urn:p'/>t</x>"
       "</message>");
  for (size_t i = 0; i <= all.size(); ++i) {
    const auto x = read(all, i);
    BOOST_TEST(x.events == whole.events, boost::test_tools::per_element());
    BOOST_TEST(x.fault == "");
  }
}

BOOST_AUTO_TEST_CASE(byte_by_byte_it_reads_the_same) {
  const auto all =
    std::string{opening} + "<a><b c='d'/>e</a><f/></stream:stream>";
  stanza_reader reader{defaults::frame_max};
  std::vector<std::string> events;
  for (char c : all) {
    std::string_view one{&c, 1};
    auto found = reader.next(one);
    BOOST_REQUIRE(found);
    if (*found)
      events.push_back(text_of(**found));
  }
  auto whole = read(all).events;
  BOOST_TEST(events == whole, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(prefixes_of_the_header_hold_in_stanzas) {
  auto x = read("<s:stream xmlns:s='http://etherx.jabber.org/streams' "
                "xmlns:c='jabber:client' xmlns:e='urn:e&amp;'>"
                "<c:message><e:x/></c:message></s:stream>");
  BOOST_TEST(x.fault == "");
  BOOST_REQUIRE(x.events.size() == 3u);
  BOOST_TEST(x.events[1] == "<message><x xmlns='urn:e&amp;'/></message>");
}

BOOST_AUTO_TEST_CASE(what_a_stream_may_not_hold_is_refused) {
  BOOST_TEST(fault_of("<!-- hi --><message/>") == "restricted-xml");
  BOOST_TEST(fault_of("<message><!-- hi --></message>") == "restricted-xml");
  BOOST_TEST(fault_of("<?php 1?><message/>") == "restricted-xml");
  BOOST_TEST(fault_of("<message>&nbsp;</message>") == "restricted-xml");
  BOOST_TEST(fault_of("<!DOCTYPE a><message/>") == "not-well-formed");
  BOOST_TEST(
    read("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>").fault == "restricted-xml");
  BOOST_TEST(read("<?xml version='1.0' encoding='utf-16'?><a/>").fault
    == "unsupported-encoding");
  BOOST_TEST(read("<?xml version='1.0' encoding='utf-8'?><a/>").fault == "");
}

BOOST_AUTO_TEST_CASE(what_is_no_xml_is_not_well_formed) {
  BOOST_TEST(fault_of("<message></iq>") == "not-well-formed");
  BOOST_TEST(fault_of("<message a=b/>") == "not-well-formed");
  BOOST_TEST(fault_of("<message a='1' a='2'/>") == "not-well-formed");
  BOOST_TEST(fault_of("<message>\xff</message>") == "not-well-formed");
  BOOST_TEST(fault_of("<message>&#0;</message>") == "not-well-formed");
  BOOST_TEST(fault_of("<x:message/>") == "bad-namespace-prefix");
  BOOST_TEST(fault_of("between") == "bad-format");
  BOOST_TEST(read("GET / HTTP/1.1\r\n").fault == "not-well-formed");
}

BOOST_AUTO_TEST_CASE(a_stanza_is_bounded_in_bytes) {
  const std::string stanza = "<a>" + std::string(200, 'x') + "</a>";
  const auto all = std::string{opening} + stanza + stanza;
  // The header is the longer one of the two.
  const auto max = std::max(opening.size(), stanza.size());
  BOOST_TEST(read(all, SIZE_MAX, max).events.size() == 3u);
  const auto longer =
    std::string{opening} + "<a>" + std::string(max, 'x') + "</a>";
  for (size_t cut : {size_t{0}, opening.size() + 9, longer.size() - 1}) {
    const auto x = read(longer, cut, max);
    BOOST_TEST(x.fault == "policy-violation");
    BOOST_TEST(x.events.size() == 1u);
  }
  BOOST_TEST(read("<a b='" + std::string(300, 'x'), SIZE_MAX, 200).fault
    == "policy-violation");
}

BOOST_AUTO_TEST_CASE(a_stanza_is_bounded_in_depth_attributes_and_elements) {
  auto nested = [](size_t n) {
    std::string x;
    for (size_t i = 0; i < n; ++i)
      x += "<a>";
    for (size_t i = 0; i < n; ++i)
      x += "</a>";
    return read(std::string{opening} + x).fault;
  };
  BOOST_TEST(nested(defaults::xmpp_depth_max) == "");
  BOOST_TEST(nested(defaults::xmpp_depth_max + 1) == "policy-violation");
  auto attributes = [](size_t n) {
    std::string x = "<a";
    for (size_t i = 0; i < n; ++i)
      x += " a" + std::to_string(i) + "=''";
    return read(std::string{opening} + x + "/>").fault;
  };
  BOOST_TEST(attributes(defaults::xmpp_attributes_max) == "");
  BOOST_TEST(
    attributes(defaults::xmpp_attributes_max + 1) == "policy-violation");
  auto elements = [](size_t n) {
    std::string x = "<a>";
    for (size_t i = 1; i < n; ++i)
      x += "<b/>";
    return read(std::string{opening} + x + "</a>").fault;
  };
  BOOST_TEST(elements(defaults::xmpp_elements_max) == "");
  BOOST_TEST(elements(defaults::xmpp_elements_max + 1) == "policy-violation");
}

BOOST_AUTO_TEST_CASE(a_namespace_is_not_repeated_without_end) {
  // Each attribute stands for a name of this length.
  const std::string name(defaults::xmpp_namespace_max, 'n');
  std::string tag = "<b";
  for (size_t i = 0; i < defaults::xmpp_attributes_max; ++i)
    tag += " p:a" + std::to_string(i) + "=''";
  tag += "/>";
  const auto repeated = [&](size_t n) {
    std::string x = "<a xmlns:p='" + name + "'>";
    for (size_t i = 0; i < n; ++i)
      x += tag;
    return x + "</a>";
  };
  const auto most = defaults::xmpp_namespaces_max
    / (name.size() * defaults::xmpp_attributes_max);
  BOOST_TEST(read(std::string{opening} + repeated(most + 1)).fault
    == "policy-violation");
  // Of each stanza by itself.
  const auto much = repeated(most - 1);
  BOOST_TEST(read(std::string{opening} + much + much).fault == "");
}

BOOST_AUTO_TEST_CASE(after_a_fault_or_the_end_nothing_is_read) {
  for (std::string_view last : {"</stream:stream>", "<a></b>"}) {
    stanza_reader reader{defaults::frame_max};
    auto all = std::string{opening} + std::string{last} + "<message/>";
    std::string_view bytes = all;
    reader.next(bytes).value();
    static_cast<void>(reader.next(bytes));
    auto x = reader.next(bytes);
    BOOST_TEST((x && !*x && bytes.empty()));
  }
}

BOOST_AUTO_TEST_CASE(a_restarted_reader_expects_a_header) {
  stanza_reader reader{defaults::frame_max};
  for (int i = 0; i < 2; ++i) {
    auto all = std::string{opening} + "<message/><mess";
    std::string_view bytes = all;
    BOOST_TEST(std::holds_alternative<stanza_reader::header>(
      *reader.next(bytes).value()));
    BOOST_TEST(std::holds_alternative<stanza_reader::stanza>(
      *reader.next(bytes).value()));
    BOOST_TEST(!reader.next(bytes).value());
    BOOST_TEST(reader.is_within());
    reader.restart();
    BOOST_TEST(!reader.is_within());
  }
}

BOOST_AUTO_TEST_CASE(between_stanzas_it_holds_next_to_nothing) {
  stanza_reader reader{defaults::frame_max};
  auto all = std::string{opening} + "<message/> ";
  std::string_view bytes = all;
  while (reader.next(bytes).value()) {
  }
  BOOST_TEST(reader.memory() < 200u);
  std::string_view begun = "<mess";
  static_cast<void>(reader.next(begun));
  BOOST_TEST(reader.memory() > 1000u);
}

BOOST_AUTO_TEST_CASE(a_parser_that_is_used_again_knows_nothing_of_before) {
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST(fault_of("<a xmlns:q='urn:q'><q:b/></a><q:c/>")
      == "bad-namespace-prefix");
    BOOST_TEST(fault_of("<a><b>") == "");
  }
}

BOOST_AUTO_TEST_CASE(a_stanza_leaves_nothing_to_the_next_one) {
  // Neither a prefix nor a namespace, in this stream or in another.
  const std::string before = std::string{opening}
    + "<iq xmlns:p='u' p:a='1' xmlns='v'><p:x/></iq><iq xml:lang='de'/>";
  auto x = read(before + "<iq><p:x/></iq>");
  BOOST_TEST(x.fault == "bad-namespace-prefix");
  x = read(before);
  BOOST_TEST(x.fault == "");
  x = read(std::string{opening} + "<iq a='1'/><iq/><iq><p:x/></iq>");
  BOOST_TEST(x.events.size() == 3u);
  BOOST_TEST(x.events.back() == "<iq/>");
  BOOST_TEST(x.fault == "bad-namespace-prefix");
  x = read("<stream:stream xmlns='w' xmlns:stream='" + std::string{ns::streams}
    + "'><iq/>");
  BOOST_TEST(x.events.back() == "<iq xmlns='w'/>");
}

BOOST_AUTO_TEST_CASE(streams_that_take_turns_do_not_mix) {
  constexpr size_t count = 5;
  std::vector<stanza_reader> readers;
  std::vector<std::string> rest(count), read_by(count);
  for (size_t i = 0; i < count; ++i) {
    readers.emplace_back(defaults::frame_max);
    rest[i] = opening;
    for (int n = 0; n < 200; ++n)
      rest[i] += "<m id='" + std::to_string(i) + "'><b>" + std::to_string(n)
        + "</b></m>";
  }
  const auto seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random{seed};
  for (size_t open = count; open > 0;) {
    const auto i = random() % count;
    const auto piece = rest[i].substr(0, 1 + random() % 90);
    open -= !rest[i].empty() && piece.size() == rest[i].size() ? 1 : 0;
    rest[i].erase(0, piece.size());
    for (std::string_view bytes = piece;;) {
      auto found = readers[i].next(bytes);
      BOOST_REQUIRE(found.has_value());
      if (!*found)
        break;
      if (auto* s = std::get_if<stanza_reader::stanza>(&**found)) {
        BOOST_TEST(s->tag["id"] == std::to_string(i));
        read_by[i] += s->tag.children.at(0).inner_text() + " ";
      }
    }
  }
  std::string expected;
  for (int n = 0; n < 200; ++n)
    expected += std::to_string(n) + " ";
  for (const auto& x : read_by)
    BOOST_TEST(x == expected);
}

BOOST_AUTO_TEST_CASE(where_a_stanza_ends_is_the_parsers_word) {
  // What looks like tags and is none.
  const auto x = read(std::string{opening}
    + "<m><![CDATA[</m><n>]]></m><m a='>'/><m a=\"'>\">></m><m/>");
  BOOST_TEST(x.fault == "");
  BOOST_TEST(x.events.size() == 5u);
  BOOST_TEST(x.events.at(1) == "<m>&lt;/m&gt;&lt;n&gt;</m>");
  BOOST_TEST(x.events.at(2) == "<m a='&gt;'/>");
  BOOST_TEST(fault_of("<m a='</m>'/>") == "not-well-formed");
  BOOST_TEST(fault_of("<m></n></m>") == "not-well-formed");
}

BOOST_AUTO_TEST_CASE(prefixes_of_a_header_are_bounded) {
  std::string x = "<a";
  for (size_t i = 0; i < 60; ++i)
    x += " xmlns:prefix" + std::to_string(i) + "='urn:something'";
  BOOST_TEST(read(x + ">").fault == "policy-violation");
}

BOOST_AUTO_TEST_CASE(names_of_namespaces_are_short) {
  const std::string name(300, 'n');
  for (const auto& text : {"<a><b xmlns='" + name + "'/></a>",
         "<a xmlns:p='" + name + "'><p:b/></a>"})
    BOOST_TEST(fault_of(text) == "policy-violation");
  BOOST_TEST(read("<a xmlns='" + name + "'>").fault == "policy-violation");
}

BOOST_AUTO_TEST_CASE(a_tag_is_bounded_in_whatever_pieces_it_comes) {
  const auto stanza = [](size_t bytes) {
    return std::string{opening} + "<message a='" + std::string(bytes, 'x')
      + "'><body>" + std::string(50'000, 'y') + "</body></message>";
  };
  for (const size_t piece : {1, 1000, 1'000'000}) {
    for (const size_t bytes : {4'000, 14'000}) {
      stanza_reader reader{defaults::frame_max};
      bool is_refused = false;
      size_t events = 0;
      const auto all = stanza(bytes);
      for (size_t at = 0; at < all.size() && !is_refused; at += piece) {
        auto part = std::string_view{all}.substr(at, piece);
        while (!part.empty() && !is_refused) {
          const auto found = reader.next(part);
          is_refused = !found;
          events += found && *found;
        }
      }
      BOOST_TEST(is_refused == (bytes > 12'500));
      BOOST_TEST(events == (is_refused ? 1u : 2u));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
