#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <set>

#include "tests/client/seed.hpp"
#include "tests/client/simulation.hpp"

using namespace parley;
using namespace parley::test;
using namespace std::chrono_literals;

namespace {

/// Each of `user`'s IMs has one outcome, and a good one.
void check_outcomes(const test_user& user) {
  std::map<uint64_t, int> seen;
  for (auto& x : user.outcomes) {
    BOOST_REQUIRE(x.what.what != outcome::kind::rejected);
    ++seen[x.tag];
  }
  BOOST_REQUIRE_EQUAL(seen.size(), user.sent);
  for (auto& [tag, n] : seen)
    BOOST_REQUIRE_EQUAL(n, 1);
  BOOST_REQUIRE_EQUAL(user.core.unanswered(), 0u);
}

/// What `user` saw: from each sender everything, once, in order. Bodies count
/// from 1 for each sender and recipient.
void check_messages(
  const test_user& user, const std::map<std::string, uint64_t>& expected) {
  std::map<std::string, uint64_t> next;
  for (auto& x : user.messages)
    BOOST_REQUIRE_EQUAL(x.body, std::to_string(++next[x.from]));
  BOOST_REQUIRE(next == expected);
}

/// Alice sends bob a few IMs; one of the four streams of bytes is cut once,
/// after `bytes` bytes. False if there were not that many.
bool run_with_cut(bool cuts_alice, bool cuts_input, size_t bytes) {
  simulation x;
  auto& alice = x.add("alice", 1);
  auto& bob = x.add("bob", 2);
  for (int i = 1; i <= 7; ++i)
    alice.send("bob@example.org", std::to_string(i));
  auto& victim = cuts_alice ? alice : bob;
  bool cut = false;
  for (int step = 0; step < 60; ++step) {
    x.now += 100ms;
    for (auto& user : x.users)
      user->tick();
    for (size_t moved = 1; moved > 0;) {
      moved = 0;
      for (auto& user : x.users) {
        auto here = !cut && user.get() == &victim;
        auto out = user->to_server(here && !cuts_input ? bytes : SIZE_MAX);
        auto in = user->to_client(here && cuts_input ? bytes : SIZE_MAX);
        moved += in + out;
        if (!here)
          continue;
        bytes -= cuts_input ? in : out;
        if (bytes == 0) {
          cut = true;
          victim.cut();
        }
      }
    }
  }
  check_outcomes(alice);
  check_messages(bob, {{"alice@example.org/desk", 7}});
  BOOST_REQUIRE_EQUAL(x.server.violations, 0u);
  return cut;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_cut_after_any_byte_loses_nothing) {
  for (bool cuts_alice : {true, false})
    for (bool cuts_input : {true, false}) {
      size_t bytes = 1;
      while (run_with_cut(cuts_alice, cuts_input, bytes))
        ++bytes;
      // Each stream carries a sign-in at least.
      BOOST_TEST(bytes > 200u);
    }
}

namespace {

/// Three users, each writing to both others, while everything that can go
/// wrong on the way does.
class storm {
public:
  explicit storm(uint64_t seed) : x_random(seed) {
    for (auto name : {"alice", "bob", "carol"})
      x_world.add(name, x_random(),
        x_random() % 3 == 0 ? acknowledging::manual
                            : acknowledging::after_callback);
    x_acknowledged.resize(x_world.users.size());
  }

  void run() {
    for (int i = 0; i < 10'000; ++i)
      step();
    for (auto& user : x_world.users)
      user->unreachable = false;
    for (int i = 0; i < 200; ++i) {
      acknowledge(SIZE_MAX);
      x_world.wait(1s);
    }
    BOOST_REQUIRE_EQUAL(x_world.server.violations, 0u);
    for (auto& user : x_world.users) {
      BOOST_REQUIRE(user->core.is_ready());
      BOOST_REQUIRE(user->ends.empty());
      check_outcomes(*user);
      check_messages(*user, x_expected[user.get()]);
    }
    sign_ins += x_world.server.sign_ins;
    resumes += x_world.server.resumes;
    refused += x_world.server.refused_resumes;
    for (auto& user : x_world.users)
      ims += user->sent;
  }

  inline static size_t sign_ins = 0;
  inline static size_t resumes = 0;
  inline static size_t refused = 0;
  inline static size_t ims = 0;

private:
  test_user& anyone() {
    return *x_world.users[x_random() % x_world.users.size()];
  }

  void step() {
    auto& user = anyone();
    switch (x_random() % 32) {
    case 0:
      if (x_random() % 5 == 0)
        user.cut();
      return;
    case 1:
      if (x_random() % 100 == 0)
        x_world.server.restart();
      return;
    case 2:
      if (x_random() % 10 == 0)
        user.core.drop_connection();
      return;
    case 3:
      return widen_window(user);
    case 4:
      user.unreachable = x_random() % 4 == 0;
      return;
    case 5:
      return acknowledge(1 + x_random() % 3);
    case 6:
    case 7:
    case 8:
    case 9:
      return send(user);
    case 10:
    case 11:
    case 12:
      x_world.now += std::chrono::milliseconds(x_random() % 500);
      for (auto& x : x_world.users)
        x->tick();
      return;
    default:
      if (x_random() % 2 == 0)
        user.to_server(1 + x_random() % 200);
      else
        user.to_client(1 + x_random() % 200);
    }
  }

  /// Only ever wider: what is sent back by a window that shrank may be
  /// overtaken.
  void widen_window(const test_user& user) {
    auto& x = x_world.server.request_window;
    x.messages += x_random() % 50 == 0;
    x_world.server.change_request_window(user.core.self().user.str(), x);
  }

  void send(test_user& from) {
    auto& to = anyone();
    if (&to == &from || !from.core.self().is_full() || to.core.self().empty())
      return;
    auto n = ++x_expected[&to][from.core.self().str()];
    from.send(to.core.self().user.str(), std::to_string(n));
  }

  /// Those who acknowledge by hand do so for up to `n` further IMs.
  void acknowledge(size_t n) {
    for (size_t i = 0; i < x_world.users.size(); ++i) {
      auto& user = *x_world.users[i];
      auto& done = x_acknowledged[i];
      for (size_t k = 0; k < n && done < user.messages.size(); ++k)
        user.core.acknowledge(user.messages[done++].ticket);
    }
  }

  std::mt19937_64 x_random;
  simulation x_world;
  std::map<test_user*, std::map<std::string, uint64_t>> x_expected;
  std::vector<size_t> x_acknowledged;
};

} // namespace

BOOST_AUTO_TEST_CASE(random_faults_lose_double_and_reorder_nothing) {
  auto seeds = seeded_random();
  for (int round = 0; round < 150; ++round) {
    auto seed = seeds();
    BOOST_TEST_CONTEXT("round " << round << ", storm " << seed) {
      storm(seed).run();
    }
  }
  // The faults were there, and so was the traffic.
  BOOST_TEST(storm::resumes > 2000u);
  BOOST_TEST(storm::refused > 200u);
  BOOST_TEST(storm::ims > 50'000u);
  std::printf("%zu IMs, %zu sign-ins, %zu resumes, %zu refused\n", storm::ims,
    storm::sign_ins, storm::resumes, storm::refused);
}
