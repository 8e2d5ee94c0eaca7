#include "actors/accounts/guessing.hpp"

#include <boost/test/unit_test.hpp>

#include "protocol/defaults.hpp"

namespace parley::test {

namespace {

using namespace std::chrono_literals;
using time_point = guessing::time_point;
using milliseconds = std::chrono::milliseconds;

constexpr time_point at_first{1h};

user_address user(const std::string& name) {
  return user_address::parse(name + "@example.org").value();
}

/// What one who tries as fast as it is let achieves.
struct tester {
  guessing tries;
  uint64_t next_ticket = 1;

  /// A try that is answered at its turn; null if it is refused.
  std::optional<time_point> once(const user_address& who,
    const std::string& source, time_point now, try_end how = try_end::wrong) {
    auto ticket = next_ticket++;
    auto turn = tries.begin(who, source, ticket, now);
    if (turn.why.code != errc::none) {
      BOOST_TEST((turn.why.code == errc::overloaded));
      BOOST_TEST((turn.why.retry_after.value() > 0ms));
      return std::nullopt;
    }
    tries.end(ticket, how, now + turn.wait);
    return now + turn.wait;
  }

  /// How many of `n` tries at the same time are let in.
  size_t at_once(size_t n, const user_address& who, const std::string& source,
    time_point now) {
    size_t let_in = 0;
    for (size_t i = 0; i < n; ++i)
      let_in +=
        tries.begin(who, source, next_ticket++, now).why.code == errc::none;
    return let_in;
  }
};

const auto alice = user("alice");

BOOST_AUTO_TEST_SUITE(guess)

BOOST_AUTO_TEST_CASE(thousands_at_once_are_hardly_more_than_one_by_one) {
  tester t;
  auto let_in = t.at_once(5'000, alice, "6.6.6.6", at_first);
  // Both lanes of the account, and what fits into the longest wait.
  BOOST_TEST(let_in < 2 * (defaults::account_tries_at_once + 10));
  BOOST_TEST(let_in >= defaults::account_tries_at_once);
}

BOOST_AUTO_TEST_CASE(thousands_of_sources_at_once_are_not_either) {
  tester t;
  size_t let_in = 0;
  for (int i = 0; i < 5'000; ++i)
    let_in += t.at_once(1, alice, "source" + std::to_string(i), at_first);
  BOOST_TEST(let_in < defaults::account_tries_at_once + 10);
}

BOOST_AUTO_TEST_CASE(one_source_cannot_try_thousands_of_accounts_at_once) {
  tester t;
  size_t let_in = 0;
  for (int i = 0; i < 5'000; ++i)
    let_in += t.at_once(1, user("u" + std::to_string(i)), "6.6.6.6", at_first);
  BOOST_TEST(let_in == defaults::source_tries_at_once);
  auto refused =
    t.tries.begin(user("one-more"), "6.6.6.6", t.next_ticket++, at_first);
  BOOST_TEST((refused.why.code == errc::overloaded));
  BOOST_TEST((*refused.why.retry_after == defaults::source_retry_after));
  for (uint64_t i = 1; i < t.next_ticket; ++i)
    t.tries.end(i, try_end::wrong, at_first);
  // From then on one by one.
  BOOST_TEST(t.tries.under_way() == 0u);
  let_in = 0;
  for (int i = 0; i < 5'000; ++i)
    let_in += t.at_once(1, user("v" + std::to_string(i)), "6.6.6.6", at_first);
  BOOST_TEST(let_in < 10u);
}

BOOST_AUTO_TEST_CASE(a_user_is_let_in_at_a_known_source_whatever_others_do) {
  tester t;
  BOOST_REQUIRE(t.once(alice, "10.0.0.1", at_first, try_end::right));
  auto now = at_first;
  for (int i = 0; i < 10; ++i) {
    t.at_once(100, alice, "source" + std::to_string(i), now);
    t.at_once(100, user("bob"), "10.0.0.1", now); // even from beside her
    BOOST_TEST((t.once(alice, "10.0.0.1", now, try_end::right) == now));
    now += 1min;
  }
}

// Made so that what the tables keep for them has the hash of
// "alice@example.org\n10.0.0.1" in libstdc++ (MurmurHash64A, a fixed seed).
constexpr auto like_alices_pair = "dtibyimf1%c_gcv!"; // with a newline
constexpr auto pair_like_alices = "l84u4608n24sxmym"; // from 10.0.0.1

BOOST_AUTO_TEST_CASE(a_name_made_to_collide_keeps_nobody_out) {
  tester t;
  BOOST_REQUIRE(t.once(alice, "10.0.0.1", at_first, try_end::right));
  t.tries.fail("6.6.6.6", at_first);
  while (t.once(user(like_alices_pair), "6.6.6.6", at_first))
    continue;
  BOOST_TEST((t.once(alice, "10.0.0.1", at_first, try_end::right) == at_first));
}

BOOST_AUTO_TEST_CASE(an_account_made_to_collide_makes_no_other_known) {
  tester t;
  const auto mallory = user(pair_like_alices);
  size_t guesses = 0;
  for (int i = 0; i < 100; ++i) {
    BOOST_REQUIRE(t.once(mallory, "10.0.0.1", at_first, try_end::right));
    guesses += t.once(alice, "10.0.0.1", at_first).has_value();
  }
  BOOST_TEST(guesses < 10u);
}

BOOST_AUTO_TEST_CASE(one_attacker_does_not_keep_a_user_out_at_a_new_source) {
  tester t;
  auto now = at_first;
  for (int i = 0; i < 100; ++i) {
    t.at_once(100, alice, "6.6.6.6", now);
    now += 1s;
  }
  BOOST_REQUIRE(!t.once(alice, "6.6.6.6", now));
  BOOST_TEST((t.once(alice, "10.0.0.9", now, try_end::right) == now));
}

/// So many sources fail, each at its turn, that the next one has to wait for
/// the longest time. When that one begins.
time_point burn(tester& t) {
  auto now = at_first;
  for (int i = 0; i < 8; ++i)
    now = t.once(alice, "burnt" + std::to_string(i), now).value();
  return now;
}

BOOST_AUTO_TEST_CASE(
  one_that_leaves_the_line_again_and_again_keeps_nobody_out) {
  tester t;
  const auto now = burn(t);
  for (int i = 0; i < 100; ++i)
    if (t.tries.begin(alice, "6.6.6.6", 1'000, now).why.code == errc::none)
      t.tries.end(1'000, try_end::left, now + 20ms);
  // As if nobody had been there.
  BOOST_TEST((t.once(alice, "10.0.0.9", now, try_end::right)
    == now + defaults::failure_delay_max));
}

/// Stands in line while it may, and leaves when its turn comes.
struct idler {
  tester& t;
  std::string source;
  uint64_t ticket = 0;
  time_point turn = {};

  void step(time_point now) {
    if (ticket != 0 && now < turn)
      return;
    t.tries.end(std::exchange(ticket, 0), try_end::left, now);
    const auto its = t.next_ticket++;
    const auto x = t.tries.begin(alice, source, its, now);
    if (x.why.code != errc::none)
      return;
    ticket = its;
    turn = now + x.wait;
  }
};

BOOST_AUTO_TEST_CASE(a_few_that_leave_the_line_in_turn_keep_nobody_out) {
  tester t;
  auto now = burn(t);
  const auto until = now + 1min;
  idler first{t, "6.6.6.6"};
  idler second{t, "6.6.6.7"};
  std::optional<time_point> in;
  for (; !in && now < until; now += 100ms) {
    first.step(now);
    second.step(now);
    in = t.once(alice, "10.0.0.9", now, try_end::right);
  }
  BOOST_TEST(in.has_value());
}

BOOST_AUTO_TEST_CASE(no_source_has_failed_by_what_is_not_its_doing) {
  tester t;
  for (int i = 0; i < 10; ++i)
    t.once(alice, "10.0.0.2", at_first, try_end::left); // without waiting
  const auto now = burn(t);
  for (int i = 0; i < 10; ++i)
    t.once(alice, "10.0.0.2", now, try_end::undecided);
  // Still among those against which nothing is held.
  BOOST_TEST((t.once(alice, "10.0.0.2", now, try_end::right)
    == now + defaults::failure_delay_max));
}

BOOST_AUTO_TEST_CASE(
  a_known_source_that_guesses_is_slowed_by_its_own_failures) {
  tester t;
  BOOST_REQUIRE(t.once(alice, "10.0.0.1", at_first, try_end::right));
  auto now = at_first;
  for (int i = 0; i < 20; ++i) {
    auto turn = t.once(alice, "10.0.0.1", now);
    BOOST_REQUIRE(turn.has_value());
    now = *turn;
  }
  BOOST_TEST((now - at_first > 10 * defaults::failure_delay_max));
  BOOST_TEST(t.at_once(1'000, alice, "10.0.0.1", now) <= 1u);
}

BOOST_AUTO_TEST_CASE(unknown_users_are_slowed_alike) {
  tester known;
  tester unknown;
  auto a = at_first;
  auto b = at_first;
  for (int i = 0; i < 10; ++i) {
    a = known.once(alice, "6.6.6.6", a).value();
    b = unknown.once(user("nobody"), "6.6.6.6", b).value();
    BOOST_TEST((a == b));
  }
}

BOOST_AUTO_TEST_CASE(many_right_sign_ins_of_one_source_do_not_wait) {
  tester t;
  for (int i = 0; i < 900; ++i)
    BOOST_TEST((t.tries
                  .begin(user("u" + std::to_string(i)), "10.0.0.1",
                    t.next_ticket++, at_first)
                  .wait
      == 0ms));
  for (uint64_t i = 1; i < t.next_ticket; ++i)
    t.tries.end(i, try_end::right, at_first);
  // All endpoints of one user.
  for (uint32_t i = 0; i < defaults::account_tries_at_once; ++i)
    BOOST_TEST((
      t.tries.begin(alice, "10.0.0.1", t.next_ticket++, at_first).wait == 0ms));
}

BOOST_AUTO_TEST_CASE(
  others_behind_the_same_address_get_in_after_a_few_right_ones) {
  tester t;
  auto now = at_first;
  for (int i = 0; i < 5; ++i)
    now = t.once(alice, "10.0.0.1", now).value();
  for (int i = 0; i < 3; ++i)
    now = t.once(user("u" + std::to_string(i)), "10.0.0.1", now, try_end::right)
            .value();
  BOOST_TEST((t.once(user("v"), "10.0.0.1", now, try_end::right) == now));
}

BOOST_AUTO_TEST_CASE(no_more_are_let_in_a_second_than_the_rate_says) {
  for (const uint64_t rate : {1, 2, 20}) {
    tester t;
    t.tries.limit_rate(rate);
    size_t let_in = 0;
    std::optional<guessing::turn> refused;
    for (int ms = 0; ms < 10'000; ms += 10) {
      const auto ticket = t.next_ticket++;
      auto turn = t.tries.begin(user("u" + std::to_string(ms)), "10.0.0.1",
        ticket, at_first + milliseconds{ms});
      t.tries.end(ticket, try_end::right, at_first + milliseconds{ms});
      let_in += turn.why.code == errc::none;
      BOOST_TEST(turn.is_over_rate == (turn.why.code != errc::none));
      if (turn.is_over_rate)
        BOOST_TEST((turn.why.retry_after.value() <= 1'001ms));
    }
    BOOST_TEST(let_in >= 10 * rate);
    BOOST_TEST(let_in <= 11 * rate);
    t.tries.limit_rate({});
    for (int i = 0; i < 100; ++i)
      BOOST_TEST(
        t.at_once(1, user("v" + std::to_string(i)), "10.0.0.1", at_first + 10s)
        == 1u);
  }
}

BOOST_AUTO_TEST_CASE(who_is_refused_anyway_takes_nothing_of_the_rate) {
  tester t;
  t.tries.limit_rate(2);
  for (int i = 0; i < 10; ++i)
    t.tries.fail("6.6.6.6", at_first);
  for (int i = 0; i < 1'000; ++i) {
    const auto turn = t.tries.begin(
      user("u" + std::to_string(i)), "6.6.6.6", t.next_ticket++, at_first);
    if (turn.why.code == errc::none)
      continue;
    BOOST_TEST(!turn.is_over_rate);
  }
  auto later = at_first + 1s;
  for (int i = 0; i < 1'000; ++i)
    t.at_once(1, user("v" + std::to_string(i)), "6.6.6.6", later);
  BOOST_TEST((t.once(alice, "10.0.0.1", later, try_end::right) == later));
}

BOOST_AUTO_TEST_CASE(tries_that_are_given_up_at_once_use_up_no_rate) {
  tester t;
  t.tries.limit_rate(8);
  for (int i = 0; i < 1'000; ++i)
    BOOST_TEST(
      t.once(user("u" + std::to_string(i)), "6.6.6.6", at_first, try_end::left)
        .has_value());
  size_t let_in = 0;
  for (int i = 0; i < 100; ++i)
    let_in += t.at_once(1, user("v" + std::to_string(i)), "10.0.0.1", at_first);
  BOOST_TEST(let_in <= 8u);
  BOOST_TEST(let_in >= 6u);
}

BOOST_AUTO_TEST_CASE(strangers_cannot_use_up_the_rate_of_known_pairs) {
  tester t;
  BOOST_REQUIRE(t.once(alice, "10.0.0.1", at_first, try_end::right));
  t.tries.limit_rate(8);
  for (int i = 0; i < 100; ++i) {
    const auto now = at_first + milliseconds{10 * i};
    for (int n = 0; n < 20; ++n)
      t.once(user("u" + std::to_string(20 * i + n)),
        "source" + std::to_string(20 * i + n), now);
    if (i % 25 == 0)
      BOOST_TEST((t.once(alice, "10.0.0.1", now, try_end::right) == now));
  }
}

BOOST_AUTO_TEST_CASE(also_of_one_a_second_a_quarter_is_for_known_pairs) {
  tester t;
  BOOST_REQUIRE(t.once(alice, "10.0.0.1", at_first, try_end::right));
  t.tries.limit_rate(1);
  BOOST_REQUIRE(t.once(user("u0"), "source0", at_first));
  const auto now = at_first + 750ms;
  BOOST_TEST(!t.once(user("u1"), "source1", now).has_value());
  BOOST_TEST((t.once(alice, "10.0.0.1", now, try_end::right) == now));
  // What remains is for one in the second, as it was.
  BOOST_TEST(!t.once(user("u1"), "source1", at_first + 1500ms).has_value());
  BOOST_TEST(t.once(user("u1"), "source1", at_first + 2s).has_value());
}

BOOST_AUTO_TEST_CASE(a_refused_try_takes_no_turn) {
  tester t;
  while (t.once(alice, "6.6.6.6", at_first))
    continue;
  auto first = t.tries.begin(alice, "6.6.6.6", 1'000'000, at_first).why;
  for (int i = 0; i < 1'000; ++i)
    t.at_once(1, alice, "6.6.6.6", at_first);
  auto last = t.tries.begin(alice, "6.6.6.6", 1'000'001, at_first).why;
  BOOST_TEST((first.retry_after == last.retry_after));
  BOOST_TEST((t.once(alice, "6.6.6.6", at_first + *last.retry_after)
    == at_first + *last.retry_after));
}

BOOST_AUTO_TEST_CASE(the_pause_tells_when_a_further_try_will_be_let_in) {
  tester t;
  auto now = at_first;
  for (int i = 0; i < 6; ++i) {
    auto turn = t.tries.begin(alice, "6.6.6.6", t.next_ticket, now);
    auto at = now + turn.wait;
    t.tries.end(t.next_ticket++, try_end::wrong, at);
    auto next = t.tries.begin(alice, "6.6.6.6", t.next_ticket, at);
    BOOST_TEST((next.wait == turn.pause));
    t.tries.end(t.next_ticket++, try_end::wrong, at + next.wait);
    now = at + next.wait + next.pause;
  }
}

BOOST_AUTO_TEST_CASE(one_that_begins_anew_has_failed_before) {
  tester t;
  for (uint32_t i = 0; i <= defaults::free_failures; ++i)
    t.tries.begin(alice, "6.6.6.6", 7, at_first);
  BOOST_TEST(t.tries.under_way() == 1u);
  t.tries.end(7, try_end::wrong, at_first);
  t.tries.end(7, try_end::wrong, at_first);
  BOOST_TEST(t.tries.under_way() == 0u);
  BOOST_TEST(t.tries.begin(alice, "6.6.6.6", 8, at_first).wait.count() > 0);
}

BOOST_AUTO_TEST_CASE(exchanges_that_name_nobody_slow_their_source) {
  tester t;
  for (int i = 0; i < 10; ++i)
    t.tries.fail("6.6.6.6", at_first);
  BOOST_TEST(t.tries.begin(alice, "6.6.6.6", 1, at_first).wait.count() > 0);
  BOOST_TEST(t.tries.begin(alice, "6.6.6.7", 2, at_first).wait.count() == 0);
}

BOOST_AUTO_TEST_CASE(a_source_is_an_address_or_the_half_of_one) {
  BOOST_TEST(source_of("127.0.0.1:5000") == "127.0.0.1");
  BOOST_TEST(source_of("[2001:db8:1:2:3:4:5:6]:5000") == "2001:db8:1:2::/64");
  BOOST_TEST(source_of("[2001:db8:1:2::7]:5001") == "2001:db8:1:2::/64");
  BOOST_TEST(source_of("[2001:db8:1:3::7]:5001") == "2001:db8:1:3::/64");
  BOOST_TEST(source_of("[::1]:1") == "::/64");
  BOOST_TEST(source_of("[fe80::1%eth0]:1") == "fe80::/64");
  BOOST_TEST(source_of("[::ffff:10.0.0.1]:1") == "10.0.0.1");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
