#include "protocol/codec.hpp"

#include "protocol/parley.pb.h"
#include "protocol/parts.hpp"
#include "tests/protocol/golden_values.hpp"
#include "tests/protocol/values.hpp"

#include <boost/test/unit_test.hpp>

using namespace parley;
using namespace parley::native;
using namespace parley::test;

namespace {

std::string frame_of(const wire::ClientFrame& x) {
  return x.SerializeAsString();
}

/// What the server makes of one frame that is whole.
request request_of(const wire::ClientFrame& x) {
  auto y = decode_client(frame_of(x), golden_origin());
  BOOST_REQUIRE(y);
  auto z = std::get_if<numbered_request>(&*y);
  BOOST_REQUIRE(z);
  BOOST_TEST(z->number.value == x.request());
  return z->what;
}

failure refusal_of(const wire::ClientFrame& x) {
  auto y = request_of(x);
  auto why = std::get_if<invalid_request>(&y);
  BOOST_REQUIRE(why);
  return why->why;
}

void check_limit(const failure& x, uint64_t limit, uint64_t value) {
  BOOST_TEST(to_string(x.code) == "bad_request");
  BOOST_TEST((x.limit == limit));
  BOOST_TEST((x.value == value));
  BOOST_TEST(!x.text.empty());
}

wire::ClientFrame request_frame() {
  wire::ClientFrame x;
  x.set_request(7);
  return x;
}

std::string long_name(size_t i) {
  return std::to_string(i) + std::string(200, 'n');
}

} // namespace

BOOST_AUTO_TEST_CASE(a_contact_beyond_its_bounds_is_told_with_the_limit) {
  using namespace defaults;
  std::vector<std::string> groups;
  for (size_t i = 0; i < contact_groups_max; ++i)
    groups.push_back("g" + std::to_string(i));
  groups[0] = std::string(contact_name_max, 'g');
  const std::string longest(contact_name_max, 'n');
  // Not with what came: of that only so much is sent as shows that it is more.
  auto limited = [](const std::optional<failure>& x, uint64_t limit) {
    BOOST_REQUIRE(x);
    BOOST_TEST((x->code == errc::bad_request));
    BOOST_TEST((x->limit == limit));
    BOOST_TEST(!x->value);
    BOOST_TEST(x->text.find("over " + std::to_string(limit)) != x->text.npos);
  };
  BOOST_TEST(!contact_fault(longest, groups));
  BOOST_TEST(!contact_fault("Grüße,\r\n\t你好", {"a\nb"}));
  limited(contact_fault(longest + "n", groups), contact_name_max);
  auto more = groups;
  more.emplace_back("more");
  limited(contact_fault("", more), contact_groups_max);
  groups[0] += 'g';
  limited(contact_fault("", groups), contact_name_max);
  BOOST_TEST(to_string(contact_fault("", {""}).value().code) == "bad_request");
}

BOOST_AUTO_TEST_CASE(names_of_contacts_have_the_characters_that_xml_has) {
  for (const auto& wrong : {std::string{"a\0b", 3}, std::string{"\x1b[0m"},
         std::string{"a\a"}, std::string{"\uFFFE"}, std::string{"a\uFFFFb"}}) {
    BOOST_TEST(
      to_string(contact_fault(wrong, {}).value().code) == "bad_request");
    BOOST_TEST(
      to_string(contact_fault("", {wrong}).value().code) == "bad_request");
  }
  for (const std::string fine :
    {"\t\r\n", "\x7f", "\u0080\u009F", "\uFFFD", "\U0001F642"})
    BOOST_TEST(!contact_fault(fine, {fine}));
}

// The others of its request need not suffer: whoever keeps the list judges.
BOOST_AUTO_TEST_CASE(a_contact_beyond_its_bounds_comes_through_cut_off) {
  using namespace defaults;
  add_contacts x;
  x.contacts = {{"a@b", "fine", {}}, {"c@d", std::string(100'000, 'n'), {}},
    {"e@f", "", {std::string(100'000, 'g'), std::string(100'001, 'g'), ""}}};
  for (size_t i = 0; i < 2 * contact_groups_max; ++i)
    x.contacts[0].groups.push_back("g" + std::to_string(i));
  std::string out;
  BOOST_REQUIRE(encode_client(out, numbered_request{{7}, x}));
  BOOST_TEST(out.size() < 10'000u);
  auto frame = request_frame();
  for (const auto& c : x.contacts) {
    auto& y = *frame.mutable_add_contacts()->add_contacts();
    y.set_address(c.address);
    y.set_name(c.name);
    for (const auto& g : c.groups)
      y.add_groups(g);
  }
  auto what = std::get<add_contacts>(request_of(frame)).contacts;
  BOOST_REQUIRE(what.size() == 3u);
  BOOST_TEST(what[0].name == "fine");
  BOOST_TEST(what[0].groups.size() == contact_groups_max + 1);
  BOOST_TEST(what[1].name.size() == contact_name_max + 1);
  BOOST_TEST((what[2].groups
    == std::vector{std::string(contact_name_max + 1, 'g'), std::string{}}));
}

BOOST_AUTO_TEST_CASE(a_group_that_is_listed_twice_counts_once) {
  auto x = request_frame();
  auto& one = *x.mutable_add_contacts()->add_contacts();
  for (int i = 0; i < 1000; ++i)
    one.add_groups(i % 2 == 0 ? "work" : "chess");
  auto what = std::get<add_contacts>(request_of(x));
  BOOST_TEST(
    (what.contacts.at(0).groups == std::vector<std::string>{"work", "chess"}));
}

BOOST_AUTO_TEST_CASE(more_contacts_than_one_request_may_have_are_refused) {
  using defaults::contacts_at_once;
  auto add = request_frame();
  auto remove = request_frame();
  for (size_t i = 0; i < contacts_at_once; ++i) {
    add.mutable_add_contacts()->add_contacts()->set_address("a@b");
    remove.mutable_remove_contacts()->add_addresses("a@b");
  }
  BOOST_TEST(std::get<add_contacts>(request_of(add)).contacts.size()
    == contacts_at_once);
  BOOST_TEST(std::get<remove_contacts>(request_of(remove)).addresses.size()
    == contacts_at_once);
  add.mutable_add_contacts()->add_contacts();
  check_limit(refusal_of(add), contacts_at_once, contacts_at_once + 1);
  remove.mutable_remove_contacts()->add_addresses("");
  check_limit(refusal_of(remove), contacts_at_once, contacts_at_once + 1);
}

BOOST_AUTO_TEST_CASE(contacts_keep_the_addresses_as_they_were_written) {
  auto x = request_frame();
  for (auto text : {"Bob@Example.ORG", "", "nonsense"}) {
    x.mutable_add_contacts()->add_contacts()->set_address(text);
  }
  x.mutable_add_contacts()->add_contacts()->set_address(
    std::string(2 * defaults::address_text_max, 'x'));
  auto what = std::get<add_contacts>(request_of(x));
  BOOST_TEST(what.contacts.at(0).address == "Bob@Example.ORG");
  BOOST_TEST(what.contacts.at(1).address == "");
  BOOST_TEST(what.contacts.at(2).address == "nonsense");
  BOOST_TEST(
    what.contacts.at(3).address.size() == defaults::address_text_max + 1);
}

BOOST_AUTO_TEST_CASE(requests_about_a_user_prepare_its_address) {
  auto check = [](auto set) {
    auto x = request_frame();
    set(x, "Bob@Example.ORG/Desk");
    auto what = request_of(x);
    auto who = std::visit(
      [](auto& y) {
        user_address found;
        if constexpr (requires {
                        y.to;
                        y.to.domain();
                      })
          found = y.to;
        else if constexpr (requires { y.from; })
          found = y.from;
        else if constexpr (requires { y.whom; })
          found = y.whom;
        return found.str();
      },
      what);
    BOOST_TEST(who == "bob@example.org");
    for (auto bad : {"", "bob", "@example.org", "bob@", "a b@example.org"}) {
      set(x, bad);
      BOOST_TEST(to_string(refusal_of(x).code) == "bad_address", bad);
    }
    x.set_request(0);
    set(x, "bob@example.org");
    BOOST_TEST(to_string(refusal_of(x).code) == "bad_request");
  };
  check([](auto& x, auto text) { x.mutable_subscribe()->set_to(text); });
  check([](auto& x, auto text) { x.mutable_unsubscribe()->set_to(text); });
  check([](auto& x, auto text) { x.mutable_approve()->set_from(text); });
  check([](auto& x, auto text) { x.mutable_deny()->set_from(text); });
  check([](auto& x, auto text) { x.mutable_watch()->set_address(text); });
}

BOOST_AUTO_TEST_CASE(nobody_can_show_unknown) {
  auto x = request_frame();
  x.mutable_presence()->set_show(wire::UNKNOWN);
  BOOST_TEST(to_string(refusal_of(x).code) == "bad_request");
  wire::ClientFrame y;
  y.mutable_authenticate()->mutable_presence()->set_show(wire::UNKNOWN);
  BOOST_TEST(to_string(refusal_of(y).code) == "bad_request");
}

// -- privacy ------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(privacy_tells_what_is_absent_from_what_is_empty) {
  auto x = request_frame();
  x.mutable_set_privacy();
  auto nothing = std::get<set_privacy>(request_of(x));
  BOOST_TEST(!nothing.approve);
  BOOST_TEST(!nothing.sharing);
  BOOST_TEST(!nothing.allow);
  BOOST_TEST(!nothing.block);
  BOOST_TEST(!nothing.domains);
  x.mutable_set_privacy()->set_approve(wire::APPROVAL_DEFAULT);
  x.mutable_set_privacy()->mutable_block();
  auto some = std::get<set_privacy>(request_of(x));
  BOOST_TEST((some.approve == approval::by_default));
  BOOST_TEST(some.block.value().empty());
  BOOST_TEST(!some.allow);
}

BOOST_AUTO_TEST_CASE(privacy_lists_come_out_sorted_and_without_duplicates) {
  auto x = request_frame();
  auto& y = *x.mutable_set_privacy();
  for (auto who : {"Carol@example.org", "bob@example.org/desk",
         "carol@EXAMPLE.org", "bob@example.org"})
    y.mutable_block()->add_addresses(who);
  auto rule = [&](const char* domain, wire::Approval what) {
    auto& one = *y.mutable_domains()->add_rules();
    one.set_domain(domain);
    one.set_rule(what);
  };
  rule("Example.NET", wire::APPROVAL_ASK);
  rule("example.com", wire::APPROVAL_BLOCK);
  rule("none.example", wire::APPROVAL_DEFAULT);
  rule("example.net", wire::APPROVAL_AUTO);
  auto what = std::get<set_privacy>(request_of(x));
  auto users =
    std::vector{to_user("bob@example.org"), to_user("carol@example.org")};
  BOOST_TEST((what.block == users));
  std::vector<std::pair<std::string, approval>> rules{
    {"example.com", approval::block}, {"example.net", approval::allow}};
  BOOST_TEST((what.domains == rules));
}

BOOST_AUTO_TEST_CASE(privacy_that_cannot_be_is_refused) {
  auto refused = [](auto set, errc code) {
    auto x = request_frame();
    set(*x.mutable_set_privacy());
    BOOST_TEST(to_string(refusal_of(x).code) == to_string(code));
  };
  refused(
    [](auto& x) { x.set_approve(wire::APPROVAL_BLOCK); }, errc::bad_request);
  refused([](auto& x) { x.set_approve(static_cast<wire::Approval>(9)); },
    errc::bad_request);
  refused([](auto& x) { x.set_sharing(static_cast<wire::Sharing>(9)); },
    errc::bad_request);
  refused([](auto& x) { x.mutable_allow()->add_addresses("bob"); },
    errc::bad_address);
  refused(
    [](auto& x) { x.mutable_block()->add_addresses(""); }, errc::bad_address);
  for (auto domain : {"", "a@b", "a/b", "a b", ".", "a..b"})
    refused(
      [&](auto& x) { x.mutable_domains()->add_rules()->set_domain(domain); },
      errc::bad_address);
  refused(
    [](auto& x) {
      auto& one = *x.mutable_domains()->add_rules();
      one.set_domain("example.org");
      one.set_rule(static_cast<wire::Approval>(9));
    },
    errc::bad_request);
}

BOOST_AUTO_TEST_CASE(privacy_lists_have_a_bound) {
  constexpr auto most = defaults::privacy_entries_max;
  auto check = [](auto list) {
    auto x = request_frame();
    for (size_t i = 0; i < most; ++i)
      list(*x.mutable_set_privacy(), i);
    BOOST_TEST(std::holds_alternative<set_privacy>(request_of(x)));
    list(*x.mutable_set_privacy(), most);
    check_limit(refusal_of(x), most, most + 1);
  };
  auto name = [](size_t i) { return "u" + std::to_string(i) + "@example.org"; };
  check([&](auto& x, size_t i) { x.mutable_allow()->add_addresses(name(i)); });
  check([&](auto& x, size_t i) { x.mutable_block()->add_addresses(name(i)); });
  check([](auto& x, size_t i) {
    x.mutable_domains()->add_rules()->set_domain(
      "d" + std::to_string(i) + ".example");
  });
}

// -- long lists ---------------------------------------------------------------

BOOST_AUTO_TEST_CASE(long_lists_of_a_client_are_cut_and_put_together_again) {
  add_contacts add;
  remove_contacts remove;
  for (size_t i = 0; i < 3000; ++i) {
    auto address = "user" + std::to_string(i) + "@example.org";
    add.contacts.push_back({address, long_name(i), {"work", "chess"}});
    remove.addresses.push_back(std::string(100, 'x') + address);
  }
  for (auto& what : {request{add}, request{remove}}) {
    std::string bytes;
    BOOST_REQUIRE(encode_client(bytes, numbered_request{{9}, what}));
    auto frames = frames_in(bytes);
    BOOST_TEST(frames.size() > 1u);
    request_assembler parts;
    std::vector<numbered_request> out;
    for (auto& frame : frames) {
      auto x = decode_client(frame, golden_origin());
      BOOST_REQUIRE(x);
      BOOST_TEST(out.empty());
      parts.add(std::get<request_part>(std::move(*x)), out);
    }
    BOOST_REQUIRE_EQUAL(out.size(), 1u);
    BOOST_TEST(out[0].number.value == 9u);
    BOOST_TEST(same(out[0].what, what));
    BOOST_TEST(parts.memory() == 0u);
  }
}

BOOST_AUTO_TEST_CASE(long_lists_of_a_client_in_parts_have_a_bound_together) {
  request_assembler parts;
  std::vector<numbered_request> out;
  remove_contacts some{std::vector<std::string>(6000, "a@b")};
  parts.add(request_part{{9}, 0, true, some, {}}, out);
  BOOST_TEST(out.empty());
  parts.add(request_part{{9}, 1, false, some, {}}, out);
  BOOST_REQUIRE_EQUAL(out.size(), 1u);
  check_limit(std::get<invalid_request>(out[0].what).why,
    defaults::contacts_at_once, 12'000);
}

BOOST_AUTO_TEST_CASE(parts_of_different_requests_under_one_number_are_refused) {
  request_assembler parts;
  std::vector<numbered_request> out;
  parts.add(request_part{{9}, 0, true, remove_contacts{{"a@b"}}, {}}, out);
  parts.add(request_part{{9}, 1, false, add_contacts{}, {}}, out);
  BOOST_REQUIRE_EQUAL(out.size(), 1u);
  BOOST_TEST(std::holds_alternative<invalid_request>(out[0].what));
}

BOOST_AUTO_TEST_CASE(long_lists_of_a_server_are_cut_and_put_together_again) {
  contact_list list{{7}, {9}, {}, {}};
  contacts_changed changed{{}, {9}};
  privacy hidden;
  for (size_t i = 0; i < 3000; ++i) {
    auto text = std::to_string(i) + std::string(150, 'u') + "@example.org";
    list.contacts.push_back({to_user(text), long_name(i), {"work"}, true,
      {half::active, half::none}, false});
    list.removed.push_back(to_user("gone" + text));
    changed.refused.push_back({text, failure{errc::no_such_user}, {}});
    hidden.allow.push_back(to_user(text));
    hidden.block.push_back(to_user("no" + text));
    hidden.domains.emplace_back(long_name(i), approval::ask);
  }
  hidden.approve = approval::ask;
  auto check = [](sequence number, const event& what) {
    std::string bytes;
    encode_event(bytes, number, what);
    auto frames = frames_in(bytes);
    BOOST_TEST(frames.size() > 1u);
    answer_assembler parts;
    std::optional<numbered_event> whole;
    for (auto& frame : frames) {
      BOOST_TEST(!whole);
      auto x = decode_server(frame);
      BOOST_REQUIRE(x);
      auto y = parts.add(std::get<answer_part>(std::move(*x)));
      BOOST_REQUIRE(y);
      whole = std::move(*y);
    }
    BOOST_REQUIRE(whole);
    BOOST_TEST((whole->number == number));
    BOOST_TEST(same(whole->what, what));
  };
  check({3}, answer{{4}, list});
  check({3}, answer{{4}, changed});
  check({3}, answer{{4}, hidden});
  check({}, list);
  check({}, hidden);
}

BOOST_AUTO_TEST_CASE(privacy_that_fits_into_no_frame_is_not_sent) {
  auto refused = [](request what, errc code) {
    std::string out;
    auto x = encode_client(out, numbered_request{{1}, std::move(what)});
    BOOST_REQUIRE(!x);
    BOOST_TEST(to_string(x.error().code) == to_string(code));
    BOOST_TEST(out.empty());
  };
  set_privacy much;
  much.allow.emplace();
  for (size_t i = 0; i < 1000; ++i)
    much.allow->push_back(to_user(
      std::to_string(i) + std::string(250, 'u') + "@" + std::string(200, 'd')));
  refused(much, errc::too_large);
}

// -- presence -----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(each_watcher_gets_the_bytes_of_its_own_notice) {
  // More notices than a thread keeps, in turns, and some only for a moment: a
  // new one may lie where an old one did.
  std::vector<shared<presence_notice>> lasting;
  auto make = [](size_t i) {
    presence_notice x;
    auto from = "u" + std::to_string(i) + "@example.org/desk";
    x.from = parley::test::to_address(from);
    x.what.status = std::to_string(i);
    return shared<presence_notice>{std::move(x)};
  };
  auto check = [](const shared<presence_notice>& what) {
    std::string bytes;
    encode_event(bytes, {}, presence_event{what});
    auto back = decode_server(std::string_view{bytes}.substr(4));
    BOOST_REQUIRE(back);
    auto event = std::get<numbered_event>(*back);
    BOOST_TEST(same(event.what, parley::event{presence_event{what}}));
  };
  for (size_t i = 0; i < 4 * defaults::presence_frames_kept; ++i)
    lasting.push_back(make(i));
  for (size_t round = 0; round < 3; ++round)
    for (size_t i = 0; i < lasting.size(); ++i) {
      check(lasting[i]);
      check(lasting[i]);
      check(make(1000 * round + i));
    }
}

BOOST_AUTO_TEST_CASE(what_a_newer_server_shows_is_taken_for_unknown) {
  wire::ServerFrame x;
  x.mutable_presence()->set_from("bob@example.org/desk");
  x.mutable_presence()->set_show(static_cast<wire::Show>(42));
  x.mutable_presence()->set_priority(1000);
  auto y = decode_server(x.SerializeAsString());
  BOOST_REQUIRE(y);
  auto what = std::get<presence_event>(std::get<numbered_event>(*y).what).what;
  BOOST_TEST((what->what.show == show::unknown));
  BOOST_TEST(what->what.priority == 127);
}
