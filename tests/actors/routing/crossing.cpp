#include "tests/actors/routing/two_shards.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

#include "protocol/defaults.hpp"

// Between two shards, where everything takes its time; and the orderly end.
namespace parley::test::crossing {

namespace {

using namespace std::chrono_literals;

const std::string alice = two_shards::name_on(0);
const std::string bob = two_shards::name_on(1);

struct two_users : two_shards {
  two_users() {
    make_account(alice);
    make_account(bob);
    desk = sign_in(alice, "desk");
    phone = sign_in(bob, "phone");
  }
  session_id desk;
  session_id phone;
};

/// A third one, on that shard, who is not loaded yet.
std::string make_carol(two_users& w, size_t shard) {
  auto carol = two_shards::name_on(shard, 2);
  w.make_account(carol);
  return carol;
}

BOOST_AUTO_TEST_SUITE(crossing)

BOOST_AUTO_TEST_CASE(an_answer_never_overtakes_the_choice) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937_64 random(seed);
      two_users w;
      auto home = w.sign_in(alice, "home");
      w.send(w.desk, {"question", bob});
      while (w.got(w.phone).empty())
        BOOST_REQUIRE(w.step(random));
      w.send(w.phone, {"answer", alice});
      while (w.step(random)) {
      }
      BOOST_TEST(w.got(w.desk) == texts{"answer"});
      BOOST_TEST(w.got(home).empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(of_two_that_write_at_once_the_last_one_is_chosen) {
  two_users w;
  auto home = w.sign_in(alice, "home");
  w.send(w.desk, {"1", bob});
  w.send(home, {"2", bob});
  w.settle();
  w.send(w.phone, {"answer", alice});
  w.settle();
  BOOST_TEST(w.got(w.desk).empty());
  BOOST_TEST(w.got(home) == texts{"answer"});
}

BOOST_AUTO_TEST_CASE(rejected_ims_and_retries_choose_nobody) {
  two_users w;
  auto home = w.sign_in(alice, "home");
  w.send(w.desk, {"1", bob});
  w.settle();
  w.acknowledge(w.phone);
  w.settle();
  w.send(home, {"1", bob}); // a retry
  w.set_policy([](policy& p) { p.im_offline_max = 0; });
  w.send(home, {"2", bob}); // rejected
  w.settle();
  w.set_policy([](policy& p) { p.im_offline_max = 10; });
  w.send(w.phone, {"answer", alice});
  w.settle();
  BOOST_TEST(w.got(w.desk) == texts{"answer"});
  BOOST_TEST(w.got(home).empty());
}

BOOST_AUTO_TEST_CASE(receipts_and_typing_cross_over) {
  two_users w;
  w.send(w.desk, {.id = "1", .to = bob, .receipts = true});
  w.shard_of(alice).type(w.desk, address{two_shards::user(bob), {}}, w.now());
  w.settle();
  w.acknowledge(w.phone);
  w.send(w.phone, {"2", alice});
  w.settle();
  auto from = bob + "@example.org/phone";
  BOOST_TEST(w.receipts == (texts{"delivered 1 " + from, "chosen 1 " + from}));
  BOOST_TEST(w.typings == texts{alice + "@example.org/desk"});
}

BOOST_AUTO_TEST_CASE(of_two_replies_the_last_one_wins_while_the_first_chooses) {
  two_users w;
  auto home = w.sign_in(alice, "home");
  w.send(w.desk, {"1", bob});
  w.settle(); // desk is chosen
  w.send(home, {"2", bob});
  w.send(w.desk, {"3", bob});
  w.settle();
  w.send(w.phone, {"answer", alice});
  w.settle();
  BOOST_TEST(w.got(w.desk) == texts{"answer"});
  BOOST_TEST(w.got(home).empty());
}

BOOST_AUTO_TEST_CASE(who_goes_away_meanwhile_is_not_chosen) {
  two_users w;
  auto home = w.sign_in(alice, "home");
  w.send(w.desk, {"1", bob});
  w.shard_of(alice).set_availability(w.desk, {show::away, "", 0}, w.now());
  w.settle();
  w.send(w.phone, {"to all", alice});
  w.settle();
  BOOST_TEST(w.got(w.desk) == texts{"to all"});
  BOOST_TEST(w.got(home) == texts{"to all"});
  // One that is away already and writes is chosen.
  w.send(w.desk, {"2", bob});
  w.settle();
  w.send(w.phone, {"to the desk", alice});
  w.settle();
  BOOST_TEST(w.got(w.desk) == (texts{"to all", "to the desk"}));
  BOOST_TEST(w.got(home) == texts{"to all"});
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_after_the_end_of_its_session_counts) {
  two_users w;
  auto n = w.send(w.desk, {"m", bob});
  w.deliver_between();
  BOOST_TEST(w.got(w.phone) == texts{"m"});
  w.leave(w.phone);
  w.acknowledge(w.phone);
  w.settle();
  BOOST_TEST(w.outcome_of(w.desk, n) == "delivered");
  BOOST_TEST(w.on_disk(bob) == 0u);
}

BOOST_AUTO_TEST_CASE(an_orderly_stop_stores_what_is_under_way_at_once) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937_64 random(seed);
      two_users w;
      w.set_policy([](policy& p) { p.im_grace_ms = 30'000; });
      const auto carol = make_carol(w, seed % 2);
      std::vector<uint64_t> numbers;
      for (auto& to : {bob, carol, bob, alice, carol})
        numbers.push_back(
          w.send(w.desk, {"m" + std::to_string(numbers.size()), to}));
      for (auto n = random() % 6; n > 0; --n)
        w.step(random);
      w.at(0).stop(w.now());
      for (auto n = random() % 3; n > 0; --n)
        w.step(random);
      w.at(1).stop(w.now());
      auto late = w.send(w.desk, {"late", bob});
      BOOST_TEST(w.outcome_of(w.desk, late) == "server_stopping");
      while (w.step(random)) {
      }
      for (auto n : numbers)
        BOOST_TEST(w.outcome_of(w.desk, n) == "stored");
      BOOST_TEST(w.at(0).is_settled());
      BOOST_TEST(w.at(1).is_settled());
    }
  }
}

BOOST_AUTO_TEST_CASE(what_the_disk_may_yet_store_has_no_outcome_at_a_stop) {
  two_users w;
  auto n = w.send(w.desk, {"m", bob});
  auto mine = w.send(w.desk, {"mine", alice});
  auto b = w.broadcast_to(w.desk, "b", {bob, "@"});
  w.deliver_between();
  w.at(0).stop(w.now());
  w.at(1).stop(w.now());
  BOOST_TEST(!w.at(0).is_settled());
  BOOST_TEST(w.at(0).give_up() == 3u);
  BOOST_TEST(w.at(1).give_up() == 0u);
  BOOST_TEST(w.outcome_of(w.desk, n).empty());
  BOOST_TEST(w.outcome_of(w.desk, mine).empty());
  BOOST_TEST(w.broadcast_of(w.desk, b).empty());
  // The disk answers after all, and is believed.
  w.settle();
  BOOST_TEST(w.outcome_of(w.desk, n) == "stored");
  BOOST_TEST(w.outcome_of(w.desk, mine) == "stored");
  BOOST_TEST(w.broadcast_of(w.desk, b) == bob + ": stored, @: bad_address");
  BOOST_TEST(w.on_disk(bob) == 2u);
  BOOST_TEST(w.at(0).pending_bytes() == 0u);
  BOOST_TEST(w.at(0).give_up() == 0u);
}

BOOST_AUTO_TEST_CASE(what_a_stop_rejects_is_never_stored) {
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937_64 random(seed);
      two_users w;
      w.set_policy([](policy& p) { p.im_grace_ms = 30'000; });
      const auto carol = make_carol(w, seed % 2);
      // A false hit of the filter: others wait behind it.
      w.at(0).ids_on_disk().insert(
        retry_hash({two_shards::user(alice), {"2"}, two_shards::user(bob)}));
      std::vector<uint64_t> numbers;
      for (auto& to : {bob, carol, bob, alice, carol, bob})
        numbers.push_back(w.send(w.desk, {std::to_string(numbers.size()), to}));
      auto some_steps = [&] {
        for (auto n = random() % 6; n > 0; --n)
          w.step(random);
      };
      for (size_t i : {0, 1}) {
        some_steps();
        w.at(i).stop(w.now());
      }
      for (size_t i : {0, 1}) {
        some_steps();
        w.at((seed / 2 + i) % 2).give_up();
      }
      while (w.step(random)) {
      }
      for (size_t i = 0; i < numbers.size(); ++i)
        BOOST_TEST(w.outcome_of(w.desk, numbers[i])
          == (w.ids_on_disk.contains(std::to_string(i)) ? "stored"
                                                        : "server_stopping"));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_shard_whose_time_to_stop_is_over_takes_nothing_more) {
  two_users w;
  auto carol = two_shards::name_on(1, 1);
  w.make_account(carol); // not loaded
  w.at(1).stop(w.now());
  BOOST_TEST(w.at(1).give_up() == 0u);
  for (auto& to : {bob, carol}) {
    auto late = w.send(w.desk, {"late", to});
    w.settle();
    BOOST_TEST(w.outcome_of(w.desk, late) == "server_stopping");
    BOOST_TEST(w.on_disk(to) == 0u);
  }
  BOOST_TEST(w.got(w.phone).empty());
}

BOOST_AUTO_TEST_CASE(a_retry_that_is_looked_up_is_not_rejected_by_a_stop) {
  two_users w;
  w.leave(w.phone);
  w.send(w.desk, {"m", bob});
  w.settle();
  w.pass(2 * defaults::delivered_memory);
  w.sweep();
  auto again = w.send(w.desk, {"m", bob});
  auto behind = w.send(w.desk, {"behind", bob});
  BOOST_TEST(w.ids_asked == 1u);
  w.at(0).stop(w.now());
  w.at(1).stop(w.now());
  BOOST_TEST(w.at(0).give_up() == 2u);
  BOOST_TEST(w.outcome_of(w.desk, again).empty());
  BOOST_TEST(w.outcome_of(w.desk, behind) == "server_stopping");
  w.settle();
  BOOST_TEST(w.outcome_of(w.desk, again) == "stored");
  BOOST_TEST(w.on_disk(bob) == 1u);
}

/// Random happenings among a few users on both shards.
class chaos {
public:
  explicit chaos(uint64_t seed) : x_random(seed) {
    for (size_t i = 0; i < 4; ++i) {
      x_names.push_back(two_shards::name_on(i % 2, i));
      w.make_account(x_names.back());
      sign_in(i, "a");
    }
    if (seed % 4 == 0)
      w.set_policy([](policy& p) { p.im_offline_max = 5; });
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i)
      one();
  }

  void end() {
    w.writes_fail = w.reads_fail = false;
    w.at(0).stop(w.now());
    w.at(1).stop(w.now());
    w.settle();
    for (int i = 0; i < 40; ++i) {
      w.pass(100ms);
      w.sweep();
      w.settle();
    }
    BOOST_TEST(w.at(0).is_settled());
    BOOST_TEST(w.at(1).is_settled());
    for (auto& s : x_sent)
      check(s);
    for (auto& [s, who] : x_all)
      check_order(s);
    BOOST_TEST(w.at(0).pending_bytes() + w.at(1).pending_bytes() == 0u);
  }

private:
  struct sent {
    session_id session;
    uint64_t number;
    std::string body;
  };

  uint64_t below(uint64_t n) { return x_random() % n; }

  void sign_in(size_t user, const std::string& endpoint) {
    auto at = x_live.find({user, endpoint});
    if (at != x_live.end()) {
      w.leave(at->second);
      x_live.erase(at);
    }
    w.reads_fail = false;
    auto s = w.sign_in(x_names[user], endpoint, {}, {4, 1'000'000});
    x_live[{user, endpoint}] = s;
    x_all[s] = user;
  }

  void one() {
    auto i = x_live.begin();
    if (x_live.empty()) {
      sign_in(below(4), "a");
      return;
    }
    std::advance(i, static_cast<long>(below(x_live.size())));
    auto [who, s] = *i;
    switch (below(16)) {
    case 0:
      sign_in(below(4), below(2) ? "a" : "b");
      break;
    case 1:
      if (x_live.size() > 3) {
        w.leave(s);
        x_live.erase(i);
      }
      break;
    case 2:
      w.suspend(s);
      break;
    case 3:
      w.resume(s);
      break;
    case 4:
      w.pass(std::chrono::milliseconds{below(900)});
      w.sweep();
      break;
    case 5:
      w.writes_fail = below(4) == 0;
      w.reads_fail = below(6) == 0;
      break;
    case 6:
    case 7:
    case 8:
    case 9:
      w.acknowledge(s, below(4));
      break;
    case 10:
    case 11:
    case 12: {
      auto body = std::to_string(++x_last);
      // A sender's IMs: its user, then a number that rises.
      body =
        x_names[who.first] + ' ' + std::string(6 - body.size(), '0') + body;
      // To somebody else: notes to oneself change their targets with time.
      auto to = x_names[(who.first + 1 + below(3)) % 4];
      x_sent.push_back({s, w.send(s, {body, to}), body});
      break;
    }
    default:
      w.step(x_random);
    }
  }

  void check(const sent& x) {
    auto what = w.outcome_of(x.session, x.number);
    bool acknowledged = false;
    for (auto& [s, who] : x_all) {
      auto got = w.got(s);
      auto end = got.begin() + static_cast<long>(w.acknowledged(s));
      acknowledged |= std::find(got.begin(), end, x.body) != end;
    }
    if (what == "delivered")
      BOOST_TEST(acknowledged, x.body);
    else if (what == "stored")
      BOOST_TEST(w.ids_on_disk.contains(x.body), x.body);
    else
      BOOST_TEST((what == "store_failed" || what == "quota_exceeded"
                   || what == "store_unavailable"),
        x.body << ": '" << what << "'");
  }

  /// Nothing twice, and each sender's in the order of sending.
  void check_order(session_id s) {
    std::map<std::string, std::string> last;
    for (auto& body : w.got(s)) {
      auto from = body.substr(0, body.find(' '));
      BOOST_TEST(last[from] < body,
        "session " << s.value << " got " << body << " after " << last[from]);
      last[from] = body;
    }
  }

  std::mt19937_64 x_random;
  two_shards w;
  std::vector<std::string> x_names;
  std::map<std::pair<size_t, std::string>, session_id> x_live;
  std::map<session_id, size_t> x_all;
  std::vector<sent> x_sent;
  uint64_t x_last = 0;
};

BOOST_AUTO_TEST_CASE(every_im_has_one_true_outcome_and_comes_once_in_order) {
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      chaos c{seed};
      c.run(300);
      c.end();
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test::crossing
