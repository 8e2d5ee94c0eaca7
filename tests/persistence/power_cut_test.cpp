#include "tests/persistence/fixture.hpp"
#include "tests/persistence/model.hpp"
#include "tests/support/lossy_fs.hpp"

#include <iostream>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace parley;
using namespace parley::test;

namespace {

/// One disk, cut off from power again and again.
class power_cuts {
public:
  explicit power_cuts(uint64_t seed) : x_operations(seed) {}

  /// Writes until the power goes, and looks what is left.
  void once() {
    auto& random = x_operations.random();
    // Opening alone takes some hundred writes.
    x_disk.files().power_off_after(
      random() % (x_operations.one_in(2) ? 150 : 400));
    write();
    x_disk.files().power_off();
    x_disk.files().power_on(random);

    auto db = open();
    BOOST_REQUIRE_MESSAGE(db, "after a power cut: " << db.error().text);
    auto lines = must((*db)->audit(SIZE_MAX)).size();
    BOOST_REQUIRE_MESSAGE(lines >= x_commits,
      "of " << x_commits << " commits " << lines << " are there");
    BOOST_REQUIRE(lines <= x_commits + x_pending.size() / x_pending_max);
    if (lines > x_commits) {
      // It was written whole, although nobody learnt of it.
      x_model.commit(x_pending);
      ++x_commits;
      ++survived;
    }
    x_pending.clear();
    x_model.expect_same(**db);
    ++cuts;
  }

  uint64_t commits() const { return x_commits; }

  uint64_t cuts = 0;
  uint64_t survived = 0;
  uint64_t in_opening = 0;

private:
  result<std::unique_ptr<store>> open() {
    return store::open({.path = "/data/store", .env = x_disk.env()});
  }

  void write() {
    auto db = open();
    if (!db) {
      BOOST_REQUIRE_MESSAGE(x_disk.files().is_off(), db.error().text);
      ++in_opening;
      return;
    }
    for (;;) {
      auto batch = x_operations.batch();
      std::erase_if(batch, [](auto& x) {
        return std::holds_alternative<audit_entry>(x);
      });
      // Last in the batch: what is there when it is, is all of it.
      batch.push_back(audit_entry{});
      if (auto done = (*db)->commit(batch); !done) {
        BOOST_REQUIRE_MESSAGE(x_disk.files().is_off(), done.error().text);
        x_pending = std::move(batch);
        x_pending_max = x_pending.size();
        return;
      }
      x_model.commit(batch);
      ++x_commits;
    }
  }

  lossy_disk x_disk;
  operation_source x_operations;
  store_model x_model;
  uint64_t x_commits = 0;
  std::vector<store_operation> x_pending;
  size_t x_pending_max = 1;
};

} // namespace

BOOST_AUTO_TEST_SUITE(power)

BOOST_AUTO_TEST_CASE(no_cut_takes_what_was_committed_nor_halves_a_batch) {
  std::random_device source;
  uint64_t cuts = 0;
  uint64_t commits = 0;
  uint64_t survived = 0;
  uint64_t in_opening = 0;
  for (int run = 0; run < 10; ++run) {
    auto seed = source();
    std::cout << "seed " << seed << '\n';
    BOOST_TEST_CONTEXT("seed " << seed) {
      power_cuts disk(seed);
      for (int i = 0; i < 40; ++i)
        disk.once();
      cuts += disk.cuts;
      commits += disk.commits();
      survived += disk.survived;
      in_opening += disk.in_opening;
    }
  }
  std::cout << cuts << " power cuts, " << in_opening << " of them in opening, "
            << commits << " commits, " << survived
            << " unanswered ones survived\n";
  // Otherwise this has not tried what it says.
  BOOST_TEST(commits > 20 * cuts);
  BOOST_TEST(survived > 0u);
  BOOST_TEST(in_opening > 0u);
}

BOOST_AUTO_TEST_SUITE_END()
