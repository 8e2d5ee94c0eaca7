#include "tests/protocol/golden.hpp"

#include <iterator>
#include <string_view>

#include "protocol/framing.hpp"
#include "tests/protocol/golden_values.hpp"

namespace parley::test {

namespace {

using namespace std::literals;
using std::chrono::milliseconds;

shared<im> message(std::string id, std::string body,
  std::vector<payload> payloads, bool receipts) {
  im x;
  x.id.value = std::move(id);
  x.from = golden_origin().from;
  x.body = std::move(body);
  x.payloads = std::move(payloads);
  x.sent_at = golden_origin().sent_at;
  x.receipts = receipts;
  return shared<im>{std::move(x)};
}

failure refused(errc code, std::string text = {}) {
  return failure{code, std::move(text)};
}

failure with_numbers() {
  failure x{errc::rate_limited, "slow down"};
  x.limit = 10;
  x.value = 300;
  x.retry_after = 1500ms;
  return x;
}

native::session_started started(bool resumed) {
  native::session_started x;
  x.what.self = to_address("alice@example.org/desk");
  x.what.token = "\0token\xff"s;
  x.what.resumed = resumed;
  x.what.last_request.value = resumed ? 41 : 0;
  x.what.requests = {64, 4194304};
  x.what.ims = {100, 1048576};
  x.what.heartbeat = 60s;
  x.what.resume_window = 90s;
  if (!resumed)
    x.sasl = "v=proof";
  return x;
}

} // namespace

native::im_origin golden_origin() {
  return {to_address("alice@example.org/desk"), wall_time{1795334400000ms}};
}

namespace {

std::vector<golden<native::client_frame>> other_requests() {
  using namespace native;
  return {
    {"empty", "", "00000000", ignored{}},
    {"hello",
      "hello { version_min: 1 version_max: 3 features: 5 software: 'x 1.0' }",
      "0000000f120d08011003180522057820312e30", hello{1, 3, 5, "x 1.0"}},
    {"authenticate",
      "authenticate { mechanism: 'PLAIN' initial: '\\0a\\0b' endpoint: 'desk' "
      "presence { show: AWAY status: 'out' priority: -1 } "
      "window { messages: 10 bytes: 1000 } }",
      "000000271a250a05504c41494e1204006100621a046465736b2209080212036f"
      "757418012a05080a10e807",
      authenticate{
        "PLAIN", "\0a\0b"s, "desk", {show::away, "out", -1}, {10, 1000}}},
    {"sasl response", "sasl_response { data: '\\377c=biws' }",
      "0000000b22090a07ff633d62697773",
      sasl_response{"\xff"
                    "c=biws"}},
    {"resume", "resume { token: '\\0t' last_event: 300 }",
      "000000092a070a02007410ac02", resume_session{"\0t"s, sequence{300}}},
    {"ping", "ping { nonce: 18446744073709551615 }",
      "0000000d320b08ffffffffffffffffff01", ping{UINT64_MAX}},
    {"pong", "pong { nonce: 7 }", "000000043a020807", pong{7}},
    {"ack", "ack { event: 300 }", "00000005420308ac02", ack{sequence{300}}},
    {"ack of nothing", "ack { }", "000000024200", ack{}},
    {"window", "window { messages: 16 bytes: 65536 }",
      "000000084a06081010808004", window{16, 65536}},
    {"window stops", "window { }", "000000024a00", window{}},
    {"typing", "typing { to: 'bob@example.org' }",
      "0000001352110a0f626f62406578616d706c652e6f7267",
      asked(0, typing{to_address("bob@example.org")})},
    {"send",
      "request: 1 send { id: 'm1' to: 'bob@example.org' body: 'hi, Bob' }",
      "00000023080182011e0a026d31120f626f62406578616d706c652e6f72671a07"
      "68692c20426f62",
      asked(1,
        send_im{
          message("m1", "hi, Bob", {}, false), to_address("bob@example.org")})},
    {"send with all",
      "request: 300 send { id: 'm2' to: 'bob@example.org/phone' body: 'жук' "
      "payloads { type: 'read' data: 'm0' } "
      "payloads { type: 'x' data: '\\377' } receipts: true }",
      "0000003f08ac028201390a026d321215626f62406578616d706c652e6f72672f"
      "70686f6e651a06d0b6d183d0ba220a0a047265616412026d3022060a01781201"
      "ff2801",
      asked(300,
        send_im{message("m2", "жук", {{"read", "m0"}, {"x", "\xff"}}, true),
          to_address("bob@example.org/phone")})},
    {"send of a payload alone",
      "request: 2 send { id: 'm3' to: 'bob@example.org' "
      "payloads { type: 'read' data: 'm0' } }",
      "0000002608028201210a026d33120f626f62406578616d706c652e6f7267220a"
      "0a047265616412026d30",
      asked(2,
        send_im{message("m3", "", {{"read", "m0"}}, false),
          to_address("bob@example.org")})},
    {"broadcast",
      "request: 3 broadcast { id: 'b1' to: 'bob@example.org' to: 'nonsense' "
      "body: 'all' payloads { type: 't' } receipts: true }",
      "0000003008038a012b0a026231120f626f62406578616d706c652e6f72671208"
      "6e6f6e73656e73651a03616c6c22030a01742801",
      asked(3,
        broadcast{message("b1", "all", {{"t", ""}}, true),
          {"bob@example.org", "nonsense"}})},
    {"broadcast, first part",
      "request: 4 broadcast { id: 'b2' to: 'bob@example.org' body: 'all' "
      "part { more: true } }",
      "0000002308048a011e0a026232120f626f62406578616d706c652e6f72671a03"
      "616c6c32021001",
      request_part{request_number{4}, 0, true,
        broadcast{message("b2", "all", {}, false), {"bob@example.org"}}, {}}},
    {"broadcast, last part",
      "request: 4 broadcast { to: 'carol@example.org' part { number: 1 } }",
      "0000001c08048a011712116361726f6c406578616d706c652e6f726732020801",
      request_part{
        request_number{4}, 1, false, broadcast{{}, {"carol@example.org"}}, {}}},
    {"presence",
      "request: 5 presence { show: DND status: 'busy' priority: 127 }",
      "00000010080592010b080412046275737918fe01",
      asked(5, set_availability{{show::dnd, "busy", 127}})},
    {"presence, default", "request: 6 presence { }", "000000050806920100",
      asked(6, set_availability{})},
    {"sign out", "request: 7 sign_out { }", "0000000508079a0100",
      asked(7, sign_out{})},
  };
}

std::vector<golden<native::server_frame>> other_events() {
  using namespace native;
  using kind = outcome::kind;
  return {
    {"empty", "", "00000000", unknown_event{}},
    {"an event of an unknown kind", "event: 9 request: 8", "0000000408091008",
      unknown_event{sequence{9}, request_number{8}}},
    {"welcome",
      "welcome { version: 1 features: 6 software: 'Parley' "
      "domain: 'example.org' mechanisms: 'SCRAM-SHA-256' mechanisms: 'PLAIN' "
      "limits { frame_bytes: 262144 body_bytes: 32768 "
      "broadcast_recipients: 1000 id_bytes: 128 } }",
      "000000411a3f080110061a065061726c6579220b6578616d706c652e6f72672a"
      "0d534352414d2d5348412d3235362a05504c41494e320e088080101080800218"
      "e807208001",
      welcome{1, 6, "Parley", "example.org", {"SCRAM-SHA-256", "PLAIN"}, 262144,
        32768, 1000, 128}},
    {"SASL challenge", "sasl_challenge { data: 'r=\\0\\377' }",
      "0000000822060a04723d00ff", sasl_challenge{"r=\0\xff"s}},
    {"signed in",
      "signed_in { address: 'alice@example.org/desk' sasl: 'v=proof' "
      "token: '\\0token\\377' requests { messages: 64 bytes: 4194304 } "
      "ims { messages: 100 bytes: 1048576 } heartbeat_ms: 60000 "
      "resume_window_ms: 90000 }",
      "000000452a430a16616c696365406578616d706c652e6f72672f6465736b1207"
      "763d70726f6f661a0700746f6b656eff3207084010808080023a060864108080"
      "4040e0d4034890bf05",
      started(false)},
    {"resumed",
      "signed_in { address: 'alice@example.org/desk' token: '\\0token\\377' "
      "resumed: true last_request: 41 "
      "requests { messages: 64 bytes: 4194304 } "
      "ims { messages: 100 bytes: 1048576 } heartbeat_ms: 60000 "
      "resume_window_ms: 90000 }",
      "000000402a3e0a16616c696365406578616d706c652e6f72672f6465736b1a07"
      "00746f6b656eff200128293207084010808080023a0608641080804040e0d403"
      "4890bf05",
      started(true)},
    {"error of a connection",
      "error { scope: CONNECTION reason: 'bad_frame' text: 'no' }",
      "000000133211080112096261645f6672616d651a026e6f",
      refusal{error_scope::connection, refused(errc::bad_frame, "no")}},
    {"error of a session",
      "error { scope: SESSION reason: 'replaced' limit: 0 value: 0 "
      "retry_after_ms: 0 }",
      "000000143212080212087265706c61636564200028003000",
      refusal{error_scope::session,
        [] {
          auto x = refused(errc::replaced);
          x.limit = 0;
          x.value = 0;
          x.retry_after = 0ms;
          return x;
        }()}},
    {"error before the sign-in", "error { reason: 'resume_failed' }",
      "00000011320f120d726573756d655f6661696c6564",
      refusal{error_scope::request, refused(errc::resume_failed)}},
    {"error that answers",
      "event: 2 request: 300 error { reason: 'rate_limited' text: 'slow down' "
      "limit: 10 value: 300 retry_after_ms: 1500 }",
      "00000028080210ac023221120c726174655f6c696d697465641a09736c6f7720"
      "646f776e200a28ac0230dc0b",
      answered(2, 300, with_numbers())},
    {"going away", "going_away { come_back_after_ms: 2500 }",
      "000000053a0308c413", going_away{2500ms}},
    {"ping", "ping { nonce: 1 }", "0000000442020801", ping{1}},
    {"pong", "pong { nonce: 300 }", "000000054a0308ac02", pong{300}},
    {"window", "window { messages: 8 bytes: 4096 }", "0000000752050808108020",
      window{8, 4096}},
    {"policy", "policy { values { key: 'im.grace' value: '2s' } }",
      "000000125a100a0e0a08696d2e677261636512023273",
      numbered(0, policy_values{{{"im.grace", "2s"}}})},
    {"typing", "typing { from: 'bob@example.org/phone' }",
      "0000001962170a15626f62406578616d706c652e6f72672f70686f6e65",
      numbered(0, typing_notice{to_address("bob@example.org/phone")})},
    {"delivered", "event: 300 request: 1 outcome { }",
      "0000000808ac021001820100",
      answered(300, 1, outcome{kind::delivered, {}})},
    {"stored", "event: 1 request: 2 outcome { kind: STORED }",
      "00000009080110028201020801", answered(1, 2, outcome{kind::stored, {}})},
    {"rejected",
      "event: 3 request: 4 outcome { kind: REJECTED error { "
      "reason: 'rate_limited' text: 'slow down' limit: 10 value: 300 "
      "retry_after_ms: 1500 } }",
      "0000002c0803100482012508021221120c726174655f6c696d697465641a0973"
      "6c6f7720646f776e200a28ac0230dc0b",
      answered(3, 4, outcome{kind::rejected, with_numbers()})},
    {"broadcast",
      "event: 5 request: 3 broadcast { "
      "outcomes { to: 'bob@example.org' outcome { kind: STORED } } "
      "outcomes { to: 'nonsense' outcome { kind: REJECTED "
      "error { reason: 'bad_address' } } } }",
      "0000003d080510038a01360a150a0f626f62406578616d706c652e6f72671202"
      "08010a1d0a086e6f6e73656e736512110802120d120b6261645f616464726573"
      "73",
      answered(5, 3,
        broadcast_outcomes{{{"bob@example.org", {kind::stored, {}}},
          {"nonsense", {kind::rejected, refused(errc::bad_address)}}}})},
    {"broadcast, first part",
      "event: 6 request: 4 broadcast { outcomes { to: 'bob@example.org' "
      "outcome { } } part { more: true } }",
      "00000020080610048a01190a130a0f626f62406578616d706c652e6f72671200"
      "12021001",
      answer_part{sequence{6}, request_number{4}, 0, true,
        broadcast_outcomes{{{"bob@example.org", {kind::delivered, {}}}}}}},
    {"broadcast, last part",
      "event: 6 request: 4 broadcast { outcomes { to: 'carol@example.org' "
      "outcome { } } part { number: 1 } }",
      "00000022080610048a011b0a150a116361726f6c406578616d706c652e6f7267"
      "120012020801",
      answer_part{sequence{6}, request_number{4}, 1, false,
        broadcast_outcomes{{{"carol@example.org", {kind::delivered, {}}}}}}},
    {"done", "event: 7 request: 5 done { }", "0000000708071005920100",
      answered(7, 5, done{})},
    {"IM",
      "event: 8 im { from: 'alice@example.org/desk' to: 'bob@example.org' "
      "id: 'm1' body: 'hi, Bob' sent_at_ms: 1795334400000 }",
      "0000004208089a013d0a16616c696365406578616d706c652e6f72672f646573"
      "6b120f626f62406578616d706c652e6f72671a026d31220768692c20426f6230"
      "80d09392a034",
      numbered(8,
        incoming_im{message("m1", "hi, Bob", {}, false),
          to_address("bob@example.org"), false})},
    {"IM with all",
      "event: 300 im { from: 'alice@example.org/desk' "
      "to: 'bob@example.org/phone' id: 'm2' body: 'жук' "
      "payloads { type: 'read' data: 'm0' } "
      "payloads { type: 'x' data: '\\377' } "
      "sent_at_ms: 1795334400000 offline: true }",
      "0000005e08ac029a01580a16616c696365406578616d706c652e6f72672f6465"
      "736b1215626f62406578616d706c652e6f72672f70686f6e651a026d322206d0"
      "b6d183d0ba2a0a0a047265616412026d302a060a01781201ff3080d09392a034"
      "3801",
      numbered(300,
        incoming_im{
          message("m2", "жук", {{"read", "m0"}, {"x", "\xff"}}, false),
          to_address("bob@example.org/phone"), true})},
    {"receipt",
      "event: 10 receipt { id: 'm1' endpoint: 'bob@example.org/phone' "
      "kind: READ }",
      "00000022080aa2011d0a026d311215626f62406578616d706c652e6f72672f70"
      "686f6e651802",
      numbered(10,
        receipt{
          {"m1"}, to_address("bob@example.org/phone"), receipt::kind::read})},
  };
}

template <class T>
std::vector<T> joined(std::vector<T> x, std::vector<T> y) {
  x.insert(x.end(), std::make_move_iterator(y.begin()),
    std::make_move_iterator(y.end()));
  return x;
}

} // namespace

std::vector<golden<native::client_frame>> golden_client_frames() {
  return joined(other_requests(), golden_contacts_requests());
}

std::vector<golden<native::server_frame>> golden_server_frames() {
  return joined(other_events(), golden_contacts_events());
}

std::string from_hex(const char* hex) {
  auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string x;
  for (; *hex; ++hex)
    if (*hex != ' ') {
      x.push_back(static_cast<char>(digit(hex[0]) * 16 + digit(hex[1])));
      ++hex;
    }
  return x;
}

std::string to_hex(const std::string& bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string x;
  for (auto c : bytes) {
    x.push_back(digits[static_cast<uint8_t>(c) >> 4]);
    x.push_back(digits[static_cast<uint8_t>(c) & 15]);
  }
  return x;
}

std::vector<std::string> frames_in(std::string_view bytes) {
  std::vector<std::string> all;
  native::frame_reader in;
  in.feed(bytes);
  while (auto frame = in.next().value())
    all.emplace_back(*frame);
  return all;
}

} // namespace parley::test
