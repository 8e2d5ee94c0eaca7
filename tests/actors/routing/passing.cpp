#include "tests/actors/routing/two_shards.hpp"

#include <boost/test/unit_test.hpp>

// What is passed on to who is there, within a shard and between two.
namespace parley::test {

namespace {

const std::string bob = two_shards::name_on(1);

/// Alice writes from bob's shard or from the other one.
struct three_endpoints : two_shards {
  explicit three_endpoints(size_t shard) {
    const auto alice = two_shards::name_on(shard, 1);
    make_account(alice);
    make_account(bob);
    desk = sign_in(alice, "desk");
    phone = sign_in(bob, "phone");
    tablet = sign_in(bob, "tablet");
    hidden = sign_in(bob, "hidden", {show::unavailable, {}, 0});
    quiet = sign_in(bob, "quiet", {show::away, {}, -1});
  }
  /// The sessions that got it.
  texts passed_to(const std::string& to, reach how, bool returns = false) {
    passed.clear();
    pass_on_to(desk, to, "x", how, returns);
    settle();
    return passed;
  }
  /// The same of directed presence.
  texts directed_to(const std::string& to, directed what) {
    passed.clear();
    pass_on_to(desk, to, "x", reach::endpoint, false, what);
    settle();
    return passed;
  }
  std::string got(session_id s, const char* what = "x") const {
    return std::to_string(s.value) + ' ' + what;
  }

  session_id desk, phone, tablet, hidden, quiet;
};

std::string at(const char* endpoint) {
  return two_shards::user(bob).str() + "/" + endpoint;
}

BOOST_AUTO_TEST_SUITE(passing)

BOOST_AUTO_TEST_CASE(it_goes_where_an_im_would_go) {
  for (size_t shard : {0, 1}) {
    three_endpoints w{shard};
    BOOST_TEST(w.passed_to(bob, reach::targets)
      == (texts{w.got(w.phone), w.got(w.tablet)}));
    BOOST_TEST(
      w.passed_to(at("quiet"), reach::targets) == texts{w.got(w.quiet)});
    BOOST_TEST(w.two_shards::got(w.phone).empty());
  }
}

BOOST_AUTO_TEST_CASE(it_goes_to_all_available_whoever_was_chosen) {
  for (size_t shard : {0, 1}) {
    three_endpoints w{shard};
    w.send(w.phone, {"1", two_shards::name_on(shard, 1)});
    w.settle();
    BOOST_TEST(w.passed_to(bob, reach::targets) == texts{w.got(w.phone)});
    BOOST_TEST(w.passed_to(bob, reach::available)
      == (texts{w.got(w.phone), w.got(w.tablet)}));
    BOOST_TEST(w.passed_to(at("hidden"), reach::available).empty());
  }
}

BOOST_AUTO_TEST_CASE(an_endpoint_is_reached_whether_it_shows_itself_or_not) {
  for (size_t shard : {0, 1}) {
    three_endpoints w{shard};
    for (auto [name, s] : {std::pair{"phone", w.phone},
           std::pair{"hidden", w.hidden}, std::pair{"quiet", w.quiet}})
      BOOST_TEST(w.passed_to(at(name), reach::endpoint) == texts{w.got(s)});
    BOOST_TEST(w.passed_to(bob, reach::endpoint).empty());
    w.suspend(w.phone);
    BOOST_TEST(w.passed_to(at("phone"), reach::endpoint).empty());
  }
}

BOOST_AUTO_TEST_CASE(presence_is_taken_back_from_who_is_away_for_a_while) {
  for (size_t shard : {0, 1}) {
    three_endpoints w{shard};
    w.suspend(w.phone);
    BOOST_TEST(w.directed_to(at("phone"), directed::shown).empty());
    BOOST_TEST(w.directed_to(at("phone"), directed::taken_back)
      == texts{w.got(w.phone)});
  }
}

BOOST_AUTO_TEST_CASE(it_is_taken_back_whatever_its_size_and_after_the_session) {
  for (size_t shard : {0, 1}) {
    three_endpoints w{shard};
    w.set_policy([](policy& x) { x.im_body_max = 0; });
    BOOST_TEST(w.directed_to(at("phone"), directed::shown).empty());
    BOOST_TEST(w.directed_to(at("phone"), directed::taken_back)
      == texts{w.got(w.phone)});
    w.set_policy([](policy& x) { x.im_body_max = 1'000; });
    BOOST_TEST(
      w.directed_to(at("phone"), directed::shown) == texts{w.got(w.phone)});
    w.leave(w.desk);
    BOOST_TEST(w.directed_to(at("phone"), directed::shown).empty());
    BOOST_TEST(w.directed_to(at("phone"), directed::taken_back)
      == texts{w.got(w.phone)});
  }
}

BOOST_AUTO_TEST_CASE(what_reaches_nobody_comes_back_if_it_is_wanted) {
  for (size_t shard : {0, 1}) {
    three_endpoints w{shard};
    BOOST_TEST(w.passed_to(at("absent"), reach::endpoint).empty());
    BOOST_TEST(w.passed_to(at("absent"), reach::endpoint, true)
      == texts{w.got(w.desk, "x returned")});
    BOOST_TEST(w.passed_to("nobody@example.org", reach::available, true)
      == texts{w.got(w.desk, "x returned")});
    BOOST_TEST(
      w.passed_to(at("phone"), reach::endpoint, true) == texts{w.got(w.phone)});
  }
}

BOOST_AUTO_TEST_CASE(a_strict_im_is_for_its_endpoint_or_nobody) {
  for (size_t shard : {0, 1}) {
    three_endpoints w{shard};
    auto outcome = [&w](const char* id, const std::string& to) {
      auto n = w.send(w.desk, {.id = id, .to = to, .strict = true});
      w.settle();
      for (auto s : {w.phone, w.tablet, w.quiet})
        w.acknowledge(s);
      w.settle();
      return w.outcome_of(w.desk, n);
    };
    BOOST_TEST(outcome("1", at("phone")) == "delivered");
    BOOST_TEST(outcome("2", at("absent")) == "recipient_offline");
    BOOST_TEST(outcome("3", at("hidden")) == "recipient_offline");
    BOOST_TEST(outcome("4", bob) == "delivered");
    BOOST_TEST((w.two_shards::got(w.phone) == texts{"1", "4"}));
    BOOST_TEST(w.two_shards::got(w.tablet) == texts{"4"});
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
