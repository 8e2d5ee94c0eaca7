#include <boost/test/unit_test.hpp>

#include "protocol/xmpp/defaults.hpp"
#include "tests/xmpp/stream_fixture.hpp"

using namespace parley;
using namespace parley::test;

namespace {

/// Signed in and available; the session is asked for the privacy at once.
struct masked_talk : talk {
  explicit masked_talk(const privacy& x = {}) {
    sign_in();
    say("<presence/>");
    for (const auto& r : asked())
      if (std::holds_alternative<set_privacy>(r.what))
        tell(1, answer{r.number, x});
      else if (std::holds_alternative<set_availability>(r.what))
        tell(2, answer{r.number, done{}});
    heard();
  }
  /// What is said is passed on to nobody.
  void directs_in_vain(std::string_view to) {
    say("<presence to='" + std::string{to} + "'/>");
    BOOST_TEST(asked().empty());
  }
  void directs(std::string_view to) {
    say("<presence to='" + std::string{to} + "'/>");
    BOOST_TEST(passed(false) == to);
  }
  /// To whom the only request passes on that the endpoint is there, or gone;
  /// empty: to nobody.
  std::string passed(bool is_gone) {
    const auto all = asked();
    if (all.size() != 1u)
      return {};
    const auto& p = std::get<pass_on>(all[0].what);
    BOOST_TEST(
      has(p.message->payloads.at(0).data, "type='unavailable'") == is_gone);
    return p.to.str();
  }
};

privacy blocking_carol() {
  privacy x;
  x.block = {*user_address::parse("carol@example.org")};
  return x;
}

policy_values sharing_is(const std::string& shared, const std::string& own) {
  return {{{"presence.sharing", shared}, {"presence.sharing_override", own}}};
}

constexpr std::string_view desk = "carol@example.org/desk";

constexpr std::string_view refusal =
  "<error type='modify'><not-acceptable "
  "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
  "<blocked xmlns='urn:xmpp:blocking:errors'/></error>";

} // namespace

BOOST_AUTO_TEST_SUITE(masks)

BOOST_AUTO_TEST_CASE(who_is_blocked_hears_no_more_of_directed_presence) {
  masked_talk x;
  x.directs(desk);
  x.directs("dave@example.org");
  x.tell(0, blocking_carol());
  BOOST_TEST(x.passed(true) == desk);
  x.tell(0, blocking_carol());
  BOOST_TEST(x.asked().empty());
  x.directs_in_vain(desk);
  x.say("<presence to='carol@example.org/desk' type='unavailable'/>");
  BOOST_TEST(x.asked().empty());
  x.tell(0, privacy{});
  x.directs(desk);
}

BOOST_AUTO_TEST_CASE(what_is_taken_back_is_known_by_its_mark) {
  masked_talk x;
  const auto said = [&x](const std::string& stanza) {
    x.say(stanza);
    const auto all = x.asked();
    BOOST_REQUIRE(!all.empty());
    return std::get<pass_on>(all[0].what);
  };
  const std::string there = "<presence to='carol@example.org/desk'/>";
  const std::string gone =
    "<presence to='carol@example.org/desk' type='unavailable'";
  BOOST_TEST((said(gone + "/>").directed == directed::no));
  BOOST_TEST((said(there).directed == directed::shown));
  BOOST_TEST((said(gone + "/>").directed == directed::taken_back));
  BOOST_TEST((said(there).directed == directed::shown));
  // At most so long, and told all the same.
  const auto bare = said(gone + "><x xmlns='y'>"
    + std::string(defaults::xmpp_taken_back_max, 'x') + "</x></presence>");
  BOOST_TEST((bare.directed == directed::taken_back));
  BOOST_TEST(bare.to.str() == desk);
  BOOST_TEST(has(bare.message->payloads.at(0).data, "type='unavailable'"));
  BOOST_TEST(!has(bare.message->payloads.at(0).data, "xxx"));
  BOOST_TEST((said(there).directed == directed::shown));
  BOOST_TEST(
    (said("<presence type='unavailable'/>").directed == directed::taken_back));
}

BOOST_AUTO_TEST_CASE(who_is_blocked_by_an_iq_hears_no_more_either) {
  masked_talk x;
  x.directs(desk);
  x.say("<iq type='set' id='1'><block xmlns='urn:xmpp:blocking'>"
        "<item jid='carol@example.org'/></block></iq>");
  const auto all = x.asked();
  BOOST_REQUIRE(all.size() == 1u);
  x.tell(3, answer{all[0].number, blocking_carol()});
  BOOST_TEST(x.passed(true) == desk);
}

BOOST_AUTO_TEST_CASE(a_rule_of_a_domain_hides_as_a_block_does) {
  masked_talk x;
  x.directs(desk);
  privacy rules;
  rules.domains = {{"example.org", approval::block}};
  x.tell(0, rules);
  BOOST_TEST(x.passed(true) == desk);
  x.directs_in_vain(desk);
  rules.allow = blocking_carol().block;
  x.tell(0, rules);
  x.directs(desk);
}

BOOST_AUTO_TEST_CASE(directed_presence_is_taken_back_when_sharing_ends) {
  masked_talk x;
  x.directs(desk);
  x.tell(0, sharing_is("off", "off"));
  BOOST_TEST(x.passed(true) == desk);
  BOOST_TEST(
    has(x.say("<presence to='carol@example.org/desk'/>"), "<not-allowed"));
  x.tell(0, sharing_is("on", "off"));
  x.directs(desk);
  privacy own;
  own.sharing = sharing::off;
  x.tell(0, own);
  BOOST_TEST(x.passed(true) == desk);
  x.directs_in_vain(desk);
}

BOOST_AUTO_TEST_CASE(where_users_decide_who_says_nothing_shares_nothing) {
  masked_talk x;
  x.tell(0, sharing_is("off", "on"));
  x.directs_in_vain(desk);
  privacy own;
  own.sharing = sharing::on;
  x.tell(0, own);
  x.directs(desk);
  x.tell(0, sharing_is("off", "off"));
  BOOST_TEST(x.passed(true) == desk);
}

BOOST_AUTO_TEST_CASE(what_was_sent_before_the_privacy_is_known_is_taken_back) {
  talk x;
  x.sign_in();
  x.say("<presence to='carol@example.org/desk'/>");
  const auto all = x.asked();
  BOOST_REQUIRE(all.size() == 2u);
  BOOST_TEST(!std::get<set_privacy>(all[0].what).block.has_value());
  x.tell(1, answer{all[0].number, blocking_carol()});
  const auto back = x.asked();
  BOOST_REQUIRE(back.size() == 1u);
  BOOST_TEST(has(
    std::get<pass_on>(back[0].what).message->payloads.at(0).data, "unavail"));
}

BOOST_AUTO_TEST_CASE(nothing_is_said_to_who_is_blocked) {
  masked_talk x{blocking_carol()};
  const auto error = [](const std::string& name, const std::string& to) {
    return "<" + name + " type='error' id='1' from='" + to + "'";
  };
  const auto message =
    x.say("<message to='carol@example.org' id='1'><body>hi</body></message>");
  BOOST_TEST(message.starts_with(error("message", "carol@example.org")));
  BOOST_TEST(has(message, refusal));
  const auto iq = x.say("<iq to='carol@example.org/desk' id='1' type='get'>"
                        "<ping xmlns='urn:xmpp:ping'/></iq>");
  BOOST_TEST(iq.starts_with(error("iq", "carol@example.org/desk")));
  BOOST_TEST(has(iq, refusal));
  BOOST_TEST(
    x.say("<iq to='carol@example.org/desk' id='1' type='result'/>") == "");
  BOOST_TEST(x.say("<message to='carol@example.org' type='error'/>") == "");
  x.directs_in_vain(desk);
  x.say("<message to='dave@example.org' id='1'><body>hi</body></message>");
  BOOST_TEST(x.asked().size() == 1u);
}

BOOST_AUTO_TEST_CASE(who_is_blocked_is_left_out_of_a_broadcast) {
  masked_talk x{blocking_carol()};
  const auto to = [&x](const std::string& whom) {
    return x.say("<message to='example.org' id='1'><body>all</body><addresses "
                 "xmlns='http://jabber.org/protocol/address'>"
      + whom + "</addresses></message>");
  };
  const std::string carol = "<address type='to' jid='carol@example.org'/>";
  const auto answer = to("<address type='to' jid='bob@example.org'/>" + carol);
  BOOST_TEST(has(answer, "from='carol@example.org'"));
  BOOST_TEST(has(answer, refusal));
  const auto all = x.asked();
  BOOST_REQUIRE(all.size() == 1u);
  BOOST_TEST(std::get<broadcast>(all[0].what).to.size() == 1u);
  BOOST_TEST(has(to(carol), refusal));
  BOOST_TEST(x.asked().empty());
}

BOOST_AUTO_TEST_SUITE_END()
