#include "actors/settings/policy.hpp"
#include "actors/store/store_sweeper.hpp"
#include "protocol/defaults.hpp"
#include "tests/actors/store/listener.hpp"

#include <caf/scoped_actor.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace parley;
using namespace parley::test;

namespace {

struct limited_world : store_world {
  limits_found ask(limits_wanted wanted) {
    caf::scoped_actor asker{actors.system()};
    auto promise = asker->request(sweeper, caf::infinite, wanted);
    actors.settle();
    limits_found out;
    promise.receive([&out](const limits_found& x) { out = x; },
      [this](const caf::error& e) { BOOST_ERROR(actors.system().render(e)); });
    BOOST_TEST((out.why.code == errc::none));
    return out;
  }

  store_sweeper_actor sweeper =
    actors.spawn(store_sweeper, db.get(), uint64_t{0});
};

using users = std::vector<user_address>;

} // namespace

BOOST_AUTO_TEST_SUITE(limits)

BOOST_AUTO_TEST_CASE(all_users_at_a_limit_are_found_and_nobody_else) {
  limited_world w;
  // More than are gone over in one step.
  const size_t n = 2 * defaults::sweep_step + 10;
  users full;
  users listed;
  users watched;
  std::vector<store_operation> batch;
  for (size_t i = 0; i < n; ++i) {
    auto u = numbered(i);
    batch.push_back(put_account{u, {}});
    batch.push_back(make_put(u, 1, make_im(alice, "m", "x")));
    if (i % 100 == 0) {
      batch.push_back(make_put(u, 2, make_im(alice, "n", "x")));
      full.push_back(u);
    }
    roster_head head;
    head.contacts = i % 3 == 0 ? 5 : 4;
    head.watchers = i % 7 == 0 ? 9 : 8;
    if (head.contacts == 5)
      listed.push_back(u);
    if (head.watchers == 9)
      watched.push_back(u);
    batch.push_back(put_roster{u, head});
  }
  commit(*w.db, batch);
  auto found = w.ask({2, 5, 9, unlimited});
  BOOST_TEST((found.offline == full));
  BOOST_TEST((found.contacts == listed));
  BOOST_TEST((found.watchers == watched));
}

BOOST_AUTO_TEST_CASE(nobody_is_at_no_limit_nor_with_nothing_at_that_of_0) {
  limited_world w;
  commit(*w.db,
    {put_account{alice, {}}, put_account{bob, {}},
      make_put(bob, 1, make_im(alice, "m", "x"))});
  auto found = w.ask({unlimited, unlimited, unlimited, unlimited});
  BOOST_TEST(found.offline.empty());
  BOOST_TEST((w.ask({0, 0, 0, 0}).offline == users{bob}));
}

BOOST_AUTO_TEST_SUITE_END()
