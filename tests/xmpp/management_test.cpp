#include <boost/test/unit_test.hpp>

#include "protocol/defaults.hpp"
#include "tests/xmpp/stream_fixture.hpp"

using namespace parley;
using namespace parley::test;

namespace {

constexpr std::string_view enable =
  "<enable xmlns='urn:xmpp:sm:3' resume='true'/>";

} // namespace

// Stream management.
BOOST_AUTO_TEST_SUITE(managed_streams)

BOOST_AUTO_TEST_CASE(managed_it_is_safe_when_the_client_says_so) {
  talk x;
  x.sign_in();
  BOOST_TEST(has(x.say(enable), "resume='true'"));
  BOOST_TEST(!x.tell(1, incoming("m1")));
  auto text = x.heard();
  BOOST_TEST(text.ends_with("<r xmlns='urn:xmpp:sm:3'/>"));
  BOOST_TEST(!x.server->asks_what_reached());
  x.say("<a xmlns='urn:xmpp:sm:3' h='1'/>");
  BOOST_REQUIRE(x.owner.acks.size() == 1u);
  BOOST_TEST(x.owner.acks[0].value == 1u);
  BOOST_TEST(
    has(x.say("<a xmlns='urn:xmpp:sm:3' h='2'/>"), "<undefined-condition"));
}

BOOST_AUTO_TEST_CASE(h_says_what_has_its_outcome) {
  talk x;
  x.sign_in();
  x.say(enable);
  x.say(to_bob);
  x.say(to_bob);
  BOOST_TEST(
    x.say("<r xmlns='urn:xmpp:sm:3'/>") == "<a xmlns='urn:xmpp:sm:3' h='0'/>");
  x.tell(1, delivered(2));
  BOOST_TEST(x.heard() == "");
  x.tell(2, rejected(1, errc::refused));
  const auto text = x.heard();
  const auto error = text.find("<message type='error'");
  const auto count = text.find("<a xmlns='urn:xmpp:sm:3' h='2'/>");
  BOOST_REQUIRE((error != text.npos && count != text.npos));
  BOOST_TEST(error < count);
}

BOOST_AUTO_TEST_CASE(who_resumes_gets_what_it_did_not_acknowledge) {
  talk before;
  before.sign_in();
  before.say(enable);
  before.say(to_bob);
  before.say(to_bob);
  before.tell(1, incoming("m1"));
  before.tell(2, delivered(1));
  before.tell(3, incoming("m2"));
  talk x;
  // One of its IMs has no outcome yet.
  BOOST_TEST(x.resume(before, 1) == "");
  BOOST_TEST(x.owner.acks.back().value == 1u);
  x.tell(3, incoming("m2"));
  BOOST_TEST(x.heard() == "");
  // What waits so is no reason to send it less.
  BOOST_TEST(x.server->output_waiting() > 0u);
  BOOST_TEST(x.server->holds_output_back());
  x.tell(4, delivered(2));
  BOOST_TEST(!x.server->holds_output_back());
  const auto text = x.heard();
  BOOST_TEST(text.starts_with("<resumed xmlns='urn:xmpp:sm:3'"));
  BOOST_TEST(has(text, "h='2'/><message"));
  BOOST_TEST(has(text, "id='m2'"));
  x.say("<a xmlns='urn:xmpp:sm:3' h='2'/>");
  BOOST_TEST(x.owner.acks.back().value == 3u);
}

BOOST_AUTO_TEST_CASE(a_rejection_that_was_not_acknowledged_is_said_again) {
  talk before;
  before.sign_in();
  before.say(enable);
  before.say(to_bob);
  BOOST_TEST(before.tell(1, rejected(1, errc::refused)));
  talk x;
  const auto text = x.resume(before, 0);
  BOOST_TEST(has(text, "h='1'/><message type='error' id='1'"));
  x.say("<a xmlns='urn:xmpp:sm:3' h='1'/>");
  talk again;
  BOOST_TEST(!has(again.resume(x, 1), "<message"));
}

BOOST_AUTO_TEST_CASE(what_was_acknowledged_before_stays_so_after_a_resume) {
  talk before;
  before.sign_in();
  before.say(enable);
  before.tell(1, incoming("m1"));
  before.heard();
  before.say("<a xmlns='urn:xmpp:sm:3' h='1'/>");
  talk x;
  BOOST_TEST(has(x.resume(before, 1), "<resumed"));
  // The session may not have heard of the first.
  BOOST_TEST(x.owner.acks.back().value == 1u);
}

BOOST_AUTO_TEST_CASE(answers_that_were_not_acknowledged_are_said_again) {
  talk before;
  before.sign_in();
  before.say(enable);
  const auto ping = [](std::string_view id) {
    return "<iq type='get' id='" + std::string{id}
    + "' to='example.org'><ping xmlns='urn:xmpp:ping'/></iq>";
  };
  before.say(ping("p1"));
  before.say(ping("p2"));
  before.say("<a xmlns='urn:xmpp:sm:3' h='1'/>");
  talk x;
  const auto text = x.resume(before, 1);
  BOOST_TEST(!has(text, "id='p1'"));
  BOOST_TEST(has(text, "h='2'/><iq type='result' id='p2'"));
}

BOOST_AUTO_TEST_CASE(changes_of_contacts_that_passed_it_by_are_told) {
  talk before;
  before.sign_in();
  before.say(enable);
  before.say("<iq type='get' id='r1'><query xmlns='jabber:iq:roster'/></iq>");
  contact bob;
  bob.address = *user_address::parse("bob@example.org");
  before.tell(
    1, answer{before.asked().at(0).number, contact_list{{}, {7}, {bob}, {}}});
  before.heard();
  talk x;
  BOOST_TEST(has(x.resume(before, 1), "<resumed"));
  auto asked = x.asked();
  BOOST_REQUIRE(asked.size() == 1u);
  BOOST_TEST(std::get<list_contacts>(asked[0].what).known.value == 7u);
  // The difference is not known any more: the whole list.
  x.tell(2, answer{asked[0].number, contact_list{{}, {9}, {}, {}}});
  BOOST_TEST(has(x.heard(),
    "<query xmlns='jabber:iq:roster' ver='9'>"
    "<item jid='bob@example.org' subscription='remove'/></query></iq>"));
}

BOOST_AUTO_TEST_CASE(who_is_in_the_whole_list_is_not_gone) {
  std::vector<contact> all;
  for (const std::string name : {"a", "b", "c", "d", "e"}) {
    all.emplace_back().address = *user_address::parse(name + "@example.org");
    all.back().listed = true;
  }
  talk before;
  before.sign_in();
  before.say(enable);
  before.say("<iq type='get' id='r1'><query xmlns='jabber:iq:roster'/></iq>");
  before.tell(
    1, answer{before.asked().at(0).number, contact_list{{}, {7}, all, {}}});
  before.heard();
  talk x;
  x.resume(before, 1);
  const contact_list whole{{}, {9}, {all[1], all[3]}, {}};
  x.tell(2, answer{x.asked().at(0).number, whole});
  const auto text = x.heard();
  for (const auto& c : all) {
    const bool stays =
      c.address == all[1].address || c.address == all[3].address;
    BOOST_TEST(has(text,
      "<item jid='" + c.address.str() + "' subscription='"
        + (stays ? "none" : "remove") + "'/>"));
  }
}

/// One who resumes while a long list of contacts waits to be acknowledged.
struct behind_a_list : talk {
  behind_a_list() {
    bob.address = *user_address::parse("bob@example.org");
    bob.listed = true;
    // So long that the answer is not kept here.
    bob.name = std::string(70'000, 'n');
    before.sign_in();
    before.say(enable);
    before.say("<iq type='get' id='r1'><query xmlns='jabber:iq:roster'/></iq>");
    list =
      answer{before.asked().at(0).number, contact_list{{}, {7}, {bob}, {}}};
    BOOST_TEST(!before.tell(1, list));
    resume(before, 0);
    question = asked().at(0);
    BOOST_TEST(!tell(1, list));
  }
  void refuse_changes() {
    tell(2, answer{question.number, failure{errc::overloaded}});
  }
  void acknowledge() { say("<a xmlns='urn:xmpp:sm:3' h='1'/>"); }
  /// They are asked for once more, and told.
  void check_told() {
    const auto again = asked();
    BOOST_REQUIRE(again.size() == 1u);
    BOOST_TEST(std::get<list_contacts>(again[0].what).known.value == 7u);
    tell(3, answer{again[0].number, contact_list{{7}, {9}, {}, {bob.address}}});
    BOOST_TEST(has(heard(),
      "<query xmlns='jabber:iq:roster' ver='9'>"
      "<item jid='bob@example.org' subscription='remove'/></query></iq>"));
    acknowledge();
    BOOST_TEST(asked().empty());
  }

  talk before;
  contact bob;
  answer list;
  numbered_request question;
};

BOOST_AUTO_TEST_CASE(changes_of_contacts_are_told_once_there_is_room) {
  behind_a_list x;
  x.refuse_changes();
  BOOST_TEST(x.asked().empty());
  x.heard();
  // Its version of the list does not grow before.
  contact carol;
  carol.address = *user_address::parse("carol@example.org");
  carol.listed = true;
  x.tell(0, contact_list{{8}, {9}, {carol}, {}});
  const auto live = x.heard();
  BOOST_TEST(has(live, "ver='7'><item jid='carol@example.org'"));
  BOOST_TEST(!has(live, "ver='9'"));
  x.acknowledge();
  x.check_told();
}

BOOST_AUTO_TEST_CASE(changes_that_were_refused_too_late_are_asked_for_again) {
  behind_a_list x;
  x.acknowledge();
  BOOST_TEST(x.asked().empty());
  x.refuse_changes();
  x.check_told();
}

BOOST_AUTO_TEST_CASE(what_is_out_of_turn_fails_and_ends_nothing) {
  constexpr std::string_view resume =
    "<resume xmlns='urn:xmpp:sm:3' previd='AAAA' h='0'/>";
  talk x;
  x.say(header);
  BOOST_TEST(has(x.say(resume), "<unexpected-request"));
  talk y;
  y.authenticate();
  BOOST_TEST(has(y.say(enable), "<unexpected-request"));
  talk z;
  z.sign_in();
  BOOST_TEST(has(z.say(enable), "<enabled"));
  for (const auto again : {enable, resume})
    BOOST_TEST(has(z.say(again), "<unexpected-request"));
  for (const auto* t : {&x, &y, &z})
    BOOST_TEST(!t->server->is_closed());
}

BOOST_AUTO_TEST_CASE(a_burst_of_refusals_waits_for_no_acknowledgement) {
  talk x;
  x.owner.grant.requests.messages = 10;
  x.sign_in();
  x.say(enable);
  std::string burst;
  constexpr size_t many = 150;
  for (size_t i = 0; i < many; ++i)
    burst += to_bob;
  x.say(burst);
  uint64_t number = 0;
  for (auto asked = x.asked(); !asked.empty(); asked = x.asked()) {
    BOOST_TEST(asked.size() <= 10u);
    for (const auto& r : asked) {
      x.tell(++number, rejected(r.number.value, errc::refused));
      BOOST_TEST(x.server->takes_input());
    }
  }
  BOOST_TEST(number == many);
}

BOOST_AUTO_TEST_CASE(a_client_that_has_to_acknowledge_is_read_on) {
  talk x;
  x.owner.grant.requests.messages = 2;
  x.sign_in();
  x.say(enable);
  // So large that their refusals are not kept here.
  const auto large = "<iq type='set' id='1'><query xmlns='jabber:iq:roster'>"
                     "<item jid='bob@example.org'/></query></iq>";
  failure why{errc::contact_list_full, std::string(40'000, 'x')};
  x.say(large);
  x.say(large);
  x.say(large);
  for (const auto& r : x.asked())
    x.tell(r.number.value, answer{r.number, why});
  BOOST_TEST(x.asked().size() == 1u);
  x.tell(3, answer{request_number{3}, why});
  for (size_t i = 0; i < 500; ++i)
    x.say(large);
  BOOST_TEST(x.asked().empty());
  BOOST_TEST(x.server->takes_input());
  x.say("<a xmlns='urn:xmpp:sm:3' h='3'/>");
  BOOST_TEST(x.asked().size() == 2u);
}

BOOST_AUTO_TEST_CASE(what_waits_is_bounded_by_the_bytes_it_keeps) {
  constexpr auto most = defaults::request_window_bytes;
  // Ids, of who has to acknowledge; and recipients without a text.
  for (const bool of_ids : {true, false}) {
    talk x;
    x.owner.grant.requests.messages = 1;
    x.sign_in();
    x.say(enable);
    x.say("<iq type='set' id='1'><query xmlns='jabber:iq:roster'>"
          "<item jid='bob@example.org'/></query></iq>");
    if (of_ids)
      x.tell(1,
        answer{x.asked().front().number,
          failure{errc::contact_list_full, std::string(70'000, 'x')}});
    x.heard();
    std::string next = "<message to='example.org' id='2'>"
                       "<addresses xmlns='http://jabber.org/protocol/address'>";
    for (size_t i = 0; i < 8'000; ++i)
      next += "<address type='bcc'/>";
    next += "</addresses><body>x</body></message>";
    if (of_ids)
      next = "<iq type='get' id='" + std::string(1'000, 'i')
        + "'><query xmlns='jabber:iq:roster'/></iq>";
    const auto before = x.server->memory();
    size_t count = 0;
    for (; count < 6'000 && x.server->takes_input(); ++count)
      x.say(next);
    BOOST_TEST(!x.server->takes_input());
    BOOST_TEST(count < (of_ids ? 5'000u : 50u));
    BOOST_TEST(x.server->memory() - before >= most);
  }
}

BOOST_AUTO_TEST_CASE(
  what_was_delayed_on_a_stream_that_broke_is_not_said_twice) {
  talk before;
  before.sign_in();
  before.say(enable);
  before.say(to_bob);
  talk first;
  first.resume(before, 0);
  first.tell(1, incoming("m1"));
  talk second;
  BOOST_TEST(second.resume(first, 0) == "");
  second.tell(1, incoming("m1"));
  second.tell(2, delivered(1));
  const auto text = second.heard();
  const auto at = text.find("<message");
  BOOST_REQUIRE(at != text.npos);
  BOOST_TEST(text.find("<message", at + 1) == text.npos);
}

BOOST_AUTO_TEST_CASE(a_session_that_is_gone_cannot_be_resumed) {
  talk x;
  x.authenticate();
  x.owner.refusal = failure{errc::resume_failed};
  BOOST_TEST(has(x.say("<resume xmlns='urn:xmpp:sm:3' previd='AAAA' h='0'/>"),
    "<failed xmlns='urn:xmpp:sm:3'><item-not-found"));
  BOOST_TEST(!x.server->is_closed());
}

BOOST_AUTO_TEST_SUITE_END()
