#include <boost/test/unit_test.hpp>

#include <deque>
#include <random>
#include <set>

#include "protocol/client/backoff.hpp"
#include "protocol/client/event_position.hpp"
#include "protocol/client/recent_ids.hpp"
#include "protocol/client/request_queue.hpp"
#include "tests/client/seed.hpp"

using namespace parley;

// -- recent_ids ---------------------------------------------------------------

BOOST_AUTO_TEST_CASE(an_id_is_known_until_as_many_others_came) {
  recent_ids ids({1, 2}, 3);
  BOOST_TEST(ids.insert(10));
  BOOST_TEST(!ids.insert(10));
  BOOST_TEST(ids.insert(11));
  BOOST_TEST(ids.insert(12));
  BOOST_TEST(!ids.insert(10));
  BOOST_TEST(ids.insert(13));
  BOOST_TEST(!ids.insert(11));
  BOOST_TEST(ids.insert(10));
}

BOOST_AUTO_TEST_CASE(recent_ids_agree_with_a_plain_queue) {
  auto random = test::seeded_random();
  constexpr size_t max = 100;
  recent_ids ids({random(), random()}, max);
  std::deque<uint64_t> model;
  for (int i = 0; i < 20'000; ++i) {
    // Few different ones, many in the same slots of the table.
    auto x = 1 + random() % 300 * 64;
    auto fresh = std::find(model.begin(), model.end(), x) == model.end();
    BOOST_REQUIRE_EQUAL(ids.insert(x), fresh);
    if (fresh)
      model.push_back(x);
    if (model.size() > max)
      model.pop_front();
  }
}

BOOST_AUTO_TEST_CASE(fingerprints_tell_sender_id_and_key_apart) {
  recent_ids ids({0x0706050403020100, 0x0f0e0d0c0b0a0908}, 1);
  auto text = [&](std::string_view sender, std::string_view id) {
    return ids.fingerprint(sender, id);
  };
  BOOST_TEST(text("a", "b") == text("a", "b"));
  BOOST_TEST(text("a", "b") != text("ab", ""));
  BOOST_TEST(text("a", "b") != text("b", "a"));
  recent_ids other({1, 2}, 1);
  BOOST_TEST(text("a", "b") != other.fingerprint("a", "b"));
}

BOOST_AUTO_TEST_CASE(each_memory_has_a_key_of_its_own) {
  recent_ids one(1), other(1);
  BOOST_TEST(one.fingerprint("a", "b") != other.fingerprint("a", "b"));
}

BOOST_AUTO_TEST_CASE(unused_ids_cost_no_memory) {
  recent_ids ids({1, 2}, 10'000);
  BOOST_TEST(ids.memory() == 0u);
}

// -- event_position -----------------------------------------------------------

using verdict = event_position::verdict;

BOOST_AUTO_TEST_CASE(events_are_safe_up_to_the_first_held_one) {
  event_position x;
  BOOST_TEST((x.look({1}) == verdict::fresh));
  BOOST_TEST((x.look({2}) == verdict::gap));
  x.take({1});
  BOOST_TEST((x.look({1}) == verdict::known));
  BOOST_TEST(x.safe().value == 1u);
  x.take({2});
  x.hold({2}, {7}, 70);
  x.take({3});
  x.take({4});
  x.hold({4}, {8}, 80);
  BOOST_TEST(x.safe().value == 1u);
  x.acknowledge({8});
  BOOST_TEST(x.safe().value == 1u);
  x.acknowledge({7});
  BOOST_TEST(x.safe().value == 4u);
}

BOOST_AUTO_TEST_CASE(an_im_that_came_again_waits_for_its_first_ticket) {
  event_position x;
  x.take({1});
  x.hold({1}, {7}, 70);
  x.start_session();
  BOOST_TEST((x.look({1}) == verdict::fresh));
  x.take({1});
  x.hold_again({1}, 70);
  x.take({2});
  BOOST_TEST(x.safe().value == 0u);
  x.acknowledge({7});
  BOOST_TEST(x.safe().value == 2u);
  x.take({3});
  x.hold_again({3}, 70);
  BOOST_TEST(x.safe().value == 3u);
}

// -- request_queue ------------------------------------------------------------

namespace {

pending_request make(uint64_t tag, uint32_t bytes = 0) {
  pending_request x;
  x.tag = {tag};
  x.bytes = bytes;
  return x;
}

/// Tags of all that may be sent now, with their numbers.
std::vector<std::pair<uint64_t, uint64_t>> drain(request_queue& x) {
  std::vector<std::pair<uint64_t, uint64_t>> out;
  while (auto next = x.next())
    out.emplace_back(next->number.value, next->what->tag.value);
  return out;
}

using sent = std::vector<std::pair<uint64_t, uint64_t>>;

} // namespace

BOOST_AUTO_TEST_CASE(requests_wait_for_the_acknowledgement_of_answers) {
  request_queue x;
  x.window_changed({2, 1000});
  for (uint64_t i = 1; i <= 4; ++i)
    x.push(make(i));
  BOOST_TEST((drain(x) == sent{{1, 1}, {2, 2}}));
  BOOST_TEST(x.settle({2}, {1})->tag.value == 2u);
  BOOST_TEST(drain(x).empty());
  x.acknowledged({1});
  BOOST_TEST((drain(x) == sent{{3, 3}}));
  BOOST_TEST(x.unanswered() == 3u);
}

BOOST_AUTO_TEST_CASE(bytes_count_but_one_im_always_fits) {
  request_queue x;
  x.window_changed({10, 100});
  x.push(make(1, 500));
  x.push(make(2, 60));
  x.push(make(3, 60));
  BOOST_TEST((drain(x) == sent{{1, 1}}));
  x.settle({1}, {1});
  x.acknowledged({1});
  BOOST_TEST((drain(x) == sent{{2, 2}}));
  x.settle({2}, {2});
  x.acknowledged({2});
  BOOST_TEST((drain(x) == sent{{3, 3}}));
}

BOOST_AUTO_TEST_CASE(a_window_of_no_messages_stops_all) {
  request_queue x;
  x.push(make(1));
  BOOST_TEST(drain(x).empty());
  x.window_changed({1, 0});
  BOOST_TEST(drain(x).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_request_is_settled_once) {
  request_queue x;
  x.window_changed({9, 9});
  x.push(make(1));
  drain(x);
  BOOST_TEST(!x.settle({2}, {1}));
  BOOST_TEST(!x.settle({0}, {1}));
  BOOST_TEST(!!x.settle({1}, {1}));
  BOOST_TEST(!x.settle({1}, {2}));
}

BOOST_AUTO_TEST_CASE(a_resume_sends_again_what_the_server_does_not_have) {
  request_queue x;
  x.window_changed({9, 9});
  for (uint64_t i = 1; i <= 4; ++i)
    x.push(make(i));
  drain(x);
  x.settle({4}, {1});
  std::vector<uint64_t> again;
  x.resume({1}, [&](const auto& y) { again.push_back(y.number.value); });
  BOOST_TEST((again == std::vector<uint64_t>{2, 3}));
}

BOOST_AUTO_TEST_CASE(a_new_session_numbers_the_rest_from_one) {
  request_queue x;
  x.window_changed({3, 9});
  for (uint64_t i = 1; i <= 4; ++i)
    x.push(make(i));
  drain(x);
  x.settle({2}, {1});
  auto presence = make(5);
  presence.what = pending_request::kind::availability;
  x.push(std::move(presence));
  x.cover_availability();
  auto later = make(6);
  later.what = pending_request::kind::availability;
  x.push(std::move(later));
  auto covered = x.start_session();
  BOOST_TEST(covered.size() == 1u);
  BOOST_TEST(covered.front().value == 5u);
  x.window_changed({9, 9});
  BOOST_TEST((drain(x) == sent{{1, 1}, {2, 3}, {3, 4}, {4, 6}}));
  BOOST_TEST(x.unanswered() == 4u);
}

BOOST_AUTO_TEST_CASE(what_came_back_goes_first_in_its_old_order) {
  request_queue x;
  x.window_changed({2, 9});
  for (uint64_t i = 1; i <= 4; ++i)
    x.push(make(i));
  drain(x);
  for (uint64_t i = 1; i <= 2; ++i) {
    auto back = x.settle({i}, {i});
    x.give_back(std::move(*back));
  }
  BOOST_TEST(x.unanswered() == 4u);
  x.acknowledged({1});
  BOOST_TEST((drain(x) == sent{{3, 1}}));
  x.acknowledged({2});
  BOOST_TEST((drain(x) == sent{{4, 2}}));
}

BOOST_AUTO_TEST_CASE(who_leaves_needs_no_room) {
  request_queue x;
  x.window_changed({1, 9});
  x.push(make(1));
  x.push(make(2));
  auto leave = make(3);
  leave.what = pending_request::kind::sign_out;
  BOOST_TEST((drain(x) == sent{{1, 1}}));
  BOOST_TEST(!x.is_stuck());
  x.settle({1}, {1});
  BOOST_TEST(x.is_stuck());
  BOOST_TEST(!x.leaves_next());
  x.push_next(std::move(leave));
  BOOST_TEST(x.leaves_next());
  BOOST_TEST((drain(x) == sent{{2, 3}}));
}

BOOST_AUTO_TEST_CASE(the_queue_agrees_with_a_plain_model) {
  auto random = test::seeded_random();
  for (int round = 0; round < 200; ++round) {
    request_queue x;
    x.window_changed({1 + static_cast<uint32_t>(random() % 8), 1000});
    std::deque<uint64_t> waiting;
    std::map<uint64_t, uint64_t> open;
    uint64_t tags = 0, number = 0, event = 0;
    for (int step = 0; step < 300; ++step)
      switch (random() % 4) {
      case 0:
        waiting.push_back(++tags);
        x.push(make(tags));
        break;
      case 1:
        for (auto& [n, tag] : drain(x)) {
          BOOST_REQUIRE_EQUAL(n, ++number);
          BOOST_REQUIRE_EQUAL(tag, waiting.front());
          waiting.pop_front();
          open[n] = tag;
        }
        break;
      case 2:
        if (!open.empty()) {
          auto i = std::next(
            open.begin(), static_cast<ptrdiff_t>(random() % open.size()));
          auto y = x.settle({i->first}, {++event});
          BOOST_REQUIRE(y);
          BOOST_REQUIRE_EQUAL(y->tag.value, i->second);
          open.erase(i);
        }
        break;
      default:
        x.acknowledged({event});
      }
    BOOST_REQUIRE_EQUAL(x.unanswered(), waiting.size() + open.size());
  }
}

// -- backoff ------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(waits_double_between_half_and_whole_up_to_a_bound) {
  backoff x;
  auto step = defaults::client_backoff_first;
  for (int i = 0; i < 20; ++i) {
    auto wait = x.next(static_cast<uint64_t>(i) * 7919);
    BOOST_TEST((wait >= step / 2 && wait <= step));
    step = std::min(step * 2, defaults::client_backoff_max);
  }
  x.reset();
  BOOST_TEST((x.next(12345) <= defaults::client_backoff_first));
}
