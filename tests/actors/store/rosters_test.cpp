#include "actors/store/store_sweeper.hpp"
#include "protocol/defaults.hpp"
#include "tests/actors/store/listener.hpp"

#include <caf/scoped_actor.hpp>

#include <string>
#include <vector>

using namespace parley;
using namespace parley::test;

namespace {

struct rosters_world : store_world {
  rosters_found ask(rosters_wanted wanted) {
    caf::scoped_actor asker{actors.system()};
    auto promise = asker->request(sweeper, caf::infinite, wanted);
    actors.settle();
    rosters_found out;
    promise.receive([&out](const rosters_found& x) { out = x; },
      [this](const caf::error& e) { BOOST_ERROR(actors.system().render(e)); });
    BOOST_TEST((out.why.code == errc::none));
    return out;
  }

  store_sweeper_actor sweeper =
    actors.spawn(store_sweeper, db.get(), uint64_t{0});
};

} // namespace

BOOST_AUTO_TEST_SUITE(rosters)

BOOST_AUTO_TEST_CASE(pages_hold_every_list_once_and_are_bounded) {
  rosters_world w;
  // Of many users few have a list; each list is a third of a page.
  const size_t n = 3 * defaults::rosters_listed;
  const size_t entries = defaults::contacts_listed / 3;
  std::vector<user_address> listed;
  for (size_t i = 0; i < n; ++i) {
    auto u = numbered(i);
    std::vector<store_operation> batch{put_account{u, {}}};
    if (i % 50 == 0) {
      roster_head head;
      head.contacts = entries;
      batch.push_back(put_roster{u, head});
      for (size_t k = 0; k < entries; ++k) {
        roster_item item;
        item.what.address = numbered(n + k);
        batch.push_back(put_contact{u, item});
      }
      listed.push_back(u);
    }
    BOOST_REQUIRE(w.db->commit(batch).has_value());
  }
  std::vector<user_address> found;
  rosters_wanted wanted;
  do {
    auto page = w.ask(wanted);
    size_t sum = 0;
    for (const auto& [who, roster] : page.what) {
      BOOST_TEST(roster.items.size() == entries);
      sum += roster.items.size();
      found.push_back(who);
    }
    BOOST_TEST(sum < defaults::contacts_listed + entries);
    wanted.after = page.next;
  } while (!wanted.after.empty());
  BOOST_TEST((found == listed));
}

BOOST_AUTO_TEST_SUITE_END()
