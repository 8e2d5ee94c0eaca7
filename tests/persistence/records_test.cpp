#include "persistence/bytes.hpp"
#include "persistence/records.hpp"
#include "tests/persistence/fixture.hpp"

#include <functional>
#include <optional>
#include <random>
#include <string>
#include <vector>

using namespace parley;
using namespace parley::test;
using namespace std::string_literals;

namespace {

im sample_im() {
  auto x = make_im(user("a@b"), "m1", "hi", at(258));
  x.payloads = {{"read", "m0"}};
  x.receipts = true;
  return x;
}

roster_head sample_roster() {
  roster_head x;
  x.version.value = 300;
  x.since.value = 2;
  x.removals = {{{3}, user("a@b")}};
  x.privacy.approve = approval::ask;
  x.privacy.sharing = sharing::off;
  x.privacy.allow = {user("c@d")};
  x.privacy.block = {user("e@f"), user("g@h")};
  x.privacy.domains = {{"i.org", approval::block}};
  x.contacts = 4;
  x.watchers = 5;
  x.requests = 6;
  return x;
}

/// As its decoder makes it: the address is in the key.
roster_item sample_item() {
  auto x = make_item({}, "Zoë", {"x", "yz"});
  x.what.subscription = {half::active, half::pending};
  x.what.preapproved = true;
  x.version.value = 300;
  x.asked = 2;
  x.heard = 3;
  return x;
}

roster_item approved_item() {
  auto x = sample_item();
  x.approved_at = 300;
  return x;
}

records::head_record removed_head() {
  records::head_record x{im_order{258}, im_order{3}, 1, true, false, 300, 4, 5};
  x.removed_at = 258;
  return x;
}

const auto phone = endpoint_name::from_prepared("phone");

/// Every encoded form, and whether its decoder takes a text.
struct form {
  std::string name;
  std::string bytes;
  std::function<bool(std::string_view)> takes;
};

std::vector<form> forms() {
  using namespace records;
  return {
    {"im", encode_im(sample_im(), phone, {}),
      [](auto x) { return decode_im(x).has_value(); }},
    {"im apart", encode_im(sample_im(), phone, 5),
      [](auto x) { return decode_im(x).has_value(); }},
    {"body", encode_body(sample_im()),
      [](auto x) { return decode_body(x).has_value(); }},
    {"head", encode_head({im_order{1}, im_order{2}, 300}),
      [](auto x) { return decode_head(x).has_value(); }},
    {"head with a roster",
      encode_head({im_order{1}, im_order{2}, 3, true, true, 300, 5, 6}),
      [](auto x) { return decode_head(x).has_value(); }},
    {"head of a name that was removed", encode_head(removed_head()),
      [](auto x) { return decode_head(x).has_value(); }},
    {"roster", encode_roster(sample_roster()),
      [](auto x) { return decode_roster(x).has_value(); }},
    {"contact", encode_contact(sample_item()),
      [](auto x) { return decode_contact(x).has_value(); }},
    {"contact approved at a time", encode_contact(approved_item()),
      [](auto x) { return decode_contact(x).has_value(); }},
    {"the same in short", encode_contact(approved_item()),
      [](auto x) { return check_contact(x).has_value(); }},
    {"note", encode_note({subscription_note::kind::subscribed, 300}),
      [](auto x) { return decode_note(x).has_value(); }},
    {"note since a removal",
      encode_note({subscription_note::kind::subscribe, 300, 258}),
      [](auto x) { return decode_note(x).has_value(); }},
    {"id", encode_id({1, at(2), im_order{3}}),
      [](auto x) { return decode_id(x).has_value(); }},
    {"account", encode_account(make_keys("x")),
      [](auto x) { return decode_account(x).has_value(); }},
    {"setting", encode_setting("on"),
      [](auto x) { return decode_setting(x).has_value(); }},
    {"audit", encode_audit({at(1), "root", "settings", "on", "off"}),
      [](auto x) { return decode_audit(x).has_value(); }},
    {"totals", encode_totals({{300, 5}, 6}),
      [](auto x) { return decode_totals(x).has_value(); }},
    {"collection",
      encode_collection({{readers::everybody, 300, true, false}, 2}),
      [](auto x) { return decode_collection(x).has_value(); }},
    {"document", encode_document({300, at(258), "<a/>"}),
      [](auto x) { return decode_document(x).has_value(); }},
    {"number", encode_number(7),
      [](auto x) { return decode_number(x).has_value(); }},
  };
}

} // namespace

BOOST_AUTO_TEST_SUITE(record_layout)

// They stand in data folders: a change here is a new form.
BOOST_AUTO_TEST_CASE(values_are_what_the_readme_says) {
  using namespace records;
  auto time = "\0\0\0\0\0\0\1\2"s;
  BOOST_TEST(encode_im(sample_im(), phone, {})
    == "\1\1" + time + "\2m1\3a@b\4desk\5phone\2hi\1\4read\2m0");
  BOOST_TEST(encode_im(sample_im(), {}, 258)
    == "\1\3" + time + "\2m1\3a@b\4desk\0\0\0\0\0\0\0\1\2"s);
  BOOST_TEST(encode_body(sample_im()) == "\1\2hi\1\4read\2m0");
  BOOST_TEST(encode_head({im_order{258}, im_order{3}, 300})
    == "\3" + time + "\0\0\0\0\0\0\0\3\xac\2\0"s);
  BOOST_TEST(
    encode_head({im_order{258}, im_order{3}, 1, true, false, 300, 4, 5})
    == "\3" + time + "\0\0\0\0\0\0\0\3\1\1\xac\2\4\5"s);
  BOOST_TEST(encode_head({im_order{258}, im_order{3}, 1, true, true, 0, 0, 0})
    == "\3" + time + "\0\0\0\0\0\0\0\3\1\3\0\0\0"s);
  for (auto [sharing, flags] :
    {std::pair{sharing::on, '\5'}, std::pair{sharing::off, '\x9'}})
    BOOST_TEST(encode_head(
                 {im_order{258}, im_order{3}, 1, true, false, 0, 0, 0, sharing})
      == "\3" + time + "\0\0\0\0\0\0\0\3\1"s + flags + "\0\0\0"s);
  BOOST_TEST(encode_head(removed_head())
    == "\4" + time + "\0\0\0\0\0\0\0\3\1\1\xac\2\4\5\x82\2"s);
  BOOST_TEST(encode_roster(sample_roster())
    == "\1\xac\2\2\4\5\6\1\3\3a@b\2\2\1\3c@d\2\3e@f\3g@h\1\5i.org\3");
  BOOST_TEST(encode_contact(sample_item()) == "\1\x33\xac\2\2\3\4Zoë\2\1x\2yz");
  BOOST_TEST(
    encode_contact(approved_item()) == "\2\x33\xac\2\2\3\xac\2\4Zoë\2\1x\2yz");
  auto pretended = make_item({});
  pretended.what.listed = false;
  pretended.what.subscription.from = half::active;
  pretended.pretended = true;
  BOOST_TEST(encode_contact(pretended) == "\1\x44\0\0\0\0\0"s);
  BOOST_TEST(
    encode_note({subscription_note::kind::unsubscribed, 300}) == "\1\3\xac\2");
  BOOST_TEST(encode_note({subscription_note::kind::subscribe, 300, 258})
    == "\2\0\xac\2\x82\2"s);
  BOOST_TEST(encode_id({3, at(258), im_order{4}})
    == "\1\0\0\0\0\0\0\0\3"s + time + "\0\0\0\0\0\0\0\4"s);
  scram_keys keys;
  keys.sha1 = {"s", 4096, "k", "v"};
  keys.sha256 = {"S", 1, "K", "V"};
  BOOST_TEST(encode_account(keys) == "\1\1s\0\0\x10\0\1k\1v\1S\0\0\0\1\1K\1V"s);
  BOOST_TEST(encode_setting("off") == "\1\3off");
  BOOST_TEST(encode_audit({at(258), "root", "x", "", "on"})
    == "\1" + time + "\4root\1x\0\2on"s);
  BOOST_TEST(encode_totals({{300, 5}, 6}) == "\1\xac\2\5\6");
  BOOST_TEST(encode_collection({{readers::everybody, 300, true, false}, 2})
    == "\1\2\1\xac\2\2");
  BOOST_TEST(
    encode_collection({{readers::owner, 1, false, true}, 0}) == "\1\0\2\1\0"s);
  BOOST_TEST(
    encode_document({300, at(258), "<a/>"}) == "\1\xac\2" + time + "\4<a/>");
  BOOST_TEST(encode_number(258) == "\1" + time);
}

BOOST_AUTO_TEST_CASE(values_are_read_as_they_were_written) {
  using namespace records;
  auto im = decode_im(encode_im(sample_im(), phone, {})).value();
  BOOST_TEST(im.id.value == "m1");
  BOOST_TEST((im.from == sample_im().from));
  BOOST_TEST((im.to == phone));
  BOOST_TEST((im.sent_at == at(258)));
  BOOST_TEST(im.receipts);
  BOOST_TEST(!im.body_hash);
  BOOST_TEST(im.body == "hi");
  BOOST_TEST((im.payloads == sample_im().payloads));

  auto apart = decode_im(encode_im(sample_im(), {}, 5)).value();
  BOOST_TEST(apart.body_hash.value() == 5u);
  BOOST_TEST(apart.body.empty());
  BOOST_TEST(apart.payloads.empty());

  auto body = decode_body(encode_body(sample_im())).value();
  BOOST_TEST(body.body == "hi");
  BOOST_TEST((body.payloads == sample_im().payloads));

  auto head = decode_head(encode_head({im_order{1}, im_order{2}, 300})).value();
  BOOST_TEST(head.floor.value == 1u);
  BOOST_TEST(head.last.value == 2u);
  BOOST_TEST(head.stored == 300u);

  head = decode_head(
    encode_head({im_order{1}, im_order{2}, 3, true, true, 300, 5, 6}))
           .value();
  BOOST_TEST(head.floor.value == 1u);
  BOOST_TEST(head.stored == 3u);
  BOOST_TEST(head.roster);
  BOOST_TEST(head.blocks);
  BOOST_TEST(head.contacts == 300u);
  BOOST_TEST(head.watchers == 5u);
  BOOST_TEST(head.requests == 6u);
  BOOST_TEST(head.removed_at == 0u);
  head = decode_head(encode_head(removed_head())).value();
  BOOST_TEST(head.requests == 5u);
  BOOST_TEST(head.removed_at == 258u);

  BOOST_TEST(
    (decode_roster(encode_roster(sample_roster())) == sample_roster()));
  BOOST_TEST((decode_roster(encode_roster({})) == roster_head()));
  BOOST_TEST((decode_contact(encode_contact(sample_item())) == sample_item()));
  auto approved = encode_contact(approved_item());
  BOOST_TEST((decode_contact(approved) == approved_item()));
  BOOST_TEST(decode_contact_brief(approved)->approved_at == 300u);
  BOOST_TEST((check_contact(approved) == contact_brief::of(approved_item())));
  for (auto to : {half::none, half::pending, half::active})
    for (auto from : {half::none, half::pending, half::active})
      for (int flags = 0; flags < 8; ++flags) {
        auto item = make_item({});
        item.what.subscription = {to, from};
        item.what.listed = flags & 1;
        item.what.preapproved = flags & 2;
        item.pretended = flags & 4;
        BOOST_TEST((decode_contact(encode_contact(item)) == item));
      }
  auto note =
    decode_note(encode_note({subscription_note::kind::subscribed, UINT64_MAX}))
      .value();
  BOOST_TEST((note.what == subscription_note::kind::subscribed));
  BOOST_TEST(note.number == UINT64_MAX);
  BOOST_TEST(note.since == 0u);
  note = decode_note(encode_note({subscription_note::kind::subscribe, 1, 258}))
           .value();
  BOOST_TEST(note.since == 258u);

  auto id = decode_id(encode_id({1, at(-2), im_order{3}})).value();
  BOOST_TEST(id.content_hash == 1u);
  BOOST_TEST((id.stored_at == at(-2)));
  BOOST_TEST(id.order.value == 3u);

  BOOST_TEST(
    (decode_account(encode_account(make_keys("x"))) == make_keys("x")));
  BOOST_TEST(decode_setting(encode_setting("on")).value() == "on");
  auto line =
    decode_audit(encode_audit({at(1), "root", "a", "b", "c"})).value();
  BOOST_TEST((line.when == at(1)));
  BOOST_TEST(line.who == "root");
  BOOST_TEST(line.what == "a");
  BOOST_TEST(line.from == "b");
  BOOST_TEST(line.to == "c");
  BOOST_TEST(decode_number(encode_number(UINT64_MAX)).value() == UINT64_MAX);
}

BOOST_AUTO_TEST_CASE(heads_from_before_there_were_rosters_are_read) {
  auto old = "\1\0\0\0\0\0\0\1\2\0\0\0\0\0\0\0\3\xac\2"s;
  auto head = records::decode_head(old).value();
  BOOST_TEST(head.floor.value == 258u);
  BOOST_TEST(head.last.value == 3u);
  BOOST_TEST(head.stored == 300u);
  BOOST_TEST(!head.roster);
  BOOST_TEST(!head.blocks);
  for (size_t n = 0; n < old.size(); ++n)
    BOOST_TEST(!records::decode_head(old.substr(0, n)), "cut at " << n);
  BOOST_TEST(!records::decode_head(old + '\0'));
}

BOOST_AUTO_TEST_CASE(heads_from_before_they_told_of_sharing_are_read) {
  auto old = "\2\0\0\0\0\0\0\1\2\0\0\0\0\0\0\0\3\1\3\xac\2\4\5"s;
  auto head = records::decode_head(old).value();
  BOOST_TEST(head.roster);
  BOOST_TEST(head.blocks);
  BOOST_TEST(head.contacts == 300u);
  BOOST_TEST(!head.sharing);
  // Written anew before the roster is, it does not claim to know.
  auto again = records::decode_head(records::encode_head(head)).value();
  BOOST_TEST(!again.sharing);
  // Nor had that form these flags.
  for (char flags : {'\5', '\x9', '\xd'}) {
    old[18] = flags;
    BOOST_TEST(!records::decode_head(old));
  }
}

BOOST_AUTO_TEST_CASE(values_that_stand_for_nothing_are_not_taken) {
  using namespace records;
  // Half of a subscription: 3 of 0 to 2, in either direction, or beyond.
  for (auto flags : {3 << 3, 3 << 5, 1 << 7})
    BOOST_TEST(
      !decode_contact("\1"s + static_cast<char>(flags) + "\0\0\0\0\0"s));
  BOOST_TEST(decode_note("\1\3\1").has_value());
  BOOST_TEST(!decode_note("\1\6\1"));
  // What has no time has another form, and only an approval has one.
  BOOST_TEST(decode_note("\2\0\1\1"s).has_value());
  BOOST_TEST(!decode_note("\2\0\1\0"s));
  BOOST_TEST(decode_contact("\2\3\0\0\0\1\0\0"s).has_value());
  BOOST_TEST(!decode_contact("\2\3\0\0\0\0\0\0"s));
  BOOST_TEST(!decode_contact("\2\1\0\0\0\1\0\0"s));
  const std::string places(16, '\1');
  BOOST_TEST(decode_head("\4" + places + "\0\0\1"s).has_value());
  BOOST_TEST(!decode_head("\4" + places + "\0\0\0"s));
  auto roster = [](char approve, char sharing, char rule) {
    return decode_roster(
      "\1\0\0\0\0\0\0"s + approve + sharing + "\0\0\1\1d"s + rule)
      .has_value();
  };
  BOOST_TEST(roster(3, 2, 3));
  BOOST_TEST(!roster(4, 2, 3));
  BOOST_TEST(!roster(3, 3, 3));
  BOOST_TEST(!roster(3, 2, 4));
}

BOOST_AUTO_TEST_CASE(each_number_has_one_form) {
  const auto taken = [](const std::string& text) -> std::optional<uint64_t> {
    bytes::reader in(text);
    const auto x = in.varint();
    return in.complete() ? std::optional(x) : std::nullopt;
  };
  for (auto x : {uint64_t{0}, uint64_t{127}, uint64_t{128}, uint64_t{16'383},
         uint64_t{16'384}, uint64_t{1} << 62, uint64_t{1} << 63, UINT64_MAX}) {
    std::string text;
    bytes::put_varint(text, x);
    BOOST_TEST((taken(text) == x), x);
    for (size_t n = 0; n < text.size(); ++n)
      BOOST_TEST(!taken(text.substr(0, n)), x << " cut at " << n);
  }
  const auto high = [](size_t n) { return std::string(n, '\xff'); };
  // A zero in front, bits that do not fit, a byte too many.
  for (const auto& text : {"\x80\0"s, "\xff\x80\0"s, high(9) + '\0',
         high(9) + '\2', high(9) + '\x7f', high(10), high(10) + '\1'})
    BOOST_TEST(!taken(text));
  // What failed once stays so.
  const auto text = high(10) + '\1';
  bytes::reader in(text);
  in.varint();
  BOOST_TEST(in.varint() == 0u);
  BOOST_TEST(!in.ok());
}

BOOST_AUTO_TEST_CASE(nothing_shorter_or_longer_is_taken) {
  for (auto& x : forms()) {
    BOOST_TEST(x.takes(x.bytes), x.name);
    for (size_t n = 0; n < x.bytes.size(); ++n)
      BOOST_TEST(!x.takes(x.bytes.substr(0, n)), x.name << " cut at " << n);
    BOOST_TEST(!x.takes(x.bytes + '\0'), x.name << " with a byte more");
  }
}

BOOST_AUTO_TEST_CASE(a_form_of_another_version_is_not_taken) {
  for (auto& x : forms()) {
    ++x.bytes[0];
    BOOST_TEST(!x.takes(x.bytes), x.name);
    x.bytes[0] = 0;
    BOOST_TEST(!x.takes(x.bytes), x.name);
  }
}

BOOST_AUTO_TEST_CASE(decoders_survive_anything) {
  std::mt19937_64 random(7);
  for (auto& x : forms()) {
    for (int i = 0; i < 2000; ++i) {
      auto bytes = x.bytes;
      for (int n = static_cast<int>(random() % 4); n >= 0; --n)
        bytes[random() % bytes.size()] = static_cast<char>(random());
      x.takes(bytes);
    }
    x.takes("\1" + std::string(40, '\xff'));
  }
}

BOOST_AUTO_TEST_SUITE_END()
