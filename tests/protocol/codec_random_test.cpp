#include "protocol/codec.hpp"

#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>

#include <boost/test/unit_test.hpp>

#include "protocol/parley.pb.h"
#include "protocol/unicode.hpp"
#include "tests/protocol/golden.hpp"
#include "tests/protocol/values.hpp"

using namespace parley;
using namespace parley::native;
using namespace parley::test;

namespace {

std::string hex(std::string_view bytes) {
  std::string out;
  for (const unsigned char c : bytes)
    for (const auto digit : {c >> 4, c & 15})
      out += "0123456789abcdef"[digit];
  return out;
}

/// Runs `body` with a fresh source of values, whose seed is shown if it fails;
/// PARLEY_SEED takes it again.
template <class F>
void with_seed(F body) {
  const auto* given = std::getenv("PARLEY_SEED");
  const auto seed =
    given ? std::strtoul(given, nullptr, 10) : std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  BOOST_TEST_CONTEXT("seed " << seed) {
    maker make{seed};
    body(make);
  }
}

/// As a server decodes it: with the origin filled in.
shared<im> sent_im(maker& make) {
  auto x = make.im();
  x.from = golden_origin().from;
  x.sent_at = golden_origin().sent_at;
  x.receipts = make.below(2) == 0;
  return shared<im>{std::move(x)};
}

/// As a client decodes it: whether receipts were wanted is not told.
shared<im> received_im(maker& make) {
  auto x = make.im();
  x.from = make.address();
  x.sent_at =
    wall_time{std::chrono::milliseconds{static_cast<int64_t>(make.number())}};
  return shared<im>{std::move(x)};
}

std::vector<std::string> texts(maker& make) {
  std::vector<std::string> x(1 + make.below(5));
  for (auto& one : x)
    one = make.text(30);
  return x;
}

/// Of a broadcast: an empty one is refused.
std::vector<std::string> recipients(maker& make) {
  auto x = texts(make);
  for (auto& one : x)
    one += one.empty() ? "x" : "";
  return x;
}

std::vector<user_address> users(maker& make) {
  std::set<user_address> x;
  for (auto n = make.below(4); n > 0; --n)
    x.insert(make.user());
  return {x.begin(), x.end()};
}

/// Sorted, and none that says nothing, as a server has them.
std::vector<std::pair<std::string, approval>> rules(maker& make) {
  std::map<std::string, approval> x;
  for (auto n = make.below(4); n > 0; --n)
    x["d" + std::to_string(make.below(1000)) + ".example"] =
      static_cast<approval>(1 + make.below(3));
  return {x.begin(), x.end()};
}

std::vector<std::string> groups(maker& make) {
  std::vector<std::string> x;
  for (uint64_t n = 0, all = make.below(5); n < all; ++n)
    x.push_back(make.text(20) + std::to_string(n));
  return x;
}

template <class T>
std::optional<T> maybe(maker& make, T x) {
  return make.below(2) == 0 ? std::nullopt : std::optional{std::move(x)};
}

request any_contacts_request(maker& make) {
  switch (make.below(9)) {
  case 0: {
    add_contacts x;
    for (auto& address : texts(make))
      x.contacts.push_back({address, make.text(60), groups(make)});
    return x;
  }
  case 1:
    return remove_contacts{texts(make)};
  case 2:
    return list_contacts{{make.number()}};
  case 3:
    return subscribe{make.user()};
  case 4:
    return unsubscribe{make.user()};
  case 5:
    return approve{make.user()};
  case 6:
    return deny{make.user()};
  case 7:
    return watch{make.user(), make.number()};
  default:
    return set_privacy{maybe(make, static_cast<approval>(make.below(3))),
      maybe(make, static_cast<sharing>(make.below(3))),
      maybe(make, users(make)), maybe(make, users(make)),
      maybe(make, rules(make))};
  }
}

contact_list any_contacts(maker& make) {
  contact_list x{{make.number()}, {make.number()}, {}, users(make)};
  for (auto n = make.below(4); n > 0; --n)
    x.contacts.push_back(
      {make.user(), make.text(30), groups(make), make.below(2) == 0,
        {static_cast<half>(make.below(3)), static_cast<half>(make.below(3))},
        make.below(2) == 0});
  return x;
}

privacy any_privacy(maker& make) {
  return {static_cast<approval>(make.below(3)),
    static_cast<sharing>(make.below(3)), users(make), users(make), rules(make)};
}

/// `request` is what an answer is to.
numbered_event any_contacts_event(maker& make, request_number request) {
  sequence number{make.number()};
  switch (make.below(9)) {
  case 0: {
    contacts_changed x{{}, {make.number()}};
    for (auto& address : texts(make))
      x.refused.push_back({address, make.failure(), make.user()});
    return {number, answer{request, std::move(x)}};
  }
  case 1:
    return {number, answer{request, any_contacts(make)}};
  case 2:
    return {number, answer{request, watching{make.number()}}};
  case 3:
    return {number, answer{request, any_privacy(make)}};
  case 4:
    return {{}, any_contacts(make)};
  case 5:
    return {{}, any_privacy(make)};
  case 6:
    return {{}, watch_ended{make.user()}};
  case 7:
    return {
      number, answer{request, refused_request{make.failure(), make.user()}}};
  default: {
    presence_notice x{make.address(), make.availability(),
      static_cast<show>(make.below(7)), make.text(40)};
    x.what.show = static_cast<show>(make.below(7));
    return {{}, presence_event{shared<presence_notice>{std::move(x)}}};
  }
  }
}

client_frame any_client_frame(maker& make) {
  request_number number{make.number() | 1};
  switch (make.below(16)) {
  case 0:
    return hello{static_cast<uint32_t>(make.number()),
      static_cast<uint32_t>(make.number()), make.number(), make.text(30)};
  case 1:
    return authenticate{make.text(20), make.octets(200), make.text(20),
      make.availability(), make.window()};
  case 2:
    return sasl_response{make.octets(200)};
  case 3:
    return resume_session{make.octets(20), sequence{make.number()}};
  case 4:
    return ping{make.number()};
  case 5:
    return pong{make.number()};
  case 6:
    return ack{sequence{make.number()}};
  case 7:
    return make.window();
  case 8:
    return numbered_request{{}, typing{{make.user(), {}}}};
  case 9:
    return numbered_request{number, send_im{sent_im(make), {make.user(), {}}}};
  case 10:
    return numbered_request{number, broadcast{sent_im(make), recipients(make)}};
  case 11:
    return numbered_request{number, set_availability{make.availability()}};
  case 12:
    return numbered_request{number, sign_out{}};
  default:
    return numbered_request{number, any_contacts_request(make)};
  }
}

server_frame any_event(maker& make) {
  numbered_event x;
  x.number.value = make.number();
  request_number request{make.number() | 1};
  switch (make.below(12)) {
  case 0:
    x.what = answer{request, make.failure()};
    break;
  case 1:
    x.what = answer{request, make.outcome()};
    break;
  case 2: {
    broadcast_outcomes all;
    for (auto& to : texts(make))
      all.outcomes.push_back({to, make.outcome()});
    x.what = answer{request, std::move(all)};
    break;
  }
  case 3:
    x.what = answer{request, done{}};
    break;
  case 4:
    x.what = incoming_im{received_im(make), make.address(), make.below(2) == 0};
    break;
  case 5:
    x.what = receipt{{make.text(30)}, make.address(),
      static_cast<receipt::kind>(make.below(3))};
    break;
  case 6:
    x.what = typing_notice{make.address()};
    break;
  case 7:
    x.what = policy_values{
      {{"a" + make.text(5), make.text(9)}, {"b" + make.text(5), make.text(9)}}};
    break;
  default:
    return any_contacts_event(make, request);
  }
  return x;
}

server_frame any_server_frame(maker& make) {
  switch (make.below(12)) {
  case 0:
    return welcome{static_cast<uint32_t>(make.number()), make.number(),
      make.text(20), make.text(20), texts(make), 1, 2, 3, 4};
  case 1:
    return sasl_challenge{make.octets(200)};
  case 2: {
    session_started x;
    x.what = {make.address(), make.octets(20), make.below(2) == 0,
      {make.number()}, make.window(), make.window(),
      std::chrono::milliseconds{make.below(1'000'000)},
      std::chrono::milliseconds{make.below(1'000'000)}};
    x.sasl = make.octets(100);
    return x;
  }
  case 3:
    return refusal{static_cast<error_scope>(make.below(3)), make.failure()};
  case 4:
    return going_away{std::chrono::milliseconds{make.below(1'000'000)}};
  case 5:
    return ping{make.number()};
  case 6:
    return make.window();
  default:
    return any_event(make);
  }
}

} // namespace

BOOST_AUTO_TEST_CASE(random_client_frames_survive_the_way) {
  with_seed([](maker& make) {
    for (int i = 0; i < 5'000; ++i) {
      auto x = any_client_frame(make);
      std::string out;
      BOOST_REQUIRE(encode_client(out, x));
      auto back =
        decode_client(std::string_view{out}.substr(4), golden_origin());
      BOOST_REQUIRE(back);
      BOOST_REQUIRE(same(*back, x));
      // Protobuf's own code writes the same bytes.
      wire::ClientFrame message;
      BOOST_REQUIRE(message.ParseFromString(out.substr(4)));
      std::string again;
      append_frame(again, message);
      BOOST_REQUIRE(again == out);
    }
  });
}

BOOST_AUTO_TEST_CASE(random_server_frames_survive_the_way) {
  with_seed([](maker& make) {
    for (int i = 0; i < 5'000; ++i) {
      auto x = any_server_frame(make);
      std::string out;
      encode_server(out, x);
      auto back = decode_server(std::string_view{out}.substr(4));
      BOOST_REQUIRE(back);
      BOOST_REQUIRE(same(*back, x));
      wire::ServerFrame message;
      BOOST_REQUIRE(message.ParseFromString(out.substr(4)));
      std::string again;
      append_frame(again, message);
      BOOST_REQUIRE(again.size() == out.size());
      // A map has no order of its own.
      if (!message.has_policy())
        BOOST_REQUIRE(again == out);
      if (auto event = std::get_if<numbered_event>(&x)) {
        std::string short_way;
        encode_event(short_way, event->number, event->what);
        BOOST_REQUIRE(short_way.size() == out.size());
        if (!message.has_policy())
          BOOST_REQUIRE(short_way == out);
      }
    }
  });
}

BOOST_AUTO_TEST_CASE(garbage_is_refused_or_decoded_and_nothing_else) {
  with_seed([](maker& make) {
    size_t refused = 0;
    for (int i = 0; i < 20'000; ++i) {
      auto bytes = make.octets(1 + make.below(100));
      if (auto x = decode_client(bytes, golden_origin()); !x) {
        BOOST_REQUIRE((x.error().code == errc::bad_frame));
        ++refused;
      }
      if (auto x = decode_server(bytes); !x)
        BOOST_REQUIRE((x.error().code == errc::bad_frame));
    }
    BOOST_TEST(refused > 1000u);
  });
}

BOOST_AUTO_TEST_CASE(damaged_frames_mean_the_same_to_protobuf_and_to_us) {
  with_seed([](maker& make) {
    for (int i = 0; i < 15'000; ++i) {
      std::string out;
      BOOST_REQUIRE(encode_client(out, any_client_frame(make)));
      auto bytes = out.substr(4);
      for (auto n = 1 + make.below(3); n > 0 && !bytes.empty(); --n)
        switch (auto at = make.below(bytes.size()); make.below(3)) {
        case 0:
          bytes[at] = static_cast<char>(make.number());
          break;
        case 1:
          bytes.erase(at, 1 + make.below(3));
          break;
        default:
          bytes.insert(at, make.octets(2));
        }
      wire::ClientFrame message;
      auto good = message.ParseFromString(bytes);
      auto x = decode_client(bytes, golden_origin());
      if (!good) {
        // Refused, or answered as text that is not UTF-8.
        auto request = x ? std::get_if<numbered_request>(&*x) : nullptr;
        BOOST_REQUIRE((!x || request));
        BOOST_REQUIRE(
          (!request || std::holds_alternative<invalid_request>(request->what)));
        continue;
      }
      BOOST_REQUIRE(x);
      if (auto y = std::get_if<ack>(&*x))
        BOOST_REQUIRE(y->event.value == message.ack().event());
      auto request = std::get_if<numbered_request>(&*x);
      auto send = request ? std::get_if<send_im>(&request->what) : nullptr;
      if (send) {
        BOOST_REQUIRE(request->number.value == message.request());
        BOOST_REQUIRE(send->message->id.value == message.send().id());
        BOOST_REQUIRE(send->message->body == message.send().body());
        BOOST_REQUIRE(send->message->receipts == message.send().receipts());
        BOOST_REQUIRE(static_cast<int>(send->message->payloads.size())
          == message.send().payloads_size());
      }
    }
  });
}

/// A field of bytes, of less than 128 of them.
std::string block(int field, std::string_view bytes) {
  std::string out;
  for (unsigned tag = static_cast<unsigned>(field) << 3 | 2;; tag >>= 7) {
    out += static_cast<char>(tag < 0x80 ? tag : tag | 0x80);
    if (tag < 0x80)
      break;
  }
  out += static_cast<char>(bytes.size());
  return out.append(bytes);
}

BOOST_AUTO_TEST_CASE(a_text_that_comes_twice_is_looked_at_both_times) {
  const auto twice = [](int field) {
    return block(field, "\xff") + block(field, "x");
  };
  for (const int field : {wire::SendIm::kIdFieldNumber,
         wire::SendIm::kToFieldNumber, wire::SendIm::kBodyFieldNumber}) {
    const auto bytes = block(wire::ClientFrame::kSendFieldNumber, twice(field));
    BOOST_TEST(!wire::ClientFrame{}.ParseFromString(bytes));
    const auto x = decode_client(bytes, golden_origin());
    const auto* request = x ? std::get_if<numbered_request>(&*x) : nullptr;
    BOOST_TEST((!request || !std::holds_alternative<send_im>(request->what)));
  }
  for (const int field : {wire::Im::kFromFieldNumber, wire::Im::kToFieldNumber,
         wire::Im::kIdFieldNumber, wire::Im::kBodyFieldNumber}) {
    const auto bytes = block(wire::ServerFrame::kImFieldNumber, twice(field));
    BOOST_TEST(!wire::ServerFrame{}.ParseFromString(bytes));
    BOOST_TEST(!decode_server(bytes).has_value());
  }
}

BOOST_AUTO_TEST_CASE(
  damaged_server_frames_mean_the_same_to_protobuf_and_to_us) {
  with_seed([](maker& make) {
    for (int i = 0; i < 15'000; ++i) {
      std::string out;
      encode_server(out, any_event(make));
      auto bytes = out.substr(4);
      if (bytes.empty())
        continue;
      bytes[make.below(bytes.size())] = static_cast<char>(make.number());
      wire::ServerFrame message;
      auto good = message.ParseFromString(bytes);
      auto x = decode_server(bytes);
      BOOST_TEST_CONTEXT("frame " << hex(bytes))
      BOOST_REQUIRE(good == x.has_value());
      auto event = x ? std::get_if<numbered_event>(&*x) : nullptr;
      auto im = event ? std::get_if<incoming_im>(&event->what) : nullptr;
      if (im) {
        BOOST_REQUIRE(event->number.value == message.event());
        BOOST_REQUIRE(im->message->id.value == message.im().id());
        BOOST_REQUIRE(im->message->body == message.im().body());
        BOOST_REQUIRE(im->offline == message.im().offline());
      }
    }
  });
}

BOOST_AUTO_TEST_CASE(utf8_is_what_protobuf_takes_for_it) {
  with_seed([](maker& make) {
    size_t good = 0;
    for (int i = 0; i < 50'000; ++i) {
      auto text = make.text(6);
      if (make.below(3) && !text.empty())
        text[make.below(text.size())] = static_cast<char>(make.number());
      if (make.below(3) == 0)
        text = make.octets(4);
      wire::ServerFrame bytes;
      bytes.mutable_sasl_challenge()->set_data(text);
      // SaslChallenge.data and TypingNotice.from have the same number.
      wire::TypingNotice notice;
      auto taken =
        notice.ParseFromString(bytes.sasl_challenge().SerializeAsString());
      BOOST_REQUIRE(taken == is_utf8(text));
      good += taken;
    }
    BOOST_TEST(good > 1000u);
  });
  for (auto bad :
    {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe0\x80\x80",
      "\xf0\x80\x80\x80", "\xf8\x88\x80\x80\x80", "abcdefgh\x80"})
    BOOST_TEST(!is_utf8(bad));
  for (auto fine : {"", "abcdefghi", "\xed\x9f\xbf", "\xee\x80\x80",
         "\xf4\x8f\xbf\xbf", "abcdefg\xc3\xa4"})
    BOOST_TEST(is_utf8(fine));
}

BOOST_AUTO_TEST_CASE(text_is_cut_between_characters) {
  BOOST_TEST(first_bytes("abc", 2) == "ab");
  BOOST_TEST(first_bytes("abc", 3) == "abc");
  BOOST_TEST(first_bytes("abc", 9) == "abc");
  BOOST_TEST(first_bytes("a€b", 1) == "a");
  BOOST_TEST(first_bytes("a€b", 2) == "a€");
  BOOST_TEST(first_bytes("a€b", 3) == "a€");
}
