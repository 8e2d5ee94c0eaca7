#include "actors/memory/memory_budget.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "protocol/codec.hpp"

namespace parley::test {

namespace {

constexpr uint64_t mebibyte = 1024 * 1024;
constexpr uint64_t bound = 64 * mebibyte;
constexpr auto reserve = bound / defaults::budget_reserve_share;

/// Two workers, as the first of them sees it.
struct two_workers {
  std::shared_ptr<memory_budget> all =
    std::make_shared<memory_budget>(bound, 2);
  budget_view view{all, 0};

  void hold(size_t worker, uint64_t bytes) {
    all->of(worker)->set(held_for::outputs, bytes);
    view.look();
  }
};

im text(size_t bytes) {
  im x;
  x.id.value = "m";
  x.body.assign(bytes, 'x');
  return x;
}

} // namespace

BOOST_AUTO_TEST_SUITE(memory)

BOOST_AUTO_TEST_CASE(
  by_default_20000_users_who_see_50_contacts_each_have_room) {
  constexpr uint64_t plain_connection = 2 * 1024;
  constexpr auto each = plain_connection + defaults::session_bytes
    + defaults::routed_user_bytes + defaults::roster_bytes
    + 50 * defaults::subscription_bytes;
  constexpr auto all = defaults::memory_budget_mib * mebibyte;
  BOOST_TEST(20'000 * each < all - all / defaults::budget_reserve_share);
  // No less than `parley-bench signin` has measured, though.
  BOOST_TEST(each > 40'000u);
}

BOOST_AUTO_TEST_CASE(what_many_hold_is_the_sum_and_is_told_by_kind) {
  two_workers w;
  {
    book_entry a{w.all->of(0), held_for::sessions};
    book_entry b{w.all->of(1), held_for::sessions};
    book_entry c{w.all->of(1), held_for::outputs};
    a.is(100);
    b.is(20);
    b.is(10);
    c.is(5);
    auto kinds = w.all->by_kind();
    BOOST_TEST(kinds[static_cast<size_t>(held_for::sessions)] == 110u);
    BOOST_TEST(kinds[static_cast<size_t>(held_for::outputs)] == 5u);
    BOOST_TEST(w.all->total() == 115u);
    // It goes over to another worker.
    c = book_entry{w.all->of(0), held_for::outputs};
    c.is(7);
    BOOST_TEST(w.all->of(1)->of(held_for::outputs) == 0u);
    BOOST_TEST(w.all->total() == 117u);
  }
  BOOST_TEST(w.all->total() == 0u);
}

BOOST_AUTO_TEST_CASE(an_im_counts_once_however_many_hold_it) {
  two_workers w;
  auto& count = w.all->of(0)->ims();
  std::vector<shared<im>> holders;
  holders.push_back(native::counted(text(10'000), &count));
  auto once = w.all->total();
  BOOST_TEST(once > 10'000u);
  BOOST_TEST(once < 11'000u);
  holders.resize(10, holders.front());
  BOOST_TEST(w.all->total() == once);
  // One that the store has read is counted like it.
  auto read = native::counted(shared<im>{text(10'000)}, &count);
  BOOST_TEST(w.all->total() == 2 * once);
  BOOST_TEST(read->body.size() == 10'000u);
  // A copy is somebody else's.
  auto copy = *holders.front();
  holders.clear();
  BOOST_TEST(w.all->total() == once);
  read = {};
  BOOST_TEST(w.all->total() == 0u);
}

BOOST_AUTO_TEST_CASE(the_less_is_free_the_less_may_one_hold) {
  two_workers w;
  BOOST_TEST(w.view.allows(mebibyte));
  uint64_t smallest = UINT64_MAX;
  for (uint64_t held = 0; held < bound - reserve; held += 4 * mebibyte) {
    w.hold(1, held);
    auto free = bound - reserve - held;
    BOOST_TEST(w.view.allows(free / defaults::budget_holder_share));
    BOOST_TEST(!w.view.allows(free / defaults::budget_holder_share + 1));
    BOOST_TEST(free < smallest);
    smallest = free;
  }
}

BOOST_AUTO_TEST_CASE(memory_is_tight_before_nobody_new_is_let_in) {
  two_workers w;
  constexpr auto tight = bound - bound / defaults::budget_tight_share;
  static_assert(tight < bound - reserve);
  w.hold(1, tight - 1);
  BOOST_TEST(!w.view.is_tight());
  w.hold(1, tight);
  BOOST_TEST(w.view.is_tight());
  BOOST_TEST(!w.view.is_short());
}

BOOST_AUTO_TEST_CASE(who_holds_little_goes_on_until_nothing_is_left) {
  two_workers w;
  w.hold(1, bound - 1);
  BOOST_TEST(w.view.is_short());
  BOOST_TEST(!w.view.is_exceeded());
  BOOST_TEST(w.view.allows(defaults::budget_holder_floor));
  BOOST_TEST(!w.view.allows(defaults::budget_holder_floor + 1));
  w.hold(1, bound);
  BOOST_TEST(w.view.is_exceeded());
  BOOST_TEST(!w.view.allows(0));
  w.hold(1, bound - reserve - 1);
  BOOST_TEST(!w.view.is_short());
}

BOOST_AUTO_TEST_CASE(holders_that_take_all_they_may_stay_within_the_bound) {
  for (size_t holders : {1, 10, 1'000}) {
    two_workers w;
    std::vector<uint64_t> held(holders);
    constexpr uint64_t step = defaults::tight_read_bytes;
    for (bool any = true; any;) {
      any = false;
      for (auto& x : held) {
        if (x >= bound || !w.view.allows(x))
          continue;
        x += step;
        w.all->of(0)->add(held_for::connections, step);
        any = x < bound;
      }
    }
    BOOST_TEST(w.all->total() < bound + step);
    // All have about as much.
    auto [least, most] = std::minmax_element(held.begin(), held.end());
    BOOST_TEST(*most - *least <= step);
  }
}

BOOST_AUTO_TEST_CASE(a_worker_sees_its_own_at_once_and_others_when_it_looks) {
  two_workers w;
  w.all->of(1)->set(held_for::outputs, bound);
  BOOST_TEST(!w.view.is_exceeded());
  // It has grown, and looks.
  w.all->of(0)->set(held_for::outputs, defaults::budget_look_bytes + 1);
  BOOST_TEST(w.view.is_exceeded());
  BOOST_TEST(w.all->highest() == bound + defaults::budget_look_bytes + 1);
}

BOOST_AUTO_TEST_CASE(without_a_budget_all_is_allowed) {
  budget_view none;
  none.look();
  BOOST_TEST(none.allows(UINT64_MAX));
  BOOST_TEST(!none.is_short());
  BOOST_TEST(!none.is_exceeded());
  book_entry nobody{nullptr, held_for::outputs};
  nobody.is(5);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace parley::test
