#include <utility>

#include "actors/runtime/lean.hpp"
#include "actors/runtime/pinned.hpp"
#include "tests/actors/runtime/running_system.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>
#include <caf/all.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

// What may wait: hooks marked as such, and lean actors.

namespace parley::test {

namespace {

namespace asio = boost::asio;

class waiting_hook final : public drained_hook {
public:
  explicit waiting_hook(std::function<void()> on_drained)
    : on_drained_(std::move(on_drained)) {}
  void drained() override { on_drained_(); }

private:
  std::function<void()> on_drained_;
};

using text_actor = caf::typed_actor<caf::reacts_to<std::string>>;

/// Counts what it gets.
class message_counter final : public lean_actor<message_counter, text_actor> {
public:
  message_counter(caf::actor_config& cfg, std::atomic<int>* count)
    : lean_actor(cfg), x_count(count) {}
  void on(const std::string&) { ++*x_count; }
  void ended() {}

private:
  std::atomic<int>* x_count;
};

struct no_state {
  no_state() {}
  static inline const char* name = "caller";
};

/// Calls `then` for each message.
text_actor::behavior_type caller(
  pinned_pointer<text_actor, no_state>, std::function<void()> then) {
  return {[then = std::move(then)](const std::string&) { then(); }};
}

/// Sends itself a message for each, as long as it is wanted.
text_actor::behavior_type restless(pinned_pointer<text_actor, no_state> self,
  std::atomic<bool>* wanted, std::atomic<int>* turns) {
  return {[self, wanted, turns](const std::string& x) {
    ++*turns;
    if (*wanted)
      self->send(text_actor{self}, x);
  }};
}

constexpr int many = 200;

BOOST_AUTO_TEST_SUITE(behind)

/// The most of so many hooks behind that ran between two rounds of I/O.
int most_between_rounds(int count, const std::function<void()>& work) {
  running_system sut{1};
  auto& home = sut.at(0);
  std::atomic<int> done{0};
  int in_a_row = 0;
  int most = 0;
  std::deque<waiting_hook> lines;
  for (int i = 0; i < count; ++i)
    lines.emplace_back([&] {
      work();
      most = std::max(most, ++in_a_row);
      ++done;
    });
  std::function<void()> round = [&] {
    in_a_row = 0;
    if (done < count)
      asio::post(home.io(), round);
  };
  asio::post(home.io(), [&] {
    for (auto& l : lines)
      home.mark_behind(l);
    round();
  });
  BOOST_TEST(eventually([&] { return done == count; }));
  return most;
}

// A handler may come just after the drain before it, and just before it: up to
// two drains lie between two rounds.

BOOST_AUTO_TEST_CASE(hooks_behind_leave_room_for_io) {
  const auto most = most_between_rounds(many, [] {});
  BOOST_TEST(most <= 2 * static_cast<int>(worker_limits::hooks_behind));
}

BOOST_AUTO_TEST_CASE(of_hooks_behind_that_take_long_there_is_one_a_drain) {
  const auto most = most_between_rounds(5, [] {
    using clock = std::chrono::steady_clock;
    const auto until = clock::now() + worker_limits::behind_time;
    while (clock::now() < until) {
    }
  });
  BOOST_TEST(most <= 2);
}

BOOST_AUTO_TEST_CASE(a_hook_that_marks_itself_is_called_once_a_drain) {
  std::optional<waiting_hook> behind;
  std::optional<waiting_hook> last;
  running_system sut{1};
  auto& home = sut.at(0);
  // Handlers of I/O, and calls of each hook since the latest of them.
  std::atomic<int> handled{0};
  std::array calls{0, 0};
  std::array most{0, 0};
  std::atomic<int> ended{0}; // hooks that mark themselves no more
  const auto goes_on = [&](size_t which) {
    most.at(which) = std::max(most.at(which), ++calls.at(which));
    if (handled < many)
      return true;
    ++ended;
    return false;
  };
  behind.emplace([&] {
    if (goes_on(0))
      home.mark_behind(*behind);
  });
  last.emplace([&] {
    if (goes_on(1))
      home.mark_last(*last);
  });
  std::function<void()> round = [&] {
    calls = {0, 0};
    if (++handled < many)
      asio::post(home.io(), round);
  };
  asio::post(home.io(), [&] {
    home.mark_behind(*behind);
    home.mark_last(*last);
    round();
  });
  BOOST_REQUIRE(eventually([&] { return ended == 2; }));
  // A handler may come just after the drain before it, and just before it.
  BOOST_TEST(most.at(0) <= 2);
  BOOST_TEST(most.at(1) <= 2);
}

BOOST_AUTO_TEST_CASE(the_last_has_its_turn_however_many_are_before_it) {
  std::deque<waiting_hook> lines;
  std::optional<waiting_hook> last;
  running_system sut{1};
  auto& home = sut.at(0);
  int before = 0;
  bool left = false;
  std::atomic<int> before_the_last{-1};
  for (int i = 0; i < many; ++i)
    lines.emplace_back([&] { ++before; });
  last.emplace([&] {
    left = home.leaves_behind();
    before_the_last = before;
  });
  asio::post(home.io(), [&] {
    home.mark_last(*last);
    for (auto& l : lines)
      home.mark_behind(l);
  });
  BOOST_TEST(eventually([&] { return before_the_last >= 0; }));
  BOOST_TEST(left);
  BOOST_TEST(before_the_last >= 1);
  BOOST_TEST(before_the_last <= static_cast<int>(worker_limits::hooks_behind));
}

BOOST_AUTO_TEST_CASE(a_hook_that_may_not_wait_goes_before_those) {
  running_system sut{1};
  auto& home = sut.at(0);
  std::atomic<int> done{0};
  std::vector<int> order;
  std::deque<waiting_hook> lines;
  for (int i = 0; i < many; ++i)
    lines.emplace_back([&, i] {
      order.push_back(i);
      ++done;
    });
  asio::post(home.io(), [&] {
    for (int i = 0; i + 1 < many; ++i)
      home.mark_behind(lines[static_cast<size_t>(i)]);
    home.mark(lines[many - 1]);
    // It has more to write than what may wait.
    home.mark(lines[many - 2]);
    home.mark_behind(lines[many - 2]);
  });
  BOOST_TEST(eventually([&] { return done == many; }));
  BOOST_TEST(order.at(0) == many - 1);
  BOOST_TEST(order.at(1) == many - 2);
  BOOST_TEST(order.at(2) == 0);
  BOOST_TEST(order.size() == many);
}

BOOST_AUTO_TEST_CASE(lean_actors_wait_for_all_others) {
  running_system sut{1};
  auto& home = sut.at(0);
  std::atomic<int> handled{0};
  std::atomic<int> before{-1};
  std::vector<text_actor> lean;
  for (int i = 0; i < many; ++i)
    lean.push_back(spawn_lean<message_counter>(sut.system(), &home, &handled));
  auto other = spawn_on(
    home, caller, std::function<void()>{[&] { before = handled.load(); }});
  asio::post(home.io(), [&] {
    for (const auto& x : lean)
      caf::anon_send(x, std::string{"x"});
    asio::post(home.io(), [&] { caf::anon_send(other, std::string{"x"}); });
  });
  BOOST_TEST(eventually([&] { return handled == many && before >= 0; }));
  BOOST_TEST(before <= static_cast<int>(worker_limits::jobs_behind));
}

BOOST_AUTO_TEST_CASE(lean_actors_get_their_turn_though_others_never_rest) {
  running_system sut{1};
  auto& home = sut.at(0);
  std::atomic<bool> wanted{true};
  std::atomic<int> turns{0};
  std::atomic<int> handled{0};
  auto busy = spawn_on(home, restless, &wanted, &turns);
  caf::anon_send(busy, std::string{"x"});
  BOOST_TEST(eventually([&] { return turns > 1000; }));
  std::vector<text_actor> lean;
  for (int i = 0; i < many; ++i)
    lean.push_back(spawn_lean<message_counter>(sut.system(), &home, &handled));
  for (const auto& x : lean)
    caf::anon_send(x, std::string{"x"});
  BOOST_TEST(eventually([&] { return handled == many; }));
  wanted = false;
  auto last = turns.load();
  BOOST_TEST(eventually([&] { return std::exchange(last, turns) == turns; }));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
