#include <utility>

#include "actors/runtime/pinned.hpp"
#include "tests/actors/runtime/running_system.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/all.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace parley::test {

namespace {

using namespace std::chrono_literals;
using tick_atom = caf::atom_constant<caf::atom("tick")>;
using ask_atom = caf::atom_constant<caf::atom("ask")>;

using note_actor = caf::typed_actor<caf::reacts_to<tick_atom, int>>;

struct note_state {
  note_state() {}
  counted alive;
  static inline const char* name = "note";
};

/// Notes the numbers that it gets.
struct notes {
  std::mutex mutex;
  std::vector<int> taken;

  size_t size() {
    std::lock_guard guard{mutex};
    return taken.size();
  }
};

note_actor::behavior_type note(
  pinned_pointer<note_actor, note_state>, std::shared_ptr<notes> to) {
  return {[to](tick_atom, int n) {
    std::lock_guard guard{to->mutex};
    to->taken.push_back(n);
  }};
}

BOOST_AUTO_TEST_SUITE(clock)

BOOST_AUTO_TEST_CASE(delayed_messages_come_in_the_order_of_their_times) {
  auto seen = std::make_shared<notes>();
  running_system sut{2};
  auto a = spawn_on(sut.at(0), note, seen);
  auto start = sut.clock().now() + 5ms;
  auto at = [&](std::chrono::milliseconds t, int n) {
    sut.clock().schedule_message(start + t,
      caf::actor_cast<caf::strong_actor_ptr>(a),
      caf::make_mailbox_element(
        nullptr, caf::make_message_id(), {}, tick_atom::value, n));
  };
  at(9ms, 5);
  at(1ms, 1);
  at(5ms, 3);
  at(5ms, 4); // at the same time: in the order of sending
  at(3ms, 2);
  at(0ms, 0);
  BOOST_TEST(eventually([&] { return seen->size() == 6; }));
  BOOST_TEST((sut.clock().now() >= start + 9ms));
  for (int n = 0; n < 6; ++n)
    BOOST_TEST(seen->taken[n] == n);
}

BOOST_AUTO_TEST_CASE(a_request_without_answer_times_out) {
  std::atomic<int> outcome{0};
  running_system sut{2};
  auto silent = sut.system().spawn(
    [](caf::event_based_actor* self,
      std::shared_ptr<caf::response_promise> kept) {
      return caf::behavior{
        [self, kept](ask_atom) { *kept = self->make_response_promise(); }};
    },
    std::make_shared<caf::response_promise>());
  sut.system().spawn(
    [&outcome](caf::event_based_actor* self, const caf::actor& asked) {
      self->request(asked, 5ms, ask_atom::value)
        .then([&outcome](int) { outcome = 1; },
          [&outcome](const caf::error& e) {
            outcome = e == caf::sec::request_timeout ? 2 : 3;
          });
    },
    silent);
  BOOST_TEST(eventually([&] { return outcome != 0; }));
  BOOST_TEST(outcome == 2);
  caf::anon_send_exit(silent, caf::exit_reason::kill);
}

BOOST_AUTO_TEST_CASE(a_receive_timeout_replaces_the_one_before) {
  running_system sut{2};
  auto& clock = sut.clock();
  auto seen = std::make_shared<notes>();
  auto a = spawn_on(sut.at(0), note, seen);
  auto self = caf::actor_cast<caf::abstract_actor*>(a);
  auto later = clock.now() + 1h;
  clock.set_ordinary_timeout(later, self, caf::atom("one"), 1);
  clock.set_ordinary_timeout(later, self, caf::atom("one"), 2);
  clock.set_ordinary_timeout(later, self, caf::atom("two"), 3);
  BOOST_TEST(clock.pending() == 2u);
  clock.cancel_ordinary_timeout(self, caf::atom("one"));
  BOOST_TEST(clock.pending() == 1u);
  clock.set_multi_timeout(later, self, caf::atom("one"), 4);
  clock.set_multi_timeout(later, self, caf::atom("one"), 5);
  clock.set_request_timeout(later, self, caf::make_message_id(7));
  clock.set_request_timeout(later, self, caf::make_message_id(8));
  BOOST_TEST(clock.pending() == 5u);
  clock.cancel_request_timeout(self, caf::make_message_id(7));
  BOOST_TEST(clock.pending() == 4u);
  clock.cancel_request_timeout(self, caf::make_message_id(9));
  BOOST_TEST(clock.pending() == 4u);
  caf::delayed_anon_send(a, 1h, tick_atom::value, 1);
  clock.cancel_timeouts(self); // not the message
  BOOST_TEST(clock.pending() == 1u);
  clock.cancel_all();
  BOOST_TEST(clock.pending() == 0u);
}

BOOST_AUTO_TEST_CASE(an_actor_that_ends_takes_its_timeouts_along) {
  running_system sut{2};
  auto a = spawn_on(sut.at(0), note, std::make_shared<notes>());
  auto self = caf::actor_cast<caf::abstract_actor*>(a);
  for (int id = 0; id < 10; ++id)
    sut.clock().set_multi_timeout(
      sut.clock().now() + 1h, self, caf::atom("one"), id);
  BOOST_TEST(sut.clock().pending() == 10u);
  caf::anon_send_exit(a, caf::exit_reason::kill);
  BOOST_TEST(eventually([&] { return sut.clock().pending() == 0; }));
}

BOOST_AUTO_TEST_CASE(actors_that_die_in_the_clock_do_not_stop_it) {
  auto seen = std::make_shared<notes>();
  {
    running_system sut{2};
    auto last = spawn_on(sut.at(0), note, seen);
    for (int i = 0; i < 500; ++i) {
      // delivered to an actor that nobody else holds: it dies thereafter
      caf::delayed_anon_send(
        spawn_on(sut.at(i), note, std::make_shared<notes>()), 1ms,
        tick_atom::value, i);
    }
    caf::delayed_anon_send(last, 2ms, tick_atom::value, 1);
    BOOST_TEST(eventually([&] { return seen->size() == 1; }));
    BOOST_TEST(eventually([&] { return counted::alive() == 1; }));
  }
  BOOST_TEST(counted::alive() == 0);
}

BOOST_AUTO_TEST_CASE(a_stopped_clock_drops_what_it_is_given) {
  running_system sut{1};
  auto seen = std::make_shared<notes>();
  auto a = spawn_on(sut.at(0), note, seen);
  timer_clock stopped;
  stopped.start();
  stopped.stop();
  stopped.schedule_message(stopped.now(),
    caf::actor_cast<caf::strong_actor_ptr>(a),
    caf::make_mailbox_element(
      nullptr, caf::make_message_id(), {}, tick_atom::value, 1));
  BOOST_TEST(stopped.pending() == 0u);
  stopped.stop();
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
