#include "tests/persistence/fixture.hpp"

#include <algorithm>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

using namespace parley;
using namespace parley::test;

// A table whose block turns out to be damaged while it is open: RocksDB then
// tells neither what was in it nor where it ends.

namespace {

/// What LZ4 leaves as it is.
std::string random_text(uint64_t seed, size_t size) {
  std::minstd_rand0 random(static_cast<uint32_t>(seed + 1));
  std::string out;
  while (out.size() < size)
    out.push_back(static_cast<char>(random() >> 8));
  return out;
}

/// As far from each other as if they came by hand.
constexpr uint64_t order_of_im(uint64_t n) {
  return 1'700'000'000'000'000 + n * 12'345'678;
}

constexpr uint64_t waiting_ims = 60;

/// bob has 60 IMs on disk, of which some two share a block, and carol, who
/// comes after him, one.
struct damaged_tables {
  temporary_folder folder;
  std::vector<std::string> reports;
  std::unique_ptr<store> db = open();

  damaged_tables() {
    std::vector<store_operation> batch{put_account{alice, {}}};
    for (uint64_t n = 1; n <= waiting_ims; ++n)
      batch.push_back(put(bob, n));
    batch.push_back(put(carol, waiting_ims + 1));
    commit(*db, batch);
    // Opening has it written into tables.
    db.reset();
    db = open();
  }

  static put_im put(const user_address& to, uint64_t n) {
    return make_put(
      to, order_of_im(n), make_im(alice, id_of(n), body_of(n), at(1000)));
  }
  static std::string id_of(uint64_t n) { return random_text(1000 + n, 900); }
  static std::string body_of(uint64_t n) { return random_text(n, 1800); }

  std::unique_ptr<store> open() {
    store::options how{.path = (folder.path / "store").string()};
    how.report = [this](const failure& x) { reports.push_back(x.text); };
    return must(store::open(how));
  }

  /// Flips a bit of `mark` in the one table that has it, and not `other`.
  void damage(const std::string& mark, const std::string& other = {}) {
    size_t found = 0;
    for (const auto& x :
      std::filesystem::directory_iterator(folder.path / "store")) {
      if (x.path().extension() != ".sst")
        continue;
      std::fstream file(
        x.path(), std::ios::in | std::ios::out | std::ios::binary);
      std::ostringstream all;
      all << file.rdbuf();
      auto content = std::move(all).str();
      auto place = content.find(mark.substr(16, 64));
      bool has_other = !other.empty() && content.find(other) != content.npos;
      if (place == content.npos || has_other)
        continue;
      file.seekp(static_cast<std::streamoff>(place));
      file.put(static_cast<char>(content[place] ^ 1));
      ++found;
    }
    BOOST_REQUIRE(found == 1u);
  }
  void damage_im(uint64_t n) { damage(body_of(n)); }
  void damage_id(uint64_t n) { damage(id_of(n), body_of(n).substr(16, 64)); }

  /// Numbers of bob's IMs as they are read, in pages.
  std::vector<uint64_t> read(size_t page_max) {
    std::vector<uint64_t> out;
    im_order next;
    for (bool goes_on = true; goes_on;) {
      auto page = must(db->ims(bob, next, page_max));
      for (const auto& x : page) {
        BOOST_TEST((x.order >= next));
        next.value = x.order.value + 1;
        out.push_back(number_of(x.order));
        BOOST_TEST((x.message->body == body_of(out.back())));
      }
      goes_on = page.size() == page_max;
    }
    return out;
  }

  static uint64_t number_of(im_order x) {
    return (x.value - order_of_im(0)) / (order_of_im(1) - order_of_im(0));
  }
};

/// What is missing is `n` and a few beside it.
void expect_all_but(
  const std::vector<uint64_t>& got, const std::vector<uint64_t>& damaged) {
  for (uint64_t n = 1; n <= waiting_ims; ++n) {
    bool is_there = std::binary_search(got.begin(), got.end(), n);
    auto distance = UINT64_MAX;
    for (auto d : damaged)
      distance = std::min(distance, n > d ? n - d : d - n);
    if (distance == 0)
      BOOST_TEST(!is_there, n);
    else if (distance > 3)
      BOOST_TEST(is_there, n);
  }
}

} // namespace

/// RocksDB may come upon the damage by itself, and writes no more then: `act`
/// is done with other tables until it does not.
template <class Act>
void unless_found_first(Act act) {
  for (int left = 9;; --left) {
    try {
      return act();
    } catch (const std::runtime_error& e) {
      BOOST_TEST_MESSAGE(e.what());
      BOOST_REQUIRE(left > 0);
    }
  }
}

BOOST_AUTO_TEST_SUITE(damaged_block)

BOOST_AUTO_TEST_CASE(ims_behind_a_damaged_block_are_read_in_order) {
  damaged_tables x;
  x.damage_im(30);
  auto all = x.read(1000);
  expect_all_but(all, {30});
  for (size_t page : {1u, 7u, 32u})
    BOOST_TEST(x.read(page) == all);
  // However often it is met, and from wherever.
  BOOST_TEST(x.db->unreadable() == 1u);
  BOOST_REQUIRE(x.reports.size() == 1u);
  BOOST_TEST(x.reports[0].find("IMs to bob@example.org") == 0u);
}

BOOST_AUTO_TEST_CASE(ims_between_damaged_blocks_are_read) {
  damaged_tables x;
  x.damage_im(15);
  x.damage_im(45);
  expect_all_but(x.read(1000), {15, 45});
  BOOST_TEST(x.db->unreadable() == 2u);
}

BOOST_AUTO_TEST_CASE(damage_at_both_ends_leaves_what_is_between) {
  damaged_tables x;
  x.damage_im(1);
  x.damage_im(waiting_ims);
  expect_all_but(x.read(1000), {1, waiting_ims});
  BOOST_TEST(x.db->unreadable() == 2u);
}

BOOST_AUTO_TEST_CASE(what_comes_after_damage_to_the_last_ims_is_read) {
  damaged_tables x;
  // Its block may have carol's first one, too.
  x.damage_im(waiting_ims);
  auto expected = x.read(1000);
  for (auto n : {waiting_ims + 10, waiting_ims + 11}) {
    commit(*x.db, {x.put(bob, n)});
    expected.push_back(n);
  }
  for (size_t page : {1u, 7u, 1000u})
    BOOST_TEST(x.read(page) == expected);
  BOOST_TEST(x.db->unreadable() == 1u);
}

BOOST_AUTO_TEST_CASE(a_contact_list_in_a_damaged_block_counts_as_one) {
  damaged_tables x;
  const auto name = random_text(77'777, 900);
  commit(
    *x.db, {put_roster{bob, {}}, put_contact{bob, make_item(alice, name)}});
  x.db.reset();
  x.db = x.open();
  x.damage(name);
  for (int i = 0; i < 2; ++i) {
    const auto read = x.db->roster(bob);
    BOOST_REQUIRE(!read);
    BOOST_TEST((read.error().code == errc::store_corrupt));
  }
  BOOST_TEST(x.db->unreadable() == 1u);
  BOOST_REQUIRE(x.reports.size() == 1u);
  BOOST_TEST(x.reports[0].find("the contact list of bob@example.org") == 0u);
}

BOOST_AUTO_TEST_CASE(ims_behind_a_damaged_block_expire) {
  damaged_tables x;
  x.damage_im(30);
  for (size_t step : {1000u, 5u}) {
    std::vector<uint64_t> of_bob;
    size_t others = 0;
    for (auto& [user, order] : ims_before(*x.db, at(1'900'000'000'000), step)) {
      if (user == bob)
        of_bob.push_back(x.number_of(order));
      else
        ++others;
    }
    expect_all_but(of_bob, {30});
    BOOST_TEST(others == 1u);
  }
}

BOOST_AUTO_TEST_CASE(ims_beside_a_damaged_block_can_be_removed) {
  unless_found_first([] {
    damaged_tables x;
    x.damage_im(30);
    std::vector<store_operation> batch;
    for (auto n : x.read(1000))
      if (n < 30)
        batch.push_back(make_remove(bob, order_of_im(n)));
    commit(*x.db, batch);
    auto left = x.read(1000);
    BOOST_TEST(left.size() > 20u);
    BOOST_TEST(left.front() > 30u);
    // In it, too, where what is there is known from elsewhere.
    commit(*x.db, {make_remove(bob, order_of_im(30))});
  });
}

BOOST_AUTO_TEST_CASE(ids_beside_a_damaged_one_are_forgotten) {
  unless_found_first([] {
    damaged_tables x;
    std::vector<store_operation> batch;
    for (uint64_t n = 1; n <= waiting_ims; ++n)
      batch.push_back(make_remove(bob, order_of_im(n)));
    commit(*x.db, batch);
    x.damage_id(30);
    auto forgotten = forget_ids(*x.db, at(2000));
    BOOST_TEST(forgotten < waiting_ims);
    BOOST_TEST(forgotten > waiting_ims - 10);
    BOOST_TEST(x.db->unreadable() == waiting_ims - forgotten);
    BOOST_TEST(!must(x.db->find_id({alice, {x.id_of(50)}, bob})));
    // What stays does not keep the next ones.
    commit(*x.db, {x.put(bob, waiting_ims + 1)});
    commit(*x.db, {make_remove(bob, order_of_im(waiting_ims + 1))});
    BOOST_TEST(forget_ids(*x.db, at(2000)) == 1u);
  });
}

BOOST_AUTO_TEST_SUITE_END()
