#include <boost/test/unit_test.hpp>

#include <cstdio>
#include <random>
#include <string>

#include "protocol/parley.pb.h"

#include "protocol/defaults.hpp"
#include "tests/protocol/connection_fixture.hpp"

using namespace parley;
using namespace parley::test;
using kind = dialogue::kind;

namespace {

std::string framed(std::string_view content) {
  std::string bytes;
  native::append_length(bytes, content.size());
  return bytes.append(content);
}

std::string framed(const wire::ClientFrame& x) {
  return framed(x.SerializeAsString());
}

enum class place { hello, sign_in, session };

/// A dialogue that has got so far.
dialogue& bring_to(dialogue& d, place p) {
  d.client.magic();
  if (p == place::sign_in)
    d.client.hello();
  d.pump();
  if (p == place::session) {
    d.client.hello();
    d.pump();
    d.client.authenticate("SCRAM-SHA-256", alice, alices_password);
    finish_exchange(d);
    BOOST_REQUIRE(d.server->in_session());
  }
  return d;
}

/// What a peer reads that sends `bytes` there and is thrown out.
failure farewell(place p, std::string_view bytes, kind k = kind::plain) {
  dialogue d{k};
  bring_to(d, p);
  d.client.raw(bytes);
  d.pump();
  BOOST_TEST(d.server->is_closed());
  BOOST_TEST((d.client.refused().scope == error_scope::connection));
  BOOST_TEST((d.owner.end->code == d.client.refused().why.code));
  return d.client.refused().why;
}

std::string text_of(const native::client_frame& what) {
  std::string bytes;
  BOOST_REQUIRE(native::encode_client(bytes, what).has_value());
  return bytes;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_wrong_magic_is_answered_with_what_was_expected) {
  const auto text_for = [](std::string_view bytes, size_t piece) {
    dialogue d;
    d.client.raw(bytes);
    d.pump(piece);
    BOOST_TEST(d.client.magic_seen);
    BOOST_TEST(d.server->is_closed());
    BOOST_TEST((d.client.refused().why.code == errc::bad_magic));
    BOOST_TEST((d.client.refused().scope == error_scope::connection));
    const auto text = d.client.refused().why.text;
    BOOST_TEST(text.find("PARLEY") != std::string::npos);
    return text;
  };
  const auto says = [](const std::string& text, std::string_view name) {
    return text.find(name) != std::string::npos;
  };
  BOOST_TEST(says(text_for("GET / HTTP/1.1\r\n\r\n", SIZE_MAX), "HTTP"));
  BOOST_TEST(
    says(text_for(std::string{"\x16\x03\x01\x02\0\x01\0\x01\xfc", 9}, SIZE_MAX),
      "TLS"));
  BOOST_TEST(says(text_for("<?xml version='1.0'?>", SIZE_MAX), "XMPP"));
  for (const size_t piece : {1u, 3u})
    text_for("GET / HTTP/1.1\r\n\r\n", piece);
  text_for(std::string{"PARLEY\x02\n", 8}, 1);
  text_for(std::string(3, '\0'), 1);
}

BOOST_AUTO_TEST_CASE(a_wrong_magic_within_tls_is_told_as_well) {
  dialogue d{kind::tls};
  d.client.raw("GET / HTTP/1.1\r\n\r\n");
  d.pump();
  BOOST_TEST((d.client.refused().why.code == errc::bad_magic));
  BOOST_TEST(d.client.tls->closed_by_peer());
}

BOOST_AUTO_TEST_CASE(a_plain_client_at_a_tls_port_is_told_what_was_expected) {
  for (const size_t piece : {1u, 4u, 8u, 1000u}) {
    dialogue d{kind::tls};
    const auto bytes = std::string{native::magic} + text_of(native::hello{});
    for (std::string_view rest = bytes; !rest.empty();) {
      d.to_server(rest.substr(0, piece));
      rest.remove_prefix(std::min(piece, rest.size()));
    }
    BOOST_REQUIRE(d.owner.end.has_value());
    BOOST_TEST((d.owner.end->code == errc::tls_failed));
    test_client plain;
    plain.receive(d.server->output());
    BOOST_TEST(plain.magic_seen);
    BOOST_TEST((plain.refused().scope == error_scope::connection));
    BOOST_TEST((plain.refused().why.code == errc::tls_failed));
    BOOST_TEST(plain.refused().why.text.find("TLS") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(others_at_a_tls_port_end_without_a_frame) {
  for (const std::string first : {"GET / HTTP/1.1\r\n\r\n", "PARTY", "P\n"})
    for (const size_t piece : {1u, 1000u}) {
      dialogue d{kind::tls};
      d.client.take();
      for (std::string_view rest = first; !rest.empty();) {
        d.to_server(rest.substr(0, piece));
        rest.remove_prefix(std::min(piece, rest.size()));
      }
      d.to_server("and so on, for as long as a TLS record's head is");
      BOOST_REQUIRE(d.owner.end.has_value());
      BOOST_TEST((d.owner.end->code == errc::tls_failed));
      BOOST_TEST(d.server->output().size() < 10u);
    }
}

BOOST_AUTO_TEST_CASE(versions_without_overlap_are_refused) {
  const std::pair<uint32_t, uint32_t> ranges[]{{2, 9}, {0, 0}, {3, 1}};
  for (const auto& [low, high] : ranges) {
    native::hello x;
    x.version_min = low;
    x.version_max = high;
    const auto why = farewell(place::hello, text_of(x));
    BOOST_TEST((why.code == errc::unsupported_version));
    BOOST_TEST(why.text.find('1') != std::string::npos);
  }
  dialogue d;
  bring_to(d, place::hello);
  native::hello newer;
  newer.version_max = 7;
  d.client.say(newer);
  d.pump();
  BOOST_TEST(d.client.last<native::welcome>()->version == 1u);
}

BOOST_AUTO_TEST_CASE(an_oversize_frame_is_refused_by_its_length) {
  for (const auto p : {place::hello, place::sign_in, place::session}) {
    const auto max =
      p == place::session ? defaults::frame_max : defaults::stranger_frame_max;
    std::string length;
    native::append_length(length, max + 1);
    const auto why = farewell(p, length);
    BOOST_TEST((why.code == errc::frame_too_large));
    BOOST_TEST(why.limit.value() == max);
    BOOST_TEST(why.value.value() == max + 1);
    BOOST_TEST((farewell(p, "\xff\xff\xff\xff").code == errc::frame_too_large));
  }
  // The largest is let in.
  dialogue d;
  bring_to(d, place::session);
  wire::ClientFrame x;
  x.set_request(1);
  x.mutable_send()->set_id("m1");
  x.mutable_send()->set_to("bob@example.org");
  x.mutable_send()->set_body(std::string(200'000, 'x'));
  d.client.raw(framed(x));
  d.pump();
  BOOST_TEST(d.owner.requests.size() == 1u);
}

BOOST_AUTO_TEST_CASE(garbage_in_a_frame_ends_the_connection_alone) {
  for (const auto p : {place::hello, place::sign_in, place::session})
    for (const auto k : {kind::plain, kind::tls}) {
      const auto why = farewell(p, framed("\x07\xff garbage"), k);
      BOOST_TEST((why.code == errc::bad_frame));
    }
}

BOOST_AUTO_TEST_CASE(who_is_not_signed_in_and_does_not_read_is_cut_off) {
  // What costs the sender least: six bytes a frame, 75 of an answer.
  wire::ClientFrame x;
  x.set_request(1);
  const auto frame = framed(x);
  BOOST_REQUIRE(frame.size() == 6u);
  std::string flood;
  for (int i = 0; i < 10'000; ++i)
    flood += frame;
  for (const auto k : {kind::plain, kind::tls})
    for (const auto p : {place::hello, place::sign_in}) {
      dialogue d{k};
      bring_to(d, p);
      d.client.raw(flood);
      d.to_server(d.client.take());
      BOOST_TEST(d.server->is_closed());
      BOOST_TEST((d.owner.end->code == errc::slow_consumer));
      BOOST_TEST(d.owner.end->limit.value() == defaults::stranger_output_max);
      BOOST_TEST(d.server->memory() < 3 * defaults::stranger_output_max);
    }
}

BOOST_AUTO_TEST_CASE(what_came_before_the_fault_is_taken) {
  dialogue d;
  bring_to(d, place::session);
  wire::ClientFrame x;
  x.set_request(1);
  x.mutable_send()->set_id("m1");
  x.mutable_send()->set_to("bob@example.org");
  x.mutable_send()->set_body("x");
  d.client.raw(framed(x) + framed("\x07\xff garbage") + framed(x));
  d.pump();
  BOOST_REQUIRE(d.owner.requests.size() == 1u);
  BOOST_TEST(d.owner.requests[0].size() == 1u);
  BOOST_TEST((d.owner.end->code == errc::bad_frame));
}

BOOST_AUTO_TEST_CASE(nothing_goes_before_hello_and_the_sign_in) {
  im message;
  message.id.value = "m1";
  message.body = "x";
  std::string send;
  BOOST_REQUIRE(
    native::encode_send(send, {1}, message, "bob@example.org").has_value());
  std::string typing;
  native::encode_typing(typing, "bob@example.org");
  for (const auto& bytes : {send, typing, text_of(native::ack{{1}}),
         text_of(window{1, 1}), text_of(numbered_request{{1}, sign_out{}}),
         text_of(native::sasl_response{"x"})})
    for (const auto p : {place::hello, place::sign_in}) {
      const auto why = farewell(p, bytes);
      BOOST_TEST((why.code == errc::not_signed_in));
    }
  native::authenticate early;
  early.mechanism = "SCRAM-SHA-256";
  BOOST_TEST(
    (farewell(place::hello, text_of(early)).code == errc::not_signed_in));
  BOOST_TEST(
    (farewell(place::hello, text_of(native::resume_session{"t", {}})).code
      == errc::not_signed_in));
  BOOST_TEST((farewell(place::hello, text_of(native::ping{1})).code
    == errc::not_signed_in));
}

BOOST_AUTO_TEST_CASE(hello_comes_once) {
  const auto hello = text_of(native::hello{});
  BOOST_TEST((farewell(place::sign_in, hello).code == errc::not_signed_in));
  BOOST_TEST((farewell(place::session, hello).code == errc::not_signed_in));
}

BOOST_AUTO_TEST_CASE(a_client_signs_in_once) {
  native::authenticate again;
  again.mechanism = "SCRAM-SHA-256";
  for (const auto& bytes : {text_of(again), text_of(native::sasl_response{"x"}),
         text_of(native::resume_session{"t", {}})}) {
    const auto why = farewell(place::session, bytes);
    BOOST_TEST((why.code == errc::bad_request));
    BOOST_TEST(why.text == "this client is signed in already");
  }
}

BOOST_AUTO_TEST_CASE(nothing_goes_while_the_sign_in_is_being_answered) {
  for (const bool at_session : {false, true}) {
    dialogue d;
    d.owner.answers_keys = at_session;
    d.owner.answers_session = false;
    bring_to(d, place::sign_in);
    d.client.authenticate("SCRAM-SHA-256", alice, alices_password);
    finish_exchange(d);
    d.client.authenticate("SCRAM-SHA-256", alice, alices_password);
    d.pump();
    BOOST_TEST((d.client.refused().why.code == errc::not_signed_in));
    BOOST_TEST(d.server->is_closed());
    d.server->keys_found(&alices_keys());
    d.server->accept(d.owner.grant);
    BOOST_TEST(!d.server->in_session());
  }
}

BOOST_AUTO_TEST_CASE(unknown_kinds_never_break_a_connection) {
  // Field 100, a message; with and without a number.
  const std::string unknown = "\xa2\x06\x02hi";
  wire::ClientFrame numbered;
  numbered.set_request(5);
  for (const auto p : {place::hello, place::sign_in, place::session}) {
    dialogue d;
    bring_to(d, p);
    d.client.raw(framed(unknown));
    d.client.raw(framed(""));
    d.pump();
    BOOST_TEST(!d.client.last<native::refusal>());
    d.client.raw(framed(numbered.SerializeAsString() + unknown));
    d.pump();
    BOOST_TEST(!d.server->is_closed());
    if (p == place::session) {
      BOOST_REQUIRE(d.owner.requests.size() == 1u);
      const auto& x = d.owner.requests[0][0];
      BOOST_TEST(x.number.value == 5u);
      BOOST_TEST(
        (std::get<invalid_request>(x.what).why.code == errc::unknown_request));
    } else {
      const auto* x = d.client.last<native::numbered_event>();
      BOOST_REQUIRE(x);
      BOOST_TEST(x->number.value == 0u);
      const auto& said = std::get<answer>(x->what);
      BOOST_TEST(said.to.value == 5u);
      BOOST_TEST((std::get<failure>(said.what).code == errc::unknown_request));
    }
  }
  // Unknown fields within known messages.
  dialogue d;
  bring_to(d, place::hello);
  wire::ClientFrame hello;
  hello.mutable_hello()->set_version_min(1);
  hello.mutable_hello()->set_version_max(1);
  d.client.raw(framed(hello.SerializeAsString() + unknown));
  d.pump();
  BOOST_TEST(d.client.last<native::welcome>());
}

BOOST_AUTO_TEST_CASE(text_that_is_not_utf8_refuses_its_request_alone) {
  wire::ClientFrame x;
  x.set_request(9);
  x.mutable_send()->set_id("m1");
  x.mutable_send()->set_to("bob@example.org");
  x.mutable_send()->set_body("abcde");
  auto bytes = x.SerializeAsString();
  bytes[bytes.find("abcde")] = '\xff';
  dialogue d;
  bring_to(d, place::session);
  d.client.raw(framed(bytes));
  d.pump();
  BOOST_REQUIRE(d.owner.requests.size() == 1u);
  BOOST_TEST(d.owner.requests[0][0].number.value == 9u);
  const auto& why = std::get<invalid_request>(d.owner.requests[0][0].what).why;
  BOOST_TEST((why.code == errc::bad_request));
  BOOST_TEST(why.text.find("UTF-8") != std::string::npos);
  // In a hello: refused, and it may be said again.
  dialogue early;
  bring_to(early, place::hello);
  wire::ClientFrame hello;
  hello.mutable_hello()->set_version_max(1);
  hello.mutable_hello()->set_software("abcde");
  auto broken = hello.SerializeAsString();
  broken[broken.find("abcde")] = '\xff';
  early.client.raw(framed(broken));
  early.pump();
  BOOST_TEST((early.client.refused().why.code == errc::bad_request));
  BOOST_TEST((early.client.refused().scope == error_scope::request));
  early.client.hello();
  early.pump();
  BOOST_TEST(early.client.last<native::welcome>());
}

BOOST_AUTO_TEST_CASE(a_request_without_a_number_is_refused_outside_the_stream) {
  wire::ClientFrame x;
  x.mutable_send()->set_id("m1");
  x.mutable_send()->set_to("bob@example.org");
  x.mutable_send()->set_body("x");
  dialogue d;
  bring_to(d, place::session);
  d.client.raw(framed(x));
  d.pump();
  BOOST_TEST(d.owner.requests.empty());
  BOOST_TEST((d.client.refused().why.code == errc::bad_request));
  BOOST_TEST((d.client.refused().scope == error_scope::request));
  BOOST_TEST(!d.server->is_closed());
}

BOOST_AUTO_TEST_CASE(what_was_never_sent_cannot_be_acknowledged) {
  dialogue d;
  bring_to(d, place::session);
  d.server->send({1}, answer{{1}, done{}});
  d.client.say(native::ack{{1}});
  d.pump();
  BOOST_TEST(d.owner.acks.size() == 1u);
  d.client.say(native::ack{{2}});
  d.pump();
  BOOST_TEST((d.client.refused().why.code == errc::bad_request));
  BOOST_TEST((d.client.refused().scope == error_scope::connection));
  BOOST_TEST(d.owner.acks.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_long_name_of_the_software_is_cut) {
  dialogue d;
  bring_to(d, place::hello);
  native::hello x;
  for (int i = 0; i < 1000; ++i)
    x.software += "\xc3\xa4";
  d.client.say(x);
  d.pump();
  d.client.authenticate("SCRAM-SHA-256", alice, alices_password);
  finish_exchange(d);
  BOOST_TEST(d.owner.wish->software.size() <= defaults::software_max + 3);
}

BOOST_AUTO_TEST_CASE(random_bytes_harm_nobody_at_any_stage) {
  const auto seed = std::random_device{}();
  std::printf("seed %u\n", seed);
  std::mt19937 random{seed};
  const auto pick = [&](size_t n) { return random() % n; };
  // Real frames, to be damaged.
  std::vector<std::string> seeds{text_of(native::hello{}),
    text_of(native::ping{3}), text_of(native::ack{{1}}),
    text_of(window{3, 300}), text_of(native::sasl_response{"c=biws,r=x,p=y"}),
    text_of(native::resume_session{"token", {1}}),
    text_of(numbered_request{{1}, sign_out{}}),
    text_of(numbered_request{{2}, set_availability{{show::xa, "s", 3}}})};
  native::authenticate a;
  a.mechanism = "SCRAM-SHA-256";
  a.initial = "n,,n=alice,r=abcdef";
  seeds.push_back(text_of(a));
  im message;
  message.id.value = "m1";
  message.body = "hello";
  std::string send;
  BOOST_REQUIRE(
    native::encode_send(send, {3}, message, "bob@example.org").has_value());
  seeds.push_back(send);
  std::string parts;
  BOOST_REQUIRE(native::encode_broadcast(
    parts, {4}, message, {"bob@example.org", "carol@example.org"})
                  .has_value());
  seeds.push_back(parts);
  for (int round = 0; round < 10'000; ++round) {
    const auto p = static_cast<place>(pick(3));
    dialogue d;
    d.client.magic();
    if (p != place::hello)
      d.client.hello();
    d.pump();
    if (p == place::session) {
      // By resume: no keys are derived.
      d.client.say(native::resume_session{"token", {}});
      d.pump();
    }
    d.owner.answers_keys = pick(2);
    d.owner.answers_session = pick(2);
    std::string bytes;
    for (auto n = pick(6); n > 0; --n) {
      auto x = seeds[pick(seeds.size())];
      for (auto flips = pick(3); flips > 0; --flips)
        x[pick(x.size())] = static_cast<char>(random());
      bytes += x;
    }
    for (auto n = pick(3) ? 0 : pick(40); n > 0; --n)
      bytes += static_cast<char>(random());
    const size_t piece = pick(2) ? 1 + pick(30) : SIZE_MAX;
    for (std::string_view rest = bytes; !rest.empty();) {
      d.to_server(rest.substr(0, piece));
      rest.remove_prefix(std::min(piece, rest.size()));
    }
    d.server->keys_found(nullptr);
    d.server->refuse(failure{errc::resume_failed});
    d.server->tick(d.now + std::chrono::seconds{1});
    // The peer reads frames to the very end.
    BOOST_TEST_INFO("seed " << seed);
    d.to_client();
    BOOST_TEST_REQUIRE(d.server->memory() < 1'000'000u);
    if (!d.server->is_closed())
      d.server->disconnected();
    BOOST_TEST_REQUIRE(d.owner.count("closed") == 1u);
  }
}
