#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

#include "protocol/defaults.hpp"
#include "tests/protocol/connection_fixture.hpp"

using namespace parley;
using namespace parley::test;
using namespace std::chrono_literals;
using kind = dialogue::kind;

namespace {

std::vector<uint64_t> numbers(const std::vector<numbered_request>& x) {
  std::vector<uint64_t> y;
  for (const auto& r : x)
    y.push_back(r.number.value);
  return y;
}

} // namespace

BOOST_AUTO_TEST_CASE(requests_of_one_read_come_in_one_call_in_order) {
  for (const auto k : {kind::plain, kind::tls}) {
    dialogue d{k};
    d.sign_in();
    for (uint64_t i = 1; i <= 5; ++i)
      d.client.raw(send_bytes(i, "m" + std::to_string(i)));
    d.client.say(numbered_request{{6}, set_availability{{show::dnd, "", 1}}});
    d.client.say(numbered_request{{7}, sign_out{}});
    d.pump();
    BOOST_REQUIRE(d.owner.requests.size() == 1u);
    const std::vector<uint64_t> expected{1, 2, 3, 4, 5, 6, 7};
    BOOST_TEST(numbers(d.owner.requests[0]) == expected);
    const auto& first = std::get<send_im>(d.owner.requests[0][0].what);
    BOOST_TEST(first.message->id.value == "m1");
    BOOST_TEST(first.message->body == "hi");
    BOOST_TEST(first.message->from.str() == "alice@example.org/desk");
    BOOST_TEST((first.message->sent_at == d.wall));
    BOOST_TEST(first.to.str() == "bob@example.org");
  }
}

BOOST_AUTO_TEST_CASE(requests_survive_being_cut_at_every_byte) {
  std::string bytes;
  for (uint64_t i = 1; i <= 3; ++i)
    bytes += send_bytes(i, "id" + std::to_string(i), std::string(i * 7, 'x'));
  for (size_t at = 0; at <= bytes.size(); ++at) {
    dialogue d;
    d.sign_in();
    d.to_server(std::string_view{bytes}.substr(0, at));
    d.to_server(std::string_view{bytes}.substr(at));
    std::vector<uint64_t> all;
    for (const auto& batch : d.owner.requests)
      for (const auto number : numbers(batch))
        all.push_back(number);
    const std::vector<uint64_t> expected{1, 2, 3};
    BOOST_TEST(all == expected);
  }
}

BOOST_AUTO_TEST_CASE(acknowledgements_come_once_and_before_requests) {
  dialogue d;
  d.sign_in();
  for (uint64_t i = 1; i <= 9; ++i)
    d.server->send({i}, incoming("m" + std::to_string(i)));
  d.pump();
  d.owner.calls.clear();
  d.client.say(native::ack{{3}});
  d.client.raw(send_bytes(1, "a"));
  d.client.say(native::ack{{7}});
  d.client.say(native::ack{{5}});
  d.client.say(window{9, 900});
  d.client.say(window{10, 1000});
  d.client.raw(send_bytes(2, "b"));
  d.pump();
  const std::vector<std::string> expected{
    "acknowledged", "window_changed", "requests_received"};
  BOOST_TEST(d.owner.calls == expected);
  BOOST_TEST(d.owner.acks.size() == 1u);
  BOOST_TEST(d.owner.acks[0].value == 7u);
  BOOST_TEST((d.owner.windows[0] == window{10, 1000}));
}

BOOST_AUTO_TEST_CASE(events_reach_the_client_with_their_numbers) {
  for (const auto k : {kind::plain, kind::tls}) {
    dialogue d{k};
    d.sign_in();
    d.server->send({1}, answer{{1}, outcome{outcome::kind::stored, {}}});
    d.server->send({2}, incoming("m1"));
    d.server->send(
      {}, typing_notice{address::parse("bob@example.org").value()});
    d.server->send_window({0, 0});
    d.server->send_going_away(3s);
    const auto before = d.client.frames.size();
    d.pump();
    BOOST_TEST(d.client.frames.size() == before + 5);
    BOOST_TEST((*d.client.last<window>() == window{0, 0}));
    BOOST_TEST((d.client.last<native::going_away>()->come_back_after == 3s));
    const auto& second =
      std::get<native::numbered_event>(d.client.frames[before + 1]);
    BOOST_TEST(second.number.value == 2u);
    BOOST_TEST(std::get<incoming_im>(second.what).message->body == "hello");
    BOOST_TEST(!d.server->is_closed());
  }
}

BOOST_AUTO_TEST_CASE(output_is_told_of_once_until_it_was_taken) {
  for (const auto k : {kind::plain, kind::tls}) {
    dialogue d{k};
    d.sign_in();
    const auto before = d.owner.count("output_ready");
    d.server->send({1}, incoming("m1"));
    d.server->send({2}, incoming("m2"));
    BOOST_TEST(d.owner.count("output_ready") == before + 1);
    const auto size = d.server->output().size();
    d.server->written(size - 1);
    d.server->send({3}, incoming("m3"));
    BOOST_TEST(d.owner.count("output_ready") == before + 1);
    d.server->written(d.server->output().size());
    BOOST_TEST(d.server->output().empty());
    d.server->send({4}, incoming("m4"));
    BOOST_TEST(d.owner.count("output_ready") == before + 2);
  }
}

BOOST_AUTO_TEST_CASE(output_taken_in_small_pieces_arrives_whole) {
  for (const auto k : {kind::plain, kind::tls}) {
    dialogue d{k};
    d.sign_in();
    const auto before = d.client.frames.size();
    const std::string body(5'000, 'x');
    for (uint64_t i = 1; i <= 100; ++i)
      d.server->send({i}, incoming("m" + std::to_string(i), body));
    for (auto bytes = d.server->output(); !bytes.empty();
         bytes = d.server->output()) {
      const auto piece = std::min<size_t>(bytes.size(), 777);
      d.client.receive(bytes.substr(0, piece));
      d.server->written(piece);
    }
    BOOST_TEST(d.client.frames.size() == before + 100);
  }
}

BOOST_AUTO_TEST_CASE(a_batch_of_events_fills_tls_records) {
  dialogue d{kind::tls};
  d.sign_in();
  for (uint64_t i = 1; i <= 100; ++i)
    d.server->send({i}, incoming("m" + std::to_string(i)));
  const auto cipher = d.server->output().size();
  dialogue p;
  p.sign_in();
  for (uint64_t i = 1; i <= 100; ++i)
    p.server->send({i}, incoming("m" + std::to_string(i)));
  // One record: its header, type and tag.
  BOOST_TEST(cipher == p.server->output().size() + 5 + 1 + 16);
}

BOOST_AUTO_TEST_CASE(a_broadcast_in_parts_is_put_together) {
  dialogue d;
  d.sign_in();
  im x;
  x.id.value = "b1";
  x.body = "to all";
  std::vector<std::string> to;
  for (int i = 0; i < 20'000; ++i)
    to.push_back("user" + std::to_string(i) + "@example.org");
  std::string bytes;
  BOOST_REQUIRE(native::encode_broadcast(bytes, {1}, x, to).has_value());
  BOOST_TEST(bytes.size() > defaults::frame_max);
  d.client.raw(bytes);
  d.client.raw(send_bytes(2, "m2"));
  d.pump(10'000);
  std::vector<numbered_request> all;
  for (auto& batch : d.owner.requests)
    for (auto& request : batch)
      all.push_back(request);
  BOOST_REQUIRE(all.size() == 2u);
  BOOST_TEST((std::get<broadcast>(all[0].what).to == to));
  BOOST_TEST(std::get<broadcast>(all[0].what).message->from.str()
    == "alice@example.org/desk");
}

BOOST_AUTO_TEST_CASE(a_peer_that_does_not_read_is_cut_off) {
  for (const auto k : {kind::plain, kind::tls}) {
    dialogue d{k};
    d.sign_in();
    const std::string body(32'000, 'x');
    uint64_t i = 0;
    while (!d.server->is_closed() && i < 10'000) {
      ++i;
      d.server->send({i}, incoming("m" + std::to_string(i), body));
    }
    BOOST_TEST(i == defaults::output_max / 32'000);
    BOOST_TEST((d.owner.end->code == errc::slow_consumer));
    BOOST_TEST(d.owner.end->limit.value() == defaults::output_max);
    d.to_client();
    BOOST_TEST((d.client.refused().why.code == errc::slow_consumer));
    BOOST_TEST((d.client.refused().scope == error_scope::connection));
  }
}

BOOST_AUTO_TEST_CASE(a_flood_of_pings_is_bounded) {
  dialogue d;
  d.sign_in();
  std::string pings;
  for (int i = 0; i < 10'000; ++i)
    BOOST_REQUIRE(native::encode_client(pings, native::ping{~0ull}));
  for (int i = 0; i < 1'000 && !d.server->is_closed(); ++i)
    d.to_server(pings);
  BOOST_TEST(d.server->is_closed());
  BOOST_TEST((d.owner.end->code == errc::slow_consumer));
}

BOOST_AUTO_TEST_CASE(closing_tells_why_and_comes_once) {
  for (const auto k : {kind::plain, kind::tls}) {
    dialogue d{k};
    d.sign_in();
    d.server->send({1}, incoming("m1"));
    d.server->close(failure{errc::replaced, "elsewhere"}, error_scope::session);
    BOOST_TEST(d.server->is_closed());
    BOOST_TEST(!d.server->in_session());
    BOOST_TEST(d.owner.calls.back() == "closed");
    // Nothing more happens, whatever is called.
    d.server->close(failure{errc::kicked}, error_scope::session);
    d.server->disconnected();
    d.server->send({2}, incoming("m2"));
    d.server->send_window({1, 1});
    d.server->send_going_away(1s);
    d.server->probe(1s, d.now);
    d.server->accept(d.owner.grant);
    d.server->heartbeat_changed(1s);
    d.to_server(send_bytes(1, "late"));
    d.wait(1000s);
    BOOST_TEST(d.owner.count("closed") == 1u);
    BOOST_TEST(d.owner.requests.empty());
    d.to_client();
    BOOST_TEST((d.client.refused().scope == error_scope::session));
    BOOST_TEST((d.client.refused().why.code == errc::replaced));
    BOOST_TEST(d.client.refused().why.text == "elsewhere");
    BOOST_TEST(d.client.last<native::numbered_event>()->number.value == 1u);
    if (k == kind::tls)
      BOOST_TEST(d.client.tls->closed_by_peer());
  }
}

BOOST_AUTO_TEST_CASE(a_sign_out_is_told_by_its_answer_alone) {
  dialogue d;
  d.sign_in();
  d.server->send({1}, answer{{1}, done{}});
  d.server->close(failure{errc::signed_out}, error_scope::session);
  d.to_client();
  BOOST_TEST(!d.client.last<native::refusal>());
  BOOST_TEST(d.client.last<native::numbered_event>());
  BOOST_TEST((d.owner.end->code == errc::signed_out));
}

BOOST_AUTO_TEST_CASE(a_peer_that_goes_ends_the_connection) {
  for (int steps = 0; steps < 3; ++steps) {
    dialogue d;
    if (steps == 1)
      d.client.magic();
    d.pump();
    if (steps == 2)
      d.sign_in();
    d.server->disconnected();
    BOOST_TEST((d.owner.end->code == errc::none));
    BOOST_TEST(d.server->is_closed());
  }
  dialogue d{kind::tls};
  d.sign_in();
  d.client.raw(send_bytes(1, "last words"));
  auto bytes = d.client.take();
  d.client.tls->close(bytes);
  d.to_server(bytes);
  BOOST_TEST(d.owner.requests.size() == 1u);
  BOOST_TEST(d.server->is_closed());
  BOOST_TEST((d.owner.end->code == errc::none));
}

BOOST_AUTO_TEST_CASE(the_owner_may_close_from_within_any_call) {
  const std::vector<std::string> places{"find_keys", "check_password",
    "authenticated", "sign_in_wanted", "acknowledged", "window_changed",
    "requests_received", "output_ready"};
  for (const auto k : {kind::plain, kind::tls})
    for (const auto& place : places) {
      dialogue d{k};
      bool hit = false;
      d.owner.hook = [&](std::string_view call) {
        if (call != place || std::exchange(hit, true))
          return;
        d.server->close(failure{errc::kicked}, error_scope::connection);
      };
      d.client.magic();
      d.client.hello();
      d.pump();
      if (!d.server->is_closed()) {
        const bool plain = place == "check_password";
        if (plain && k == kind::plain)
          continue;
        d.client.authenticate(
          plain ? "PLAIN" : "SCRAM-SHA-256", alice, alices_password);
        finish_exchange(d);
      }
      if (d.server->in_session()) {
        d.server->send({1}, incoming("m1"));
        d.client.say(native::ack{{1}});
        d.client.say(window{1, 1});
        d.client.raw(send_bytes(1, "x"));
        d.client.raw(send_bytes(2, "y"));
        d.pump();
      }
      BOOST_TEST_CONTEXT(place) {
        BOOST_TEST(hit);
        BOOST_TEST(d.server->is_closed());
        BOOST_TEST(d.owner.calls.back() == "closed");
        BOOST_TEST(d.owner.count("closed") == 1u);
      }
    }
}

BOOST_AUTO_TEST_CASE(the_owner_may_answer_from_within_a_call) {
  dialogue d;
  d.sign_in();
  uint64_t number = 0;
  d.owner.hook = [&](std::string_view call) {
    if (call != "requests_received")
      return;
    for (const auto& x : d.owner.requests.back())
      d.server->send({++number}, answer{x.number, done{}});
  };
  for (uint64_t i = 1; i <= 20; ++i)
    d.client.raw(send_bytes(i, "m"));
  d.pump();
  BOOST_TEST(d.client.last<native::numbered_event>()->number.value == 20u);
}

BOOST_AUTO_TEST_CASE(contacts_go_both_ways_in_as_many_frames_as_they_need) {
  for (const auto k : {kind::plain, kind::tls}) {
    dialogue d{k};
    d.sign_in();
    add_contacts many;
    contact_list list{{}, {7}, {}, {}};
    for (size_t i = 0; i < 3000; ++i) {
      const auto who = "user" + std::to_string(i) + "@example.org";
      many.contacts.push_back({who, std::string(200, 'n'), {}});
      list.contacts.push_back({user_address::from_prepared(who),
        std::string(200, 'n'), {}, true, {}, false});
    }
    d.client.say(numbered_request{{1}, many});
    d.client.say(numbered_request{{2}, list_contacts{}});
    d.pump();
    std::vector<numbered_request> all;
    for (const auto& batch : d.owner.requests)
      all.insert(all.end(), batch.begin(), batch.end());
    BOOST_REQUIRE(all.size() == 2u);
    BOOST_TEST(std::get<add_contacts>(all[0].what).contacts.size() == 3000u);
    BOOST_TEST(std::holds_alternative<list_contacts>(all[1].what));
    // Not numbered, so there is nothing to acknowledge.
    d.server->send({}, list);
    d.server->send({}, presence_reset{});
    d.pump();
    BOOST_TEST(d.client.last<native::answer_part>()->part > 0u);
    BOOST_TEST(!d.client.last<native::answer_part>()->more);
    BOOST_TEST(d.client.last<native::numbered_event>()->number.value == 0u);
    d.client.say(native::ack{{1}});
    d.pump();
    BOOST_TEST(d.server->is_closed());
  }
}

BOOST_AUTO_TEST_CASE(an_event_that_says_nothing_here_is_no_output) {
  dialogue d;
  d.sign_in();
  d.to_client();
  d.owner.calls.clear();
  im x;
  x.from = *address::parse("bob@example.org/desk");
  d.server->send({}, passed_on{shared<im>{x}, {}, false, false});
  BOOST_TEST(d.owner.count("output_ready") == 0u);
  BOOST_TEST(d.server->output().empty());
  // What follows is announced.
  d.server->send({}, typing_notice{x.from});
  BOOST_TEST(d.owner.count("output_ready") == 1u);
}
