#include "tests/actors/engine/cases.hpp"

#include "protocol/defaults.hpp"
#include "protocol/defaults_memory.hpp"

// Directed presence is taken back whatever happens, from whoever saw it.
namespace parley::test {

namespace {

std::string at(const std::string& name, const std::string& endpoint) {
  return name + "@example.org/" + endpoint;
}

const texts both{"shown", "taken back"};

BOOST_AUTO_TEST_SUITE(directed_presences)

BOOST_AUTO_TEST_CASE(what_was_shown_is_taken_back_beyond_the_rate) {
  engine e{1};
  e.make_account(alice);
  e.make_account(bob);
  auto& a = e.sign_in(alice, "desk");
  auto& b = e.sign_in(bob, "phone");
  a.direct(at(bob, "phone"), directed::shown);
  for (double i = 0; i < defaults::passing_burst; ++i)
    a.direct(at(bob, "absent"), directed::shown);
  e.settle();
  a.direct(at(bob, "phone"), directed::taken_back);
  e.settle();
  BOOST_TEST(b.directed_here == both);
  // What was not passed on makes nothing free.
  a.direct(at(bob, "phone"), directed::shown);
  a.direct(at(bob, "phone"), directed::taken_back);
  e.settle();
  BOOST_TEST(b.directed_here == both);
}

BOOST_AUTO_TEST_CASE(who_is_away_for_a_while_learns_of_it_when_it_is_back) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    auto& b = e.sign_in(bob, "phone");
    a.direct(at(bob, "phone"), directed::shown);
    e.settle();
    b.cut();
    e.settle();
    a.direct(at(bob, "phone"), directed::taken_back);
    e.settle();
    BOOST_TEST(b.directed_here == texts{"shown"});
    b.resume();
    e.settle();
    BOOST_TEST(b.resumed);
    BOOST_TEST(b.directed_here == both);
    // Once is enough.
    b.cut();
    e.settle();
    b.resume();
    e.settle();
    BOOST_TEST(b.directed_here == both);
  });
}

BOOST_AUTO_TEST_CASE(it_is_lost_in_no_break_of_a_connection) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    auto& b = e.sign_in(bob, "phone");
    a.direct(at(bob, "phone"), directed::shown);
    e.settle();
    b.cut();
    a.direct(at(bob, "phone"), directed::taken_back);
    b.resume();
    e.settle();
    BOOST_TEST(b.directed_here == both);
  });
}

BOOST_AUTO_TEST_CASE(who_reads_slowly_learns_of_it_when_it_has_read) {
  engine e{1};
  e.make_account(alice);
  e.make_account(bob);
  auto& a = e.sign_in(alice, "desk");
  auto& b = e.sign_in(bob, "phone");
  a.direct(at(bob, "phone"), directed::shown);
  e.settle();
  b.set_slow(true);
  a.direct(at(bob, "phone"), directed::taken_back);
  e.settle();
  BOOST_TEST(b.directed_here == texts{"shown"});
  b.set_slow(false);
  e.settle();
  BOOST_TEST(b.directed_here == both);
  // Who shows itself meanwhile is there.
  b.set_slow(true);
  a.direct(at(bob, "phone"), directed::shown);
  a.direct(at(bob, "phone"), directed::taken_back);
  a.direct(at(bob, "phone"), directed::shown);
  e.settle();
  b.set_slow(false);
  e.settle();
  BOOST_TEST(b.directed_here.back() == "shown");
}

BOOST_AUTO_TEST_CASE(it_comes_before_news_of_who_is_back) {
  in_any_order([](engine& e) {
    auto& b = e.sign_in(bob, "phone");
    b.request(subscribe{engine::user(alice)});
    auto& a = e.sign_in(alice, "desk", {show::unavailable, "", 0});
    a.direct(at(bob, "phone"), directed::shown);
    e.settle();
    b.is_slow = true;
    a.direct(at(bob, "phone"), directed::taken_back);
    e.settle();
    b.is_slow = false; // and says so later
    a.set_availability({});
    e.settle();
    b.set_slow(false);
    e.settle();
    BOOST_TEST(b.directed_here == both);
    const auto back = e.trace.rfind("told " + at(alice, "desk") + " available");
    BOOST_TEST(back != std::string::npos);
    BOOST_TEST(e.trace.rfind("taken back") < back);
  });
}

BOOST_AUTO_TEST_CASE(what_is_kept_of_it_is_bounded) {
  engine e{1};
  e.make_account(alice);
  e.make_account(bob);
  auto& b = e.sign_in(bob, "phone");
  const auto take_back = [&b](size_t n, size_t bytes) {
    session_output many;
    for (size_t i = 0; i < n; ++i) {
      im x;
      x.from = *address::parse(at(alice, std::to_string(i)));
      x.payloads.push_back({"t", std::string(bytes, 'x')});
      many.what.emplace_back(event{passed_on{
        shared<im>{std::move(x)}, {}, false, false, directed::taken_back}});
    }
    caf::anon_send(b.session(), many);
  };
  for (const bool is_many : {true, false}) {
    b.cut();
    e.settle();
    b.directed_here.clear();
    const size_t bytes = is_many ? 1 : 1024;
    take_back(2 * defaults::taken_back_max, bytes);
    e.settle();
    b.resume();
    e.settle();
    BOOST_TEST(b.directed_here.size()
      == (is_many ? defaults::taken_back_max
                  : defaults::taken_back_bytes_max / bytes));
  }
}

BOOST_AUTO_TEST_CASE(it_is_taken_back_behind_a_broadcast_that_ends_with_it) {
  in_any_order([](engine& e) {
    auto& a = e.sign_in(alice, "desk");
    auto& b = e.sign_in(bob, "phone");
    a.direct(at(bob, "phone"), directed::shown);
    e.settle();
    texts many;
    for (size_t n = 0; n < 10 * defaults::broadcast_slice; ++n)
      many.push_back("nobody" + std::to_string(n));
    a.broadcast_to(many, "to all");
    a.direct(at(bob, "phone"), directed::taken_back);
    e.ask<uint64_t>(
      e.routers[0], kick_atom::value, *address::parse(at(alice, "desk")));
    e.settle();
    BOOST_TEST(b.directed_here == both);
  });
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
