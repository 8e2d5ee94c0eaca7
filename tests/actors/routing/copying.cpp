#include "tests/actors/routing/two_shards.hpp"

#include <boost/test/unit_test.hpp>

// Copies of what other endpoints send and get, within a shard and between two.
namespace parley::test::copying {

namespace {

struct two_talk : two_shards {
  explicit two_talk(size_t shard) : alice(name_on(shard, 1)) {
    make_account(alice);
    make_account(bob);
    desk = sign_in(alice, "desk");
    phone = sign_in(alice, "phone");
    laptop = sign_in(bob, "laptop");
    shard_of(alice).set_copies(phone, true);
  }
  texts seen() {
    settle();
    return std::exchange(copies, {});
  }
  std::string of(const char* what, const char* body) const {
    return std::to_string(phone.value) + ' ' + what + ' ' + body;
  }

  const std::string bob = name_on(1);
  const std::string alice;
  session_id desk, phone, laptop;
};

BOOST_AUTO_TEST_SUITE(copying)

BOOST_AUTO_TEST_CASE(others_of_the_sender_see_what_it_sent) {
  for (size_t shard : {0, 1}) {
    two_talk w{shard};
    w.send(w.desk, {"m1", w.bob});
    BOOST_TEST(w.seen() == texts{w.of("sent", "m1")});
    w.send(w.desk, {"m2", w.bob}); // nothing is chosen by it any more
    BOOST_TEST(w.seen() == texts{w.of("sent", "m2")});
    w.send(w.phone, {"m3", w.bob});
    BOOST_TEST(w.seen() == texts{});
  }
}

BOOST_AUTO_TEST_CASE(no_answer_comes_before_the_copy_of_what_it_answers) {
  for (uint64_t seed = 1; seed <= 100; ++seed)
    for (size_t shard : {0, 1}) {
      BOOST_TEST_CONTEXT("seed " << seed) {
        std::mt19937_64 random(seed);
        two_talk w{shard};
        w.send(w.desk, {"question", w.bob});
        while (w.got(w.laptop).empty())
          BOOST_REQUIRE(w.step(random));
        w.send(w.laptop, {"answer", w.alice});
        while (w.step(random)) {
        }
        BOOST_TEST(w.copies
          == (texts{w.of("sent", "question"), w.of("received", "answer")}));
      }
    }
}

BOOST_AUTO_TEST_CASE(what_is_rejected_has_no_copies) {
  for (size_t shard : {0, 1}) {
    two_talk w{shard};
    w.set_policy([](policy& p) { p.im_offline_max = 0; });
    w.send(w.desk, {"m1", w.bob});
    w.send(w.desk, {"m2", "nobody"});
    BOOST_TEST(w.seen() == texts{});
  }
}

BOOST_AUTO_TEST_CASE(a_retry_has_no_copies) {
  for (size_t shard : {0, 1}) {
    two_talk w{shard};
    w.send(w.desk, {"m1", w.bob});
    w.seen();
    w.send(w.desk, {"m1", w.bob});
    w.acknowledge(w.laptop);
    w.settle();
    w.send(w.desk, {"m1", w.bob});
    BOOST_TEST(w.seen() == texts{});
  }
}

BOOST_AUTO_TEST_CASE(private_words_broadcasts_and_ims_to_oneself_have_none) {
  for (size_t shard : {0, 1}) {
    two_talk w{shard};
    w.send(w.desk, {.id = "m1", .to = w.bob, .copies = false});
    w.broadcast_to(w.desk, "m2", {w.bob});
    w.send(w.desk, {"m3", w.alice});
    BOOST_TEST(w.seen() == texts{});
    BOOST_TEST(w.got(w.phone) == texts{"m3"});
  }
}

BOOST_AUTO_TEST_CASE(a_copy_that_is_acknowledged_is_a_delivery) {
  for (size_t shard : {0, 1}) {
    two_talk w{shard};
    w.send(w.desk, {"m1", w.bob}); // the desk is chosen
    w.settle();
    auto n = w.send(w.laptop, {"m2", w.alice});
    w.settle();
    BOOST_TEST(w.got(w.desk) == texts{"m2"});
    BOOST_TEST(w.outcome_of(w.laptop, n) == "");
    w.acknowledge(w.phone);
    w.settle();
    BOOST_TEST(w.outcome_of(w.laptop, n) == "delivered");
    BOOST_TEST(w.on_disk(w.alice) == 0u);
  }
}

BOOST_AUTO_TEST_CASE(copies_count_neither_as_copies_nor_as_a_fork) {
  for (size_t shard : {0, 1}) {
    two_talk w{shard};
    w.send(w.desk, {"m1", w.bob});
    w.settle();
    auto before = w.shard_of(w.alice).counters();
    w.send(w.laptop, {"m2", w.alice});
    w.settle();
    auto after = w.shard_of(w.alice).counters();
    BOOST_TEST(after.copies == before.copies + 1);
    BOOST_TEST(after.forked == before.forked);
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test::copying
