#include <boost/test/unit_test.hpp>

#include "protocol/xmpp/defaults.hpp"
#include "tests/xmpp/stream_fixture.hpp"

using namespace parley;
using namespace parley::test;

namespace {

constexpr std::string_view managed =
  "<enable xmlns='urn:xmpp:sm:3' resume='true'/>";

/// Alice has shown herself to Carol.
struct shown_talk : talk {
  explicit shown_talk(bool is_managed = true) {
    sign_in();
    if (is_managed)
      say(managed);
    say("<presence to='carol@example.org/desk'/>");
    asked();
  }
};

void check_taken_back(const last_words& x) {
  BOOST_REQUIRE(x.what.size() == 1u);
  BOOST_TEST(x.what[0].to.str() == "carol@example.org/desk");
  BOOST_TEST(has(x.what[0].message->payloads.at(0).data, "type='unavailable'"));
}

} // namespace

// What is said of a session that the server ends, or that waits in vain.
BOOST_AUTO_TEST_SUITE(ends_of_sessions)

BOOST_AUTO_TEST_CASE(directed_presence_is_taken_back_where_the_server_ends_it) {
  for (const bool is_managed : {true, false}) {
    shown_talk x{is_managed};
    auto words = x.server->end_session({});
    check_taken_back(words);
    BOOST_TEST(words.done.has_value() == is_managed);
    // Once is enough.
    x.server->close(failure{errc::kicked}, error_scope::session);
    BOOST_TEST(x.asked().empty());
  }
}

BOOST_AUTO_TEST_CASE(and_where_its_client_does_not_come_back) {
  shown_talk x;
  x.server->disconnected();
  BOOST_TEST(x.asked().empty());
  check_taken_back(x.server->take_legacy()->end_session({}));
}

/// Gone, behind a message for which there is no room.
struct waiting_talk : shown_talk {
  explicit waiting_talk(bool is_managed) : shown_talk{is_managed} {
    // The question about its privacy fills it.
    server->send_window({1, 1'000});
    say(to_bob);
    say("<presence type='unavailable'/>");
    BOOST_TEST(asked().empty());
  }
};

BOOST_AUTO_TEST_CASE(what_waits_for_room_is_taken_back_where_the_session_ends) {
  for (const bool is_managed : {true, false}) {
    waiting_talk x{is_managed};
    check_taken_back(x.server->end_session({}));
  }
}

BOOST_AUTO_TEST_CASE(and_where_the_connection_does_before_there_is_room) {
  waiting_talk x{false};
  x.server->disconnected();
  BOOST_TEST(x.asked().empty());
  x.wait(defaults::xmpp_drain_time + std::chrono::seconds{1});
  const auto all = x.asked();
  BOOST_REQUIRE(all.size() == 1u);
  BOOST_TEST(
    std::get<pass_on>(all[0].what).to.str() == "carol@example.org/desk");
}

BOOST_AUTO_TEST_CASE(what_is_done_counts_answers_that_came_since) {
  shown_talk x;
  x.say(to_bob);
  x.say(to_bob);
  x.say(to_bob);
  const auto all = x.asked();
  BOOST_REQUIRE(all.size() == 3u);
  x.server->disconnected();
  auto legacy = x.server->take_legacy();
  const request_number answered[] = {all[0].number, all[2].number};
  // The presence, and the first of three.
  BOOST_TEST(legacy->end_session(answered).done.value_or(0) == 2u);
}

BOOST_AUTO_TEST_CASE(a_session_that_is_over_is_told_with_what_it_had_done) {
  talk x;
  x.authenticate();
  failure why{errc::resume_failed};
  why.value = 7;
  x.owner.refusal = why;
  BOOST_TEST(x.say("<resume xmlns='urn:xmpp:sm:3' previd='AAAA' h='0'/>")
    == "<failed xmlns='urn:xmpp:sm:3' h='7'><item-not-found "
       "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>");
}

BOOST_AUTO_TEST_CASE(who_says_too_high_a_count_is_told_what_is_right) {
  talk x;
  x.sign_in();
  x.say(managed);
  x.tell(1, incoming("m1"));
  x.heard();
  const auto text = x.say("<a xmlns='urn:xmpp:sm:3' h='3'/>");
  BOOST_TEST(has(text, "<stream:error><undefined-condition "));
  BOOST_TEST(has(text,
    "<handled-count-too-high xmlns='urn:xmpp:sm:3' h='3' send-count='1'/>"
    "</stream:error></stream:stream>"));
  talk y;
  y.sign_in();
  y.say(managed);
  BOOST_TEST(has(y.say("<a xmlns='urn:xmpp:sm:3' h='one'/>"), "<bad-format "));
}

BOOST_AUTO_TEST_CASE(a_session_outlives_a_count_that_is_too_high) {
  talk before;
  before.sign_in();
  before.say(managed);
  before.tell(1, incoming("m1"));
  talk x;
  const auto text = x.resume(before, 2);
  BOOST_TEST(has(text,
    "<handled-count-too-high xmlns='urn:xmpp:sm:3' h='2' "
    "send-count='1'/>"));
  BOOST_TEST(x.server->is_closed());
  BOOST_TEST(x.server->is_resumable());
  talk again;
  BOOST_TEST(has(again.resume(x, 1), "<resumed"));
}

BOOST_AUTO_TEST_CASE(a_client_says_which_protocol_it_speaks) {
  talk x;
  x.sign_in();
  BOOST_TEST((x.owner.wish->protocol == wire_protocol::xmpp));
  x.say(managed);
  talk y;
  y.resume(x, 0);
  BOOST_TEST((y.owner.resumption->protocol == wire_protocol::xmpp));
}

BOOST_AUTO_TEST_SUITE_END()
