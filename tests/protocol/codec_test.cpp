
#include "protocol/codec.hpp"

#include "protocol/parley.pb.h"
#include "tests/protocol/golden.hpp"
#include "tests/protocol/values.hpp"

#include <boost/test/unit_test.hpp>
#include <google/protobuf/text_format.h>

#include <set>

using namespace parley;
using namespace parley::native;
using namespace parley::test;

namespace {

/// The frame in these bytes, which hold its length and nothing behind it.
std::string_view frame_of(const std::string& bytes) {
  frame_reader in;
  in.feed(bytes);
  auto frame = in.next();
  BOOST_REQUIRE(frame && *frame);
  return bytes.substr(0, 4).size() + frame->value().size() == bytes.size()
    ? std::string_view{bytes}.substr(4)
    : std::string_view{};
}

std::string encoded(const client_frame& x) {
  std::string out;
  BOOST_REQUIRE(encode_client(out, x));
  return out;
}

std::string encoded(const server_frame& x) {
  std::string out;
  encode_server(out, x);
  return out;
}

result<client_frame> decoded(std::string_view frame, const client_frame*) {
  return decode_client(frame, golden_origin());
}

result<server_frame> decoded(std::string_view frame, const server_frame*) {
  return decode_server(frame);
}

/// All frames in `bytes`, handed to the reader in pieces of these sizes.
template <class Frame>
std::vector<Frame> decode_in_pieces(
  std::string_view bytes, std::initializer_list<size_t> sizes) {
  std::vector<Frame> frames;
  frame_reader in;
  for (auto size : sizes) {
    // On the heap, so that a sanitizer sees a look beyond the piece.
    std::string piece{bytes.substr(0, size)};
    bytes.remove_prefix(piece.size());
    in.feed(piece);
    for (;;) {
      auto frame = in.next();
      BOOST_REQUIRE(frame);
      if (!*frame)
        break;
      auto x = decoded(**frame, static_cast<Frame*>(nullptr));
      BOOST_REQUIRE(x);
      frames.push_back(std::move(*x));
    }
  }
  BOOST_TEST(bytes.empty());
  BOOST_TEST(in.memory() == 0u);
  return frames;
}

/// The same bytes again, from text format by protobuf's own code.
template <class Message>
std::string bytes_of_text(const char* text) {
  Message message;
  BOOST_REQUIRE(google::protobuf::TextFormat::ParseFromString(text, &message));
  std::string out;
  append_frame(out, message);
  return out;
}

template <class Message, class Frame>
void check_golden(const std::vector<golden<Frame>>& all) {
  for (auto& x : all) {
    BOOST_TEST_CONTEXT(x.name) {
      auto bytes = from_hex(x.hex);
      BOOST_TEST(to_hex(bytes_of_text<Message>(x.text)) == to_hex(bytes));
      BOOST_TEST(to_hex(encoded(x.value)) == to_hex(bytes));
      auto back = decoded(frame_of(bytes), static_cast<const Frame*>(nullptr));
      BOOST_REQUIRE(back);
      BOOST_TEST(same(*back, x.value));
      Message message;
      auto frame = frame_of(bytes);
      BOOST_REQUIRE(
        message.ParseFromArray(frame.data(), static_cast<int>(frame.size())));
      BOOST_TEST(to_hex(bytes_of_text<Message>(message.DebugString().c_str()))
        == to_hex(bytes));
    }
  }
}

template <class Frame>
void check_cuts(const std::vector<golden<Frame>>& all) {
  for (auto& x : all) {
    BOOST_TEST_CONTEXT(x.name) {
      auto bytes = from_hex(x.hex);
      // Twice, so that a cut can also fall between two frames.
      bytes += bytes;
      for (size_t cut = 0; cut <= bytes.size(); ++cut) {
        auto frames = decode_in_pieces<Frame>(bytes, {cut, bytes.size() - cut});
        BOOST_REQUIRE_EQUAL(frames.size(), 2u);
        BOOST_TEST(same(frames[0], x.value));
        BOOST_TEST(same(frames[1], x.value));
      }
    }
  }
}

/// Byte by byte, all frames in one stream.
template <class Frame>
void check_bytes(const std::vector<golden<Frame>>& all) {
  frame_reader in;
  size_t at = 0;
  for (auto& x : all)
    for (auto byte : from_hex(x.hex)) {
      in.feed({&byte, 1});
      auto frame = in.next();
      BOOST_REQUIRE(frame);
      if (!*frame)
        continue;
      auto back = decoded(**frame, static_cast<const Frame*>(nullptr));
      BOOST_REQUIRE(back);
      BOOST_TEST(same(*back, all[at++].value), all[at - 1].name);
      BOOST_REQUIRE(!in.next()->has_value());
    }
  BOOST_TEST(at == all.size());
}

/// Whether the goldens hold every kind of frame that the schema has.
template <class Message, class Frame>
void check_complete(const std::vector<golden<Frame>>& all) {
  std::set<int> kinds;
  for (auto& x : all) {
    Message message;
    auto bytes = from_hex(x.hex);
    BOOST_REQUIRE(message.ParseFromString(bytes.substr(4)));
    kinds.insert(static_cast<int>(message.kind_case()));
  }
  auto one_of = Message::descriptor()->FindOneofByName("kind");
  for (int i = 0; i < one_of->field_count(); ++i)
    BOOST_TEST(
      kinds.contains(one_of->field(i)->number()), one_of->field(i)->name());
}

} // namespace

BOOST_AUTO_TEST_CASE(bytes_of_client_frames_never_change) {
  check_golden<wire::ClientFrame>(golden_client_frames());
}

BOOST_AUTO_TEST_CASE(bytes_of_server_frames_never_change) {
  check_golden<wire::ServerFrame>(golden_server_frames());
}

BOOST_AUTO_TEST_CASE(every_kind_of_frame_has_its_bytes_written_down) {
  check_complete<wire::ClientFrame>(golden_client_frames());
  check_complete<wire::ServerFrame>(golden_server_frames());
}

BOOST_AUTO_TEST_CASE(client_frames_cut_in_two_anywhere_mean_the_same) {
  check_cuts(golden_client_frames());
}

BOOST_AUTO_TEST_CASE(server_frames_cut_in_two_anywhere_mean_the_same) {
  check_cuts(golden_server_frames());
}

BOOST_AUTO_TEST_CASE(frames_byte_by_byte_mean_the_same) {
  check_bytes(golden_client_frames());
  check_bytes(golden_server_frames());
}

BOOST_AUTO_TEST_CASE(a_truncated_frame_is_refused_or_means_something_else) {
  auto check = [](auto all) {
    for (auto& x : all) {
      auto bytes = from_hex(x.hex);
      auto frame = frame_of(bytes);
      for (size_t n = 0; n < frame.size(); ++n) {
        auto back = decoded(frame.substr(0, n), &x.value);
        BOOST_TEST((!back || !same(*back, x.value)), x.name);
        if (!back)
          BOOST_TEST((back.error().code == errc::bad_frame), x.name);
      }
    }
  };
  check(golden_client_frames());
  check(golden_server_frames());
}

BOOST_AUTO_TEST_CASE(unknown_fields_are_ignored) {
  // Field 1000 as a varint, 1001 as bytes, 1002 as a group.
  auto unknown = from_hex("c03e05 ca3e03616263 d33e0801d43e");
  auto check = [&](auto all) {
    for (auto& x : all) {
      auto bytes = from_hex(x.hex).substr(4);
      for (auto& whole : {bytes + unknown, unknown + bytes}) {
        auto back = decoded(whole, &x.value);
        BOOST_REQUIRE(back);
        BOOST_TEST(same(*back, x.value), x.name);
      }
    }
  };
  check(golden_client_frames());
  check(golden_server_frames());
}

BOOST_AUTO_TEST_CASE(unknown_fields_within_the_hot_frames_are_ignored) {
  // Field 100 of SendIm, Ack, Im and Outcome.
  auto send = from_hex("0801 820110 0a0131 12056240782e79 1a0168 a0060a");
  auto x = decode_client(send, golden_origin());
  BOOST_REQUIRE(x);
  auto request = std::get<numbered_request>(*x);
  BOOST_TEST(std::get<send_im>(request.what).message->body == "h");
  auto y = decode_client(from_hex("4205 0807 a0060a"), golden_origin());
  BOOST_REQUIRE(y);
  BOOST_TEST(std::get<ack>(*y).event.value == 7u);
  auto z = decode_server(from_hex("0801 9a0109 1a0131 220168 a0060a"));
  BOOST_REQUIRE(z);
  auto im = std::get<incoming_im>(std::get<numbered_event>(*z).what);
  BOOST_TEST(im.message->body == "h");
  auto w = decode_server(from_hex("0801 1002 820105 0801 a0060a"));
  BOOST_REQUIRE(w);
  auto done = std::get<answer>(std::get<numbered_event>(*w).what);
  BOOST_TEST((std::get<outcome>(done.what).what == outcome::kind::stored));
}

BOOST_AUTO_TEST_CASE(a_field_that_comes_twice_counts_as_protobuf_has_it) {
  // SendIm twice is merged: the last id, the body of the first.
  auto twice = from_hex("0801 82010b 0a0131 12036240 78 1a0168 8201030a0132");
  wire::ClientFrame message;
  BOOST_REQUIRE(message.ParseFromString(twice));
  auto x = decode_client(twice, golden_origin());
  BOOST_REQUIRE(x);
  auto send = std::get<send_im>(std::get<numbered_request>(*x).what);
  BOOST_TEST(send.message->id.value == message.send().id());
  BOOST_TEST(send.message->id.value == "2");
  BOOST_TEST(send.message->body == "h");
  // Of two kinds the last counts.
  auto y = decode_client(from_hex("42020807 32020805"), golden_origin());
  BOOST_REQUIRE(y);
  BOOST_TEST(std::get<ping>(*y).nonce == 5u);
  auto z = decode_client(from_hex("32020805 42020807"), golden_origin());
  BOOST_REQUIRE(z);
  BOOST_TEST(std::get<ack>(*z).event.value == 7u);
}
