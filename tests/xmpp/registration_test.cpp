#include <boost/test/unit_test.hpp>

#include "tests/xmpp/stream_fixture.hpp"

using namespace parley;
using namespace parley::test;

namespace {

/// A stream in which nobody has signed in.
struct stranger : talk {
  explicit stranger(bool allowed = true) {
    config->registration = allowed;
    features = say(header);
  }
  std::string wants(const std::string& name, const std::string& password) {
    return say("<iq type='set' id='r1'><query xmlns='jabber:iq:register'>"
               "<username>"
      + name + "</username><password>" + password + "</password></query></iq>");
  }
  std::string features;
};

} // namespace

BOOST_AUTO_TEST_SUITE(registration)

BOOST_AUTO_TEST_CASE(it_is_offered_where_it_is_allowed) {
  constexpr std::string_view feature =
    "<register xmlns='http://jabber.org/features/iq-register'/>";
  BOOST_TEST(has(stranger{}.features, feature));
  stranger none{false};
  BOOST_TEST(!has(none.features, feature));
  BOOST_TEST(has(none.wants("carol", "secret"), "<not-authorized"));
  BOOST_TEST(none.owner.registrations.empty());
}

BOOST_AUTO_TEST_CASE(a_form_is_given_to_who_asks) {
  stranger x;
  BOOST_TEST(
    has(x.say("<iq type='get' id='r0'><query xmlns='jabber:iq:register'/>"
              "</iq>"),
      "<username/><password/></query></iq>"));
}

BOOST_AUTO_TEST_CASE(an_account_is_made_and_signed_in_to) {
  stranger x;
  BOOST_TEST(x.wants("Carol", "secret") == "");
  BOOST_REQUIRE(x.owner.registrations.size() == 1u);
  BOOST_TEST(x.owner.registrations[0].first == "carol@example.org");
  BOOST_TEST(x.owner.registrations[0].second == "secret");
  // What comes meanwhile waits.
  BOOST_TEST(x.say("<iq type='get' id='r2'><query "
                   "xmlns='jabber:iq:register'/></iq>")
    == "");
  x.server->registered({});
  const auto text = x.heard();
  BOOST_TEST(text.starts_with("<iq type='result' id='r1'/><iq type='result' "
                              "id='r2'>"));
  BOOST_TEST(x.authenticate_by("SCRAM-SHA-256").starts_with("<success"));
}

BOOST_AUTO_TEST_CASE(a_name_that_is_taken_is_a_conflict) {
  stranger x;
  x.wants("carol", "secret");
  x.server->registered(failure{errc::exists});
  BOOST_TEST(has(x.heard(), "<conflict"));
  BOOST_TEST(!x.server->is_closed());
}

BOOST_AUTO_TEST_CASE(who_asks_for_nonsense_is_refused_and_counted) {
  stranger x;
  BOOST_TEST(has(x.wants("", "secret"), "<jid-malformed"));
  BOOST_TEST(has(x.wants("carol@elsewhere.org", "secret"), "<jid-malformed"));
  BOOST_TEST(has(x.wants("carol", ""), "<not-acceptable"));
  BOOST_TEST(x.owner.registrations.empty());
  for (int i = 0; i < 20 && !x.server->is_closed(); ++i)
    x.wants("carol", "");
  BOOST_TEST(x.server->is_closed());
}

BOOST_AUTO_TEST_CASE(nobody_registers_in_the_open) {
  talk x{talk::kind::tls};
  x.config->registration = true;
  x.say(header);
  BOOST_TEST(
    has(x.say("<iq type='get' id='r0'><query xmlns='jabber:iq:register'/>"
              "</iq>"),
      "<not-authorized"));
}

BOOST_AUTO_TEST_SUITE_END()
