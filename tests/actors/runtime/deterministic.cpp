#include "tests/support/deterministic.hpp"

#include "actors/runtime/pinned.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/all.hpp>

#include <chrono>
#include <set>
#include <string>
#include <vector>

namespace parley::test {

namespace {

using namespace std::chrono_literals;

/// A type that the caller registers.
struct parcel {
  std::string what;
};

template <class Inspector>
auto inspect(Inspector& f, parcel& x) {
  return f(caf::meta::type_name("parcel"), x.what);
}

using put_atom = caf::atom_constant<caf::atom("put")>;
using tick_atom = caf::atom_constant<caf::atom("tick")>;

using walker_actor =
  caf::typed_actor<caf::reacts_to<put_atom, parcel>, caf::reacts_to<tick_atom>>;

struct walker_state {
  walker_state() {}
  std::vector<walker_actor> next;
  static inline const char* name = "walker";
};

/// Writes down what it gets and when, passes it on to the `next`, and does the
/// same with a tick of its own every `period`.
walker_actor::behavior_type walker(
  pinned_pointer<walker_actor, walker_state> self, std::string name,
  std::vector<walker_actor> next, std::string* trace,
  std::chrono::seconds period) {
  self->state.next = std::move(next);
  if (self->home())
    *trace += "home!";
  if (period.count() > 0)
    self->delayed_send(self, period, tick_atom::value);
  return {
    [self, name, trace](put_atom, const parcel& p) {
      auto t = std::chrono::duration_cast<std::chrono::seconds>(
        self->clock().now().time_since_epoch());
      *trace += name + p.what + std::to_string(t.count()) + ' ';
      for (auto& to : self->state.next)
        self->send(to, put_atom::value, parcel{p.what + name});
    },
    [self, period](tick_atom) {
      self->send(self, put_atom::value, parcel{"tick"});
      self->delayed_send(self, period, tick_atom::value);
    },
  };
}

std::string run(uint64_t seed) {
  std::string trace;
  deterministic_system sut{seed, [](caf::actor_system_config& cfg) {
                             cfg.add_message_type<parcel>("parcel");
                           }};
  BOOST_TEST(sut.system().types().make_value("parcel") != nullptr);
  auto a = sut.spawn(walker, "a", std::vector<walker_actor>{}, &trace, 0s);
  auto b = sut.spawn(walker, "b", std::vector{a}, &trace, 60s);
  auto c = sut.spawn(walker, "c", std::vector{a, b}, &trace, 90s);
  auto d = sut.spawn(walker, "d", std::vector{a, b, c}, &trace, 0s);
  for (int i = 0; i < 5; ++i)
    caf::anon_send(d, put_atom::value, parcel{std::to_string(i)});
  for (auto n = sut.random()() % 5; n > 0; --n)
    sut.step();
  caf::anon_send(b, put_atom::value, parcel{"x"});
  sut.advance(10min);
  return trace;
}

size_t count(const std::string& where, const std::string& what) {
  size_t n = 0;
  for (auto i = where.find(what); i != where.npos; i = where.find(what, i + 1))
    ++n;
  return n;
}

BOOST_AUTO_TEST_SUITE(deterministic)

BOOST_AUTO_TEST_CASE(a_seed_gives_the_same_run_every_time) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    auto trace = run(seed);
    BOOST_TEST(!trace.empty());
    BOOST_TEST(trace == run(seed));
  }
}

BOOST_AUTO_TEST_CASE(different_seeds_give_different_runs) {
  std::set<std::string> traces;
  for (uint64_t seed = 0; seed < 50; ++seed)
    traces.insert(run(seed));
  BOOST_TEST(traces.size() > 45u);
}

BOOST_AUTO_TEST_CASE(there_are_no_workers_and_no_homes) {
  std::string trace;
  deterministic_system sut{1};
  BOOST_TEST(io_scheduler::of(sut.system()) == nullptr);
  auto a = sut.own(spawn_on(sut.system(), nullptr, walker, "a",
    std::vector<walker_actor>{}, &trace, 0s));
  caf::anon_send(a, put_atom::value, parcel{"x"});
  BOOST_TEST(sut.settle() > 0u);
  BOOST_TEST(trace == "ax0 ");
}

BOOST_AUTO_TEST_CASE(advancing_stops_at_every_time_that_is_due) {
  std::string trace;
  deterministic_system sut{1};
  sut.spawn(walker, "a", std::vector<walker_actor>{}, &trace, 60s);
  auto start = sut.now();
  sut.advance(59s);
  BOOST_TEST(trace == "");
  sut.advance(10min);
  BOOST_TEST((sut.now() - start == 10min + 59s));
  BOOST_TEST(count(trace, "atick") == 10u);
  BOOST_TEST(trace.starts_with("atick60 atick120 atick180 "));
}

BOOST_AUTO_TEST_CASE(an_actor_that_nobody_ends_is_an_error,
  *boost::unit_test::expected_failures(1)) {
  std::string trace;
  deterministic_system sut{1};
  auto a =
    sut.system().spawn(walker, "a", std::vector<walker_actor>{}, &trace, 0s);
  caf::anon_send(a, put_atom::value, parcel{"x"});
  sut.end();
  sut.own(a);
}

BOOST_AUTO_TEST_CASE(actors_running_in_a_circle_are_an_error) {
  deterministic_system sut{1};
  sut.spawn(
    [](caf::event_based_actor* self, int) {
      self->send(self, tick_atom::value);
      return caf::behavior{
        [self](tick_atom) { self->send(self, tick_atom::value); }};
    },
    0);
  BOOST_CHECK_THROW(sut.settle(10'000), std::runtime_error);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
