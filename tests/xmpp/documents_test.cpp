#include <boost/test/unit_test.hpp>

#include "tests/xmpp/stream_fixture.hpp"

using namespace parley;
using namespace parley::test;

namespace {

const auto bob = *user_address::parse("bob@example.org");
constexpr std::string_view mood = "http://jabber.org/protocol/mood";

struct keeper_talk : talk {
  keeper_talk() { sign_in(); }

  /// Shows itself with these capabilities; what the server says then.
  std::string appear(std::string_view ver) {
    auto said =
      say("<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' "
          "node='urn:client' ver='"
        + std::string{ver} + "'/></presence>");
    for (const auto& r : asked())
      if (std::holds_alternative<set_availability>(r.what))
        tell(1, answer{r.number, done{}});
    return said + heard();
  }
  /// The id of the question in what the server said.
  static std::string id_in(const std::string& text) {
    auto at = text.find("<iq type='get' id='") + 19;
    return text.substr(at, text.find('\'', at) - at);
  }
  void explain(const std::string& id, std::string_view features) {
    say("<iq type='result' id='" + id
      + "' to='example.org'><query "
        "xmlns='http://jabber.org/protocol/disco#info'>"
      + std::string{features} + "</query></iq>");
  }
  /// Wants to hear of moods.
  void follow_moods(std::string_view ver) {
    explain(id_in(appear(ver)),
      "<feature var='http://jabber.org/protocol/mood+notify'/>");
  }
  std::vector<follow_documents> followed() {
    std::vector<follow_documents> out;
    for (auto& r : asked())
      if (auto* f = std::get_if<follow_documents>(&r.what))
        out.push_back(std::move(*f));
    return out;
  }
  /// The only request of the last read.
  numbered_request only() {
    auto all = asked();
    BOOST_REQUIRE(all.size() == 1u);
    return all[0];
  }
  std::string told(document_notice n) {
    tell(0, document_event{shared<document_notice>{std::move(n)}});
    return heard();
  }
};

document_notice notice_of_node(std::string_view node) {
  document_notice n;
  n.owner = bob;
  n.collection = "node:" + std::string{node};
  n.about = {"i", "<mood xmlns='urn:m'/>", {}};
  return n;
}

std::string pubsub(std::string_view content) {
  return "<iq type='set' id='p'><pubsub "
         "xmlns='http://jabber.org/protocol/pubsub'>"
    + std::string{content} + "</pubsub></iq>";
}

} // namespace

BOOST_AUTO_TEST_SUITE(kept_documents)

BOOST_AUTO_TEST_CASE(who_says_notify_is_told_and_nobody_else) {
  keeper_talk x;
  BOOST_TEST(x.told(notice_of_node(mood)) == "");
  x.follow_moods("none that fits");
  BOOST_TEST(x.told(notice_of_node(mood))
    == "<message type='headline' from='bob@example.org' "
       "to='alice@example.org/desk'><event "
       "xmlns='http://jabber.org/protocol/pubsub#event'><items "
       "node='http://jabber.org/protocol/mood'><item id='i'><mood "
       "xmlns='urn:m'/></item></items></event></message>");
  BOOST_TEST(x.told(notice_of_node("urn:other")) == "");
  auto vcard = notice_of_node(mood);
  vcard.collection = "vcard";
  BOOST_TEST(x.told(vcard) == "");
  x.say("<presence type='unavailable'/>");
  for (const auto& r : x.asked())
    x.tell(2, answer{r.number, done{}});
  x.heard();
  BOOST_TEST(x.told(notice_of_node(mood)) == "");
}

BOOST_AUTO_TEST_CASE(what_ends_is_told_too) {
  keeper_talk x;
  x.follow_moods("none");
  auto n = notice_of_node(mood);
  n.what = document_notice::kind::removed;
  BOOST_TEST(has(x.told(n), "<retract id='i'/></items>"));
  n.what = document_notice::kind::emptied;
  BOOST_TEST(has(x.told(n), "<purge node='"));
  n.what = document_notice::kind::ended;
  BOOST_TEST(has(x.told(n), "<delete node='"));
  n.what = document_notice::kind::written;
  n.is_greeting = true;
  BOOST_TEST(has(x.told(n), "<delay xmlns='urn:xmpp:delay' stamp='"));
}

BOOST_AUTO_TEST_CASE(a_client_follows_itself_and_whom_it_sees) {
  keeper_talk x;
  x.follow_moods("none");
  auto first = x.followed();
  BOOST_REQUIRE(first.size() == 1u);
  BOOST_TEST(
    (first[0].of == std::vector{*user_address::parse("alice@example.org")}));
  BOOST_TEST((first[0].collections
    == std::vector<std::string>{"node:" + std::string{mood}}));
  contact c;
  c.address = bob;
  c.subscription.to = half::active;
  x.tell(0, contact_list{{1}, {2}, {c}, {}});
  x.say("<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>");
  auto next = x.followed();
  BOOST_REQUIRE(next.size() == 1u);
  BOOST_TEST((next[0].of == std::vector{bob}));
  // No news about somebody that it sees already.
  x.tell(0, contact_list{{2}, {3}, {c}, {}});
  x.say("<iq type='get' id='2'><ping xmlns='urn:xmpp:ping'/></iq>");
  BOOST_TEST(x.followed().empty());
}

BOOST_AUTO_TEST_CASE(what_capabilities_mean_is_asked_once_if_it_fits) {
  // Of this feature alone.
  constexpr std::string_view ver = "CkX8H515Bd5pPPwVZx5oxESvmvE=";
  constexpr std::string_view feature = "<feature var='urn:once+notify'/>";
  keeper_talk x;
  const auto lied = x.appear("a lie");
  x.explain(x.id_in(lied), feature);
  keeper_talk y;
  BOOST_TEST(has(y.appear("a lie"), "<iq type='get'"));
  keeper_talk first;
  const auto question = first.appear(ver);
  BOOST_TEST(has(question, "node='urn:client#" + std::string{ver} + "'"));
  first.explain(first.id_in(question), feature);
  keeper_talk second;
  BOOST_TEST(!has(second.appear(ver), "<iq type='get'"));
  BOOST_TEST(has(second.told(notice_of_node("urn:once")), "<event"));
}

BOOST_AUTO_TEST_CASE(an_answer_that_was_not_asked_for_means_nothing) {
  keeper_talk x;
  x.appear("some");
  x.explain("made up", "<feature var='urn:m+notify'/>");
  BOOST_TEST(x.told(notice_of_node("urn:m")) == "");
}

BOOST_AUTO_TEST_CASE(an_item_is_published_by_its_options) {
  keeper_talk x;
  x.say(pubsub("<publish node='n'><item id='i'><m xmlns='urn:m'/></item>"
               "</publish><publish-options><x xmlns='jabber:x:data'>"
               "<field var='pubsub#access_model'><value>open</value></field>"
               "</x></publish-options>"));
  const auto r = x.only();
  const auto& what = std::get<document_request>(r.what);
  BOOST_TEST(what.owner.empty());
  const auto& w =
    std::get<write_document>(std::get<document_change>(what.what));
  BOOST_TEST(w.collection == "node:n");
  BOOST_TEST(w.what.id == "i");
  BOOST_TEST(w.what.bytes == "<m xmlns='urn:m'/>");
  BOOST_TEST((w.wish == collection_wish{.who = readers::everybody}));
  BOOST_TEST(w.tells);
  x.tell(1, answer{r.number, failure{errc::other_rules}});
  const auto refusal = x.heard();
  BOOST_TEST(has(refusal, "<conflict "));
  BOOST_TEST(has(refusal,
    "<precondition-not-met "
    "xmlns='http://jabber.org/protocol/pubsub#errors'/></error>"));
}

BOOST_AUTO_TEST_CASE(a_limit_is_told_with_its_value) {
  keeper_talk x;
  x.say(pubsub("<publish node='n'><item><m xmlns='urn:m'/></item></publish>"));
  failure why{errc::quota_exceeded, "documents.max is 4, this makes it 5"};
  x.tell(1, answer{x.only().number, why});
  const auto refusal = x.heard();
  BOOST_TEST(has(refusal, "<resource-constraint "));
  BOOST_TEST(has(refusal, "documents.max is 4, this makes it 5"));
}

BOOST_AUTO_TEST_CASE(what_is_no_publishing_is_refused_at_once) {
  keeper_talk x;
  for (std::string_view content :
    {"<publish node='n'/>", "<publish node='n'><item id='i'/></publish>",
      "<publish><item id='i'><m xmlns='urn:m'/></item></publish>",
      "<retract node='n'/>", "<create/>", "<subscribe node='n'/>"})
    BOOST_TEST(has(x.say(pubsub(content)), "<iq type='error'"));
  BOOST_TEST(has(
    x.say(pubsub("<publish node='n'><item><m xmlns='urn:m'/></item></publish>"
                 "<publish-options><x xmlns='jabber:x:data'><field "
                 "var='pubsub#access_model'><value>roster</value></field></x>"
                 "</publish-options>")),
    "precondition-not-met"));
  BOOST_TEST(x.asked().empty());
}

BOOST_AUTO_TEST_CASE(private_storage_that_is_not_there_comes_back_empty) {
  keeper_talk x;
  x.say("<iq type='get' id='1'><query xmlns='jabber:iq:private'>"
        "<s xmlns='urn:s'/></query></iq>");
  x.tell(1, answer{x.only().number, failure{errc::not_found}});
  BOOST_TEST(x.heard()
    == "<iq type='result' id='1' to='alice@example.org/desk'><query "
       "xmlns='jabber:iq:private'><s xmlns='urn:s'/></query></iq>");
}

BOOST_AUTO_TEST_CASE(of_others_there_is_only_to_read) {
  keeper_talk x;
  const auto to_bob = [](std::string_view type, std::string_view content) {
    return "<iq to='bob@example.org' id='1' type='" + std::string{type} + "'>"
      + std::string{content} + "</iq>";
  };
  BOOST_TEST(has(x.say(to_bob("set",
                   "<pubsub xmlns='http://jabber.org/protocol/pubsub'>"
                   "<retract node='n'><item id='i'/></retract></pubsub>")),
    "<forbidden "));
  BOOST_TEST(has(x.say(to_bob("get", "<query xmlns='jabber:iq:private'/>")),
    "<service-unavailable "));
  BOOST_TEST(x.asked().empty());
  x.say(to_bob("get", "<vCard xmlns='vcard-temp'/>"));
  const auto r = x.only();
  BOOST_TEST((std::get<document_request>(r.what).owner == bob));
  x.tell(1, answer{r.number, failure{errc::not_found}});
  const auto refusal = x.heard();
  BOOST_TEST(has(refusal, "from='bob@example.org'"));
  BOOST_TEST(has(refusal, "<service-unavailable "));
}

BOOST_AUTO_TEST_SUITE_END()
