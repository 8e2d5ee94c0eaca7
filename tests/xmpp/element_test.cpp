#include <boost/test/unit_test.hpp>

#include "protocol/xmpp/element.hpp"

using namespace parley::xmpp;

namespace {

std::string escaped(std::string_view text) {
  std::string x;
  append_escaped(x, text);
  return x;
}

element tag(std::string name, std::string xmlns) {
  element x;
  x.name = std::move(name);
  x.xmlns = std::move(xmlns);
  return x;
}

element text(std::string what) {
  element x;
  x.text = std::move(what);
  return x;
}

std::string written(const element& x, std::string_view around = ns::client) {
  std::string out;
  append_element(out, x, around);
  return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(elements)

BOOST_AUTO_TEST_CASE(what_means_something_to_xml_is_escaped) {
  BOOST_TEST(escaped("a<b>&\"c'") == "a&lt;b&gt;&amp;&quot;c&apos;");
  BOOST_TEST(escaped("plain") == "plain");
  BOOST_TEST(escaped("") == "");
  BOOST_TEST(escaped("&&") == "&amp;&amp;");
}

BOOST_AUTO_TEST_CASE(line_ends_and_tabs_come_back_as_they_were) {
  BOOST_TEST(escaped("a\tb\nc\rd") == "a&#9;b&#10;c&#13;d");
}

BOOST_AUTO_TEST_CASE(characters_that_xml_does_not_have_are_left_out) {
  BOOST_TEST(escaped(std::string_view{"a\0b\x01\x1f", 5}) == "ab");
  BOOST_TEST(escaped("a\xef\xbf\xbe"
                     "b\xef\xbf\xbf"
                     "c\xef\xbf\xbd")
    == "abc\xef\xbf\xbd");
}

BOOST_AUTO_TEST_CASE(a_namespace_is_named_where_it_changes) {
  auto x = tag("message", std::string{ns::client});
  x.children.push_back(tag("body", std::string{ns::client}));
  x.children[0].children.push_back(text("hi & bye"));
  x.children.push_back(tag("active", "urn:x"));
  x.children[1].children.push_back(tag("y", "urn:x"));
  BOOST_TEST(written(x)
    == "<message><body>hi &amp; bye</body>"
       "<active xmlns='urn:x'><y/></active></message>");
}

BOOST_AUTO_TEST_CASE(attributes_with_a_namespace_get_a_prefix) {
  auto x = tag("a", std::string{ns::client});
  x.attributes = {{"", "id", "1"}, {std::string{ns::xml}, "lang", "de"},
    {"urn:y", "b", "'2'"}};
  BOOST_TEST(written(x)
    == "<a id='1' xml:lang='de' xmlns:a0='urn:y' a0:b='&apos;2&apos;'/>");
}

// It is bound to its prefix for good; a default namespace of it breaks the
// stream of whoever reads it.
BOOST_AUTO_TEST_CASE(an_element_of_the_namespace_of_xml_keeps_its_prefix) {
  auto x = tag("message", std::string{ns::client});
  x.children.push_back(tag("x", std::string{ns::xml}));
  x.children[0].children.push_back(tag("y", std::string{ns::client}));
  x.children[0].children.push_back(tag("z", "urn:z"));
  x.children[0].children[1].children.push_back(tag("z", std::string{ns::xml}));
  BOOST_TEST(written(x)
    == "<message><xml:x><y/><z xmlns='urn:z'><xml:z/></z></xml:x></message>");
}

BOOST_AUTO_TEST_CASE(children_are_found_by_name_and_namespace) {
  auto x = tag("a", "urn:a");
  x.children.push_back(text("one "));
  x.children.push_back(tag("b", "urn:other"));
  x.children.push_back(tag("b", "urn:a"));
  x.children.push_back(text("two"));
  BOOST_TEST(x.find("b", "urn:a") == &x.children[2]);
  BOOST_TEST(x.find("c", "urn:a") == nullptr);
  BOOST_TEST(x.first() == &x.children[1]);
  BOOST_TEST(x.inner_text() == "one two");
  BOOST_TEST(x["id"] == "");
  BOOST_TEST(!x.has("id"));
}

BOOST_AUTO_TEST_SUITE_END()
