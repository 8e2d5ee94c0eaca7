#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <vector>

#include "protocol/xmpp/websocket_frames.hpp"
#include "tests/xmpp/web_client.hpp"

using namespace parley::test;
using parley::xmpp::append_close;
using parley::xmpp::append_pong;
using parley::xmpp::append_text_start;
using parley::xmpp::close_code;
using parley::xmpp::frame_reader;

namespace {

struct web_reading {
  std::vector<std::string> messages;
  std::string unfinished;
  std::vector<std::string> pings;
  int closed = 0;
  int fault = 0;
  bool operator==(const web_reading&) const = default;
};

web_reading read_web(
  std::string_view all, size_t piece = SIZE_MAX, size_t max = 100'000) {
  frame_reader reader{max};
  std::array<char, 7> scratch{};
  web_reading x;
  while (!all.empty()) {
    auto bytes = all.substr(0, piece);
    all.remove_prefix(bytes.size());
    while (x.fault == 0) {
      const auto found = reader.next(bytes, scratch);
      if (!found) {
        x.fault = static_cast<int>(found.error().code);
      } else if (!*found) {
        BOOST_TEST(bytes.empty());
        break;
      } else if (const auto* t = std::get_if<frame_reader::text>(&**found)) {
        x.unfinished += t->piece;
        if (t->ends)
          x.messages.push_back(std::exchange(x.unfinished, {}));
      } else if (const auto* p = std::get_if<frame_reader::ping>(&**found)) {
        x.pings.push_back(p->payload);
      } else {
        x.closed =
          static_cast<int>(std::get<frame_reader::close>(**found).answer);
      }
    }
  }
  return x;
}

int fault_of(std::string_view bytes) {
  return read_web(bytes).fault;
}

std::string closing(std::string_view payload) {
  return web_frame(payload, 0x88);
}

} // namespace

BOOST_AUTO_TEST_SUITE(websocket_frames)

BOOST_AUTO_TEST_CASE(frames_read_the_same_wherever_they_are_cut) {
  const std::string all = web_frame("one") + web_frame("", 0x81)
    + web_frame("in ", 0x01) + web_frame("are you there", 0x89)
    + web_frame("", 0x00) + web_frame("three", 0x00) + web_frame(" parts", 0x80)
    + web_frame("nobody asked", 0x8a) + web_frame(std::string(300, 'x'))
    + web_frame(std::string(70'000, 'y')) + closing("\x03\xe8 bye")
    + web_frame("behind the end");
  const auto whole = read_web(all);
  BOOST_TEST(whole.messages.size() == 5u);
  BOOST_TEST(whole.messages[0] == "one");
  BOOST_TEST(whole.messages[1] == "");
  BOOST_TEST(whole.messages[2] == "in three parts");
  BOOST_TEST(whole.messages[3] == std::string(300, 'x'));
  BOOST_TEST(whole.messages[4] == std::string(70'000, 'y'));
  BOOST_TEST(whole.pings.size() == 1u);
  BOOST_TEST(whole.pings[0] == "are you there");
  BOOST_TEST(whole.closed == 1000);
  BOOST_TEST(whole.fault == 0);
  for (size_t piece : {1, 2, 3, 5, 7, 11, 125, 4096})
    BOOST_TEST((read_web(all, piece) == whole));
  // Cut in two at every byte of the small ones.
  const std::string_view few = std::string_view{all}.substr(0, 130);
  const auto expected = read_web(few);
  for (size_t cut = 1; cut < few.size(); ++cut) {
    frame_reader reader{1000};
    std::array<char, 64> scratch{};
    size_t texts = 0;
    for (auto bytes : {few.substr(0, cut), few.substr(cut)})
      for (auto found = reader.next(bytes, scratch); found && *found;
           found = reader.next(bytes, scratch))
        if (const auto* t = std::get_if<frame_reader::text>(&**found))
          texts += t->ends;
    BOOST_TEST(texts == expected.messages.size());
  }
}

BOOST_AUTO_TEST_CASE(small_fragments_go_on_together) {
  std::string all = web_frame("0", 0x01);
  for (const char c : std::string_view{"12345678"})
    all += web_frame({&c, 1}, 0x00);
  all += web_frame("ping", 0x89) + web_frame("9", 0x80);
  frame_reader reader{1000};
  std::array<char, 64> scratch{};
  std::string_view bytes{all};
  auto found = reader.next(bytes, scratch);
  BOOST_REQUIRE((found && *found));
  BOOST_TEST(std::get<frame_reader::text>(**found).piece == "012345678");
  BOOST_TEST(!std::get<frame_reader::text>(**found).ends);
  found = reader.next(bytes, scratch);
  BOOST_REQUIRE((found && *found));
  BOOST_TEST(std::get<frame_reader::ping>(**found).payload == "ping");
  found = reader.next(bytes, scratch);
  BOOST_REQUIRE((found && *found));
  BOOST_TEST(std::get<frame_reader::text>(**found).piece == "9");
  BOOST_TEST(std::get<frame_reader::text>(**found).ends);
  // What came before a fault is told before it.
  all = web_frame("a", 0x01) + web_frame("b", 0x00) + web_frame("c", 0x02);
  bytes = all;
  found = reader.next(bytes, scratch);
  BOOST_REQUIRE((found && *found));
  BOOST_TEST(std::get<frame_reader::text>(**found).piece == "ab");
  found = reader.next(bytes, scratch);
  BOOST_REQUIRE(!found);
  BOOST_TEST(static_cast<int>(found.error().code) == 1003);
}

BOOST_AUTO_TEST_CASE(what_a_client_does_not_mask_is_refused) {
  BOOST_TEST(fault_of("\x81\x03one") == 1002);
  BOOST_TEST(fault_of("\x89\x01x") == 1002);
}

BOOST_AUTO_TEST_CASE(there_are_no_other_opcodes_and_no_extensions) {
  for (unsigned opcode : {3, 4, 5, 6, 7, 0xb, 0xc, 0xd, 0xe, 0xf})
    BOOST_TEST(fault_of(web_frame("x", 0x80 | opcode)) == 1002);
  for (unsigned reserved : {0x40, 0x20, 0x10})
    BOOST_TEST(fault_of(web_frame("x", 0x81 | reserved)) == 1002);
}

BOOST_AUTO_TEST_CASE(binary_messages_are_no_xmpp) {
  BOOST_TEST(fault_of(web_frame("<presence/>", 0x82)) == 1003);
}

BOOST_AUTO_TEST_CASE(a_message_continues_what_has_begun_and_nothing_else) {
  BOOST_TEST(fault_of(web_frame("x", 0x80)) == 1002);
  BOOST_TEST(fault_of(web_frame("x", 0x00)) == 1002);
  BOOST_TEST(fault_of(web_frame("x", 0x01) + web_frame("y", 0x81)) == 1002);
  BOOST_TEST(fault_of(web_frame("x") + web_frame("y", 0x80)) == 1002);
}

BOOST_AUTO_TEST_CASE(control_frames_are_whole_and_short) {
  BOOST_TEST(fault_of(web_frame("x", 0x09)) == 1002);
  BOOST_TEST(fault_of(web_frame(std::string(126, 'x'), 0x89)) == 1002);
  BOOST_TEST(fault_of(web_frame(std::string(125, 'x'), 0x89)) == 0);
}

BOOST_AUTO_TEST_CASE(a_length_is_as_short_as_it_can_be) {
  constexpr std::string_view mask{"\0\0\0\0", 4};
  const auto frame = [&](std::string_view start, size_t n) {
    return std::string{start} + std::string{mask} + std::string(n, 'x');
  };
  BOOST_TEST(fault_of(frame({"\x81\xfe\0\x7e", 4}, 126)) == 0);
  BOOST_TEST(fault_of(frame({"\x81\xfe\0\x7d", 4}, 125)) == 1002);
  BOOST_TEST(
    fault_of(frame({"\x81\xff\0\0\0\0\0\0\xff\xff", 10}, 65535)) == 1002);
}

BOOST_AUTO_TEST_CASE(a_message_that_will_be_too_long_is_refused_at_its_header) {
  const auto long_one = web_frame(std::string(65'536, 'x'));
  BOOST_TEST(read_web(long_one, 3, 65'536).fault == 0);
  BOOST_TEST(read_web(std::string_view{long_one}.substr(0, 14), 3, 65'535).fault
    == 1009);
  // Of all its frames together; the next message begins anew.
  const auto two = web_frame("12345", 0x01) + web_frame("12345", 0x80);
  BOOST_TEST(read_web(two + two, 3, 10).fault == 0);
  BOOST_TEST(read_web(two, 3, 9).fault == 1009);
  // No number is too great to be judged.
  for (const auto* length :
    {"\x7f\xff\xff\xff\xff\xff\xff\xff", "\xff\xff\xff\xff\xff\xff\xff\xff"})
    BOOST_TEST(fault_of("\x81\xff" + std::string{length} + "mask") == 1009);
}

BOOST_AUTO_TEST_CASE(a_close_is_answered_by_what_it_is_worth) {
  BOOST_TEST(read_web(closing("")).closed == 1000);
  BOOST_TEST(read_web(closing("\x03\xe9")).closed == 1000);
  BOOST_TEST(read_web(closing("\x0f\xa0own")).closed == 1000);
  BOOST_TEST(read_web(closing("x")).closed == 1002);
  BOOST_TEST(read_web(closing({"\0\0", 2})).closed == 1002);
  BOOST_TEST(read_web(closing("\x03\xed")).closed == 1002); // 1005
  BOOST_TEST(read_web(closing("\x13\x88")).closed == 1002); // 5000
  BOOST_TEST(read_web(closing("\x03\xe8\xff")).closed == 1007);
}

BOOST_AUTO_TEST_CASE(nothing_is_held_between_frames) {
  frame_reader reader{100};
  std::array<char, 64> scratch{};
  const auto frames =
    web_frame(std::string(100, 'p'), 0x89) + web_frame("text");
  std::string_view bytes = frames;
  while (!bytes.empty()) {
    auto one = bytes.substr(0, 1);
    bytes.remove_prefix(1);
    BOOST_TEST(reader.next(one, scratch).has_value());
    BOOST_TEST(reader.memory() <= 250u);
  }
  BOOST_TEST(reader.memory() == 0u);
}

BOOST_AUTO_TEST_CASE(what_is_written_has_its_length_in_front) {
  for (size_t n : {0, 1, 125, 126, 65'535, 65'536}) {
    std::string out;
    append_text_start(out, n);
    out += std::string(n, 'x');
    append_pong(out, "here");
    append_close(out, close_code::too_big);
    const auto all = web_messages(out);
    BOOST_TEST(all.size() == 3u);
    BOOST_TEST((all[0] == web_message{1, std::string(n, 'x')}));
    BOOST_TEST((all[1] == web_message{0xa, "here"}));
    BOOST_TEST((all[2] == web_message{8, "\x03\xf1"}));
  }
}

BOOST_AUTO_TEST_SUITE_END()
