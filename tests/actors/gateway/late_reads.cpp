#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "actors/gateway/late_reads.hpp"
#include "tests/actors/runtime/running_system.hpp"

// Reads of clients that have not signed in.
namespace parley::test {

namespace {

class stranger final : public late_reader {
public:
  explicit stranger(std::function<void()> on_read)
    : x_on_read(std::move(on_read)) {}
  void read() override { x_on_read(); }

private:
  std::function<void()> x_on_read;
};

/// Strangers of one worker, who write down that they were read.
struct crowd {
  explicit crowd(worker& home) : home(home), sut(home) {}

  void come(int number, std::shared_ptr<const bool> here,
    late_reads::line where = late_reads::line::strangers) {
    all.push_back(std::make_shared<stranger>([this, number] {
      order.push_back(number);
      done = order.size();
    }));
    sut.add(where, all.back(), std::move(here));
  }

  worker& home;
  late_reads sut;
  std::vector<std::shared_ptr<stranger>> all;
  std::vector<int> order;
  std::atomic<size_t> done{0};
};

BOOST_AUTO_TEST_SUITE(late_reading)

BOOST_AUTO_TEST_CASE(a_few_strangers_are_read_between_two_looks_at_others) {
  std::optional<crowd> made; // ends after the worker
  running_system system{1};
  auto& home = system.at(0);
  auto& strangers = made.emplace(home);
  constexpr size_t many = 100;
  std::atomic<size_t> read_before_the_other{many};
  boost::asio::post(home.io(), [&] {
    for (size_t i = 0; i < many; ++i)
      strangers.come(static_cast<int>(i), std::make_shared<bool>(true));
    // Comes after the drain that this one brings about.
    boost::asio::post(
      home.io(), [&] { read_before_the_other = strangers.order.size(); });
  });
  BOOST_TEST(eventually([&] { return strangers.done == many; }));
  BOOST_TEST(read_before_the_other <= late_reads::max_a_drain);
  for (size_t i = 0; i < many; ++i)
    BOOST_TEST(strangers.order[i] == static_cast<int>(i));
}

BOOST_AUTO_TEST_CASE(strangers_and_those_who_say_much_take_turns) {
  std::optional<crowd> made; // ends after the worker
  running_system system{1};
  auto& home = system.at(0);
  auto& both = made.emplace(home);
  constexpr int many = 50;
  boost::asio::post(home.io(), [&] {
    for (int i = 0; i < many; ++i)
      both.come(i, std::make_shared<bool>(true));
    for (int i = 0; i < 3; ++i)
      both.come(many + i, std::make_shared<bool>(true),
        late_reads::line::who_says_much);
  });
  BOOST_TEST(eventually([&] { return both.done == many + 3u; }));
  const auto place = [&](int who) {
    return std::find(both.order.begin(), both.order.end(), who)
      - both.order.begin();
  };
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST(place(many + i) <= 2 * i + 1);
    BOOST_TEST(place(i) <= 2 * i + 1);
  }
  BOOST_TEST(place(many - 1) == many + 2);
}

BOOST_AUTO_TEST_CASE(who_has_left_for_another_worker_or_is_gone_is_not_read) {
  std::optional<crowd> made; // ends after the worker
  running_system system{1};
  auto& home = system.at(0);
  auto& strangers = made.emplace(home);
  boost::asio::post(home.io(), [&] {
    auto here = std::make_shared<bool>(true);
    strangers.come(1, here);
    strangers.come(2, std::make_shared<bool>(true)); // and is gone
    strangers.all.back().reset();
    strangers.come(3, std::make_shared<bool>(true));
    *here = false;
  });
  BOOST_TEST(eventually([&] { return strangers.done == 1; }));
  BOOST_TEST(
    strangers.order == std::vector{3}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
