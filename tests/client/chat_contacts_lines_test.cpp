#include <boost/test/unit_test.hpp>

#include "actors/launcher/chat_command.hpp"
#include "actors/launcher/chat_defaults.hpp"
#include "actors/launcher/chat_json.hpp"
#include "actors/launcher/chat_people.hpp"
#include "actors/launcher/chat_policy.hpp"
#include "actors/launcher/chat_privacy.hpp"

using namespace parley;
using namespace parley::chat;

namespace {

user_address user(const std::string& name) {
  return user_address::from_prepared(name + "@example.org");
}

/// What a line asks for; the test fails if it is no request of that kind.
template <class T>
T asked(std::string_view line) {
  auto x = parse_request(line);
  BOOST_REQUIRE_MESSAGE(x, line);
  BOOST_REQUIRE_MESSAGE(std::holds_alternative<contacts_line>(x->what), line);
  auto& what = std::get<contacts_line>(x->what).what;
  BOOST_REQUIRE_MESSAGE(std::holds_alternative<T>(what), line);
  return std::get<T>(what);
}

std::string reason_of_line(std::string_view line) {
  auto x = parse_request(line);
  BOOST_REQUIRE_MESSAGE(!x, line);
  return std::string{to_string(x.error().why.code)};
}

template <class T>
T meant(std::string_view line) {
  auto x = parse_command(line, "example.org");
  BOOST_REQUIRE_MESSAGE(x, line);
  BOOST_REQUIRE_MESSAGE(std::holds_alternative<T>(*x), line);
  return std::get<T>(*x);
}

template <class T>
T typed_request(std::string_view line) {
  auto x = meant<ask_command>(line);
  BOOST_TEST(x.whom.str() == "bob@example.org");
  BOOST_REQUIRE_MESSAGE(std::holds_alternative<T>(x.what), line);
  return std::get<T>(x.what);
}

} // namespace

BOOST_AUTO_TEST_CASE(contact_requests_are_read_with_all_of_their_fields) {
  auto add = asked<add_contacts>(
    R"({"op":"contacts.add","id":"c1","contacts":[{"address":"bob@x",)"
    R"("name":"Bob","groups":["work","chess"]},{"address":"no"},"c@x"]})");
  BOOST_REQUIRE_EQUAL(add.contacts.size(), 3u);
  BOOST_TEST(add.contacts[0].address == "bob@x");
  BOOST_TEST(add.contacts[0].name == "Bob");
  BOOST_TEST(
    (add.contacts[0].groups == std::vector<std::string>{"work", "chess"}));
  BOOST_TEST(add.contacts[1].address == "no");
  BOOST_TEST(add.contacts[2].address == "c@x");
  auto remove = asked<remove_contacts>(
    R"({"op":"contacts.remove","contacts":[{"address":"bob@x"},"c@x"]})");
  BOOST_TEST((remove.addresses == std::vector<std::string>{"bob@x", "c@x"}));
  auto list = parse_request(R"({"op":"contacts.list","id":"l"})");
  BOOST_REQUIRE(list);
  BOOST_TEST(std::holds_alternative<list_line>(list->what));
  BOOST_TEST(
    asked<subscribe>(R"({"op":"subscribe","to":"Bob@Example.org/d"})").to.str()
    == "bob@example.org");
  asked<unsubscribe>(R"({"op":"unsubscribe","to":"bob@example.org"})");
  BOOST_TEST(
    asked<approve>(R"({"op":"approve","from":"bob@example.org"})").from.str()
    == "bob@example.org");
  asked<deny>(R"({"op":"deny","from":"bob@example.org"})");
  auto some =
    asked<watch>(R"({"op":"watch","address":"bob@example.org","seconds":60})");
  BOOST_TEST(some.whom.str() == "bob@example.org");
  BOOST_TEST(some.seconds == 60u);
  BOOST_TEST(
    asked<watch>(R"({"op":"unwatch","address":"bob@example.org"})").seconds
    == 0u);
}

BOOST_AUTO_TEST_CASE(privacy_changes_what_the_line_names_and_nothing_else) {
  auto nothing = asked<set_privacy>(R"({"op":"privacy"})");
  BOOST_TEST((!nothing.approve && !nothing.sharing && !nothing.allow
    && !nothing.block && !nothing.domains));
  auto x = asked<set_privacy>(
    R"({"op":"privacy","approve":"ask","sharing":"off","allow":["a@x"],)"
    R"("block":[],"domains":{"x.org":"auto","y.org":"block","z.org":"default"}})");
  BOOST_TEST((x.approve == approval::ask));
  BOOST_TEST((x.sharing == sharing::off));
  BOOST_TEST(x.allow.value().at(0).str() == "a@x");
  BOOST_TEST(x.block.value().empty());
  BOOST_REQUIRE_EQUAL(x.domains.value().size(), 3u);
  BOOST_TEST((x.domains->at(0).second == approval::allow));
  BOOST_TEST((x.domains->at(1).second == approval::block));
  BOOST_TEST((x.domains->at(2).second == approval::by_default));
}

BOOST_AUTO_TEST_CASE(privacy_refuses_a_field_that_it_does_not_know) {
  for (auto line : {R"({"op":"privacy","blok":["a@x"]})",
         R"({"op":"privacy","id":"p","approve":"ask","blok":[]})"}) {
    auto x = parse_request(line);
    BOOST_REQUIRE_MESSAGE(!x, line);
    BOOST_TEST((x.error().why.code == errc::bad_request));
    BOOST_TEST(x.error().why.text == "there is no field 'blok'");
  }
  // What else is wrong comes first.
  auto x = parse_request(R"({"op":"privacy","blok":1,"sharing":"maybe"})");
  BOOST_REQUIRE(!x);
  BOOST_TEST(x.error().why.text == "sharing is to be on, off or default");
}

BOOST_AUTO_TEST_CASE(bad_contact_requests_say_what_is_wrong) {
  for (auto line :
    {R"({"op":"contacts.add"})", R"({"op":"contacts.add","contacts":"a@x"})",
      R"({"op":"contacts.add","contacts":[1]})",
      R"({"op":"contacts.add","contacts":[{"name":"x"}]})",
      R"({"op":"contacts.add","contacts":[{"address":"a@x","groups":"g"}]})",
      R"({"op":"contacts.add","contacts":[{"address":"a@x","name":1}]})",
      R"({"op":"subscribe"})", R"({"op":"approve","to":"a@x"})",
      R"({"op":"watch","address":"a@x","seconds":-1})",
      R"({"op":"watch","address":"a@x","seconds":1.5})",
      R"({"op":"privacy","approve":"block"})",
      R"({"op":"privacy","sharing":"maybe"})",
      R"({"op":"privacy","allow":"a@x"})", R"({"op":"privacy","domains":[]})",
      R"({"op":"privacy","domains":{"x.org":"allow"}})",
      R"({"op":"presence","show":"unknown"})"})
    BOOST_TEST(reason_of_line(line) == "bad_request", line);
  for (auto line : {R"({"op":"subscribe","to":"bob"})",
         R"({"op":"deny","from":""})", R"({"op":"watch","address":"@x"})",
         R"({"op":"privacy","block":["a@x","no"]})"})
    BOOST_TEST(reason_of_line(line) == "bad_address", line);
}

BOOST_AUTO_TEST_CASE(contact_events_are_written_as_the_contract_says) {
  contact bob{
    user("bob"), "Bob", {"work"}, true, {half::active, half::pending}, false};
  contact eve{user("eve"), "", {}, false, {half::none, half::active}, true};
  BOOST_TEST(contacts_push_line({{3}, {4}, {bob, eve}, {user("gone")}})
    == R"({"event":"contacts","contacts":[{"address":"bob@example.org",)"
       R"("name":"Bob","groups":["work"],"subscription":"to","to":"active",)"
       R"("from":"pending"}],"watchers":[{"address":"eve@example.org",)"
       R"("name":"","groups":[],"subscription":"from","to":"none",)"
       R"("from":"active","preapproved":true}],)"
       R"("removed":["gone@example.org"],"since":3,"version":4})"
       "\n");
  contact_book book;
  std::vector<contact_book::news> news;
  BOOST_REQUIRE(book.take({{}, {4}, {bob}, {}}, news));
  BOOST_TEST(contacts_list_line("l1", book)
    == R"({"event":"contacts","id":"l1","contacts":[{"address":)"
       R"("bob@example.org","name":"Bob","groups":["work"],)"
       R"("subscription":"to","to":"active","from":"pending"}],"version":4})"
       "\n");
  failure full{errc::contact_list_full};
  full.limit = 200;
  full.value = 200;
  contacts_changed changed{{{"Carol@Example.org", full, user("carol")},
                             {"no", failure{errc::bad_address}, {}}},
    {9}};
  BOOST_TEST(contacts_changed_line("c1", "added",
               {"bob@x", "Carol@Example.org", "no", "bob@x"}, changed)
    == R"({"event":"contacts","id":"c1","added":["bob@x"],"refused":[)"
       R"({"address":"Carol@Example.org","reason":"contact_list_full",)"
       R"("text":"the contact list of carol@example.org is full: )"
       R"(at most 200 contacts",)"
       R"("limit":200,"value":200,"whose":"carol@example.org"},)"
       R"({"address":"no","reason":"bad_address"}],"version":9})"
       "\n");
  BOOST_TEST(refused_contact_line("s1", changed.refused[0])
    == R"({"event":"error","id":"s1","reason":"contact_list_full",)"
       R"("text":"the contact list of carol@example.org is full: )"
       R"(at most 200 contacts",)"
       R"("limit":200,"value":200,"address":"Carol@Example.org",)"
       R"("whose":"carol@example.org"})"
       "\n");
  BOOST_TEST(subscription_line(user("bob"), subscription_event::request)
    == R"({"event":"subscription","from":"bob@example.org",)"
       R"("state":"request"})"
       "\n");
  BOOST_TEST(watch_ended_line(user("bob"))
    == R"({"event":"watch","address":"bob@example.org","state":"ended"})"
       "\n");
}

BOOST_AUTO_TEST_CASE(a_limit_is_told_with_its_number_and_who_has_reached_it) {
  auto limited = [](errc code, uint64_t limit) {
    failure x{code};
    x.limit = limit;
    return x;
  };
  auto line = error_line("w1", limited(errc::watcher_limit, 1), "bob@x");
  BOOST_TEST(line
    == R"({"event":"error","id":"w1","reason":"watcher_limit",)"
       R"("text":"too many see bob@x already: at most 1 watcher","limit":1})"
       "\n");
  line = error_line("w1", limited(errc::watch_limit, 5), "bob@x");
  BOOST_TEST(line.find("too many users already: at most 5") != line.npos);
  line = error_line("w1", failure{errc::watch_disabled}, "bob@x");
  BOOST_TEST(line.find(R"("text":"watching is switched off")") != line.npos);
  // The server's own words are kept.
  line = error_line("w1", failure{errc::watch_disabled, "not today"});
  BOOST_TEST(line.find(R"("text":"not today")") != line.npos);
  // One that gives no number.
  refused_contact carol{"carol@x", failure{errc::watcher_limit}, {}};
  line = refused_contact_line("s1", carol);
  BOOST_TEST(
    line.find(R"("text":"too many see carol@x already")") != line.npos);
  // To a person.
  BOOST_TEST(words_of(limited(errc::contact_list_full, 200))
    == "your contact list is full: at most 200 contacts");
  BOOST_TEST(words_of(limited(errc::contact_list_full, 0), "bob")
    == "the contact list of bob is full: at most 0 contacts");
  BOOST_TEST(words_of(limited(errc::watcher_limit, 2))
    == "too many see you already: at most 2 watchers");
}

BOOST_AUTO_TEST_CASE(presence_and_privacy_are_written_as_the_contract_says) {
  presence_notice x;
  x.from = *address::parse("bob@example.org/desk");
  x.what = {show::away, "out \xff", -1};
  x.composed = show::dnd;
  BOOST_TEST(presence_line_of(x)
    == "{\"event\":\"presence\",\"from\":\"bob@example.org/desk\","
       "\"show\":\"away\",\"status\":\"out \xef\xbf\xbd\",\"priority\":-1,"
       "\"composed\":\"dnd\",\"composed_status\":\"\"}\n");
  presence_notice unknown;
  unknown.from.user = user("bob");
  unknown.what.show = show::unknown;
  unknown.composed = show::unknown;
  BOOST_TEST(presence_line_of(unknown)
    == R"({"event":"presence","from":"bob@example.org","show":"unknown",)"
       R"("status":"","composed":"unknown","composed_status":""})"
       "\n");
  privacy p{approval::ask, sharing::on, {user("a")}, {user("b")},
    {{"x.org", approval::allow}, {"y.org", approval::block}}};
  BOOST_TEST(privacy_line("p1", p)
    == R"({"event":"privacy","id":"p1","approve":"ask","sharing":"on",)"
       R"("allow":["a@example.org"],"block":["b@example.org"],)"
       R"("domains":{"x.org":"auto","y.org":"block"}})"
       "\n");
  BOOST_TEST(privacy_line("", privacy{})
    == R"({"event":"privacy","approve":"default","sharing":"default",)"
       R"("allow":[],"block":[],"domains":{}})"
       "\n");
}

// -- what a person types and sees ---------------------------------------------

BOOST_AUTO_TEST_CASE(commands_about_users_become_requests) {
  auto add = typed_request<add_contacts>("/add bob Bob  Smith #work #chess");
  BOOST_REQUIRE_EQUAL(add.contacts.size(), 1u);
  BOOST_TEST(add.contacts[0].address == "bob@example.org");
  BOOST_TEST(add.contacts[0].name == "Bob Smith");
  BOOST_TEST(
    (add.contacts[0].groups == std::vector<std::string>{"work", "chess"}));
  BOOST_TEST(typed_request<remove_contacts>("/remove Bob").addresses.at(0)
    == "bob@example.org");
  typed_request<subscribe>("/subscribe bob");
  typed_request<unsubscribe>("/unsubscribe bob@example.org/desk");
  typed_request<approve>("/approve bob");
  typed_request<deny>("/deny bob");
  BOOST_TEST(typed_request<watch>("/watch bob 10").seconds == 600u);
  BOOST_TEST(
    typed_request<watch>("/watch bob").seconds == defaults::chat_watch_seconds);
  BOOST_TEST(typed_request<watch>("/unwatch bob").seconds == 0u);
  BOOST_TEST(meant<block_command>("/block bob").blocked);
  BOOST_TEST(!meant<block_command>("/unblock bob").blocked);
  BOOST_TEST(
    meant<allow_command>("/allow bob").whom.str() == "bob@example.org");
  BOOST_TEST(!meant<allow_command>("/unallow bob").allowed);
  meant<contacts_command>("/contacts");
  BOOST_TEST((meant<away_command>("/dnd busy").show == show::dnd));
  BOOST_TEST((meant<away_command>("/xa").show == show::xa));
  BOOST_TEST((meant<away_command>("/chatty").show == show::chat));
  for (auto line : {"/add", "/approve", "/watch bob soon", "/watch bob 0",
         "/block", "/subscribe a b@c@d@", "/subscribe @"})
    BOOST_TEST((!parse_command(line, "example.org") || line[1] == 's'), line);
  BOOST_TEST(!parse_command("/subscribe @", "example.org"));
}

BOOST_AUTO_TEST_CASE(commands_about_privacy_are_read) {
  meant<privacy_command>("/privacy");
  auto approval_of = [](std::string_view line) {
    return meant<approval_command>(line).what;
  };
  BOOST_TEST((approval_of("/approval auto") == approval::allow));
  BOOST_TEST((approval_of("/approval ask") == approval::ask));
  BOOST_TEST((approval_of("/approval default") == approval::by_default));
  BOOST_TEST((meant<sharing_command>("/sharing off").what == sharing::off));
  BOOST_TEST((meant<sharing_command>("/sharing on").what == sharing::on));
  auto rule = meant<rule_command>("/domain Example.NET  block");
  BOOST_TEST(rule.domain == "example.net");
  BOOST_TEST((rule.what == approval::block));
  for (auto line : {"/approval", "/approval block", "/approval bob", "/sharing",
         "/sharing no", "/domain", "/domain example.net",
         "/domain example.net maybe", "/domain a@b ask", "/allow", "/unallow"})
    BOOST_TEST(!parse_command(line, "example.org"), line);
  for (auto name :
    {"/privacy", "/approval", "/sharing", "/allow", "/unallow", "/domain"})
    BOOST_TEST(command_help().find(name) != std::string_view::npos, name);
}

namespace {

privacy after(const privacy_question& what, privacy now) {
  auto x = changed(what, now);
  BOOST_TEST((!x.approve && !x.sharing));
  BOOST_TEST(
    x.allow.has_value() + x.block.has_value() + x.domains.has_value() == 1);
  now.allow = x.allow.value_or(now.allow);
  now.block = x.block.value_or(now.block);
  now.domains = x.domains.value_or(now.domains);
  return now;
}

std::string short_name(std::string_view who) {
  return without_domain(who, "example.org");
}

} // namespace

BOOST_AUTO_TEST_CASE(one_entry_of_a_list_is_changed_and_the_others_stay) {
  privacy x;
  x.block = {user("eve")};
  x = after(allow_command{user("bob")}, x);
  x = after(allow_command{user("bob")}, x);
  x = after(allow_command{user("carol")}, x);
  x = after(block_command{user("mallory")}, x);
  BOOST_TEST((x.allow == std::vector{user("bob"), user("carol")}));
  BOOST_TEST((x.block == std::vector{user("eve"), user("mallory")}));
  x = after(allow_command{user("bob"), false}, x);
  x = after(block_command{user("eve"), false}, x);
  x = after(rule_command{"x.org", approval::ask}, x);
  x = after(rule_command{"y.org", approval::block}, x);
  BOOST_TEST((x.allow == std::vector{user("carol")}));
  x.approve = approval::ask;
  x.sharing = sharing::off;
  std::string all;
  for (auto& line : lines_of(x, short_name))
    all += line + "\n";
  BOOST_TEST(all
    == "You are asked before anybody sees you.\n"
       "You let nobody see whether you are here.\n"
       "Always let in: carol\n"
       "Blocked: mallory\n"
       "You are asked before anybody of x.org sees you.\n"
       "Everybody of y.org is blocked.\n");
}

BOOST_AUTO_TEST_CASE(a_person_is_told_what_changes_of_the_policy) {
  policy_board x;
  auto told = [&x](policy_board::values now) {
    std::string out;
    for (auto& line : x.take(now))
      out += line + "\n";
    return out;
  };
  BOOST_TEST(
    told({{"im.client_history", "on"}, {"watchers.max", "200"}}) == "");
  BOOST_TEST(
    told({{"im.client_history", "on"}, {"watchers.max", "200"}}) == "");
  BOOST_TEST(told({{"im.client_history", "off"}, {"watchers.max", "5\x1b"}})
    == "What you type is kept by this client no longer.\n"
       "The server's watchers.max is now 5^[, was 200.\n");
  BOOST_TEST(told({{"im.client_history", "on"}, {"watchers.max", "5\x1b"}})
    == "What you type may be kept by this client again.\n");
}

namespace {

presence_notice notice(const char* from, show composed, std::string status) {
  presence_notice x;
  x.from = *address::parse(from);
  x.what.show = composed;
  x.what.status = status;
  x.composed = composed;
  x.composed_status = std::move(status);
  return x;
}

std::string told(presence_board& x) {
  std::string out;
  for (auto& one : x.changes())
    out += std::string{one.who.node()} + " " + words_of(one.what) + ";";
  return out;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_person_is_told_of_a_user_once_a_change) {
  presence_board x;
  x.take(notice("bob@x/desk", show::available, ""));
  x.take(notice("carol@x/desk", show::away, "lunch\x1b[2J"));
  BOOST_TEST(told(x) == "bob is here;carol is away: lunch^[[2J;");
  // Another endpoint, the same line for the user.
  x.take(notice("bob@x/phone", show::available, ""));
  BOOST_TEST(told(x) == "");
  // Void for a moment, then there again.
  x.take(notice("bob@x/desk", show::unavailable, ""));
  x.take(notice("bob@x/desk", show::available, ""));
  BOOST_TEST(told(x) == "");
  x.take(notice("bob@x/desk", show::unavailable, ""));
  BOOST_TEST(told(x) == "bob is gone;");
  BOOST_TEST((x.of(*user_address::parse("bob@x")).show == show::unavailable));
  x.take(notice("carol@x", show::unknown, ""));
  BOOST_TEST(told(x) == "carol does not tell whether anybody is there;");
  BOOST_TEST((x.of(*user_address::parse("carol@x")).show == show::unknown));
}
