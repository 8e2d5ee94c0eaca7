#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/actors/router/world.hpp"

using namespace parley;
using namespace parley::test;

namespace {

using kind = happening::kind;

/// A generator of small numbers that is the same everywhere.
class dice {
public:
  explicit dice(uint64_t seed) : x_engine(seed) {}
  int roll(int sides) {
    return static_cast<int>(x_engine() % static_cast<uint64_t>(sides));
  }

private:
  std::mt19937_64 x_engine;
};

/// How often each kind comes, and how many arguments it has.
struct weight {
  kind what;
  int often;
  int args;
};

constexpr weight common[] = {
  {kind::sign_in, 6, 1},
  {kind::sign_out, 2, 1},
  {kind::suspend, 4, 1},
  {kind::resume, 6, 1},
  {kind::show, 8, 4},
  {kind::priority, 4, 2},
  {kind::window, 5, 4},
  {kind::copies, 6, 2},
  {kind::send, 24, destinations},
  {kind::send_large, 6, destinations},
  {kind::send_broadcast, 2, destinations},
  {kind::send_payload, 2, destinations},
  {kind::send_private, 2, destinations},
  {kind::acknowledge, 24, 3},
  {kind::grace, 12, 3},
  {kind::write, 6, 1},
  {kind::apply, 10, 1},
  {kind::notify, 10, 1},
  {kind::read_now, 6, 2},
  {kind::answer, 12, 2},
  {kind::fail_read, 1, 2},
  {kind::idle, 1, 1},
  {kind::sweep, 2, 1},
  {kind::forget, 3, 1},
};

/// What makes counts inexact, or rejects, comes in some runs only.
constexpr weight rare[] = {
  {kind::write, 2, 2},
  {kind::apply, 2, 2},
  {kind::acknowledge_late, 2, 1},
  {kind::expire, 3, 2},
  {kind::remove_account, 1, 1},
  {kind::stop, 1, 1},
};

struct plan {
  world::settings how;
  std::vector<happening> steps;
};

plan draw(uint64_t seed, int steps) {
  dice d(seed);
  plan p;
  p.how.users = 2 + d.roll(2);
  p.how.exact_pages = d.roll(2) == 0;
  p.how.asks_first = d.roll(2) == 0;
  p.how.types = d.roll(4) == 0;
  p.how.bad_clock = d.roll(4) == 0;
  constexpr uint64_t quotas[] = {1'000, 1'000, 6, 2};
  p.how.rules.quota = quotas[d.roll(std::size(quotas))];
  p.how.rules.store_offline = d.roll(8) != 0;
  constexpr window windows[] = {{4, 20}, {1, 20}, {2, 1'000}, {100, 10'000}};
  p.how.granted = windows[d.roll(std::size(windows))];
  std::vector<weight> weights(std::begin(common), std::end(common));
  if (d.roll(2) == 0)
    weights.insert(weights.end(), std::begin(rare), std::end(rare));
  // Each run has its own liking, so that some are full of what others lack.
  for (auto& w : weights)
    w.often *= 1 + d.roll(3);
  int sum = 0;
  for (const auto& w : weights)
    sum += w.often;
  for (int i = 0; i < steps; ++i) {
    int at = d.roll(sum);
    const weight* w = weights.data();
    for (; at >= w->often; ++w)
      at -= w->often;
    happening x;
    x.what = w->what;
    // One user gets most of it.
    x.user = d.roll(3) == 0 ? d.roll(p.how.users) : 1;
    x.endpoint = d.roll(endpoints_per_user);
    x.arg = d.roll(w->args);
    if (x.what == kind::priority)
      x.arg = -x.arg;
    bool sends = x.what >= kind::send && x.what <= kind::send_private;
    if (sends && d.roll(2) == 0) {
      x.user = 0;
      x.arg = 0;
    }
    p.steps.push_back(x);
  }
  return p;
}

std::string fault_of(const plan& p) {
  world w(p.how);
  for (const auto& x : p.steps) {
    w.happen(x);
    if (!w.fault().empty())
      return w.fault();
  }
  w.finish();
  return w.fault();
}

/// Leaves out whatever the fault does not need.
void shrink(plan& p) {
  for (size_t chunk = p.steps.size() / 2; chunk > 0; chunk /= 2)
    for (size_t i = 0; i + chunk <= p.steps.size();) {
      auto q = p;
      q.steps.erase(q.steps.begin() + i, q.steps.begin() + i + chunk);
      if (fault_of(q).empty())
        i += chunk;
      else
        p = std::move(q);
    }
}

/// Set to try a run again, or to go on for longer.
uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

} // namespace

BOOST_AUTO_TEST_CASE(long_random_lives_keep_every_promise) {
  auto first = from_environment("PARLEY_SEED", std::random_device{}());
  auto runs = from_environment("PARLEY_RUNS", 10'000);
  constexpr int steps = 300;
  for (uint64_t seed = first; seed < first + runs; ++seed) {
    auto p = draw(seed, steps);
    auto fault = fault_of(p);
    if (fault.empty())
      continue;
    shrink(p);
    std::string story = "\n  " + std::to_string(p.how.users) + " users, window "
      + std::to_string(p.how.granted.messages) + " IMs of "
      + std::to_string(p.how.granted.bytes) + " bytes, quota "
      + std::to_string(p.how.rules.quota);
    for (const auto& x : p.steps)
      story += "\n  " + to_string(x);
    BOOST_ERROR("seed " << seed << ": " << fault_of(p) << story);
    return;
  }
  BOOST_TEST_MESSAGE("seeds " << first << " to " << first + runs - 1);
  BOOST_TEST(runs > 0u);
}
