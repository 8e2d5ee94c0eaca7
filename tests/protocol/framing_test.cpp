
#include "protocol/framing.hpp"

#include "protocol/parley.pb.h"
#include "tests/protocol/golden.hpp"

#include <boost/test/unit_test.hpp>

#include <random>

using namespace parley;
using namespace parley::native;
using namespace parley::test;

namespace {

std::string framed(std::string_view content) {
  std::string out;
  append_length(out, content.size());
  return out.append(content);
}

std::vector<std::string> all_frames(frame_reader& in) {
  std::vector<std::string> x;
  for (;;) {
    auto frame = in.next();
    BOOST_REQUIRE(frame);
    if (!*frame)
      return x;
    x.emplace_back(**frame);
  }
}

} // namespace

BOOST_AUTO_TEST_CASE(the_magic_is_eight_bytes) {
  BOOST_TEST(to_hex(std::string{magic}) == "5041524c4559010a");
}

BOOST_AUTO_TEST_CASE(the_magic_is_known_byte_by_byte) {
  for (size_t n = 0; n < magic.size(); ++n)
    BOOST_TEST(match_magic(magic.substr(0, n)).value() == false);
  BOOST_TEST(match_magic(magic).value());
  BOOST_TEST(match_magic(std::string{magic} + "more").value());
}

BOOST_AUTO_TEST_CASE(a_wrong_byte_of_the_magic_is_refused_at_once) {
  for (size_t n = 0; n < magic.size(); ++n) {
    std::string x{magic.substr(0, n + 1)};
    x[n] ^= 1;
    auto y = match_magic(x);
    BOOST_REQUIRE(!y);
    BOOST_TEST((y.error().code == errc::bad_magic));
    BOOST_TEST(y.error().text.find("PARLEY") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(who_speaks_something_else_is_told_so) {
  auto text = [](std::string_view first) {
    return match_magic(first).error().text;
  };
  auto has = [](std::string x, std::string part) {
    return x.find(part) != x.npos;
  };
  BOOST_TEST(has(text("GET / HTTP/1.1\r\n"), "HTTP"));
  BOOST_TEST(has(text("POST / HTTP/1.1\r\n"), "HTTP"));
  // Not the P of the magic.
  BOOST_TEST(has(text("PUT / HTTP/1.1\r\n"), "HTTP"));
  BOOST_TEST(has(text("\x16\x03\x01\x02"), "TLS"));
  BOOST_TEST(has(text("<?xml version='1.0'?>"), "XMPP"));
  BOOST_TEST(!has(text("nothing known"), "seems to speak"));
}

BOOST_AUTO_TEST_CASE(frames_come_out_as_they_went_in) {
  auto bytes = framed("one") + framed("") + framed(std::string(1000, 'x'));
  frame_reader in;
  in.feed(bytes);
  std::vector<std::string> expected{"one", "", std::string(1000, 'x')};
  BOOST_TEST(all_frames(in) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(whole_frames_are_handed_out_where_they_lie) {
  auto bytes = framed("one") + framed("two");
  frame_reader in;
  in.feed(bytes);
  BOOST_TEST(static_cast<const void*>(in.next()->value().data())
    == static_cast<const void*>(bytes.data() + 4));
  BOOST_TEST(static_cast<const void*>(in.next()->value().data())
    == static_cast<const void*>(bytes.data() + 11));
  BOOST_TEST(in.memory() == 0u);
}

BOOST_AUTO_TEST_CASE(random_frames_cut_anywhere_come_out_as_they_went_in) {
  auto seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  BOOST_TEST_CONTEXT("seed " << seed) {
    std::mt19937 random{seed};
    auto below = [&](size_t n) { return random() % n; };
    for (int round = 0; round < 300; ++round) {
      std::vector<std::string> sent;
      std::string bytes;
      for (auto n = below(20); n > 0; --n) {
        auto& x = sent.emplace_back(below(4) ? below(30) : below(60'000), 'x');
        for (auto& c : x)
          c = static_cast<char>(below(256));
        bytes += framed(sent.back());
      }
      frame_reader in;
      std::vector<std::string> got;
      for (size_t at = 0; at < bytes.size();) {
        auto piece = bytes.substr(at, 1 + below(below(3) ? 300 : 40'000));
        at += piece.size();
        in.feed(piece);
        for (auto& x : all_frames(in))
          got.push_back(std::move(x));
      }
      BOOST_TEST(got == sent, boost::test_tools::per_element());
      BOOST_TEST(in.memory() == 0u);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_frame_stays_as_it_is_while_others_are_read) {
  frame_reader one;
  frame_reader other;
  const auto feed = [](frame_reader& to, char what) {
    const auto bytes = framed(std::string(100'000, what));
    to.feed(std::string_view{bytes}.substr(0, 60'000));
    BOOST_REQUIRE(!to.next()->has_value());
    to.feed(std::string_view{bytes}.substr(60'000));
    return to.next()->value();
  };
  for (int round = 0; round < 3; ++round) {
    const auto x = feed(one, 'x');
    const auto y = feed(other, 'y');
    BOOST_TEST((x == std::string(100'000, 'x')));
    BOOST_TEST((y == std::string(100'000, 'y')));
    BOOST_REQUIRE(!one.next()->has_value());
    BOOST_REQUIRE(!other.next()->has_value());
    BOOST_TEST(one.memory() == 0u);
  }
}

BOOST_AUTO_TEST_CASE(a_frame_of_the_greatest_length_is_taken) {
  frame_reader in;
  auto bytes = framed(std::string(defaults::frame_max, 'x'));
  in.feed(bytes);
  BOOST_TEST(in.next()->value().size() == defaults::frame_max);
}

BOOST_AUTO_TEST_CASE(a_longer_frame_is_refused_by_its_length_alone) {
  for (auto hex : {"00040001", "80000000", "ffffffff"}) {
    auto bytes = from_hex(hex);
    // Whole, and cut at every byte.
    for (size_t cut = 0; cut <= bytes.size(); ++cut) {
      frame_reader in;
      in.feed(std::string_view{bytes}.substr(0, cut));
      if (cut < bytes.size()) {
        BOOST_REQUIRE(in.next());
        in.feed(std::string_view{bytes}.substr(cut));
      }
      auto x = in.next();
      BOOST_REQUIRE(!x);
      BOOST_TEST((x.error().code == errc::frame_too_large));
      BOOST_TEST(x.error().limit.value_or(0) == defaults::frame_max);
      BOOST_TEST(x.error().value.value_or(0) == std::stoull(hex, nullptr, 16));
      // No way back.
      auto good = framed("good");
      in.feed(good);
      BOOST_TEST(!in.next());
    }
  }
}

BOOST_AUTO_TEST_CASE(memory_grows_with_what_came_not_with_what_was_announced) {
  std::string head;
  append_length(head, defaults::frame_max);
  frame_reader in;
  in.feed(head);
  BOOST_REQUIRE(!in.next()->has_value());
  BOOST_TEST(in.memory() <= 64u);
  std::string part(1000, 'x');
  in.feed(part);
  BOOST_REQUIRE(!in.next()->has_value());
  BOOST_TEST(in.memory() <= 4096u);
  for (size_t came = 2000; came < defaults::frame_max; came += 1000) {
    in.feed(part);
    BOOST_REQUIRE(!in.next()->has_value());
    BOOST_REQUIRE(in.memory() <= came + 2 * frame_reader::piece_bytes);
  }
}

BOOST_AUTO_TEST_CASE(a_message_is_appended_as_one_frame) {
  wire::ClientFrame x;
  x.mutable_ping()->set_nonce(7);
  std::string out = "-";
  append_frame(out, x);
  BOOST_TEST(to_hex(out) == "2d0000000432020807");
}
