#include "actors/session/stream.hpp"

#include <boost/test/unit_test.hpp>

#include <deque>
#include <map>
#include <random>
#include <set>

#include "protocol/defaults.hpp"

namespace parley::test {

namespace {

using verdict = event_stream::verdict;

constexpr window wide{1'000, 1'000'000};

shared<im> text(std::string body) {
  im x;
  x.id.value = body;
  x.body = std::move(body);
  return shared<im>{std::move(x)};
}

event incoming(std::string body) {
  return incoming_im{text(std::move(body)), {}, false};
}

event answer_to(uint64_t number) {
  return answer{request_number{number}, done{}};
}

numbered_request sending(uint64_t number, std::string body = "hi") {
  return {request_number{number}, send_im{text(std::move(body)), {}}};
}

numbered_request asking(uint64_t number) {
  return {request_number{number}, set_availability{}};
}

std::vector<acknowledged_im> acknowledge(event_stream& s, uint64_t upto) {
  std::vector<acknowledged_im> out;
  BOOST_TEST(s.acknowledge(sequence{upto}, out));
  return out;
}

BOOST_AUTO_TEST_SUITE(streams)

BOOST_AUTO_TEST_CASE(events_are_numbered_from_one_without_gaps) {
  event_stream s;
  BOOST_TEST(s.last().value == 0u);
  BOOST_TEST(s.first_unacknowledged().value == 1u);
  for (uint64_t n = 1; n <= 50; ++n)
    BOOST_TEST(s.push(im_order{n}, incoming("m")).value == n);
  BOOST_TEST(s.unacknowledged().size() == 50u);
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_counts_for_all_before_it) {
  event_stream s;
  s.push(im_order{11}, incoming("a"));
  s.push({}, receipt{});
  s.push(im_order{13}, incoming("c"));
  s.push(im_order{14}, incoming("d"));
  auto ims = acknowledge(s, 3);
  BOOST_REQUIRE(ims.size() == 2u);
  BOOST_TEST(ims[0].order.value == 11u);
  BOOST_TEST(ims[0].message->body == "a");
  BOOST_TEST(ims[1].order.value == 13u);
  BOOST_TEST(s.first_unacknowledged().value == 4u);
  BOOST_TEST(acknowledge(s, 3).empty());
  BOOST_TEST(acknowledge(s, 1).empty());
  BOOST_TEST(acknowledge(s, 4).size() == 1u);
  BOOST_TEST(s.push(im_order{15}, incoming("e")).value == 5u);
}

BOOST_AUTO_TEST_CASE(an_answer_can_be_settled_out_of_turn) {
  event_stream s;
  BOOST_TEST((s.admit(sending(1), wide) == verdict::fresh));
  BOOST_TEST((s.admit(sending(2), wide) == verdict::fresh));
  s.push(im_order{11}, incoming("a"));
  s.push({}, answer_to(1));
  s.push({}, answer_to(2));
  BOOST_TEST(s.under_way() == 2u);
  s.settle(sequence{2});
  s.settle(sequence{2});
  BOOST_TEST(s.under_way() == 1u);
  BOOST_TEST(s.first_unacknowledged().value == 1u);
  BOOST_TEST(s.unacknowledged()[1].settled);
  s.settle(sequence{3});
  BOOST_TEST(acknowledge(s, 1).size() == 1u);
  // Nothing is kept of what follows.
  BOOST_TEST(s.unacknowledged().empty());
  BOOST_TEST(s.first_unacknowledged().value == 4u);
  s.push({}, answer_to(3));
  s.settle(sequence{4});
  BOOST_TEST(s.unacknowledged().empty());
  s.settle(sequence{9});
  BOOST_TEST(s.last().value == 4u);
}

BOOST_AUTO_TEST_CASE(a_number_that_was_never_given_changes_nothing) {
  event_stream s;
  s.push(im_order{1}, incoming("a"));
  std::vector<acknowledged_im> out;
  BOOST_TEST(!s.acknowledge(sequence{2}, out));
  BOOST_TEST(out.empty());
  BOOST_TEST(s.unacknowledged().size() == 1u);
}

BOOST_AUTO_TEST_CASE(what_was_not_acknowledged_is_kept_as_it_was) {
  std::mt19937_64 random(5);
  event_stream s;
  std::deque<std::pair<uint64_t, std::string>> expected;
  uint64_t last = 0;
  for (int i = 0; i < 20'000; ++i) {
    if (random() % 3 != 0) {
      auto body = std::to_string(++last);
      s.push(im_order{last}, incoming(body));
      expected.emplace_back(last, body);
    } else {
      auto upto = last - random() % (expected.size() + 1);
      std::vector<acknowledged_im> out;
      BOOST_REQUIRE(s.acknowledge(sequence{upto}, out));
      for (const auto& a : out) {
        BOOST_REQUIRE(a.message->body == expected.front().second);
        expected.pop_front();
      }
      s.shrink();
    }
    auto kept = s.unacknowledged();
    BOOST_REQUIRE(kept.size() == expected.size());
    BOOST_REQUIRE(s.last().value == last);
    if (kept.empty())
      continue;
    BOOST_REQUIRE(s.first_unacknowledged().value == expected.front().first);
    auto n = random() % kept.size();
    BOOST_REQUIRE(
      std::get<incoming_im>(kept[n].what).message->body == expected[n].second);
  }
}

BOOST_AUTO_TEST_CASE(a_request_counts_until_its_answer_is_acknowledged) {
  event_stream s;
  window two{2, 1'000'000};
  BOOST_CHECK(s.admit(asking(1), two) == verdict::fresh);
  BOOST_CHECK(s.admit(asking(2), two) == verdict::fresh);
  BOOST_CHECK(s.admit(asking(3), two) == verdict::beyond_window);
  BOOST_TEST(s.under_way() == 2u);
  s.push({}, answer_to(1));
  BOOST_TEST(s.under_way() == 2u);
  BOOST_CHECK(s.admit(asking(4), two) == verdict::beyond_window);
  acknowledge(s, 1);
  BOOST_TEST(s.under_way() == 1u);
  BOOST_CHECK(s.admit(asking(5), two) == verdict::fresh);
}

BOOST_AUTO_TEST_CASE(bytes_count_until_the_answer_and_one_request_always_fits) {
  event_stream s;
  window small{100, 10};
  BOOST_CHECK(
    s.admit(sending(1, std::string(50, 'x')), small) == verdict::fresh);
  BOOST_CHECK(s.admit(sending(2), small) == verdict::beyond_window);
  s.push({}, answer_to(1));
  BOOST_CHECK(s.admit(sending(3, "12345"), small) == verdict::fresh);
  BOOST_CHECK(s.admit(sending(4, "12345"), small) == verdict::fresh);
  BOOST_CHECK(s.admit(sending(5, "1"), small) == verdict::beyond_window);
  BOOST_CHECK(s.admit(asking(6), small) == verdict::fresh);
}

BOOST_AUTO_TEST_CASE(the_list_of_a_broadcast_is_held_until_its_answer) {
  event_stream s;
  constexpr size_t recipients = 10'000;
  const std::string body(1'000, 'x');
  const std::vector<std::string> to(recipients, "a");
  const auto list = recipients * (sizeof(std::string) + 1);
  for (uint64_t n = 1; n <= 3; ++n) {
    BOOST_CHECK(s.admit({request_number{n}, broadcast{text(body), to}}, wide)
      == verdict::fresh);
    BOOST_TEST(s.own_bytes() >= n * list);
    BOOST_TEST(s.own_bytes() < n * list + 500); // content is counted elsewhere
    BOOST_TEST(s.request_bytes() == n * (list + body.size()));
  }
  for (uint64_t n = 1; n <= 3; ++n)
    s.push({}, answer_to(n));
  acknowledge(s, 3);
  BOOST_TEST(s.own_bytes() == 0u);
  BOOST_TEST(s.request_bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(a_request_that_came_before_is_not_taken_again) {
  event_stream s;
  BOOST_CHECK(s.admit(asking(1), wide) == verdict::fresh);
  BOOST_CHECK(s.admit(asking(1), wide) == verdict::repeated);
  BOOST_CHECK(s.admit(asking(7), wide) == verdict::fresh);
  BOOST_CHECK(s.admit(asking(6), wide) == verdict::repeated);
  BOOST_TEST(s.last_request().value == 7u);
  s.push({}, answer_to(7));
  BOOST_CHECK(s.admit(asking(7), wide) == verdict::repeated);
  BOOST_TEST(s.under_way() == 2u);
}

BOOST_AUTO_TEST_CASE(one_that_did_not_fit_is_not_taken_under_its_number_again) {
  event_stream s;
  window one{1, 1'000'000};
  BOOST_CHECK(s.admit(asking(1), one) == verdict::fresh);
  BOOST_CHECK(s.admit(asking(2), one) == verdict::beyond_window);
  BOOST_CHECK(s.admit(asking(2), one) == verdict::repeated);
}

BOOST_AUTO_TEST_CASE(a_second_answer_settles_nothing_twice) {
  event_stream s;
  BOOST_CHECK(s.admit(asking(1), wide) == verdict::fresh);
  BOOST_CHECK(s.admit(asking(2), wide) == verdict::fresh);
  s.push({}, answer_to(1));
  s.push({}, answer_to(1));
  acknowledge(s, 2);
  BOOST_TEST(s.under_way() == 1u);
}

BOOST_AUTO_TEST_CASE(a_sign_out_always_fits) {
  event_stream s;
  window one{1, 1'000'000};
  BOOST_CHECK(s.admit(asking(1), one) == verdict::fresh);
  BOOST_CHECK(s.admit(asking(2), one) == verdict::beyond_window);
  BOOST_CHECK(s.admit({request_number{3}, sign_out{}}, one) == verdict::fresh);
}

BOOST_AUTO_TEST_CASE(refusals_are_counted_until_something_is_acknowledged) {
  event_stream s;
  window one{1, 1'000'000};
  s.admit(asking(1), one);
  s.admit(asking(2), one);
  s.admit(asking(3), one);
  BOOST_TEST(s.refused() == 2u);
  s.push({}, answer_to(2));
  BOOST_TEST(s.refused() == 2u);
  acknowledge(s, 1);
  BOOST_TEST(s.refused() == 0u);
}

BOOST_AUTO_TEST_CASE(receipts_are_counted_until_they_are_acknowledged) {
  event_stream s;
  s.push({}, receipt{});
  s.push({}, answer_to(1));
  s.push({}, receipt{});
  BOOST_TEST(s.receipts() == 2u);
  acknowledge(s, 2);
  BOOST_TEST(s.receipts() == 1u);
}

BOOST_AUTO_TEST_CASE(answers_to_broadcasts_that_nobody_takes_close_the_window) {
  event_stream s;
  broadcast_outcomes many;
  many.outcomes.push_back(
    {std::string(defaults::answers_bytes_max, 'x'), outcome{}});
  s.admit(asking(1), wide);
  s.push({}, answer{request_number{1}, many});
  BOOST_CHECK(s.admit(asking(2), wide) == verdict::beyond_window);
  acknowledge(s, 1);
  BOOST_CHECK(s.admit(asking(3), wide) == verdict::fresh);
}

BOOST_AUTO_TEST_CASE(the_window_agrees_with_a_model) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937_64 random(seed);
      event_stream s;
      window w{8, 100};
      std::map<uint64_t, uint64_t> open; // bytes by number
      std::deque<bool> unacknowledged;   // whether it is an answer
      uint64_t next = 1;
      for (int i = 0; i < 3'000; ++i) {
        auto answers = static_cast<size_t>(
          std::count(unacknowledged.begin(), unacknowledged.end(), true));
        BOOST_REQUIRE_EQUAL(s.under_way(), open.size() + answers);
        switch (random() % 4) {
        case 0: {
          auto bytes = random() % 40;
          uint64_t sum = 0;
          for (auto& [n, b] : open)
            sum += b;
          bool fits = open.size() + answers < w.messages
            && (sum == 0 || sum + bytes <= w.bytes);
          auto got = s.admit(sending(next, std::string(bytes, 'x')), w);
          BOOST_REQUIRE(
            got == (fits ? verdict::fresh : verdict::beyond_window));
          if (fits)
            open[next] = bytes;
          next += 1 + random() % 2;
          break;
        }
        case 1:
          if (!open.empty()) {
            auto who = open.begin();
            std::advance(who, static_cast<long>(random() % open.size()));
            s.push({}, answer_to(who->first));
            open.erase(who);
            unacknowledged.push_back(true);
          }
          break;
        case 2:
          s.push(im_order{next}, incoming("m"));
          unacknowledged.push_back(false);
          break;
        default: {
          auto n = random() % (unacknowledged.size() + 1);
          acknowledge(s, s.first_unacknowledged().value + n - 1);
          unacknowledged.erase(unacknowledged.begin(),
            unacknowledged.begin() + static_cast<long>(n));
        }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
