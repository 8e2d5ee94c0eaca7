
#include "protocol/codec.hpp"

#include "protocol/parley.pb.h"
#include "tests/protocol/golden.hpp"
#include "tests/protocol/values.hpp"

#include <boost/test/unit_test.hpp>

using namespace parley;
using namespace parley::native;
using namespace parley::test;

namespace {

result<client_frame> decoded(const wire::ClientFrame& x) {
  return decode_client(x.SerializeAsString(), golden_origin());
}

/// The failure that answers request `number` on account of this frame.
failure refused(const result<client_frame>& x, uint64_t number) {
  BOOST_REQUIRE(x);
  auto request = std::get_if<numbered_request>(&*x);
  BOOST_REQUIRE(request);
  BOOST_TEST(request->number.value == number);
  auto why = std::get_if<invalid_request>(&request->what);
  BOOST_REQUIRE(why);
  return why->why;
}

void check_limit(const failure& x, errc code, uint64_t limit, uint64_t value) {
  BOOST_TEST(to_string(x.code) == to_string(code));
  BOOST_TEST(x.limit.value_or(0) == limit);
  BOOST_TEST(x.value.value_or(0) == value);
  BOOST_TEST(!x.text.empty());
}

wire::ClientFrame send_frame() {
  wire::ClientFrame x;
  x.set_request(7);
  x.mutable_send()->set_id("m1");
  x.mutable_send()->set_to("bob@example.org");
  x.mutable_send()->set_body("hi");
  return x;
}

wire::ClientFrame broadcast_frame(const std::vector<std::string>& to) {
  wire::ClientFrame x;
  x.set_request(7);
  x.mutable_broadcast()->set_id("b1");
  x.mutable_broadcast()->set_body("hi");
  for (auto& one : to)
    x.mutable_broadcast()->add_to(one);
  return x;
}

send_im taken(const wire::ClientFrame& x) {
  auto back = decoded(x);
  BOOST_REQUIRE(back);
  auto request = std::get_if<numbered_request>(&*back);
  BOOST_REQUIRE(request);
  auto send = std::get_if<send_im>(&request->what);
  BOOST_REQUIRE(send);
  return *send;
}

std::string payload_frame(int payloads, std::string type, bool first = true) {
  auto x = send_frame();
  for (int i = 0; i < payloads; ++i)
    x.mutable_send()->add_payloads()->set_type(first || i ? type : "x");
  return x.SerializeAsString();
}

} // namespace

BOOST_AUTO_TEST_CASE(an_ims_id_has_1_to_128_bytes) {
  auto x = send_frame();
  x.mutable_send()->set_id(std::string(128, 'x'));
  BOOST_TEST(taken(x).message->id.value.size() == 128u);
  x.mutable_send()->set_id(std::string(129, 'x'));
  check_limit(refused(decoded(x), 7), errc::bad_request, 128, 129);
  x.mutable_send()->set_id("");
  BOOST_TEST((refused(decoded(x), 7).code == errc::bad_request));
  // The same on the way that payloads take.
  x.mutable_send()->add_payloads()->set_type("t");
  BOOST_TEST((refused(decoded(x), 7).code == errc::bad_request));
}

BOOST_AUTO_TEST_CASE(an_im_needs_a_body_or_a_payload) {
  auto x = send_frame();
  x.mutable_send()->set_body("");
  BOOST_TEST((refused(decoded(x), 7).code == errc::bad_request));
  x.mutable_send()->add_payloads()->set_type("t");
  BOOST_TEST(taken(x).message->payloads.size() == 1u);
}

BOOST_AUTO_TEST_CASE(an_im_has_at_most_16_payloads_with_types_of_128_bytes) {
  auto of = [](std::string bytes) {
    return decode_client(bytes, golden_origin());
  };
  BOOST_TEST(of(payload_frame(16, std::string(128, 't')))->index()
    == client_frame{numbered_request{}}.index());
  check_limit(
    refused(of(payload_frame(17, "t")), 7), errc::bad_request, 16, 17);
  check_limit(refused(of(payload_frame(2, std::string(129, 't'), false)), 7),
    errc::bad_request, 128, 129);
  BOOST_TEST((refused(of(payload_frame(1, "")), 7).code == errc::bad_request));
}

BOOST_AUTO_TEST_CASE(payloads_that_would_break_a_stream_of_xml_are_refused) {
  const auto with = [](const std::string& type, const std::string& data) {
    auto x = send_frame();
    auto* p = x.mutable_send()->add_payloads();
    p->set_type(type);
    p->set_data(data);
    return x;
  };
  BOOST_TEST(taken(with("read", "m0")).message->payloads.size() == 1u);
  BOOST_TEST(taken(with("other", "\xff")).message->payloads.size() == 1u);
  for (const auto& x : {with("xmpp", "<a/>"), with("xmpp-whole", "<a/>"),
         with("read", "\xff"), with("read", std::string(129, 'x'))})
    BOOST_TEST((refused(decoded(x), 7).code == errc::bad_request));
}

BOOST_AUTO_TEST_CASE(an_im_fits_into_a_frame_of_the_server_too) {
  auto x = send_frame();
  x.mutable_send()->set_id(std::string(128, 'i'));
  x.mutable_send()->set_body(std::string(defaults::im_content_max - 128, 'b'));
  auto send = taken(x);
  // The longest addresses there are.
  auto part = std::string(255, 'p');
  address longest{user_address::from_prepared(part + "@" + part),
    endpoint_name::from_prepared(part)};
  auto message = *send.message;
  message.from = longest;
  std::string out;
  encode_event(
    out, sequence{UINT64_MAX}, incoming_im{shared<im>{message}, longest, true});
  BOOST_TEST(out.size() <= length_bytes + defaults::frame_max);
  x.mutable_send()->mutable_body()->push_back('b');
  check_limit(refused(decoded(x), 7), errc::too_large, defaults::im_content_max,
    defaults::im_content_max + 1);
  // Payloads count like the body.
  x.mutable_send()->mutable_body()->pop_back();
  x.mutable_send()->add_payloads()->set_type("t");
  check_limit(refused(decoded(x), 7), errc::too_large, defaults::im_content_max,
    defaults::im_content_max + 1);
}

BOOST_AUTO_TEST_CASE(
  sixteen_large_payloads_fit_into_a_frame_of_the_server_too) {
  maker make{1};
  im message;
  message.id.value = std::string(128, 'i');
  auto each = (defaults::im_content_max - 128) / 16;
  for (int i = 0; i < 16; ++i)
    message.payloads.push_back(
      {std::string(128, 't'), std::string(each - 128, 'd')});
  auto part = std::string(255, 'p');
  message.from = {user_address::from_prepared(part + "@" + part),
    endpoint_name::from_prepared(part)};
  message.sent_at = wall_time{std::chrono::milliseconds{-1}};
  std::string out;
  BOOST_TEST(encode_send(out, {UINT64_MAX}, message, "bob@x").has_value());
  out.clear();
  encode_event(out, sequence{UINT64_MAX},
    incoming_im{shared<im>{message}, message.from, true});
  BOOST_TEST(out.size() <= length_bytes + defaults::frame_max);
}

BOOST_AUTO_TEST_CASE(a_client_refuses_to_encode_what_a_server_would_refuse) {
  im message;
  message.id.value = "m1";
  message.body = std::string(defaults::im_content_max - 1, 'b');
  std::string out = "before";
  auto x = encode_send(out, {1}, message, "bob@example.org");
  BOOST_REQUIRE(!x);
  check_limit(x.error(), errc::too_large, defaults::im_content_max,
    defaults::im_content_max + 1);
  message.body = "b";
  x = encode_send(out, {1}, message, std::string(defaults::frame_max, 'x'));
  BOOST_REQUIRE(!x);
  BOOST_TEST((x.error().code == errc::too_large));
  message.id.value = "";
  BOOST_TEST(!encode_send(out, {1}, message, "bob@example.org"));
  BOOST_TEST(!encode_broadcast(out, {1}, message, {"bob@example.org"}));
  BOOST_TEST(out == "before");
}

BOOST_AUTO_TEST_CASE(no_recipient_of_a_broadcast_is_empty) {
  auto x = broadcast_frame({"bob@example.org", "", "carol@example.org"});
  BOOST_TEST((refused(decoded(x), 7).code == errc::bad_request));
  // As many as fit into a frame.
  x = broadcast_frame(std::vector<std::string>(defaults::frame_max / 2 - 100));
  BOOST_TEST(x.ByteSizeLong() <= defaults::frame_max);
  check_limit(refused(decoded(x), 7), errc::too_many_recipients,
    defaults::broadcast_recipients_max, defaults::frame_max / 2 - 100);
  // Nothing is kept of a part either.
  for (size_t n : {size_t{2}, defaults::broadcast_recipients_max + 1}) {
    x = broadcast_frame(std::vector<std::string>(n));
    x.mutable_broadcast()->mutable_part()->set_more(true);
    auto part = decoded(x);
    BOOST_REQUIRE(part);
    auto& y = std::get<request_part>(*part);
    BOOST_TEST((y.why.code != errc::none));
    BOOST_TEST(std::get<broadcast>(y.what).to.empty());
  }
}

BOOST_AUTO_TEST_CASE(a_frame_lists_as_many_recipients_as_its_parts_would) {
  std::vector<std::string> to(defaults::broadcast_recipients_max, "x");
  auto back = decoded(broadcast_frame(to));
  BOOST_REQUIRE(back);
  auto& request = std::get<numbered_request>(*back);
  BOOST_TEST((std::get<broadcast>(request.what).to == to));
  to.emplace_back("x");
  check_limit(refused(decoded(broadcast_frame(to)), 7),
    errc::too_many_recipients, defaults::broadcast_recipients_max, to.size());
}

BOOST_AUTO_TEST_CASE(an_address_that_cannot_be_prepared_comes_out_empty) {
  for (auto to : {"", "bob", "@example.org", "bob@", "a b@example.org"}) {
    auto x = send_frame();
    x.mutable_send()->set_to(to);
    BOOST_TEST(taken(x).to.empty(), to);
  }
  auto x = send_frame();
  x.mutable_send()->set_to("BOB@Example.ORG/Phone");
  BOOST_TEST(taken(x).to.str() == "bob@example.org/Phone");
}

BOOST_AUTO_TEST_CASE(typing_to_no_address_is_ignored) {
  wire::ClientFrame x;
  x.mutable_typing()->set_to("nobody");
  BOOST_TEST(std::holds_alternative<ignored>(*decoded(x)));
}

BOOST_AUTO_TEST_CASE(a_status_has_at_most_1024_bytes) {
  wire::ClientFrame x;
  x.set_request(8);
  x.mutable_presence()->set_status(std::string(1024, 's'));
  BOOST_TEST(decoded(x)->index() == client_frame{numbered_request{}}.index());
  x.mutable_presence()->set_status(std::string(1025, 's'));
  check_limit(refused(decoded(x), 8), errc::bad_request, 1024, 1025);
  wire::ClientFrame y;
  *y.mutable_authenticate()->mutable_presence() = x.presence();
  check_limit(refused(decoded(y), 0), errc::bad_request, 1024, 1025);
}

BOOST_AUTO_TEST_CASE(a_priority_goes_from_minus_128_to_127) {
  for (int priority : {-129, -128, 127, 128}) {
    wire::ClientFrame x;
    x.set_request(8);
    x.mutable_presence()->set_priority(priority);
    auto back = decoded(x);
    if (priority == -129 || priority == 128) {
      BOOST_TEST((refused(back, 8).code == errc::bad_request));
      continue;
    }
    auto request = std::get<numbered_request>(*back);
    BOOST_TEST(
      int{std::get<set_availability>(request.what).what.priority} == priority);
  }
}

BOOST_AUTO_TEST_CASE(an_unknown_show_is_refused) {
  wire::ClientFrame x;
  x.set_request(8);
  x.mutable_presence()->set_show(static_cast<wire::Show>(6));
  BOOST_TEST((refused(decoded(x), 8).code == errc::bad_request));
}

BOOST_AUTO_TEST_CASE(a_request_needs_a_number) {
  auto x = send_frame();
  x.mutable_broadcast()->set_id("b");
  wire::ClientFrame presence, out;
  presence.mutable_presence();
  out.mutable_sign_out();
  for (auto frame : {send_frame(), x, presence, out}) {
    frame.set_request(0);
    BOOST_TEST((refused(decoded(frame), 0).code == errc::bad_request));
  }
}

BOOST_AUTO_TEST_CASE(an_unknown_kind_is_answered_if_it_has_a_number) {
  // Field 500 holds the kind of a later version.
  auto x = decode_client(from_hex("0809 a21f03616263"), golden_origin());
  BOOST_TEST((refused(x, 9).code == errc::unknown_request));
  x = decode_client(from_hex("0809"), golden_origin());
  BOOST_TEST((refused(x, 9).code == errc::unknown_request));
  x = decode_client(from_hex("a21f03616263"), golden_origin());
  BOOST_REQUIRE(x);
  BOOST_TEST(std::holds_alternative<ignored>(*x));
}

BOOST_AUTO_TEST_CASE(text_that_is_no_utf8_is_refused_by_the_fields_name) {
  auto refused_for = [](std::string hex, uint64_t number, std::string name) {
    auto why =
      refused(decode_client(from_hex(hex.c_str()), golden_origin()), number);
    BOOST_TEST((why.code == errc::bad_request));
    BOOST_TEST(why.text.find(name) != std::string::npos, why.text);
    BOOST_TEST(why.text.find("UTF-8") != std::string::npos, why.text);
  };
  refused_for("0805 82010b 0a01ff 1203624078 1a0168", 5, "id");
  refused_for("0805 82010b 0a0131 12036240ff 1a0168", 5, "to");
  refused_for("0805 82010b 0a0131 1203624078 1a01ff", 5, "body");
  // In a payload; the number behind the kind.
  refused_for("82010f 0a0131 1203624078 2205 0a03eda080 08ac02", 300, "type");
  refused_for("0806 9201 03 1201c0", 6, "status");
  refused_for("1204 2202c328", 0, "software");
  refused_for("0807 8a0106 0a0131 1201ff", 7, "to");
}

BOOST_AUTO_TEST_CASE(a_frame_that_is_no_protobuf_ends_the_connection) {
  for (auto hex : {"ff", "08", "0a05", "820105", "8201020a05", "07",
         "82010b0a01ff12036240781a0168ff", "42020a05ff"}) {
    auto x = decode_client(from_hex(hex), golden_origin());
    BOOST_REQUIRE_MESSAGE(!x, hex);
    BOOST_TEST((x.error().code == errc::bad_frame), hex);
  }
  auto y = decode_server(from_hex("9a01031a01ff"));
  BOOST_REQUIRE(!y);
  BOOST_TEST((y.error().code == errc::bad_frame));
}

BOOST_AUTO_TEST_CASE(an_unknown_reason_is_kept_as_text) {
  wire::ServerFrame x;
  x.set_event(1);
  x.set_request(2);
  x.mutable_error()->set_reason("moon_full");
  x.mutable_error()->set_text("wait");
  auto frame = decode_server(x.SerializeAsString());
  BOOST_REQUIRE(frame);
  auto what = std::get<answer>(std::get<numbered_event>(*frame).what).what;
  BOOST_TEST((std::get<failure>(what).code == errc::none));
  BOOST_TEST(std::get<failure>(what).text == "moon_full: wait");
}

BOOST_AUTO_TEST_CASE(an_unknown_outcome_promises_nothing) {
  wire::ServerFrame x;
  x.mutable_outcome()->set_kind(static_cast<wire::Outcome::Kind>(3));
  auto frame = decode_server(x.SerializeAsString());
  BOOST_REQUIRE(frame);
  auto what = std::get<answer>(std::get<numbered_event>(*frame).what).what;
  BOOST_TEST((std::get<outcome>(what).what == outcome::kind::rejected));
}

BOOST_AUTO_TEST_CASE(an_error_of_an_unknown_scope_ends_the_connection) {
  wire::ServerFrame x;
  x.mutable_error()->set_scope(static_cast<wire::Scope>(9));
  auto frame = decode_server(x.SerializeAsString());
  BOOST_REQUIRE(frame);
  BOOST_TEST((std::get<refusal>(*frame).scope == error_scope::connection));
}
