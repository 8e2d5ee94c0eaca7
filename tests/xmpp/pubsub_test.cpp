#include <boost/test/unit_test.hpp>

#include "protocol/xmpp/capabilities.hpp"
#include "protocol/xmpp/pubsub.hpp"

using namespace parley;
using namespace parley::xmpp;

namespace {

element made(std::string name, std::string_view in,
  std::vector<attribute> attributes = {}, std::vector<element> children = {}) {
  element x;
  x.name = std::move(name);
  x.xmlns = in;
  x.attributes = std::move(attributes);
  x.children = std::move(children);
  return x;
}

element text_node(std::string text) {
  element x;
  x.text = std::move(text);
  return x;
}

constexpr std::string_view form_ns = "jabber:x:data";
constexpr std::string_view info_ns = "http://jabber.org/protocol/disco#info";

element field(std::string var, std::vector<std::string> values) {
  auto x = made("field", form_ns, {{{}, "var", std::move(var)}});
  for (auto& v : values)
    x.children.push_back(made("value", form_ns, {}, {text_node(std::move(v))}));
  return x;
}

element form_of(std::vector<element> fields) {
  return made("x", form_ns, {}, std::move(fields));
}

element feature(std::string var) {
  return made("feature", info_ns, {{{}, "var", std::move(var)}});
}

element identity(std::string name, std::string lang) {
  return made("identity", info_ns,
    {{{}, "category", "client"}, {{}, "type", "pc"},
      {{}, "name", std::move(name)},
      {std::string{ns::xml}, "lang", std::move(lang)}});
}

} // namespace

BOOST_AUTO_TEST_SUITE(pubsub_forms)

BOOST_AUTO_TEST_CASE(a_form_says_how_a_node_is_kept) {
  const auto wish = wish_of(form_of({field("pubsub#access_model", {"open"}),
    field("pubsub#persist_items", {"true"}), field("pubsub#max_items", {"max"}),
    field("pubsub#send_last_published_item", {"never"}),
    field("pubsub#title", {"mine"})}));
  BOOST_REQUIRE(wish.has_value());
  BOOST_TEST(
    (*wish == collection_wish{readers::everybody, any_number, true, false}));
  BOOST_TEST((wish_of(form_of({})) == collection_wish{}));
}

BOOST_AUTO_TEST_CASE(what_there_is_not_is_no_wish) {
  for (auto [name, value] :
    {std::pair("access_model", "roster"), {"access_model", "authorize"},
      {"persist_items", "perhaps"}, {"max_items", "-1"}, {"max_items", ""},
      {"max_items", "99999999999999999999"},
      {"send_last_published_item", "now"}})
    BOOST_TEST(
      !wish_of(form_of({field("pubsub#" + std::string{name}, {value})}))
         .has_value());
}

BOOST_AUTO_TEST_CASE(what_the_form_of_a_node_says_is_read_back) {
  for (auto who : {readers::owner, readers::watchers, readers::everybody})
    for (auto max : {uint64_t{0}, uint64_t{12}, any_number}) {
      collection_rules rules{who, max, who == readers::owner, max > 0};
      std::string text;
      append_configuration(text, rules);
      // By hand: what is written stands between these.
      const auto value = [&text](std::string_view name) {
        auto at = text.find("var='pubsub#" + std::string{name});
        at = text.find("<value>", at) + 7;
        return text.substr(at, text.find('<', at) - at);
      };
      std::vector<element> fields;
      for (auto* name : {"access_model", "persist_items", "max_items",
             "send_last_published_item"})
        fields.push_back(field("pubsub#" + std::string{name}, {value(name)}));
      const auto wish = wish_of(form_of(std::move(fields)));
      BOOST_REQUIRE(wish.has_value());
      BOOST_TEST((changed(collection_rules{}, *wish) == rules));
    }
}

BOOST_AUTO_TEST_CASE(preconditions_hold_where_each_word_does) {
  const collection_rules rules{readers::owner, 5, true, false};
  BOOST_TEST(fits(rules, {}));
  BOOST_TEST(fits(rules, {.who = readers::owner, .documents_max = 5}));
  BOOST_TEST(!fits(rules, {.who = readers::everybody}));
  BOOST_TEST(!fits(rules, {.documents_max = 6}));
  BOOST_TEST(!fits(rules, {.keeps = false}));
  BOOST_TEST(!fits(rules, {.greets = true}));
}

BOOST_AUTO_TEST_CASE(a_document_stands_in_any_namespace) {
  const auto inner = made("text", "urn:a");
  BOOST_TEST(bytes_of(made("mood", "urn:a", {}, {inner}))
    == "<mood xmlns='urn:a'><text/></mood>");
  BOOST_TEST(bytes_of(made("bare", "")) == "<bare xmlns=''/>");
}

BOOST_AUTO_TEST_CASE(collections_of_different_kinds_are_never_the_same) {
  BOOST_TEST((node_of(collection_of_node("n")) == "n"));
  BOOST_TEST(!node_of(collection_of_vcard).has_value());
  BOOST_TEST(!node_of(collection_of_private(made("n", "urn:a"))).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(capabilities_)

/// XEP-0115, 5.3.
BOOST_AUTO_TEST_CASE(the_verification_string_is_that_of_the_standard) {
  auto query = made("query", info_ns, {},
    {identity("Psi 0.11", "en"), identity("\xce\xa8 0.11", "el"),
      feature("http://jabber.org/protocol/caps"),
      feature("http://jabber.org/protocol/disco#info"),
      feature("http://jabber.org/protocol/disco#items"),
      feature("http://jabber.org/protocol/muc"),
      form_of({field("FORM_TYPE", {"urn:xmpp:dataforms:softwareinfo"}),
        field("ip_version", {"ipv6", "ipv4"}), field("os", {"Mac"}),
        field("os_version", {"10.5.1"}), field("software", {"Psi"}),
        field("software_version", {"0.11"})})});
  BOOST_TEST(verification_of(query).value() == "q07IKJEyjvHSyhy//CH0CxmKi8w=");
  query.children.push_back(feature("http://jabber.org/protocol/muc"));
  BOOST_TEST(!verification_of(query).has_value());
}

/// Of these another answer, with other nodes, has the same string.
BOOST_AUTO_TEST_CASE(what_can_be_read_in_two_ways_is_for_one_client_alone) {
  const auto query = [](std::vector<element> xs) {
    return made("query", info_ns, {}, std::move(xs));
  };
  const auto honest = query({identity("Psi", "en"), feature("a+notify")});
  BOOST_TEST(is_unambiguous(honest));
  const auto two = query({feature("a+notify"), feature("b+notify")});
  const auto joined = query({feature("a+notify<b+notify")});
  BOOST_TEST(verification_of(two).value() == verification_of(joined).value());
  BOOST_TEST(is_unambiguous(two));
  BOOST_TEST(!is_unambiguous(joined));
  BOOST_TEST(!is_unambiguous(query({identity("Psi<b+notify", "en")})));
  BOOST_TEST(
    !is_unambiguous(query({form_of({field("FORM_TYPE", {"a+notify"})})})));
  auto odd = identity("x", "en");
  for (auto& a : odd.attributes)
    if (a.name == "type")
      a.value.clear();
  BOOST_TEST(!is_unambiguous(query({odd})));
}

BOOST_AUTO_TEST_CASE(followed_nodes_are_features_that_end_in_notify) {
  following x;
  BOOST_TEST(!x.wants("b"));
  x.nodes = followed_by(made("query", info_ns, {},
    {feature("b+notify"), feature("a+notify"), feature("c"),
      feature("+notify")}));
  BOOST_TEST((*x.nodes == std::vector<std::string>{"a", "b"}));
  BOOST_TEST(x.wants("a"));
  BOOST_TEST(!x.wants("c"));
}

BOOST_AUTO_TEST_CASE(what_was_learnt_is_known_and_bounded) {
  const auto nothing = std::make_shared<const std::vector<std::string>>();
  learn_capabilities("first", nothing);
  BOOST_TEST((known_capabilities("first") == nothing));
  for (int i = 0; i < 10'000; ++i)
    learn_capabilities(std::to_string(i), nothing);
  BOOST_TEST((known_capabilities("first") == nullptr));
  BOOST_TEST((known_capabilities("9999") == nothing));
}

BOOST_AUTO_TEST_SUITE_END()
