#include <utility>

#include "actors/runtime/lean.hpp"
#include "actors/runtime/pinned.hpp"
#include "tests/actors/runtime/running_system.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <caf/all.hpp>

#include <atomic>
#include <string>
#include <thread>

namespace parley::test {

namespace {

namespace data = boost::unit_test::data;

using text_actor = caf::typed_actor<caf::reacts_to<std::string>>;

/// What one saw, shared with the test.
struct seen {
  std::atomic<int> numbers{0};
  std::atomic<int> disordered{0};
  std::atomic<int> elsewhere{0};
  std::atomic<int> ends{0};
};

/// Takes numbers in rising order, and ends itself at "end".
class listener final : public lean_actor<listener, text_actor> {
public:
  listener(caf::actor_config& cfg, seen* what)
    : lean_actor(cfg), x_home(worker::home_for(cfg)), x_seen(what) {}

  void on(const std::string& x) {
    if (worker::current() != x_home)
      ++x_seen->elsewhere;
    if (x == "end") {
      quit(caf::exit_reason::out_of_workers);
      return;
    }
    if (std::stoi(x) != x_seen->numbers++)
      ++x_seen->disordered;
  }

  void ended() { ++x_seen->ends; }

private:
  counted x_alive;
  worker* x_home;
  seen* x_seen;
};

text_actor spawn_listener(running_system& sut, seen& what) {
  return spawn_lean<listener>(sut.system(), &sut.at(0), &what);
}

/// What another actor was told of an end.
struct told {
  std::atomic<int> downs{0};
  std::atomic<int> reason{0};
};

caf::behavior monitor_of(
  caf::event_based_actor* self, text_actor whom, told* what) {
  self->monitor(whom);
  self->set_down_handler([self, what](const caf::down_msg& x) {
    what->reason = x.reason.code();
    ++what->downs;
    self->quit();
  });
  return {[](caf::unit_t) {}};
}

/// Ends with whom it is linked to, and counts that.
caf::behavior companion_of(
  caf::event_based_actor* self, text_actor whom, told* what) {
  self->attach_functor([what] { ++what->downs; });
  self->link_to(whom);
  return {[](caf::unit_t) {}};
}

int code_of(caf::exit_reason x) {
  return caf::make_error(x).code();
}

BOOST_AUTO_TEST_SUITE(lean)

BOOST_DATA_TEST_CASE(
  messages_come_in_order_on_the_home, data::make({1, 2}), workers) {
  constexpr int count = 20'000;
  running_system sut{static_cast<size_t>(workers)};
  seen what;
  auto a = spawn_listener(sut, what);
  for (int i = 0; i < count; ++i)
    caf::anon_send(a, std::to_string(i));
  BOOST_TEST(eventually([&] { return what.numbers == count; }));
  BOOST_TEST(what.disordered == 0);
  BOOST_TEST(what.elsewhere == 0);
  caf::anon_send(a, std::string{"end"});
  BOOST_TEST(eventually([&] { return what.ends == 1; }));
}

BOOST_AUTO_TEST_CASE(who_monitors_it_is_told_why_it_ended) {
  running_system sut{2};
  seen what;
  told first, second, late;
  auto a = spawn_listener(sut, what);
  auto one = sut.system().spawn(monitor_of, a, &first);
  auto other = sut.system().spawn(monitor_of, a, &second);
  caf::anon_send(a, std::string{"end"});
  BOOST_TEST(eventually([&] { return first.downs + second.downs == 2; }));
  BOOST_TEST(first.reason == code_of(caf::exit_reason::out_of_workers));
  BOOST_TEST(what.ends == 1);
  auto third = sut.system().spawn(monitor_of, a, &late);
  BOOST_TEST(eventually([&] { return late.downs == 1; }));
  BOOST_TEST(late.reason == code_of(caf::exit_reason::out_of_workers));
}

BOOST_AUTO_TEST_CASE(it_ends_when_it_is_told_to) {
  running_system sut{1};
  seen what;
  told monitor;
  auto a = spawn_listener(sut, what);
  auto held = sut.system().spawn(monitor_of, a, &monitor);
  caf::anon_send_exit(a, caf::exit_reason::kill);
  BOOST_TEST(eventually([&] { return monitor.downs == 1; }));
  BOOST_TEST(monitor.reason == code_of(caf::exit_reason::kill));
  BOOST_TEST(what.ends == 1);
}

BOOST_AUTO_TEST_CASE(who_is_linked_to_it_ends_with_it) {
  running_system sut{2};
  seen what;
  told companion, late;
  auto a = spawn_listener(sut, what);
  auto one = sut.system().spawn(companion_of, a, &companion);
  caf::anon_send(a, std::string{"end"});
  BOOST_TEST(eventually([&] { return companion.downs == 1; }));
  auto other = sut.system().spawn(companion_of, a, &late);
  BOOST_TEST(eventually([&] { return late.downs == 1; }));
}

BOOST_AUTO_TEST_CASE(it_ends_with_whom_it_is_linked_to) {
  running_system sut{2};
  seen what;
  told companion;
  auto a = spawn_listener(sut, what);
  auto b = sut.system().spawn(companion_of, a, &companion);
  caf::anon_send_exit(b, caf::exit_reason::user_shutdown);
  BOOST_TEST(eventually([&] { return what.ends == 1; }));
}

BOOST_AUTO_TEST_CASE(a_question_to_one_that_has_ended_is_answered) {
  running_system sut{1};
  seen what;
  auto a = spawn_listener(sut, what);
  caf::anon_send(a, std::string{"end"});
  BOOST_TEST(eventually([&] { return what.ends == 1; }));
  caf::scoped_actor self{sut.system()};
  int failed = 0;
  self->request(caf::actor_cast<caf::actor>(a), caf::infinite, std::string{"1"})
    .receive([] {}, [&failed](const caf::error&) { ++failed; });
  BOOST_TEST(failed == 1);
}

BOOST_AUTO_TEST_CASE(none_outlives_its_last_handle_or_the_system) {
  for (int i = 0; i < 20; ++i) {
    seen what;
    told monitor;
    {
      running_system sut{2};
      auto a = spawn_listener(sut, what);
      auto held =
        sut.system().spawn(monitor_of, spawn_listener(sut, what), &monitor);
      // Nobody holds that one any more.
      BOOST_TEST(eventually([&] { return monitor.downs == 1; }));
      BOOST_TEST(monitor.reason == code_of(caf::exit_reason::unreachable));
      for (int n = 0; n < 1000; ++n)
        caf::anon_send(a, std::to_string(n));
    }
    BOOST_REQUIRE(counted::alive() == 0);
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
