#include <boost/test/unit_test.hpp>

#include "actors/launcher/chat_command.hpp"
#include "actors/launcher/chat_defaults.hpp"
#include "actors/launcher/chat_input.hpp"
#include "actors/launcher/chat_json.hpp"

using namespace parley;
using namespace parley::chat;

namespace {

/// What a line becomes; the test fails if it is no request.
template <class T>
T parsed(std::string_view line, std::string_view id = {}) {
  auto x = parse_request(line);
  BOOST_REQUIRE_MESSAGE(x, line);
  BOOST_TEST(x->id == id);
  BOOST_REQUIRE(std::holds_alternative<T>(x->what));
  return std::get<T>(x->what);
}

/// How a bad line is answered.
std::string answer_to(std::string_view line) {
  auto x = parse_request(line);
  BOOST_REQUIRE_MESSAGE(!x, line);
  return error_line(x.error());
}

} // namespace

BOOST_AUTO_TEST_CASE(requests_are_read_with_all_of_their_fields) {
  auto send = parsed<send_line>(
    R"({"op":"send","id":"m1","to":"bob@example.org","body":"h\u00e9"})", "m1");
  BOOST_TEST(send.to == "bob@example.org");
  BOOST_TEST(send.body == "hé");
  BOOST_TEST(!send.receipts);
  BOOST_TEST(
    parsed<send_line>(R"({"op":"send","to":"b@x","body":"","receipts":true})")
      .receipts);
  auto broadcast = parsed<chat::broadcast_line>(
    R"({"op":"broadcast","id":"b1","to":["a@x","b@x"],"body":"hi"})", "b1");
  BOOST_TEST((broadcast.to == std::vector<std::string>{"a@x", "b@x"}));
  auto presence = parsed<presence_line>(
    R"({"op":"presence","show":"xa","status":"out","priority":-128})");
  BOOST_TEST((presence.what.show == show::xa));
  BOOST_TEST(presence.what.status == "out");
  BOOST_TEST(presence.what.priority == -128);
  auto typing = parsed<typing_line>(R"({"op":"typing","to":"b@x"})");
  BOOST_TEST(typing.to == "b@x");
  auto read =
    parsed<read_line>(R"({"op":"read","from":"a@x/desk","id":"m7"})", "m7");
  BOOST_TEST(read.from == "a@x/desk");
  BOOST_TEST(read.message == "m7");
  parsed<quit_line>(R"(  {"op":"quit","more":[1]} )");
}

BOOST_AUTO_TEST_CASE(bad_lines_say_what_is_wrong_and_repeat_the_id) {
  auto has = [](const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
  };
  for (auto line :
    {"", "x", "{", "[]", "1", "{\"op\":1}", "{}", R"({"op":"send"})",
      R"({"op":"send","to":5,"body":"x"})", R"({"op":"send","to":"a@x"})",
      R"({"op":"send","to":"a@x","body":"x","receipts":1})",
      R"({"op":"send","to":"a@x","body":"x","id":""})",
      R"({"op":"broadcast","to":"a@x","body":"x"})",
      R"({"op":"broadcast","to":["a@x",1],"body":"x"})",
      R"({"op":"presence","show":"here"})",
      R"({"op":"presence","show":"away","priority":128})",
      R"({"op":"presence","show":"away","priority":18446744073709551615})",
      R"({"op":"presence","show":"away","priority":1.5})",
      R"({"op":"read","from":"a@x"})", "{\"op\":\"send\xff\"}"})
    BOOST_TEST(has(answer_to(line), R"("event":"error")"), line);
  auto text = answer_to(R"({"op":"send","id":"m1","to":5,"body":"x"})");
  BOOST_TEST(has(text, R"("id":"m1")"));
  BOOST_TEST(has(text, R"("reason":"bad_request")"));
  BOOST_TEST(has(text, "to is to be a string"));
  BOOST_TEST(has(answer_to(R"({"op":"send","id":7})"), R"("id":7)"));
}

BOOST_AUTO_TEST_CASE(operations_of_other_versions_are_unknown_requests) {
  auto text = answer_to(R"({"op":"rooms.join","id":"c1","room":"x"})");
  BOOST_TEST(text.find(R"("reason":"unknown_request")") != text.npos);
  BOOST_TEST(text.find(R"("id":"c1")") != text.npos);
}

BOOST_AUTO_TEST_CASE(a_line_that_is_too_long_is_told_so_and_repeats_its_id) {
  constexpr auto max = defaults::chat_line_max;
  const auto filling = std::string(max, 'x');
  auto cut = [](const std::string& line) {
    line_splitter x;
    x.feed(line);
    return x.rest();
  };
  auto told_of = [&](const std::string& line) {
    auto answer = answer_to(cut(line));
    BOOST_TEST(answer.find(R"("reason":"too_large")") != answer.npos);
    BOOST_TEST(answer.find(R"("limit":1048576)") != answer.npos);
    BOOST_TEST(answer.find("too long: at most 1048576 bytes") != answer.npos);
    return answer.find(R"("id":)") == answer.npos
      ? std::string{}
      : answer.substr(answer.find(R"("id":)"), 10);
  };
  const auto last = R"(,"to":"b@x","body":")" + filling + "\"}";
  BOOST_TEST(told_of(R"({"op":"send","id":"m1")" + last) == R"("id":"m1",)");
  BOOST_TEST(told_of(R"({"x":{"id":"no"},"y":["id"],"id":"m2")" + last)
    == R"("id":"m2",)");
  // What stands behind the cut, or within something else, or is no string.
  for (const auto& line : {R"({"body":")" + filling + R"(","id":"m3"})",
         R"({"x":{"id":"m4"})" + last, R"([{"id":"m5"}])" + filling,
         R"({"id":["m6"])" + last, R"({"id":7)" + last,
         R"({"op":"send"}{"id":"m7")" + last, R"({"id":")" + filling + "\"}",
         filling + "x", std::string(max + 1, '['), std::string(max + 1, '{')})
    BOOST_TEST(told_of(line).empty(), line.substr(0, 30));
  // As long as a line may be, it is read.
  const std::string front = R"({"op":"typing","to":")";
  auto longest = front + filling.substr(front.size() + 2) + "\"}";
  BOOST_TEST(longest.size() == max);
  BOOST_TEST(parsed<typing_line>(cut(longest)).to.size() > max - 50);
}

BOOST_AUTO_TEST_CASE(a_line_that_is_too_long_spoils_no_other) {
  line_splitter x;
  auto lines = x.feed("a\n" + std::string(3 * defaults::chat_line_max, 'x'));
  BOOST_TEST((lines == std::vector<std::string>{"a"}));
  lines = x.feed("x\nb\n");
  BOOST_REQUIRE(lines.size() == 2u);
  BOOST_TEST(lines[0].size() == defaults::chat_line_max + 1);
  BOOST_TEST(lines[1] == "b");
}

BOOST_AUTO_TEST_CASE(deep_nesting_is_an_error_like_any_other) {
  std::string deep(100'000, '[');
  answer_to(deep);
  answer_to("{\"id\":" + deep + std::string(100'000, ']') + "}");
}

BOOST_AUTO_TEST_CASE(events_are_written_as_the_contract_says) {
  received_im x;
  x.from = "alice@example.org/desk";
  x.to = "bob@example.org";
  x.id = "m1";
  x.body = "a \"b\"\n\xff";
  x.sent_at = wall_time{std::chrono::milliseconds{1795334400007}};
  x.offline = true;
  BOOST_TEST(message_line(x)
    == "{\"event\":\"message\",\"from\":\"alice@example.org/desk\","
       "\"to\":\"bob@example.org\",\"id\":\"m1\",\"body\":\"a "
       "\\\"b\\\"\\n\xef\xbf\xbd\",\"sent_at\":\"2026-11-22T08:00:00.007Z\","
       "\"offline\":true}\n");
  BOOST_TEST(outcome_line("m1", "bob@x", {outcome::kind::stored, {}})
    == "{\"event\":\"outcome\",\"id\":\"m1\",\"to\":\"bob@x\","
       "\"outcome\":\"stored\"}\n");
  failure slow{errc::rate_limited};
  slow.retry_after = std::chrono::milliseconds{1500};
  BOOST_TEST(outcome_line("m1", "bob@x", {outcome::kind::rejected, slow})
    == "{\"event\":\"outcome\",\"id\":\"m1\",\"to\":\"bob@x\",\"outcome\":"
       "\"rejected\",\"reason\":\"rate_limited\",\"retry_after\":1.5}\n");
  BOOST_TEST(
    broadcast_line_of("b1",
      {{"a@x", {outcome::kind::delivered, {}}},
        {"b@x", {outcome::kind::rejected, failure{errc::no_such_user}}}})
    == "{\"event\":\"broadcast\",\"id\":\"b1\",\"outcomes\":[{\"to\":\"a@x\","
       "\"outcome\":\"delivered\"},{\"to\":\"b@x\",\"outcome\":\"rejected\","
       "\"reason\":\"no_such_user\"}]}\n");
  BOOST_TEST(unknown_outcome_line("m1", "bob@x")
    == "{\"event\":\"outcome\",\"id\":\"m1\",\"to\":\"bob@x\",\"outcome\":"
       "\"unknown\",\"text\":\"this client ended before it heard of the "
       "outcome\"}\n");
  BOOST_TEST(unknown_broadcast_line("b1", {"a@x", "b@x", "a@x"})
    == "{\"event\":\"broadcast\",\"id\":\"b1\",\"outcomes\":[{\"to\":\"a@x\","
       "\"outcome\":\"unknown\"},{\"to\":\"b@x\",\"outcome\":\"unknown\"}],"
       "\"text\":\"this client ended before it heard of the outcome\"}\n");
  BOOST_TEST(ready_line("a@x/desk", false)
    == "{\"event\":\"ready\",\"address\":\"a@x/desk\",\"resumed\":false}\n");
  BOOST_TEST(policy_line({{"im.client_history", "on"}})
    == "{\"event\":\"policy\",\"im.client_history\":\"on\"}\n");
  BOOST_TEST(receipt_line("m1", "b@x/desk", receipt::kind::chosen)
    == "{\"event\":\"receipt\",\"id\":\"m1\",\"endpoint\":\"b@x/desk\","
       "\"kind\":\"chosen\"}\n");
  BOOST_TEST(disconnected_line(
               failure{errc::none, "gone"}, std::chrono::milliseconds{250})
    == "{\"event\":\"disconnected\",\"reason\":\"connection_lost\","
       "\"text\":\"gone\",\"retry_in\":0.25}\n");
}

BOOST_AUTO_TEST_CASE(every_error_event_has_a_text_for_a_person) {
  for (unsigned i = 0; i <= UINT8_MAX; ++i) {
    auto code = static_cast<errc>(i);
    for (const auto& line : {error_line("x", failure{code}),
           error_line(bad_line{"\"x\"", failure{code}}),
           refused_contact_line("x", {"bob@x", failure{code}, {}})}) {
      auto at = line.find(R"("text":")");
      BOOST_REQUIRE_MESSAGE(at != line.npos, line);
      BOOST_TEST(line.substr(at).find(R"("text":"")") != 0u, line);
    }
  }
  BOOST_TEST(error_line("w1", failure{errc::not_authorised})
    == "{\"event\":\"error\",\"id\":\"w1\",\"reason\":\"not_authorised\","
       "\"text\":\"you have to be allowed to see that user first\"}\n");
  // The server's own words are kept.
  auto line = error_line("x", failure{errc::overloaded, "not now"});
  BOOST_TEST(line.find(R"("text":"not now")") != line.npos);
}

BOOST_AUTO_TEST_CASE(a_reason_of_a_newer_server_is_shown_as_it_was_sent) {
  BOOST_TEST(reason_of(failure{errc::none, "moon_phase: wait"}, "unknown")
    == "moon_phase");
  BOOST_TEST(
    reason_of(failure{errc::none, "moon_phase"}, "unknown") == "moon_phase");
  BOOST_TEST(
    reason_of(failure{errc::none, "Some words."}, "unknown") == "unknown");
}

BOOST_AUTO_TEST_CASE(lines_come_out_wherever_the_input_is_cut) {
  std::string input = "one\n\ntwo\r\nthree";
  for (size_t cut = 0; cut <= input.size(); ++cut) {
    line_splitter x;
    auto lines = x.feed(std::string_view{input}.substr(0, cut));
    for (auto& line : x.feed(std::string_view{input}.substr(cut)))
      lines.push_back(line);
    BOOST_TEST((lines == std::vector<std::string>{"one", "", "two\r"}));
    BOOST_TEST(x.rest() == "three");
    BOOST_TEST(x.rest() == "");
  }
}

// -- what a person types ------------------------------------------------------

namespace {

template <class T>
T typed(std::string_view line) {
  auto x = parse_command(line, "example.org");
  BOOST_REQUIRE_MESSAGE(x, line);
  BOOST_REQUIRE_MESSAGE(std::holds_alternative<T>(*x), line);
  return std::get<T>(*x);
}

} // namespace

BOOST_AUTO_TEST_CASE(commands_are_told_from_text) {
  typed<no_command>("  \t");
  BOOST_TEST(typed<say_command>(" hi there ").text == "hi there");
  BOOST_TEST(typed<say_command>("//etc").text == "/etc");
  auto to = typed<to_command>("/to bob  how are you");
  BOOST_TEST(to.to == "bob@example.org");
  BOOST_TEST(to.text == "how are you");
  BOOST_TEST(typed<to_command>("/to a@b/c").to == "a@b/c");
  BOOST_TEST(typed<away_command>("/away at lunch").status == "at lunch");
  typed<back_command>("/back");
  typed<help_command>("/help");
  typed<quit_command>("/quit");
  auto many = typed<broadcast_command>("/broadcast a b@x.y c: see: this");
  BOOST_TEST((many.to
    == std::vector<std::string>{"a@example.org", "b@x.y", "c@example.org"}));
  BOOST_TEST(many.text == "see: this");
  for (auto line : {"/to", "/nothing", "/broadcast : x", "/broadcast a b",
         "/broadcast a:", "/"})
    BOOST_TEST(!parse_command(line, "example.org"), line);
}

BOOST_AUTO_TEST_CASE(
  a_server_that_proves_nothing_is_not_called_a_wrong_password) {
  BOOST_TEST(words_of(failure{errc::authentication_failed})
    == "wrong user name or password");
  BOOST_TEST(words_of(failure{errc::authentication_failed, "no\x1b[2J proof"})
    == "no^[[2J proof");
}
