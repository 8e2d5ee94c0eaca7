#include "actors/gateway/reached_looks.hpp"

#include <boost/test/unit_test.hpp>

using namespace parley;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(looks_at_what_has_reached_a_peer)

BOOST_AUTO_TEST_CASE(a_dead_peer_is_looked_at_ever_more_rarely) {
  look_again x;
  x.begin();
  std::chrono::milliseconds before{};
  std::chrono::milliseconds all{};
  size_t looks = 0;
  for (; all < 60s; ++looks) {
    const auto next = x.looked(100);
    BOOST_TEST((next >= before && next <= 1s));
    all += before = next;
  }
  BOOST_TEST((before == 1s));
  BOOST_TEST(looks < 70u);
}

BOOST_AUTO_TEST_CASE(one_of_whom_something_moves_is_looked_at_soon) {
  look_again x;
  x.begin();
  BOOST_TEST((x.looked(100) == 10ms));
  BOOST_TEST((x.looked(100) == 20ms));
  BOOST_TEST((x.looked(100) == 40ms));
  BOOST_TEST((x.looked(101) == 10ms));
  BOOST_TEST((x.looked(101) == 20ms));
  x.begin();
  BOOST_TEST((x.looked(101) == 10ms));
}

BOOST_AUTO_TEST_CASE(each_has_its_time) {
  using ids = std::vector<uint64_t>;
  const reached_looks::time_point t0{};
  reached_looks x;
  BOOST_TEST(x.empty());
  BOOST_TEST(x.add(1, t0 + 20ms));
  BOOST_TEST(!x.add(2, t0 + 30ms));
  BOOST_TEST(x.add(3, t0 + 10ms)); // before all others
  BOOST_TEST(x.due(t0 + 9ms) == ids{});
  BOOST_TEST(x.due(t0 + 20ms) == (ids{3, 1}));
  BOOST_TEST((x.next() == t0 + 30ms));
  BOOST_TEST(x.due(t0 + 1s) == ids{2});
  BOOST_TEST(x.empty());
}

BOOST_AUTO_TEST_SUITE_END()
