#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

#include "tests/actors/router/world.hpp"

using namespace parley;
using namespace parley::test;

namespace {

using kind = happening::kind;

constexpr int alice = 0;
constexpr int bob = 1;

#ifdef PARLEY_SANITIZED
constexpr int longest = 4; // takes a dozen times as long there
#else
constexpr int longest = 5;
#endif

/// Where a walk begins, what may happen in it, and for how long.
struct walk {
  world::settings how;
  std::vector<happening> before;
  std::vector<happening> alphabet;
  int depth = longest;
};

/// Every sequence of happenings from the alphabet, as long as the walk is deep.
/// What is the same but for names is gone through once: nobody signs in as `b`
/// who was not `a` before, nor Bob before Alice.
class walker {
public:
  explicit walker(walk w) : x_walk(std::move(w)) {}

  /// The first fault and its story; empty if there is none.
  std::string run() {
    step();
    return x_fault;
  }

  uint64_t sequences() const { return x_sequences; }

private:
  bool is_new_name(const happening& x) const {
    if (x.what != kind::sign_in)
      return false;
    if (x_walk.before.empty() && x_done.empty() && x.user != 0)
      return true;
    if (x.endpoint == 0)
      return false;
    auto names_before = [&](const std::vector<happening>& xs) {
      for (const auto& y : xs)
        if (y.what == kind::sign_in && y.user == x.user
          && y.endpoint == x.endpoint - 1)
          return true;
      return false;
    };
    return !names_before(x_walk.before) && !names_before(x_done);
  }

  /// False if the last of what is done could not happen.
  bool replay(bool to_the_end) {
    world w(x_walk.how);
    for (const auto& x : x_walk.before)
      w.happen(x, false);
    bool happened = true;
    for (const auto& x : x_done)
      happened = w.happen(x, &x == &x_done.back()); // the others were seen
    if (happened && to_the_end)
      w.finish();
    x_fault = w.fault();
    return happened;
  }

  void step() {
    for (const auto& x : x_walk.alphabet) {
      if (is_new_name(x))
        continue;
      x_done.push_back(x);
      bool is_last = static_cast<int>(x_done.size()) == x_walk.depth;
      bool happened = replay(is_last);
      x_sequences += happened;
      if (!x_fault.empty()) {
        for (const auto& y : x_done)
          x_fault += "\n  " + to_string(y);
        return;
      }
      if (happened && !is_last)
        step();
      if (!x_fault.empty())
        return;
      x_done.pop_back();
    }
  }

  walk x_walk;
  std::vector<happening> x_done;
  std::string x_fault;
  uint64_t x_sequences = 0;
};

void go(walk w) {
  walker x(std::move(w));
  auto fault = x.run();
  BOOST_TEST(fault == "");
  BOOST_TEST_MESSAGE(x.sequences() << " sequences");
  BOOST_TEST(x.sequences() > 1'000u);
}

happening in(int user, int name) {
  return {kind::sign_in, user, name, 0};
}

happening sends(int user, int name, int to) {
  return {kind::send, user, name, to};
}

happening does(kind what, int user, int name, int arg = 0) {
  return {what, user, name, arg};
}

/// Each of these for each endpoint of Bob's.
std::vector<happening> for_each_name(std::vector<happening> xs) {
  std::vector<happening> all;
  for (const auto& x : xs)
    for (int n = 0; n < endpoints_per_user; ++n) {
      all.push_back(x);
      all.back().endpoint = n;
    }
  return all;
}

void append(std::vector<happening>& to, const std::vector<happening>& what) {
  to.insert(to.end(), what.begin(), what.end());
}

} // namespace

BOOST_AUTO_TEST_SUITE(every_sequence_of_up_to_five)

BOOST_AUTO_TEST_CASE(from_nobody_there) {
  walk w;
  for (int user : {alice, bob}) {
    append(w.alphabet,
      for_each_name({in(user, 0), sends(user, 0, 0), sends(user, 0, 1),
        sends(user, 0, 2), sends(user, 0, 4), sends(user, 0, 5),
        does(kind::send_large, user, 0, 0), does(kind::acknowledge, user, 0),
        does(kind::sign_out, user, 0), does(kind::suspend, user, 0),
        does(kind::resume, user, 0), does(kind::show, user, 0, 0),
        does(kind::show, user, 0, 1), does(kind::show, user, 0, 2),
        does(kind::show, user, 0, 3), does(kind::priority, user, 0, -1),
        does(kind::priority, user, 0, 0), does(kind::window, user, 0, 0),
        does(kind::window, user, 0, 1)}));
    append(w.alphabet,
      {does(kind::grace, user, 0), does(kind::write, user, 0),
        does(kind::write, user, 0, 1), does(kind::answer, user, 0),
        does(kind::idle, user, 0), does(kind::sweep, user, 0)});
  }
  go(w);
}

BOOST_AUTO_TEST_CASE(of_forking_choosing_and_releasing) {
  walk w;
  w.before = {in(alice, 0), in(bob, 0), in(bob, 1), in(bob, 2)};
  w.alphabet = for_each_name({sends(bob, 0, 0), does(kind::suspend, bob, 0)});
  append(w.alphabet,
    {sends(alice, 0, 0), does(kind::resume, bob, 0),
      does(kind::show, bob, 0, 1), does(kind::show, bob, 0, 3),
      does(kind::show, bob, 1, 2), does(kind::show, bob, 0, 0),
      does(kind::priority, bob, 0, -1), does(kind::sign_out, bob, 0),
      does(kind::grace, bob, 0), does(kind::idle, bob, 0),
      does(kind::sweep, bob, 0), does(kind::acknowledge, bob, 0)});
  go(w);
}

BOOST_AUTO_TEST_CASE(of_storing_and_draining) {
  walk w;
  w.before = {in(alice, 0), sends(alice, 0, 0), sends(alice, 0, 1),
    does(kind::write, bob, 0)};
  w.alphabet = {in(bob, 0), in(bob, 1), sends(alice, 0, 0), sends(bob, 0, 0),
    sends(bob, 1, 0), does(kind::acknowledge, bob, 0),
    does(kind::acknowledge, bob, 1, 2), does(kind::suspend, bob, 0),
    does(kind::resume, bob, 0), does(kind::sign_out, bob, 0),
    does(kind::apply, bob, 0), does(kind::apply, bob, 0, 1),
    does(kind::notify, bob, 0), does(kind::read_now, bob, 0),
    does(kind::answer, bob, 0), does(kind::fail_read, bob, 0),
    does(kind::sweep, bob, 0), does(kind::grace, bob, 0)};
  go(w);
}

BOOST_AUTO_TEST_CASE(of_narrow_windows) {
  walk w;
  w.how.granted = {1, 10};
  w.before = {in(alice, 0), in(bob, 0), in(bob, 1), sends(alice, 0, 0),
    does(kind::send_large, alice, 0, 0)};
  w.alphabet = {sends(alice, 0, 0), sends(alice, 0, 2), sends(bob, 0, 0),
    sends(bob, 1, 0), does(kind::acknowledge, bob, 0),
    does(kind::acknowledge, bob, 1), does(kind::window, bob, 0, 0),
    does(kind::window, bob, 0, 2), does(kind::window, bob, 1, 3),
    does(kind::suspend, bob, 0), does(kind::resume, bob, 0),
    does(kind::sign_out, bob, 1), does(kind::grace, bob, 0),
    does(kind::write, bob, 0), does(kind::answer, bob, 0), in(bob, 2)};
  go(w);
}

BOOST_AUTO_TEST_CASE(of_two_pages_under_way) {
  walk w;
  w.before = {in(alice, 0), sends(alice, 0, 0), sends(alice, 0, 0),
    does(kind::write, bob, 0), does(kind::write, bob, 0), in(bob, 0),
    in(bob, 1)};
  w.alphabet = {does(kind::read_now, bob, 0), does(kind::read_now, bob, 0, 1),
    does(kind::answer, bob, 0), does(kind::answer, bob, 0, 1),
    does(kind::fail_read, bob, 0, 1), sends(alice, 0, 0), sends(bob, 0, 0),
    does(kind::acknowledge, bob, 0), does(kind::acknowledge, bob, 1),
    does(kind::sign_out, bob, 0), does(kind::show, bob, 0, 3),
    does(kind::apply, bob, 0), does(kind::notify, bob, 0),
    does(kind::expire, bob, 0), does(kind::expire, bob, 0, 1),
    does(kind::acknowledge_late, bob, 0), does(kind::remove_account, bob, 0),
    in(bob, 0)};
  go(w);
}

BOOST_AUTO_TEST_CASE(of_copies) {
  walk w;
  w.before = {in(alice, 0), in(bob, 0), in(bob, 1), sends(bob, 0, 0),
    does(kind::acknowledge, alice, 0), does(kind::copies, bob, 1, 1)};
  w.alphabet = {sends(alice, 0, 0), sends(alice, 0, 1),
    does(kind::send_private, alice, 0), sends(bob, 1, 0), sends(bob, 0, 4),
    does(kind::acknowledge, bob, 0), does(kind::acknowledge, bob, 1),
    does(kind::suspend, bob, 0), does(kind::suspend, bob, 1),
    does(kind::resume, bob, 1), does(kind::sign_out, bob, 0),
    does(kind::priority, bob, 1, -1), does(kind::copies, bob, 1, 0),
    does(kind::copies, bob, 0, 1), does(kind::window, bob, 1, 1),
    does(kind::grace, bob, 0), does(kind::write, bob, 0)};
  go(w);
}

BOOST_AUTO_TEST_CASE(of_what_one_sends_to_oneself) {
  walk w;
  w.before = {in(bob, 0), in(bob, 1)};
  w.alphabet = for_each_name({does(kind::acknowledge, bob, 0)});
  append(w.alphabet,
    {sends(bob, 0, 4), sends(bob, 1, 4), sends(bob, 0, 5), sends(bob, 0, 7),
      in(bob, 2), does(kind::sign_out, bob, 1), does(kind::suspend, bob, 1),
      does(kind::resume, bob, 1), does(kind::show, bob, 1, 3),
      does(kind::show, bob, 1, 0), does(kind::priority, bob, 0, -1),
      does(kind::grace, bob, 0), does(kind::write, bob, 0),
      does(kind::answer, bob, 0)});
  go(w);
}

BOOST_AUTO_TEST_SUITE_END()
