#include <utility>

#include "actors/runtime/pinned.hpp"
#include "tests/actors/runtime/running_system.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <caf/all.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <future>
#include <set>
#include <thread>
#include <vector>

namespace parley::test {

namespace {

namespace data = boost::unit_test::data;

using number_atom = caf::atom_constant<caf::atom("number")>;
using hop_atom = caf::atom_constant<caf::atom("hop")>;
using peer_atom = caf::atom_constant<caf::atom("peer")>;

/// Takes the `n`-th number of sender `from`.
using sink_actor = caf::typed_actor<caf::reacts_to<number_atom, int, int>>;

/// What a sink saw, shared with the test.
struct record {
  std::atomic<int> taken{0};
  std::atomic<int> elsewhere{0};
  std::atomic<int> disordered{0};
};

struct sink_state {
  sink_state() {}
  std::array<int, 16> next{};
  std::thread::id thread;
  static inline const char* name = "sink";
};

sink_actor::behavior_type sink(
  pinned_pointer<sink_actor, sink_state> self, record* seen) {
  self->state.thread = std::this_thread::get_id();
  return {[self, seen](number_atom, int from, int n) {
    auto& st = self->state;
    if (worker::current() != self->home()
      || std::this_thread::get_id() != st.thread)
      ++seen->elsewhere;
    if (st.next[from]++ != n)
      ++seen->disordered;
    ++seen->taken;
  }};
}

/// Sends `count` numbers as sender `from` to all `sinks`, then ends.
caf::behavior source(caf::event_based_actor* self,
  std::vector<sink_actor> sinks, int from, int count) {
  for (int n = 0; n < count; ++n)
    for (auto& to : sinks)
      self->send(to, number_atom::value, from, n);
  return {};
}

/// Passes a number on to its peer, one less, until it is nought.
using hop_actor = caf::typed_actor<caf::reacts_to<hop_atom, int>,
  caf::reacts_to<peer_atom, caf::strong_actor_ptr>>;

struct hop_state {
  hop_state() {}
  hop_actor peer;
  static inline const char* name = "hop";
};

hop_actor::behavior_type hop(
  pinned_pointer<hop_actor, hop_state> self, std::atomic<int>* ended) {
  return {
    [self, ended](hop_atom, int left) {
      if (left > 0)
        self->send(self->state.peer, hop_atom::value, left - 1);
      else
        ++*ended;
    },
    [self](peer_atom, const caf::strong_actor_ptr& peer) {
      self->state.peer = caf::actor_cast<hop_actor>(peer);
    },
  };
}

std::pair<hop_actor, hop_actor> hop_pair(
  worker& left, worker& right, std::atomic<int>* ended) {
  auto a = spawn_on(left, hop, ended);
  auto b = spawn_on(right, hop, ended);
  auto ptr = [](auto& x) { return caf::actor_cast<caf::strong_actor_ptr>(x); };
  caf::anon_send(a, peer_atom::value, ptr(b));
  caf::anon_send(b, peer_atom::value, ptr(a));
  return {a, b};
}

void end(const std::pair<hop_actor, hop_actor>& pair) {
  caf::anon_send_exit(pair.first, caf::exit_reason::kill);
  caf::anon_send_exit(pair.second, caf::exit_reason::kill);
}

/// Notes its home, and that of a child which it spawns.
using place_actor = caf::typed_actor<caf::reacts_to<hop_atom>>;

struct place_state {
  place_state() {}
  static inline const char* name = "place";
};

place_actor::behavior_type place(pinned_pointer<place_actor, place_state> self,
  std::vector<std::atomic<worker*>>* homes, size_t at, size_t stride) {
  (*homes)[at] = self->home();
  if (at + stride < homes->size())
    self->spawn(place, homes, at + stride, stride);
  self->quit();
  return {[](hop_atom) {}};
}

BOOST_AUTO_TEST_SUITE(pinning)

BOOST_DATA_TEST_CASE(whoever_sends_the_handler_runs_at_home_and_in_order,
  data::make({1, 2, 8}), workers) {
  constexpr int count = 300;
  constexpr int senders = 8;
  std::array<record, 4> seen;
  running_system sut{static_cast<size_t>(workers)};
  std::vector<sink_actor> sinks;
  for (size_t i = 0; i < seen.size(); ++i)
    sinks.push_back(spawn_on(sut.at(i), sink, &seen[i]));
  auto send_all = [&](int from) {
    for (int n = 0; n < count; ++n)
      for (auto& to : sinks)
        caf::anon_send(to, number_atom::value, from, n);
  };
  std::thread first{send_all, 0};
  std::thread second{send_all, 1};
  sut.system().spawn<caf::detached>(source, sinks, 2, count);
  sut.system().spawn<caf::detached>(source, sinks, 3, count);
  sut.system().spawn(source, sinks, 4, count);
  spawn_on(sut.at(0), source, sinks, 5, count);
  spawn_on(sut.at(1), source, sinks, 6, count);
  boost::asio::post(sut.at(2).io(), [&] { send_all(7); });
  bool all = eventually([&] {
    for (auto& r : seen)
      if (r.taken != senders * count)
        return false;
    return true;
  });
  first.join();
  second.join();
  BOOST_TEST(all);
  for (auto& r : seen) {
    BOOST_TEST(r.elsewhere == 0);
    BOOST_TEST(r.disordered == 0);
  }
}

BOOST_DATA_TEST_CASE(
  a_delayed_message_arrives_at_home, data::make({1, 2, 8}), workers) {
  constexpr int count = 200;
  record seen;
  running_system sut{static_cast<size_t>(workers)};
  auto to = spawn_on(sut.at(1), sink, &seen);
  for (int n = 0; n < count; ++n)
    caf::delayed_anon_send(
      to, std::chrono::milliseconds(n / 50), number_atom::value, 0, n);
  BOOST_TEST(eventually([&] { return seen.taken == count; }));
  BOOST_TEST(seen.elsewhere == 0);
}

BOOST_DATA_TEST_CASE(a_pair_plays_ping_pong_across_workers_at_any_spin,
  data::make({1, 2, 8}) * data::make({0, 20, 200}), workers, spin) {
  constexpr int hops = 1'000;
  std::atomic<int> ended{0};
  running_system sut{
    static_cast<size_t>(workers), std::chrono::microseconds{spin}};
  std::vector<std::pair<hop_actor, hop_actor>> pairs;
  pairs.reserve(4);
  for (int i = 0; i < 4; ++i)
    pairs.push_back(hop_pair(sut.at(i), sut.at(i + 1), &ended));
  for (auto& [a, b] : pairs)
    for (int ball = 0; ball < 3; ++ball)
      caf::anon_send(a, hop_atom::value, hops);
  BOOST_TEST(eventually([&] { return ended == 12; }));
  for (auto& pair : pairs)
    end(pair);
}

BOOST_DATA_TEST_CASE(no_wake_up_is_lost_when_workers_fall_asleep,
  data::make({1, 2, 8}) * data::make({0, 20}), workers, spin) {
  constexpr int rounds = 500;
  record seen;
  running_system sut{
    static_cast<size_t>(workers), std::chrono::microseconds{spin}};
  auto to = spawn_on(sut.at(1), sink, &seen);
  int n = 0;
  for (; n < rounds; ++n) {
    caf::anon_send(to, number_atom::value, 0, n);
    for (int spun = 0; seen.taken <= n && spun < 1000; ++spun)
      std::this_thread::yield();
    if (!eventually([&] { return seen.taken > n; }))
      break;
  }
  BOOST_TEST(n == rounds);
  BOOST_TEST(seen.elsewhere == 0);
}

BOOST_DATA_TEST_CASE(
  children_live_where_their_parent_does, data::make({1, 2, 8}), workers) {
  auto stride = static_cast<size_t>(workers);
  std::vector<std::atomic<worker*>> homes(stride * 5);
  running_system sut{stride};
  for (size_t i = 0; i < stride; ++i)
    spawn_on(sut.at(i), place, &homes, i, stride);
  BOOST_TEST(eventually([&] {
    return std::all_of(
      homes.begin(), homes.end(), [](auto& x) { return x.load(); });
  }));
  for (size_t i = 0; i < homes.size(); ++i)
    BOOST_TEST(homes[i].load() == &sut.at(i));
}

BOOST_DATA_TEST_CASE(actors_spawned_off_the_workers_are_spread_over_them,
  data::make({1, 2, 8}), workers) {
  auto count = static_cast<size_t>(workers);
  std::vector<std::atomic<worker*>> homes(count);
  running_system sut{count};
  for (size_t i = 0; i < count; ++i)
    sut.system().spawn(place, &homes, i, count);
  BOOST_TEST(eventually([&] {
    return std::all_of(
      homes.begin(), homes.end(), [](auto& x) { return x.load(); });
  }));
  std::set<worker*> distinct{homes.begin(), homes.end()};
  BOOST_TEST(distinct.size() == count);
}

BOOST_AUTO_TEST_CASE(a_detached_actor_has_no_home) {
  running_system sut{2};
  std::vector<std::atomic<worker*>> homes(1);
  homes[0] = &sut.at(0);
  spawn_on<caf::detached>(sut.at(0), place, &homes, size_t{0}, size_t{1});
  BOOST_TEST(eventually([&] { return homes[0] == nullptr; }));
}

BOOST_AUTO_TEST_CASE(workers_know_their_place) {
  running_system sut{3};
  BOOST_TEST(sut.scheduler().size() == 3u);
  BOOST_TEST(worker::current() == nullptr);
  for (size_t i = 0; i < 3; ++i) {
    BOOST_TEST(sut.at(i).index() == i);
    BOOST_TEST(&sut.at(i + 3) == &sut.at(i));
    std::atomic<worker*> seen{nullptr};
    boost::asio::post(sut.at(i).io(), [&] { seen = worker::current(); });
    BOOST_TEST(eventually([&] { return seen == &sut.at(i); }));
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_handled_is_counted_until_it_is) {
  running_system sut{2};
  record seen;
  auto to = spawn_on(sut.at(0), sink, &seen);
  std::promise<void> is_busy;
  std::promise<void> goes_on;
  boost::asio::post(sut.at(0).io(), [&] {
    is_busy.set_value();
    goes_on.get_future().wait();
  });
  is_busy.get_future().wait();
  constexpr int count = 100;
  for (int n = 0; n < count; ++n)
    caf::anon_send(to, number_atom::value, 0, n);
  BOOST_TEST(sut.at(0).backlog() >= uint64_t{count});
  BOOST_TEST(sut.at(1).backlog() == 0u);
  goes_on.set_value();
  BOOST_TEST(eventually([&] { return seen.taken == count; }));
  BOOST_TEST(eventually([&] { return sut.at(0).backlog() == 0; }));
  // What is sent to one that has ended counts until the worker rests again.
  caf::anon_send_exit(to, caf::exit_reason::user_shutdown);
  for (int n = 0; n < count; ++n)
    caf::anon_send(to, number_atom::value, 0, count + n);
  auto other = spawn_on(sut.at(0), sink, &seen);
  caf::anon_send(other, number_atom::value, 0, 0);
  BOOST_TEST(eventually([&] { return sut.at(0).backlog() == 0; }));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
