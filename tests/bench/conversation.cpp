#include "bench/conversation.hpp"

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "bench/faults.hpp"

using namespace parley::bench;

BOOST_AUTO_TEST_SUITE(conversations)

namespace {

/// A conversation to `endpoints` endpoints and what it complained about.
struct checked {
  explicit checked(uint32_t endpoints = 1,
    std::optional<uint32_t> chosen = std::nullopt, size_t capacity = 64)
    : conv("a to b", endpoints, chosen, capacity, faults) {}

  uint64_t send() { return conv.sent(0); }
  void deliver(uint64_t number, std::vector<uint32_t> endpoints) {
    for (const auto e : endpoints)
      conv.arrived(e, number);
    conv.outcome(number, fate::delivered);
  }

  /// That there is this one fault and no other.
  void expect(fault_kind kind) {
    conv.finish();
    BOOST_TEST(faults.count(kind) == 1u);
    BOOST_TEST(faults.total() == 1u);
  }
  void expect_none() {
    conv.finish();
    BOOST_TEST(faults.total() == 0u);
  }

  fault_log faults;
  conversation conv;
};

} // namespace

BOOST_AUTO_TEST_CASE(what_arrives_once_and_in_order_is_fine) {
  checked c;
  for (int i = 0; i < 1000; ++i) {
    BOOST_TEST(c.conv.has_room());
    c.deliver(c.send(), {0});
  }
  BOOST_TEST(c.conv.settled());
  BOOST_TEST(c.conv.sent_count() == 1000u);
  c.expect_none();
}

BOOST_AUTO_TEST_CASE(the_outcome_may_come_before_the_copy) {
  checked c;
  const auto number = c.send();
  BOOST_TEST((c.conv.outcome(number, fate::delivered) == 0));
  BOOST_TEST(!c.conv.settled());
  BOOST_TEST((c.conv.arrived(0, number) == 0));
  BOOST_TEST(c.conv.settled());
  c.expect_none();
}

BOOST_AUTO_TEST_CASE(a_lost_im_is_found) {
  checked c;
  const auto first = c.send();
  const auto second = c.send();
  c.conv.outcome(first, fate::delivered);
  c.deliver(second, {0});
  c.expect(fault_kind::lost);
}

BOOST_AUTO_TEST_CASE(a_missing_outcome_is_found) {
  checked c;
  c.conv.arrived(0, c.send());
  c.expect(fault_kind::no_outcome);
}

BOOST_AUTO_TEST_CASE(a_second_outcome_is_found) {
  checked c;
  const auto number = c.send();
  c.deliver(number, {0});
  BOOST_TEST(!c.conv.outcome(number, fate::stored));
  c.expect(fault_kind::second_outcome);
}

BOOST_AUTO_TEST_CASE(a_second_outcome_before_the_copy_is_found) {
  checked c;
  const auto number = c.send();
  c.conv.outcome(number, fate::delivered);
  c.conv.outcome(number, fate::delivered);
  c.conv.arrived(0, number);
  c.expect(fault_kind::second_outcome);
}

BOOST_AUTO_TEST_CASE(a_duplicate_is_found) {
  checked c;
  const auto number = c.send();
  c.deliver(number, {0});
  BOOST_TEST(!c.conv.arrived(0, number));
  c.expect(fault_kind::duplicated);
}

BOOST_AUTO_TEST_CASE(a_duplicate_among_others_under_way_is_found) {
  checked c{2};
  const auto number = c.send();
  c.conv.arrived(0, number);
  c.conv.arrived(0, number);
  c.conv.arrived(1, number);
  c.conv.outcome(number, fate::delivered);
  c.expect(fault_kind::duplicated);
}

BOOST_AUTO_TEST_CASE(a_late_duplicate_is_found) {
  checked c;
  const auto number = c.send();
  c.deliver(number, {0});
  for (int i = 0; i < 500; ++i)
    c.deliver(c.send(), {0});
  c.conv.arrived(0, number);
  c.expect(fault_kind::duplicated);
}

BOOST_AUTO_TEST_CASE(a_wrong_order_is_found) {
  checked c;
  const auto first = c.send();
  const auto second = c.send();
  c.conv.arrived(0, second);
  c.conv.arrived(0, first);
  c.conv.outcome(first, fate::delivered);
  c.conv.outcome(second, fate::delivered);
  c.expect(fault_kind::reordered);
}

BOOST_AUTO_TEST_CASE(what_was_never_sent_is_found) {
  checked c;
  c.conv.arrived(0, c.send() + 1);
  c.conv.outcome(1, fate::delivered);
  c.conv.finish();
  BOOST_TEST(c.faults.count(fault_kind::unknown) == 1u);
  BOOST_TEST(c.faults.count(fault_kind::lost) == 1u);
}

BOOST_AUTO_TEST_CASE(an_outcome_of_what_was_never_sent_is_found) {
  checked c;
  c.conv.outcome(1, fate::delivered);
  c.expect(fault_kind::unknown);
}

BOOST_AUTO_TEST_CASE(without_a_reply_every_endpoint_must_get_it) {
  checked c{3};
  c.deliver(c.send(), {0, 1, 2});
  const auto number = c.send();
  c.deliver(number, {0, 2});
  BOOST_TEST(!c.conv.settled());
  c.expect(fault_kind::lost);
}

BOOST_AUTO_TEST_CASE(until_the_reply_every_endpoint_must_get_it) {
  checked c{3, 1};
  const auto number = c.send();
  c.deliver(number, {1});
  c.conv.reply_sent();
  c.conv.reply_arrived();
  c.deliver(c.send(), {1});
  c.expect(fault_kind::lost);
}

BOOST_AUTO_TEST_CASE(after_the_reply_the_chosen_endpoint_alone_gets_it) {
  checked c{3, 1};
  c.deliver(c.send(), {0, 1, 2});
  c.conv.reply_sent();
  c.conv.reply_arrived();
  for (int i = 0; i < 500; ++i)
    c.deliver(c.send(), {1});
  BOOST_TEST(c.conv.settled());
  c.expect_none();
}

BOOST_AUTO_TEST_CASE(a_fork_after_the_reply_is_found) {
  checked c{3, 1};
  c.deliver(c.send(), {0, 1, 2});
  c.conv.reply_sent();
  c.conv.reply_arrived();
  c.deliver(c.send(), {1, 2});
  c.expect(fault_kind::wrong_endpoint);
}

BOOST_AUTO_TEST_CASE(an_im_that_crosses_the_reply_may_fork_or_not) {
  for (const bool forks : {false, true}) {
    checked c{3, 1};
    const auto number = c.send();
    c.conv.reply_sent();
    c.conv.reply_arrived();
    c.deliver(number,
      forks ? std::vector<uint32_t>{0, 1, 2} : std::vector<uint32_t>{1});
    c.deliver(c.send(), {1});
    c.expect_none();
  }
}

BOOST_AUTO_TEST_CASE(an_im_that_crosses_the_reply_reaches_the_chosen_one) {
  checked c{3, 1};
  const auto number = c.send();
  c.conv.reply_sent();
  c.deliver(number, {0, 2});
  c.expect(fault_kind::lost);
}

BOOST_AUTO_TEST_CASE(a_crossing_im_settles_once_the_reply_is_under_way) {
  checked c{2, 0};
  const auto first = c.send();
  const auto second = c.send();
  // Answered, but not the first: it may have been routed after the reply.
  c.deliver(second, {0});
  c.conv.reply_sent();
  c.deliver(first, {0});
  BOOST_TEST(c.conv.settled());
}

BOOST_AUTO_TEST_CASE(a_stored_im_may_reach_any_endpoint_but_must_reach_one) {
  checked c{3, 1};
  c.conv.reply_sent();
  c.conv.reply_arrived();
  const auto first = c.send();
  const auto second = c.send();
  c.conv.outcome(first, fate::stored);
  c.conv.arrived(2, first);
  c.conv.outcome(second, fate::delivered);
  c.expect(fault_kind::lost);
}

BOOST_AUTO_TEST_CASE(a_rejected_im_need_not_arrive) {
  checked c;
  c.conv.outcome(c.send(), fate::rejected);
  BOOST_TEST(c.conv.settled());
  c.expect_none();
}

BOOST_AUTO_TEST_CASE(there_is_room_for_so_many_as_were_asked_for) {
  checked c{2, std::nullopt, 8};
  for (int i = 0; i < 8; ++i) {
    BOOST_TEST(c.conv.has_room());
    c.send();
  }
  BOOST_TEST(!c.conv.has_room());
  BOOST_TEST(c.conv.unanswered() == 8u);
  c.deliver(2, {0, 1});
  // The first still has its place.
  BOOST_TEST(!c.conv.has_room());
}

BOOST_AUTO_TEST_CASE(where_nothing_else_is_told_arriving_is_the_outcome) {
  checked c{1, 0};
  c.conv.outcomes_are_arrivals();
  const auto first = c.send();
  const auto second = c.send();
  BOOST_TEST(c.conv.unanswered() == 2u);
  BOOST_TEST((c.conv.arrived(0, first) == 0));
  BOOST_TEST(c.conv.unanswered() == 1u);
  c.conv.arrived(0, second);
  BOOST_TEST(c.conv.settled());
  c.send();
  // Lost, and nothing else: there is no outcome to wait for.
  c.expect(fault_kind::lost);
}

BOOST_AUTO_TEST_CASE(any_single_fault_in_a_long_run_is_found) {
  const auto seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937_64 random{seed};
  for (int round = 0; round < 300; ++round) {
    checked c{3};
    const int total = 50;
    // An IM and endpoint that get something else than they should.
    const auto victim = 1 + random() % total;
    const auto at = static_cast<uint32_t>(random() % 3);
    const int kind = round % 3;
    for (int i = 0; i < total; ++i) {
      const auto number = c.send();
      for (uint32_t e = 0; e < 3; ++e) {
        const bool hit = number == victim && e == at;
        // Lost, doubled, or after its follower.
        if (!hit || kind == 1)
          c.conv.arrived(e, number);
        if (hit && kind == 1)
          c.conv.arrived(e, number);
        if (kind == 2 && number == victim + 1 && e == at)
          c.conv.arrived(e, victim);
      }
      c.conv.outcome(number, fate::delivered);
    }
    // The last one has no follower, so it is simply lost.
    c.expect(kind == 0 || (kind == 2 && victim == total) ? fault_kind::lost
        : kind == 1 ? fault_kind::duplicated
                    : fault_kind::reordered);
  }
}

BOOST_AUTO_TEST_CASE(only_the_first_faults_are_described) {
  fault_log log;
  for (int i = 0; i < 1000; ++i)
    log.add(fault_kind::lost, "one");
  BOOST_TEST(log.total() == 1000u);
  BOOST_TEST(log.lines().size() == 20u);
  BOOST_TEST(log.lines().front() == "lost: one");
}

BOOST_AUTO_TEST_SUITE_END()
