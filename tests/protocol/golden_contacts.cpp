#include "tests/protocol/golden_values.hpp"

namespace parley::test {

namespace {

using rules = std::vector<std::pair<std::string, approval>>;

rules some_rules() {
  return {{"example.com", approval::allow}, {"example.net", approval::block}};
}

contact_list some_contacts() {
  contact bob{to_user("bob@example.org"), "Bob", {"work", "chess"}, true,
    {half::active, half::pending}, false};
  contact carol{to_user("carol@example.org"), "", {}, false,
    {half::pending, half::none}, true};
  return {{7}, {300}, {bob, carol}, {to_user("dave@example.org")}};
}

contact only_address() {
  contact x;
  x.address = to_user("bob@example.org");
  return x;
}

contacts_changed some_refusals() {
  failure full{errc::contact_list_full};
  full.limit = 200;
  full.value = 200;
  return {{{"Dave@example.org", full, to_user("dave@example.org")},
            {"nonsense", failure{errc::bad_address, "no"}, {}}},
    {301}};
}

refused_request a_full_list() {
  failure full{errc::contact_list_full};
  full.limit = 200;
  full.value = 201;
  return {full, to_user("dave@example.org")};
}

privacy some_privacy() {
  return {approval::ask, sharing::off, {to_user("bob@example.org")},
    {to_user("dave@example.org")}, some_rules()};
}

presence_event notice(
  const char* from, availability what, show composed, std::string status) {
  return {shared<presence_notice>{presence_notice{
    to_address(from), std::move(what), composed, std::move(status)}}};
}

} // namespace

std::vector<golden<native::client_frame>> golden_contacts_requests() {
  using namespace native;
  return {
    {"add contacts",
      "request: 8 add_contacts { contacts { address: 'bob@example.org' "
      "name: 'Bob' groups: 'work' groups: 'chess' } contacts { address: "
      "'nonsense' } }",
      "000000360808a201310a230a0f626f62406578616d706c652e6f72671203426f"
      "621a04776f726b1a0563686573730a0a0a086e6f6e73656e7365",
      asked(8,
        add_contacts{{{"bob@example.org", "Bob", {"work", "chess"}},
          {"nonsense", "", {}}}})},
    {"add contacts, first part",
      "request: 9 add_contacts { contacts { address: 'bob@example.org' } "
      "part { more: true } }",
      "0000001c0809a201170a110a0f626f62406578616d706c652e6f726712021001",
      request_part{request_number{9}, 0, true,
        add_contacts{{{"bob@example.org", "", {}}}}, {}}},
    {"add contacts, last part",
      "request: 9 add_contacts { contacts { address: 'carol@example.org' "
      "} part { number: 1 } }",
      "0000001e0809a201190a130a116361726f6c406578616d706c652e6f72671202"
      "0801",
      request_part{request_number{9}, 1, false,
        add_contacts{{{"carol@example.org", "", {}}}}, {}}},
    {"remove contacts",
      "request: 10 remove_contacts { addresses: 'bob@example.org' "
      "addresses: 'nonsense' }",
      "00000020080aaa011b0a0f626f62406578616d706c652e6f72670a086e6f6e73"
      "656e7365",
      asked(10, remove_contacts{{"bob@example.org", "nonsense"}})},
    {"remove contacts, last part",
      "request: 11 remove_contacts { addresses: 'bob@example.org' part { "
      "number: 2 } }",
      "0000001a080baa01150a0f626f62406578616d706c652e6f726712020802",
      request_part{request_number{11}, 2, false,
        remove_contacts{{"bob@example.org"}}, {}}},
    {"list contacts", "request: 12 list_contacts { known: 300 }",
      "00000008080cb2010308ac02", asked(12, list_contacts{{300}})},
    {"list all contacts", "request: 12 list_contacts { }", "00000005080cb20100",
      asked(12, list_contacts{})},
    {"subscribe", "request: 13 subscribe { to: 'bob@example.org' }",
      "00000016080dba01110a0f626f62406578616d706c652e6f7267",
      asked(13, subscribe{to_user("bob@example.org")})},
    {"unsubscribe", "request: 14 unsubscribe { to: 'bob@example.org' }",
      "00000016080ec201110a0f626f62406578616d706c652e6f7267",
      asked(14, unsubscribe{to_user("bob@example.org")})},
    {"approve", "request: 15 approve { from: 'bob@example.org' }",
      "00000016080fca01110a0f626f62406578616d706c652e6f7267",
      asked(15, approve{to_user("bob@example.org")})},
    {"deny", "request: 16 deny { from: 'bob@example.org' }",
      "000000160810d201110a0f626f62406578616d706c652e6f7267",
      asked(16, deny{to_user("bob@example.org")})},
    {"watch", "request: 17 watch { address: 'bob@example.org' seconds: 4080 }",
      "000000190811da01140a0f626f62406578616d706c652e6f726710f01f",
      asked(17, watch{to_user("bob@example.org"), 4080})},
    {"watch no longer", "request: 18 watch { address: 'bob@example.org' }",
      "000000160812da01110a0f626f62406578616d706c652e6f7267",
      asked(18, watch{to_user("bob@example.org"), 0})},
    {"privacy is asked for", "request: 19 set_privacy { }",
      "000000050813e20100", asked(19, set_privacy{})},
    {"privacy with all",
      "request: 20 set_privacy { approve: APPROVAL_ASK sharing: "
      "SHARING_OFF allow { addresses: 'bob@example.org' addresses: "
      "'carol@example.org' } block { addresses: 'dave@example.org' } "
      "domains { rules { domain: 'example.com' rule: APPROVAL_AUTO } "
      "rules { domain: 'example.net' rule: APPROVAL_BLOCK } } }",
      "000000670814e20162080210021a240a0f626f62406578616d706c652e6f7267"
      "0a116361726f6c406578616d706c652e6f726722120a1064617665406578616d"
      "706c652e6f72672a220a0f0a0b6578616d706c652e636f6d10010a0f0a0b6578"
      "616d706c652e6e65741003",
      asked(20,
        set_privacy{approval::ask, sharing::off,
          std::vector{to_user("bob@example.org"), to_user("carol@example.org")},
          std::vector{to_user("dave@example.org")}, some_rules()})},
    {"privacy with nobody",
      "request: 21 set_privacy { approve: APPROVAL_DEFAULT sharing: "
      "SHARING_DEFAULT allow { } block { } domains { } }",
      "0000000f0815e2010a080010001a0022002a00",
      asked(21,
        set_privacy{approval::by_default, sharing::by_default,
          std::vector<user_address>{}, std::vector<user_address>{}, rules{}})},
  };
}

std::vector<golden<native::server_frame>> golden_contacts_events() {
  using namespace native;
  return {
    {"contacts",
      "event: 11 request: 12 contacts { since: 7 version: 300 contacts { "
      "address: 'bob@example.org' name: 'Bob' groups: 'work' groups: "
      "'chess' to: HALF_ACTIVE from: HALF_PENDING } contacts { address: "
      "'carol@example.org' to: HALF_PENDING unlisted: true preapproved: "
      "true } removed: 'dave@example.org' }",
      "00000062080b100caa015b080710ac021a270a0f626f62406578616d706c652e"
      "6f72671203426f621a04776f726b1a056368657373200228011a190a11636172"
      "6f6c406578616d706c652e6f7267200130013801221064617665406578616d70"
      "6c652e6f7267",
      answered(11, 12, some_contacts())},
    {"contacts, told",
      "contacts { since: 7 version: 300 contacts { address: "
      "'bob@example.org' name: 'Bob' groups: 'work' groups: 'chess' to: "
      "HALF_ACTIVE from: HALF_PENDING } contacts { address: "
      "'carol@example.org' to: HALF_PENDING unlisted: true preapproved: "
      "true } removed: 'dave@example.org' }",
      "0000005eaa015b080710ac021a270a0f626f62406578616d706c652e6f726712"
      "03426f621a04776f726b1a056368657373200228011a190a116361726f6c4065"
      "78616d706c652e6f7267200130013801221064617665406578616d706c652e6f"
      "7267",
      numbered(0, some_contacts())},
    {"contacts, none", "event: 12 request: 13 contacts { }",
      "00000007080c100daa0100", answered(12, 13, contact_list{})},
    {"contacts, first part",
      "event: 13 request: 14 contacts { version: 9 contacts { address: "
      "'bob@example.org' } part { more: true } }",
      "00000020080d100eaa011910091a110a0f626f62406578616d706c652e6f7267"
      "2a021001",
      answer_part{sequence{13}, request_number{14}, 0, true,
        contact_list{{}, {9}, {only_address()}, {}}}},
    {"contacts, told, last part",
      "contacts { removed: 'bob@example.org' part { number: 1 } }",
      "00000018aa0115220f626f62406578616d706c652e6f72672a020801",
      answer_part{sequence{}, request_number{}, 1, false,
        contact_list{{}, {}, {}, {to_user("bob@example.org")}}}},
    {"contacts changed",
      "event: 14 request: 8 contacts_changed { refused { address: "
      "'Dave@example.org' error { reason: 'contact_list_full' limit: 200 "
      "value: 200 } whose: 'dave@example.org' } refused { address: "
      "'nonsense' error { reason: 'bad_address' text: 'no' } } version: "
      "301 }",
      "0000006a080e1008b201630a3f0a1044617665406578616d706c652e6f726712"
      "191211636f6e746163745f6c6973745f66756c6c20c80128c8011a1064617665"
      "406578616d706c652e6f72670a1d0a086e6f6e73656e73651211120b6261645f"
      "616464726573731a026e6f10ad02",
      answered(14, 8, some_refusals())},
    {"contacts changed, all done",
      "event: 15 request: 8 contacts_changed { version: 301 }",
      "0000000a080f1008b2010310ad02",
      answered(15, 8, contacts_changed{{}, {301}})},
    {"contacts changed, first part",
      "event: 15 request: 8 contacts_changed { version: 301 part { more: "
      "true } }",
      "0000000e080f1008b2010710ad021a021001",
      answer_part{
        sequence{15}, request_number{8}, 0, true, contacts_changed{{}, {301}}}},
    {"refused since somebody's list is full",
      "event: 16 request: 15 error { reason: 'contact_list_full' limit: 200 "
      "value: 201 whose: 'dave@example.org' }",
      "000000310810100f322b1211636f6e746163745f6c6973745f66756c6c20c801"
      "28c9013a1064617665406578616d706c652e6f7267",
      answered(16, 15, a_full_list())},
    {"watching", "event: 16 request: 17 watching { seconds: 4080 }",
      "0000000a08101011ba010308f01f", answered(16, 17, watching{4080})},
    {"watching no longer", "event: 17 request: 18 watching { }",
      "0000000708111012ba0100", answered(17, 18, watching{})},
    {"privacy",
      "event: 18 request: 20 privacy { approve: APPROVAL_ASK sharing: "
      "SHARING_OFF allow: 'bob@example.org' block: 'dave@example.org' "
      "domains { domain: 'example.com' rule: APPROVAL_AUTO } domains { "
      "domain: 'example.net' rule: APPROVAL_BLOCK } }",
      "0000005008121014c20149080210021a0f626f62406578616d706c652e6f7267"
      "221064617665406578616d706c652e6f72672a0f0a0b6578616d706c652e636f"
      "6d10012a0f0a0b6578616d706c652e6e65741003",
      answered(18, 20, some_privacy())},
    {"privacy, told",
      "privacy { approve: APPROVAL_ASK sharing: SHARING_OFF allow: "
      "'bob@example.org' block: 'dave@example.org' domains { domain: "
      "'example.com' rule: APPROVAL_AUTO } domains { domain: "
      "'example.net' rule: APPROVAL_BLOCK } }",
      "0000004cc20149080210021a0f626f62406578616d706c652e6f726722106461"
      "7665406578616d706c652e6f72672a0f0a0b6578616d706c652e636f6d10012a"
      "0f0a0b6578616d706c652e6e65741003",
      numbered(0, some_privacy())},
    {"privacy, last part",
      "event: 18 request: 20 privacy { block: 'dave@example.org' part { "
      "number: 1 } }",
      "0000001d08121014c20116221064617665406578616d706c652e6f7267320208"
      "01",
      answer_part{sequence{18}, request_number{20}, 1, false,
        privacy{{}, {}, {}, {to_user("dave@example.org")}, {}}}},
    {"presence",
      "presence { from: 'bob@example.org/phone' show: AWAY status: 'out' "
      "priority: -1 composed: DND composed_status: 'busy' }",
      "0000002a6a280a15626f62406578616d706c652e6f72672f70686f6e6510021a"
      "036f757420012804320462757379",
      numbered(0,
        notice("bob@example.org/phone", {show::away, "out", -1}, show::dnd,
          "busy"))},
    {"presence, default",
      "presence { from: 'bob@example.org/phone' priority: 127 }",
      "0000001c6a1a0a15626f62406578616d706c652e6f72672f70686f6e6520fe01",
      numbered(0,
        notice("bob@example.org/phone", {show::available, "", 127},
          show::available, ""))},
    {"presence, lowest",
      "presence { from: 'bob@example.org/phone' priority: -128 composed: "
      "CHAT }",
      "0000001e6a1c0a15626f62406578616d706c652e6f72672f70686f6e6520ff01"
      "2801",
      numbered(0,
        notice("bob@example.org/phone", {show::available, "", -128}, show::chat,
          ""))},
    {"presence, unknown",
      "presence { from: 'bob@example.org' show: UNKNOWN composed: "
      "UNKNOWN }",
      "000000176a150a0f626f62406578616d706c652e6f726710062806",
      numbered(0,
        notice("bob@example.org", {show::unknown, "", 0}, show::unknown, ""))},
    {"presence reset", "presence_reset { }", "000000027200",
      numbered(0, presence_reset{})},
    {"watch ended", "watch_ended { address: 'bob@example.org' }",
      "000000137a110a0f626f62406578616d706c652e6f7267",
      numbered(0, watch_ended{to_user("bob@example.org")})},
  };
}

} // namespace parley::test
