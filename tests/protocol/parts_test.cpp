
#include "protocol/parts.hpp"

#include "tests/protocol/golden.hpp"
#include "tests/protocol/values.hpp"

#include <boost/test/unit_test.hpp>

using namespace parley;
using namespace parley::native;
using namespace parley::test;

namespace {

im message() {
  im x;
  x.id.value = "b1";
  x.body = "all";
  return x;
}

std::vector<std::string> recipients(size_t n) {
  std::vector<std::string> x;
  for (size_t i = 0; i < n; ++i)
    x.push_back("user" + std::to_string(i) + "@example.org");
  return x;
}

/// What the server makes of these frames of a client.
std::vector<numbered_request> requests(const std::vector<std::string>& frames) {
  request_assembler parts;
  std::vector<numbered_request> out;
  for (auto& frame : frames) {
    auto x = decode_client(frame, golden_origin());
    BOOST_REQUIRE(x);
    if (auto request = std::get_if<numbered_request>(&*x))
      parts.add(std::move(*request), out);
    else
      parts.add(std::get<request_part>(std::move(*x)), out);
  }
  BOOST_TEST(parts.memory() == 0u);
  return out;
}

std::vector<std::string> broadcast_frames(uint64_t number, size_t n) {
  std::string out;
  BOOST_REQUIRE(encode_broadcast(out, {number}, message(), recipients(n)));
  return frames_in(out);
}

std::string one_frame(const client_frame& x) {
  std::string out;
  BOOST_REQUIRE(encode_client(out, x));
  return out.substr(4);
}

std::string other_request(uint64_t number) {
  return one_frame(numbered_request{{number}, set_availability{}});
}

std::string part_frame(uint64_t number, uint32_t part, bool more,
  std::vector<std::string> to = {"x@example.org"}) {
  request_part x{{number}, part, more, broadcast{{}, std::move(to)}, {}};
  if (part == 0)
    std::get<broadcast>(x.what).message = shared<im>{message()};
  return one_frame(x);
}

void check_refused(
  const numbered_request& x, uint64_t number, errc code = errc::bad_request) {
  BOOST_TEST(x.number.value == number);
  auto why = std::get_if<invalid_request>(&x.what);
  BOOST_REQUIRE(why);
  BOOST_TEST(to_string(why->why.code) == to_string(code));
}

void check_whole(const numbered_request& x, uint64_t number, size_t n) {
  BOOST_TEST(x.number.value == number);
  auto what = std::get_if<broadcast>(&x.what);
  BOOST_REQUIRE(what);
  BOOST_TEST(what->message->id.value == "b1");
  BOOST_TEST(what->message->body == "all");
  BOOST_TEST(what->message->from.str() == golden_origin().from.str());
  BOOST_TEST(what->to == recipients(n), boost::test_tools::per_element());
}

} // namespace

BOOST_AUTO_TEST_CASE(a_short_broadcast_is_one_frame_without_parts) {
  auto frames = broadcast_frames(3, 1000);
  BOOST_TEST(frames.size() == 1u);
  auto out = requests(frames);
  BOOST_REQUIRE_EQUAL(out.size(), 1u);
  check_whole(out[0], 3, 1000);
}

BOOST_AUTO_TEST_CASE(a_long_broadcast_is_cut_and_put_together_again) {
  auto frames = broadcast_frames(3, 30'000);
  BOOST_TEST(frames.size() > 2u);
  for (auto& frame : frames)
    BOOST_TEST(frame.size() <= defaults::frame_max);
  auto out = requests(frames);
  BOOST_REQUIRE_EQUAL(out.size(), 1u);
  check_whole(out[0], 3, 30'000);
}

BOOST_AUTO_TEST_CASE(
  a_body_that_fills_a_frame_leaves_the_list_to_further_parts) {
  auto x = message();
  x.body = std::string(defaults::im_content_max - 2, 'b');
  std::string bytes;
  BOOST_REQUIRE(encode_broadcast(bytes, {3}, x, recipients(10'000)));
  auto frames = frames_in(bytes);
  for (auto& frame : frames)
    BOOST_TEST(frame.size() <= defaults::frame_max);
  auto out = requests(frames);
  BOOST_REQUIRE_EQUAL(out.size(), 1u);
  auto& what = std::get<broadcast>(out[0].what);
  BOOST_TEST(what.message->body.size() == x.body.size());
  BOOST_TEST(what.to.size() == 10'000u);
}

BOOST_AUTO_TEST_CASE(what_has_no_number_may_come_between_parts) {
  auto frames = broadcast_frames(3, 30'000);
  auto typing_frame =
    one_frame(numbered_request{{}, typing{*address::parse("bob@x")}});
  frames.insert(frames.begin() + 1, typing_frame);
  auto out = requests(frames);
  BOOST_REQUIRE_EQUAL(out.size(), 2u);
  check_whole(out[1], 3, 30'000);
}

BOOST_AUTO_TEST_CASE(a_request_between_parts_refuses_the_broadcast_once) {
  auto frames = broadcast_frames(3, 30'000);
  frames.insert(frames.begin() + 1, other_request(4));
  auto out = requests(frames);
  BOOST_REQUIRE_GE(out.size(), 2u);
  check_refused(out[0], 3);
  BOOST_TEST(out[1].number.value == 4u);
}

BOOST_AUTO_TEST_CASE(another_broadcast_between_parts_refuses_the_first) {
  auto out = requests({part_frame(3, 0, true), part_frame(4, 0, true),
    part_frame(4, 1, false), other_request(5)});
  BOOST_REQUIRE_EQUAL(out.size(), 3u);
  check_refused(out[0], 3);
  BOOST_TEST(std::get<broadcast>(out[1].what).to.size() == 2u);
  BOOST_TEST(out[2].number.value == 5u);
}

BOOST_AUTO_TEST_CASE(parts_out_of_order_refuse_the_broadcast_once) {
  // One left out, one twice, the first twice, no first.
  for (auto& order : {std::vector{0, 2, 3}, std::vector{0, 1, 1, 2, 3},
         std::vector{0, 0, 1, 2, 3}, std::vector{1, 2, 3}}) {
    std::vector<std::string> frames;
    for (auto part : order)
      frames.push_back(part_frame(3, static_cast<uint32_t>(part), part != 3));
    auto out = requests(frames);
    BOOST_REQUIRE_EQUAL(out.size(), 1u);
    check_refused(out[0], 3);
  }
}

BOOST_AUTO_TEST_CASE(a_part_that_is_not_allowed_refuses_the_broadcast_once) {
  auto bad = message();
  bad.id.value = "";
  auto first = one_frame(request_part{
    {3}, 0, true, broadcast{shared<im>{bad}, {"x@example.org"}}, {}});
  auto out = requests(
    {first, part_frame(3, 1, true), part_frame(3, 2, false), other_request(4)});
  BOOST_REQUIRE_EQUAL(out.size(), 2u);
  check_refused(out[0], 3);
}

BOOST_AUTO_TEST_CASE(a_part_that_is_no_utf8_refuses_the_broadcast_once) {
  auto bad = part_frame(3, 1, true, {"\xff@example.org"});
  for (auto& frames :
    {std::vector{part_frame(3, 0, true), bad, part_frame(3, 2, false)},
      std::vector{part_frame(3, 0, true, {"\xff"}), part_frame(3, 1, false)}}) {
    auto out = requests(frames);
    BOOST_REQUIRE_EQUAL(out.size(), 1u);
    check_refused(out[0], 3);
  }
}

BOOST_AUTO_TEST_CASE(a_broadcast_needs_a_recipient) {
  auto out =
    requests({part_frame(3, 0, true, {}), part_frame(3, 1, false, {})});
  BOOST_REQUIRE_EQUAL(out.size(), 1u);
  check_refused(out[0], 3);
  std::string bytes;
  BOOST_REQUIRE(encode_broadcast(bytes, {4}, message(), {}));
  out = requests(frames_in(bytes));
  BOOST_REQUIRE_EQUAL(out.size(), 1u);
  check_refused(out[0], 4);
}

BOOST_AUTO_TEST_CASE(too_many_recipients_are_put_together_no_further) {
  std::vector<std::string> frames;
  std::vector<std::string> many(defaults::broadcast_recipients_max / 4, "x@y");
  for (uint32_t part = 0; part < 5; ++part)
    frames.push_back(part_frame(3, part, part < 4, many));
  auto out = requests(frames);
  BOOST_REQUIRE_EQUAL(out.size(), 1u);
  check_refused(out[0], 3, errc::too_many_recipients);
  auto& why = std::get<invalid_request>(out[0].what).why;
  BOOST_TEST(why.limit.value_or(0) == defaults::broadcast_recipients_max);
  BOOST_TEST(why.value.value_or(0) == many.size() * 5);
  frames.back() = part_frame(3, 3, false, many);
  frames.erase(frames.end() - 2);
  out = requests(frames);
  BOOST_REQUIRE_EQUAL(out.size(), 1u);
  BOOST_TEST(std::get<broadcast>(out[0].what).to.size()
    == defaults::broadcast_recipients_max);
}

BOOST_AUTO_TEST_CASE(parts_without_end_are_bounded_in_bytes) {
  request_assembler parts;
  std::vector<numbered_request> out;
  std::vector<std::string> long_ones(
    60, std::string(defaults::address_text_max, 'x'));
  for (uint32_t part = 0; out.empty(); ++part) {
    auto x =
      decode_client(part_frame(3, part, true, long_ones), golden_origin());
    parts.add(std::get<request_part>(std::move(*x)), out);
    BOOST_REQUIRE(parts.memory() <= defaults::broadcast_bytes_max);
  }
  check_refused(out[0], 3, errc::too_large);
  BOOST_TEST(parts.memory() == 0u);
}

BOOST_AUTO_TEST_CASE(an_endless_recipient_is_cut_and_stays_no_address) {
  std::string filler;
  while (filler.size() < defaults::address_text_max)
    filler += "\u00ad";
  // What is cut off would have made it another user.
  auto out = requests({one_frame(numbered_request{{3},
    broadcast{shared<im>{message()}, {"bob@example.or" + filler + "g"}}})});
  BOOST_REQUIRE_EQUAL(out.size(), 1u);
  auto& to = std::get<broadcast>(out[0].what).to;
  BOOST_REQUIRE_EQUAL(to.size(), 1u);
  BOOST_TEST(to[0].size() > defaults::address_text_max);
  BOOST_TEST(to[0].size() <= defaults::address_text_max + 4);
  BOOST_TEST(!address::parse(to[0]).has_value());
}

BOOST_AUTO_TEST_CASE(the_answer_to_a_long_broadcast_comes_whole_to_the_client) {
  maker make{7};
  for (size_t n : {1u, 1000u, 20'000u}) {
    broadcast_outcomes all;
    for (auto& to : recipients(n))
      all.outcomes.push_back({to, make.outcome()});
    std::string bytes;
    encode_event(bytes, sequence{9}, answer{{3}, all});
    auto frames = frames_in(bytes);
    BOOST_TEST((frames.size() > 1) == (n == 20'000));
    answer_assembler parts;
    std::optional<numbered_event> whole;
    for (auto& frame : frames) {
      BOOST_TEST(frame.size() <= defaults::frame_max);
      auto x = decode_server(frame);
      BOOST_REQUIRE(x);
      BOOST_REQUIRE(!whole);
      if (auto event = std::get_if<numbered_event>(&*x)) {
        whole = *event;
        continue;
      }
      auto y = parts.add(std::get<answer_part>(std::move(*x)));
      BOOST_REQUIRE(y);
      whole = *y;
    }
    BOOST_REQUIRE(whole);
    BOOST_TEST(whole->number.value == 9u);
    BOOST_TEST(same(whole->what, event{answer{{3}, all}}));
  }
}

BOOST_AUTO_TEST_CASE(a_server_that_mixes_up_parts_is_refused) {
  answer_part first{sequence{9}, {3}, 0, true, {}};
  for (auto& second : {answer_part{sequence{9}, {3}, 2, false, {}},
         answer_part{sequence{9}, {4}, 1, false, {}},
         answer_part{sequence{8}, {3}, 1, false, {}},
         answer_part{sequence{9}, {3}, 0, false, {}}}) {
    answer_assembler parts;
    BOOST_REQUIRE(parts.add(first));
    BOOST_TEST(!parts.add(second));
  }
}
