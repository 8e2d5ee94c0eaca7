#include "bench/frames.hpp"

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/test/unit_test.hpp>

#include "protocol/parley.pb.h"

using namespace parley::bench;
namespace wire = parley::wire;

BOOST_AUTO_TEST_SUITE(frames)

namespace {

const outgoing_im im{"an id", "bob@example.org", "head ", "text 水"};

/// The frame without its length, which must be right.
std::string_view inside(const std::string& frame) {
  BOOST_REQUIRE(frame.size() >= length_size);
  BOOST_TEST(read_length(frame.data()) == frame.size() - length_size);
  return std::string_view{frame}.substr(length_size);
}

template <class Message>
Message parse(const std::string& frame) {
  Message out;
  const auto bytes = inside(frame);
  BOOST_REQUIRE(
    out.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  // Written as protobuf itself would have.
  BOOST_TEST(out.SerializeAsString() == bytes);
  return out;
}

} // namespace

BOOST_AUTO_TEST_CASE(lengths_are_big_endian) {
  std::string bytes(length_size, '\0');
  write_length(bytes.data(), 0x01020304);
  BOOST_TEST(bytes == (std::string{"\1\2\3\4"}));
  BOOST_TEST(read_length(bytes.data()) == 0x01020304u);
}

BOOST_AUTO_TEST_CASE(a_request_to_send_is_what_protobuf_writes) {
  for (const uint64_t request : {1ull, 127ull, 128ull, 1ull << 40}) {
    std::string out;
    write_send(out, request, im);
    const auto frame = parse<wire::ClientFrame>(out);
    BOOST_TEST(frame.request() == request);
    BOOST_TEST(frame.send().id() == im.id);
    BOOST_TEST(frame.send().to() == im.to);
    BOOST_TEST(frame.send().body() == "head text 水");
  }
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_is_what_protobuf_writes) {
  std::string out;
  write_ack(out, 300);
  BOOST_TEST(parse<wire::ClientFrame>(out).ack().event() == 300u);
}

BOOST_AUTO_TEST_CASE(events_are_what_protobuf_writes) {
  std::string out;
  write_im_event(out, 9, "alice@example.org/desk", 1234, im);
  const auto event = parse<wire::ServerFrame>(out);
  BOOST_TEST(event.event() == 9u);
  BOOST_TEST(event.im().from() == "alice@example.org/desk");
  BOOST_TEST(event.im().sent_at_ms() == 1234);
  BOOST_TEST(event.im().body() == "head text 水");
  out.clear();
  write_delivered(out, 10, 3);
  const auto outcome = parse<wire::ServerFrame>(out);
  BOOST_TEST(outcome.request() == 3u);
  BOOST_TEST(outcome.has_outcome());
  BOOST_TEST(outcome.outcome().kind() == wire::Outcome::DELIVERED);
}

BOOST_AUTO_TEST_CASE(an_im_is_read_as_protobuf_writes_it) {
  wire::ServerFrame frame;
  frame.set_event(1ull << 50);
  auto& message = *frame.mutable_im();
  message.set_from("a@b/c");
  message.set_to("d@e");
  message.set_id("i");
  message.set_body(std::string(1000, 'x'));
  message.add_payloads()->set_type("other");
  message.set_sent_at_ms(-5);
  message.set_offline(true);
  const auto bytes = frame.SerializeAsString();
  frame_view view;
  BOOST_REQUIRE(read_frame(bytes, view));
  BOOST_TEST(view.event == 1ull << 50);
  BOOST_TEST(view.request == 0u);
  BOOST_TEST(
    view.kind == static_cast<uint32_t>(wire::ServerFrame::kImFieldNumber));
  im_view read;
  BOOST_REQUIRE(read_im(view.content, read));
  BOOST_TEST(read.from == "a@b/c");
  BOOST_TEST(read.to == "d@e");
  BOOST_TEST(read.id == "i");
  BOOST_TEST(read.body == std::string(1000, 'x'));
  BOOST_TEST(read.sent_at_ms == -5);
  BOOST_TEST(read.offline);
}

BOOST_AUTO_TEST_CASE(an_outcome_is_read_as_protobuf_writes_it) {
  wire::ServerFrame frame;
  frame.set_event(4);
  frame.set_request(17);
  frame.mutable_outcome()->set_kind(wire::Outcome::REJECTED);
  frame.mutable_outcome()->mutable_error()->set_reason("too_large");
  const auto bytes = frame.SerializeAsString();
  frame_view view;
  BOOST_REQUIRE(read_frame(bytes, view));
  BOOST_TEST(view.request == 17u);
  outcome_view read;
  BOOST_REQUIRE(read_outcome(view.content, read));
  BOOST_TEST(read.kind == static_cast<uint32_t>(wire::Outcome::REJECTED));
  wire::Error error;
  BOOST_TEST(error.ParseFromArray(
    read.error.data(), static_cast<int>(read.error.size())));
  BOOST_TEST(error.reason() == "too_large");
}

BOOST_AUTO_TEST_CASE(whatever_is_cut_off_is_refused_or_read_never_overrun) {
  std::string out;
  write_im_event(out, 9, "alice@example.org/desk", 1234, im);
  const auto bytes = inside(out);
  for (size_t size = 0; size < bytes.size(); ++size) {
    // On the heap, so that a sanitizer sees the end.
    std::string const part{bytes.substr(0, size)};
    frame_view view;
    im_view read;
    if (read_frame(part, view))
      read_im(view.content, read);
    const bool inside_content = size > 2;
    BOOST_TEST((!inside_content || view.content.size() < bytes.size()));
  }
  frame_view view;
  BOOST_TEST(!read_frame("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", view));
  BOOST_TEST(!read_frame(std::string_view{"\x07", 1}, view));
  BOOST_TEST(!read_frame(std::string_view{"\x00\x01", 2}, view));
}

BOOST_AUTO_TEST_SUITE_END()
