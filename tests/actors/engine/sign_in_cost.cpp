#include "tests/actors/engine/presence_cases.hpp"

#include <rocksdb/perf_context.h>

// What a sign-in asks of the disk, beside the account.
namespace parley::test {

using namespace presence;

namespace {

/// Look-ups, and readings of neighbours, that RocksDB made in this thread.
uint64_t reads(const std::function<void()>& what) {
  rocksdb::SetPerfLevel(rocksdb::kEnableCount);
  auto* counts = rocksdb::get_perf_context();
  counts->Reset();
  what();
  auto n = counts->get_from_memtable_count + counts->seek_on_memtable_count;
  rocksdb::SetPerfLevel(rocksdb::kDisable);
  return n;
}

/// Gives `whom` so many contacts that it sees and that see it.
void give_contacts(engine& e, const std::string& whom, size_t n) {
  std::vector<store_operation> batch;
  roster_head head;
  head.version.value = head.since.value = 1;
  head.contacts = head.watchers = n;
  for (size_t i = 0; i < n; ++i) {
    roster_item x;
    x.what.address = user("contact" + std::to_string(i));
    x.what.name = "Contact";
    x.what.groups = {"Work"};
    x.what.subscription = {half::active, half::active};
    x.version.value = x.asked = x.heard = 1;
    batch.push_back(put_contact{user(whom), std::move(x)});
  }
  batch.push_back(put_roster{user(whom), std::move(head)});
  BOOST_REQUIRE(e.db->commit(batch).has_value());
}

BOOST_AUTO_TEST_SUITE(sign_in_cost)

BOOST_AUTO_TEST_CASE(two_reads_and_no_write_with_200_contacts) {
  constexpr size_t contacts = 200;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    auto e = std::make_unique<engine>(seed);
    e->make_account(alice);
    give_contacts(*e, alice, contacts);
    engine::restart(e); // whose routers know nobody
    auto writes = e->writes();
    auto n = reads([&e] {
      e->sign_in(alice, "desk").follow_contacts();
      e->settle();
    });
    BOOST_TEST(n <= 2u);
    BOOST_TEST(e->writes() == writes);
    BOOST_TEST(e->clients.front()->screen.contacts.size() == contacts);
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
