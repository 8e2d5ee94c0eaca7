#include "protocol/xmpp/extent.hpp"

#include <deque>
#include <memory>
#include <random>

#include <boost/test/unit_test.hpp>

#include "protocol/lean_queue.hpp"

using namespace parley::xmpp;

BOOST_AUTO_TEST_SUITE(extents)

BOOST_AUTO_TEST_CASE(a_tag_ends_outside_of_quotes) {
  BOOST_TEST(extent_of_tag("<a>b") == 3u);
  BOOST_TEST(extent_of_tag("<a b='>' c=\"'>\">d") == 16u);
  BOOST_TEST(extent_of_tag("<a b='>") == no_extent);
  BOOST_TEST(extent_of_tag("") == no_extent);
}

BOOST_AUTO_TEST_CASE(an_element_ends_with_its_last_tag) {
  BOOST_TEST(extent_of_element("<a/><b/>") == 4u);
  BOOST_TEST(extent_of_element("<a><a/>x > y</a><b/>") == 16u);
  BOOST_TEST(extent_of_element("<a><a></a>") == no_extent);
  BOOST_TEST(extent_of_element("<a") == no_extent);
  BOOST_TEST(extent_of_element("<") == no_extent);
  BOOST_TEST(extent_of_element("") == no_extent);
  for (const auto* other : {"<!-- -->", "<a><?b?></a>", "<a><![CDATA[]]></a>",
         ">", ">x", "x>", "/><a/>"})
    BOOST_TEST(extent_of_element(other) == 0u);
}

BOOST_AUTO_TEST_CASE(a_lean_queue_is_first_in_first_out) {
  const auto seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random{seed};
  parley::lean_queue<std::shared_ptr<int>> queue;
  std::deque<std::shared_ptr<int>> model;
  std::weak_ptr<int> last;
  for (int i = 0; i < 5000; ++i) {
    // In waves, so that it becomes long and empty.
    if (random() % 100 < (i / 500 % 2 == 0 ? 60u : 30u)) {
      model.push_back(std::make_shared<int>(i));
      queue.push_back(model.back());
    } else if (!model.empty()) {
      last = model.front();
      model.pop_front();
      queue.pop_front();
      // What has gone is held no longer.
      BOOST_TEST(last.expired());
    }
    BOOST_TEST(queue.size() == model.size());
    BOOST_TEST(queue.empty() == model.empty());
    if (!model.empty())
      BOOST_TEST(queue.front() == model.front());
    if (i % 100 == 0)
      BOOST_TEST(
        std::equal(queue.begin(), queue.end(), model.begin(), model.end()));
  }
}

BOOST_AUTO_TEST_SUITE_END()
