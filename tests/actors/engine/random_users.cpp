#include "tests/actors/engine/cases.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "protocol/defaults.hpp"

// A few users who do anything in any order, while connections break and the
// disk stalls or refuses.
namespace parley::test {

namespace {

using namespace std::chrono_literals;
using habit = simulated_client::habit;

class random_users {
public:
  enum class disk { sound, fails };

  explicit random_users(uint64_t seed, disk how = disk::fails)
    : e(seed), x_disk(how) {
    for (size_t i = 0; i < 4; ++i) {
      x_names.push_back(engine::name_on(i % 2, i / 2));
      e.make_account(x_names.back());
      for (auto endpoint : {"x", "y"})
        e.client(x_names.back(), endpoint);
    }
  }

  void run(int steps) {
    for (auto& c : e.clients)
      c->sign_in({}, {4, 100'000});
    for (int i = 0; i < steps; ++i)
      one();
  }

  /// Everybody comes back, takes everything, and nothing is left.
  void end() {
    e.disk.files().refuse_writes(lossy_fs::fault::none);
    e.let_writes_go();
    e.advance(4s);
    for (auto& c : e.clients) {
      c->acknowledging = habit::prompt;
      if (!c->is_in())
        c->sign_in({}, {50, 1'000'000});
      else
        c->set_availability({});
      e.settle();
      c->acknowledge();
      e.settle();
    }
    e.advance(20s);
    for (auto& name : x_names)
      BOOST_TEST(e.on_disk(name).empty(), name);
    for (auto& c : e.clients)
      check(*c);
    auto pending = e.report(0).counters.removed_with_account;
    BOOST_TEST(pending == 0u);
  }

  engine e;

private:
  uint64_t below(uint64_t n) { return e.system.random()() % n; }

  void one() {
    auto& c = *e.clients[below(e.clients.size())];
    switch (below(20)) {
    case 0:
      c.cut();
      break;
    case 1:
      c.go_silently();
      break;
    case 2:
    case 3:
      if (!c.is_in() && c.times_in > 0 && c.closed.empty())
        c.resume();
      else if (!c.is_in())
        c.sign_in({}, {4, 100'000});
      break;
    case 4:
      if (c.is_in())
        c.set_availability({below(2) ? show::available : show::away, "",
          static_cast<int8_t>(below(3) - 1)});
      break;
    case 5:
      if (c.is_in() && below(4) == 0)
        c.sign_out();
      break;
    case 6:
      c.acknowledging = below(3) ? habit::prompt : habit::silent;
      break;
    case 7:
      c.acknowledge();
      break;
    case 8:
      e.advance(std::chrono::milliseconds{100 * below(30)});
      break;
    case 9:
      if (below(6) == 0)
        e.hold_writes();
      else
        e.let_writes_go();
      break;
    case 10:
      e.disk.files().refuse_writes(below(8) || x_disk == disk::sound
          ? lossy_fs::fault::none
          : lossy_fs::fault::full);
      break;
    default:
      if (c.times_in > 0 && below(2)) {
        auto to = x_names[below(x_names.size())];
        if (to == c.name)
          break;
        x_sent[&c].push_back(c.send(to));
      } else {
        for (auto n = below(30); n > 0; --n)
          e.system.step();
      }
    }
  }

  bool is_safe_somewhere(const std::string& id) const {
    return std::any_of(
      e.clients.begin(), e.clients.end(), [&id](const auto& c) {
        return c->safe.contains(id) || c->claimed.contains(id);
      });
  }

  void check(const simulated_client& c) {
    for (auto& id : x_sent[&c]) {
      auto what = c.outcome_of(id);
      if (what == "delivered" || what == "stored")
        BOOST_TEST(is_safe_somewhere(id), id << " was " << what);
      else
        BOOST_TEST(what == "store_failed", id << " has '" << what << "'");
    }
  }

  disk x_disk;
  std::vector<std::string> x_names;
  std::map<const simulated_client*, std::vector<std::string>> x_sent;
};

BOOST_AUTO_TEST_SUITE(random_users_)

BOOST_AUTO_TEST_CASE(every_im_gets_one_outcome_and_it_is_true) {
  auto [first, count] = seeds_to_run(120);
  for (uint64_t seed = first; seed < first + count; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      random_users x{seed};
      x.run(150);
      x.end();
    }
  }
}

BOOST_AUTO_TEST_CASE(the_same_seed_gives_the_same_run) {
  std::set<std::string> traces;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    std::string trace;
    for (int i = 0; i < 2; ++i) {
      // RocksDB goes on after a full disk on threads of its own.
      random_users x{seed, random_users::disk::sound};
      x.run(150);
      if (i == 0)
        trace = x.e.trace;
      else
        BOOST_TEST(trace == x.e.trace, "seed " << seed);
      BOOST_TEST(!x.e.trace.empty());
    }
    traces.insert(trace);
  }
  BOOST_TEST(traces.size() == 20u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
