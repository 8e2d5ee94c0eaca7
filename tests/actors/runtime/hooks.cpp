#include <utility>

#include "actors/runtime/pinned.hpp"
#include "tests/actors/runtime/running_system.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <caf/all.hpp>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <vector>

namespace parley::test {

namespace {

namespace asio = boost::asio;
namespace data = boost::unit_test::data;

using put_atom = caf::atom_constant<caf::atom("put")>;

/// Stands for a connection: output is put into it, and written in `drained`.
class line final : public drained_hook {
public:
  explicit line(std::function<void(line&)> on_drained = {})
    : on_drained_(std::move(on_drained)) {}

  ~line() { ++gone; }

  void drained() override {
    ++writes;
    at_last_write = puts.load();
    if (on_drained_)
      on_drained_(*this);
  }

  std::atomic<int> puts{0};
  std::atomic<int> writes{0};
  std::atomic<int> at_last_write{0};
  static inline std::atomic<int> gone{0};

private:
  std::function<void(line&)> on_drained_;
};

using put_actor = caf::typed_actor<caf::reacts_to<put_atom>>;

struct put_state {
  put_state() {}
  static inline const char* name = "put";
};

/// Puts something into each of `out` for every message.
put_actor::behavior_type put(
  pinned_pointer<put_actor, put_state> self, std::vector<line*> out) {
  return {[self, out = std::move(out)](put_atom) {
    for (auto to : out) {
      ++to->puts;
      self->home()->mark(*to);
    }
  }};
}

/// Calls `f` on the worker's thread, outside of drains.
void post(worker& home, std::function<void()> f) {
  asio::post(home.io(), std::move(f));
}

BOOST_AUTO_TEST_SUITE(hooks)

BOOST_DATA_TEST_CASE(
  what_many_messages_mark_is_called_once, data::make({1, 2, 8}), workers) {
  line first;
  line second;
  running_system sut{static_cast<size_t>(workers)};
  auto& home = sut.at(1);
  auto a = spawn_on(home, put, std::vector{&first, &second});
  // sent from the worker itself, so that they lie in one drain
  post(home, [a] {
    for (int i = 0; i < 40; ++i)
      caf::anon_send(a, put_atom::value);
  });
  BOOST_TEST(eventually([&] { return second.writes > 0; }));
  for (auto x : {&first, &second}) {
    BOOST_TEST(x->at_last_write == 40);
    BOOST_TEST(x->writes == 1);
  }
}

BOOST_DATA_TEST_CASE(a_hook_marked_by_a_handler_of_io_is_called_too,
  data::make({1, 2, 8}), workers) {
  line out;
  running_system sut{static_cast<size_t>(workers)};
  auto& home = sut.at(1);
  for (int i = 1; i <= 10; ++i) {
    post(home, [&] {
      home.mark(out);
      home.mark(out);
    });
    BOOST_TEST(eventually([&] { return out.writes == i; }));
  }
}

BOOST_AUTO_TEST_CASE(a_hook_that_marks_itself_is_called_in_the_next_drain) {
  // were it the same drain, the worker would never come to anything else
  std::atomic<bool> posted{false};
  worker* home = nullptr;
  line out{[&](line& self) {
    if (self.writes < 100 || !posted)
      home->mark(self);
  }};
  running_system sut{1};
  home = &sut.at(0);
  post(*home, [&] { home->mark(out); });
  BOOST_TEST(eventually([&] { return out.writes > 3; }));
  post(*home, [&] { posted = true; });
  BOOST_TEST(eventually([&] { return posted.load(); }));
  BOOST_TEST(eventually([&] { return out.writes >= 100; }));
}

BOOST_AUTO_TEST_CASE(a_hook_destroyed_after_marking_is_not_called) {
  std::atomic<bool> done{false};
  line::gone = 0;
  running_system sut{1};
  auto& home = sut.at(0);
  post(home, [&] {
    // the first destroys the second and itself, both due in this drain
    auto second = new line{[](line&) { std::abort(); }};
    auto first = new line{[&, second](line& self) {
      delete second;
      done = true;
      delete &self;
    }};
    home.mark(*first);
    home.mark(*second);
  });
  BOOST_TEST(eventually([&] { return done && line::gone == 2; }));
}

BOOST_AUTO_TEST_CASE(marking_from_another_thread_does_nothing) {
  line out;
  running_system sut{2};
  sut.at(0).mark(out);
  std::atomic<bool> done{false};
  post(sut.at(1), [&] {
    sut.at(0).mark(out);
    done = true;
  });
  BOOST_TEST(eventually([&] { return done.load(); }));
  BOOST_TEST(!out.is_linked());
  BOOST_TEST(out.writes == 0);
}

BOOST_AUTO_TEST_CASE(a_hook_outlives_the_worker_that_it_is_marked_on) {
  line out;
  {
    running_system sut{1};
    auto& home = sut.at(0);
    std::atomic<bool> marked{false};
    post(home, [&] {
      home.mark(out);
      marked = true;
    });
    BOOST_TEST(eventually([&] { return marked.load(); }));
  }
  BOOST_TEST(!out.is_linked());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
