#include "actors/router/retry_memory.hpp"

#include <boost/test/unit_test.hpp>

#include <deque>
#include <map>
#include <random>

namespace parley::test {

namespace {

using namespace std::chrono_literals;
using time_point = retry_memory::time_point;

/// What is remembered for sure, and what may be.
struct model {
  struct line {
    uint64_t hash;
    time_point since;
  };
  std::deque<line> order;
  std::map<uint64_t, std::pair<uint64_t, outcome::kind>> known;

  void pop() {
    known.erase(order.front().hash);
    order.pop_front();
  }
};

/// Ages are told apart to a minute, twice.
constexpr auto slack = 2min;

class pair_of_memories {
public:
  explicit pair_of_memories(uint64_t seed) : x_random(seed) {}

  void insert(uint64_t hash) {
    auto content = x_random();
    auto kind =
      x_random() % 2 ? outcome::kind::stored : outcome::kind::delivered;
    auto forgotten = memory.insert(hash, content, kind, now);
    size_t expected = 0;
    while (expect.order.size() >= defaults::delivered_memory_max) {
      expect.pop();
      ++expected;
    }
    BOOST_REQUIRE_EQUAL(forgotten, expected);
    expect.order.push_back({hash, now});
    expect.known[hash] = {content, kind};
  }

  void look_up(uint64_t hash) {
    auto found = memory.find(hash);
    auto i = expect.known.find(hash);
    BOOST_REQUIRE_EQUAL(found.has_value(), i != expect.known.end());
    if (!found)
      return;
    BOOST_REQUIRE(found->what() == i->second.second);
    BOOST_REQUIRE(found->same_content(i->second.first));
    BOOST_REQUIRE(!found->same_content(~i->second.first));
  }

  /// What is forgotten is a run from the oldest on, neither too young nor left
  /// over when it is too old.
  void expire() {
    memory.expire(now);
    while (expect.order.size() > memory.size()) {
      BOOST_REQUIRE(
        (now - expect.order.front().since >= defaults::delivered_memory));
      expect.pop();
    }
    BOOST_REQUIRE_EQUAL(memory.size(), expect.order.size());
    if (!expect.order.empty())
      BOOST_REQUIRE((
        now - expect.order.front().since < defaults::delivered_memory + slack));
  }

  retry_memory memory;
  model expect;
  time_point now{1h};

private:
  std::mt19937_64 x_random;
};

BOOST_AUTO_TEST_SUITE(remembering_ids)

BOOST_AUTO_TEST_CASE(it_agrees_with_a_map_over_random_use) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937_64 random(seed);
      pair_of_memories both(seed);
      // Few different low bits: long runs in the table.
      auto mask = seed % 3 == 0 ? 0xffff'0000'0000'00ffull : ~0ull;
      std::deque<uint64_t> used;
      for (int i = 0; i < 3'000; ++i) {
        switch (random() % 8) {
        case 0:
          both.now += std::chrono::seconds{random() % 90};
          both.expire();
          break;
        case 1:
          both.look_up(random() & mask);
          break;
        case 2:
        case 3:
          if (!used.empty())
            both.look_up(used[random() % used.size()]);
          break;
        default: {
          auto hash = random() & mask;
          if (both.expect.known.contains(hash))
            break;
          both.insert(hash);
          used.push_back(hash);
        }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_oldest_give_way_at_the_cap_and_serials_wrap) {
  pair_of_memories both(7);
  std::mt19937_64 random(7);
  std::deque<uint64_t> used;
  // More than three times around the 14 bits of a serial.
  for (int i = 0; i < 55'000; ++i) {
    auto hash = random();
    both.insert(hash);
    used.push_back(hash);
    if (used.size() > defaults::delivered_memory_max + 1)
      used.pop_front();
    if (i % 7 == 0) {
      both.look_up(used.front());
      both.look_up(used.back());
      both.look_up(used[random() % used.size()]);
    }
  }
  BOOST_TEST(both.memory.size() == defaults::delivered_memory_max);
  for (auto hash : used)
    both.look_up(hash);
}

BOOST_AUTO_TEST_CASE(everything_goes_in_the_end) {
  for (auto apart : {1s, 30s, 60s, 61s, 200s}) {
    pair_of_memories both(3);
    for (uint64_t i = 1; i <= 20; ++i) {
      both.insert(i << 20 | i);
      both.now += apart;
    }
    for (int i = 0; i < 30 && both.memory.size() > 0; ++i) {
      both.now += 30s;
      both.expire();
    }
    both.now += defaults::delivered_memory;
    both.expire();
    BOOST_TEST(both.memory.size() == 0u);
  }
}

BOOST_AUTO_TEST_CASE(where_there_is_less_room_the_oldest_go_a_few_at_a_time) {
  retry_memory memory;
  auto now = retry_memory::time_point{1h};
  auto remember = [&](uint64_t n, size_t room) {
    return memory.insert(n << 20 | n, n, outcome::kind::delivered, now, room);
  };
  for (uint64_t n = 1; n <= 1'000; ++n)
    BOOST_TEST(remember(n, 1'000) == 0u);
  size_t forgotten = 0;
  for (uint64_t n = 1'001; memory.size() > 100; ++n) {
    auto before = memory.size();
    auto some = remember(n, 100);
    BOOST_TEST(some > 0u);
    BOOST_TEST(before + 1 - memory.size() == some);
    forgotten += some;
    BOOST_TEST(memory.find(n << 20 | n).has_value());
    BOOST_REQUIRE(n < 3'000);
  }
  BOOST_TEST(forgotten > 900u);
  BOOST_TEST(!memory.find(uint64_t{1} << 20 | 1).has_value());
  remember(5'000, 0);
  BOOST_TEST(memory.find(uint64_t{5'000} << 20 | 5'000).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
