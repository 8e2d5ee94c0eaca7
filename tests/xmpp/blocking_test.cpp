#include <boost/test/unit_test.hpp>

#include "protocol/defaults.hpp"
#include "protocol/xmpp/defaults.hpp"
#include "tests/xmpp/stream_fixture.hpp"

using namespace parley;
using namespace parley::test;

namespace {

struct blocking_talk : talk {
  blocking_talk() { sign_in(); }
  /// The only request since the last call.
  numbered_request one() {
    auto all = asked();
    BOOST_REQUIRE(all.size() == 1u);
    return all[0];
  }
  /// What is heard of the only request, which the session refuses and counts.
  std::string refused(uint64_t event) {
    const auto last = one();
    const auto& why = std::get<invalid_request>(last.what).why;
    BOOST_TEST(why.limit.value_or(0) == defaults::privacy_entries_max);
    tell(event, answer{last.number, why});
    return heard();
  }
  /// The list is asked for, and known.
  void know(const privacy& x) {
    say("<iq type='get' id='0'><blocklist xmlns='urn:xmpp:blocking'/></iq>");
    tell(2, answer{one().number, x});
    heard();
  }
};

std::string block_iq(std::string_view what, size_t id, std::string items) {
  return "<iq type='set' id='" + std::to_string(id) + "'><" + std::string{what}
  + " xmlns='urn:xmpp:blocking'>" + items + "</" + std::string{what} + "></iq>";
}

std::string block(size_t id, const std::vector<std::string>& whom) {
  std::string items;
  for (const auto& x : whom)
    items += "<item jid='" + x + "'/>";
  return block_iq("block", id, items);
}

/// Of equal length, so that they are sorted.
std::vector<std::string> people(size_t from, size_t to) {
  std::vector<std::string> x;
  for (; from < to; ++from)
    x.push_back("u" + std::to_string(10'000 + from) + "@example.org");
  return x;
}

std::vector<user_address> users(const std::vector<std::string>& from) {
  std::vector<user_address> x;
  for (const auto& text : from)
    x.push_back(*user_address::parse(text));
  return x;
}

privacy with_blocked(size_t count) {
  privacy x;
  x.block = users(people(0, count));
  return x;
}

/// With addresses about as long as there are.
privacy with_long_names() {
  privacy x;
  for (size_t i = 0; i < defaults::privacy_entries_max; ++i)
    x.block.push_back(*user_address::parse(std::to_string(10'000 + i)
      + std::string(250, 'n') + '@' + std::string(255, 'd')));
  return x;
}

/// So many questions for the list at once.
std::string lists(size_t count) {
  std::string x;
  for (size_t i = 0; i < count; ++i)
    x += "<iq type='get' id='q" + std::to_string(i)
      + "'><blocklist xmlns='urn:xmpp:blocking'/></iq>";
  return x;
}

size_t count_of(const std::string& all, std::string_view part) {
  size_t n = 0;
  for (auto at = all.find(part); at != all.npos; at = all.find(part, at + 1))
    ++n;
  return n;
}

const set_privacy& change_of(const numbered_request& x) {
  return std::get<set_privacy>(x.what);
}

constexpr auto most = defaults::privacy_entries_max;

} // namespace

BOOST_AUTO_TEST_SUITE(blocking)

BOOST_AUTO_TEST_CASE(a_block_list_is_read_before_it_is_changed) {
  blocking_talk x;
  x.say("<iq type='set' id='1'><block xmlns='urn:xmpp:blocking'>"
        "<item jid='bob@example.org'/></block></iq>");
  x.say("<iq type='get' id='2'><blocklist xmlns='urn:xmpp:blocking'/></iq>");
  auto first = x.one();
  BOOST_TEST(!std::get<set_privacy>(first.what).block.has_value());
  privacy known;
  known.block = {*user_address::parse("carol@example.org")};
  x.tell(2, answer{first.number, known});
  BOOST_TEST(x.heard() == "");
  auto second = x.one();
  BOOST_TEST((change_of(second).block_more == users({"bob@example.org"})));
  known.block.insert(
    known.block.begin(), *user_address::parse("bob@example.org"));
  x.tell(3, answer{second.number, known});
  // What was asked later sees what came of it.
  BOOST_TEST(x.heard()
    == "<iq type='result' id='1' to='alice@example.org/desk'></iq>"
       "<iq type='result' id='2' to='alice@example.org/desk'>"
       "<blocklist xmlns='urn:xmpp:blocking'><item jid='bob@example.org'/>"
       "<item jid='carol@example.org'/></blocklist></iq>");
  // Changes are pushed to who has seen the list.
  known.block.erase(known.block.begin());
  x.tell(0, known);
  BOOST_TEST(has(x.heard(),
    "<unblock xmlns='urn:xmpp:blocking'>"
    "<item jid='bob@example.org'/></unblock></iq>"));
}

BOOST_AUTO_TEST_CASE(blocks_that_follow_at_once_are_asked_one_by_one) {
  blocking_talk x;
  x.say(block(1, {"bob@example.org"}) + block(1, {"carol@example.org"}));
  privacy known;
  x.tell(2, answer{x.one().number, known});
  const auto first = x.one();
  known.block = users({"bob@example.org"});
  BOOST_TEST((change_of(first).block_more == known.block));
  x.tell(3, answer{first.number, known});
  BOOST_TEST((change_of(x.one()).block_more == users({"carol@example.org"})));
}

BOOST_AUTO_TEST_CASE(only_what_changes_is_asked_for) {
  blocking_talk x;
  // The list may be another by the time that this is done.
  x.know(with_blocked(3));
  x.say(block(1, people(5, 7)));
  const auto more = x.one();
  BOOST_TEST((change_of(more).block_more == users(people(5, 7))));
  BOOST_TEST(change_of(more).block_less.empty());
  BOOST_TEST(!change_of(more).block);
  x.tell(3, answer{more.number, privacy{}});
  x.say(block_iq("unblock", 2, "<item jid='u10000@example.org'/>"));
  const auto less = x.one();
  BOOST_TEST((change_of(less).block_less == users(people(0, 1))));
  BOOST_TEST(change_of(less).block_more.empty());
  BOOST_TEST(!change_of(less).block);
  x.tell(4, answer{less.number, privacy{}});
  x.say(block_iq("unblock", 3, ""));
  const auto none = x.one();
  BOOST_TEST(change_of(none).block.value().empty());
  BOOST_TEST(change_of(none).block_less.empty());
}

BOOST_AUTO_TEST_CASE(what_another_endpoint_blocked_at_once_is_pushed) {
  blocking_talk x;
  x.know({});
  x.say(block(1, people(0, 1)));
  x.tell(3, answer{x.one().number, with_blocked(2)});
  const auto heard = x.heard();
  BOOST_TEST(has(heard, "<iq type='result' id='1'"));
  BOOST_TEST(has(heard,
    "<block xmlns='urn:xmpp:blocking'><item jid='u10000@example.org'/>"
    "<item jid='u10001@example.org'/></block>"));
}

BOOST_AUTO_TEST_CASE(a_block_list_does_not_grow_beyond_its_limit) {
  blocking_talk x;
  x.know(with_blocked(most));
  x.say(block(2, people(most, most + 1)));
  x.tell(3, answer{x.one().number, failure{errc::bad_request}});
  BOOST_TEST(has(x.heard(),
    "<iq type='error' id='2'>"
    "<error type='modify'><policy-violation"));
  // What failed otherwise is told as it is.
  x.say(block(3, people(0, 1)));
  x.tell(4, answer{x.one().number, failure{errc::store_failed}});
  BOOST_TEST(has(x.heard(), "<internal-server-error"));
}

BOOST_AUTO_TEST_CASE(who_is_named_beyond_the_limit_is_not_looked_at) {
  blocking_talk x;
  x.know({});
  uint64_t event = 2;
  for (const std::string what : {"block", "unblock"}) {
    std::string items;
    for (const auto& one : people(0, most))
      items += "<item jid='" + one + "'/>";
    const auto answer = x.say(block_iq(what, 2, items + "<item jid='no'/>"));
    BOOST_TEST(!has(answer, "<jid-malformed"));
    BOOST_TEST(has(x.refused(++event), "<policy-violation"));
  }
}

BOOST_AUTO_TEST_CASE(who_asks_again_for_a_long_list_is_told_to_wait) {
  const auto known = with_long_names();
  const auto check = [](const std::string& heard) {
    // One list, and no more.
    BOOST_TEST(heard.size() < 1024 * 1024u);
    BOOST_TEST(count_of(heard, "<iq type='result'") == 1u);
    BOOST_TEST(
      count_of(heard, "<error type='wait'><resource-constraint") == 198u);
  };
  blocking_talk x;
  x.say(lists(199));
  x.tell(2, answer{x.one().number, known});
  check(x.heard());
  // The same once the list is known; and with room there is the next one.
  check(x.say(lists(199)));
  BOOST_TEST(has(x.say(lists(1)), "<iq type='result'"));
}

BOOST_AUTO_TEST_CASE(one_list_is_told_behind_whatever_there_is) {
  blocking_talk x;
  x.say("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>");
  contact_list contacts;
  for (const auto& whom : users(people(0, 2'000)))
    contacts.contacts.push_back({whom, std::string(200, 'n'), {}, true, {}});
  x.tell(2, answer{x.one().number, contacts});
  BOOST_TEST(x.server->output_waiting() > defaults::output_pause);
  x.to_server(lists(1));
  x.tell(3, answer{x.one().number, with_blocked(3)});
  BOOST_TEST(has(x.heard(), "u10002@example.org'/></blocklist>"));
}

BOOST_AUTO_TEST_CASE(who_probes_at_length_is_told_to_wait) {
  blocking_talk x;
  x.say("<presence/>");
  for (const auto& r : x.asked())
    x.tell(0, answer{r.number, done{}});
  presence_notice bob;
  bob.from = *address::parse("bob@example.org/desk");
  bob.what.show = show::chat;
  bob.what.status = std::string(defaults::status_max, 's');
  x.tell(0, presence_event{shared<presence_notice>{bob}});
  BOOST_TEST(has(x.heard(), "from='bob@example.org/desk'"));
  std::string probes;
  for (size_t i = 0; i < 2'000; ++i)
    probes += "<presence type='probe' to='bob@example.org'/>";
  const auto heard = x.say(probes);
  BOOST_TEST(heard.size() < 4 * defaults::output_pause);
  BOOST_TEST(has(heard, "<presence type='error' from='bob@example.org'>"));
  BOOST_TEST(has(heard, "<resource-constraint"));
}

BOOST_AUTO_TEST_CASE(what_waits_for_the_block_list_is_counted_and_bounded) {
  blocking_talk x;
  const auto before = x.server->memory();
  const auto held = [&] { return x.server->memory() - before; };
  x.say(block(1, people(0, most)));
  const auto of_first = held();
  BOOST_TEST(of_first > most * sizeof("u10000@example.org"));
  // Nothing is kept but whom it names.
  std::string others;
  for (size_t i = 0; i < 8'000; ++i)
    others += "<i/>";
  x.say(block_iq("block", 2, others + "<item jid='bob@example.org'/>"));
  BOOST_TEST(held() < of_first + 2'000);
  const auto list =
    "<iq type='get' id='3'><blocklist xmlns='urn:xmpp:blocking'/></iq>";
  BOOST_TEST(!has(x.say(list), "<error"));
  std::string answers;
  for (size_t id = 0; id < 5; ++id)
    answers += x.say(block(10 + id, people(0, most)));
  BOOST_TEST(has(answers, "<resource-constraint"));
  BOOST_TEST(held() < 2 * defaults::xmpp_block_waiting_bytes);
  // Small ones have room all the same.
  BOOST_TEST(!has(x.say(list), "<error"));
  x.tell(2, answer{x.one().number, failure{errc::store_failed}});
  x.heard();
  BOOST_TEST(held() < of_first / 2);
}

BOOST_AUTO_TEST_CASE(questions_behind_a_change_are_answered_in_their_order) {
  blocking_talk x;
  x.know({});
  const auto list =
    "<iq type='get' id='9'><blocklist xmlns='urn:xmpp:blocking'/></iq>";
  x.say(block(1, people(0, 1)) + list + block(2, people(1, 2)) + list);
  for (size_t done = 1; done <= 2; ++done) {
    const auto next = x.one();
    BOOST_TEST((change_of(next).block_more == users(people(done - 1, done))));
    x.tell(2 + done, answer{next.number, with_blocked(done)});
    const auto heard = x.heard();
    BOOST_TEST(has(heard, "id='" + std::to_string(done) + "'"));
    BOOST_TEST(has(heard, people(0, done).back() + "'/></blocklist>"));
  }
}

BOOST_AUTO_TEST_CASE(what_waits_is_not_overtaken_once_the_list_is_told) {
  blocking_talk x;
  x.say(block(1, people(0, 1)));
  const auto look = x.one();
  // Another endpoint changes its privacy, twice.
  x.tell(0, privacy{});
  x.tell(0, privacy{});
  x.say(block_iq("unblock", 2, "<item jid='u10000@example.org'/>"));
  BOOST_TEST(x.asked().empty());
  x.tell(2, answer{look.number, privacy{}});
  const auto first = x.one();
  BOOST_TEST(change_of(first).block_more.size() == 1u);
  x.tell(3, answer{first.number, with_blocked(1)});
  BOOST_TEST(change_of(x.one()).block_less.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_look_at_the_list_after_a_resume_ends_no_change_of_it) {
  blocking_talk before;
  before.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
  before.know({});
  before.say("<a xmlns='urn:xmpp:sm:3' h='1'/>");
  talk x;
  BOOST_TEST(has(x.resume(before, 1), "<resumed"));
  const auto look = x.asked();
  BOOST_REQUIRE(look.size() == 1u);
  x.say(block(1, people(0, 1)) + block(2, people(1, 2)));
  const auto change = x.asked();
  BOOST_REQUIRE(change.size() == 1u);
  x.tell(3, answer{look[0].number, privacy{}});
  BOOST_TEST(x.asked().empty());
  x.tell(4, answer{change[0].number, with_blocked(1)});
  const auto next = x.asked();
  BOOST_REQUIRE(next.size() == 1u);
  BOOST_TEST((change_of(next[0]).block_more == users(people(1, 2))));
}

BOOST_AUTO_TEST_SUITE_END()
