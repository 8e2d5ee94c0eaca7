#include <boost/test/unit_test.hpp>

#include <algorithm>

#include "tests/actors/gateway/served.hpp"

// What is written first.
namespace parley::test {

namespace {

class at_the_end final : public drained_hook {
public:
  explicit at_the_end(std::function<void()> look) : x_look(std::move(look)) {}
  void drained() override { x_look(); }

private:
  std::function<void()> x_look;
};

event copy_of(bool broadcast) {
  auto x = std::get<incoming_im>(incoming("m", std::string(1'000, 'x')));
  x.of_broadcast = broadcast;
  return x;
}

BOOST_AUTO_TEST_SUITE(writing_order)

BOOST_AUTO_TEST_CASE(what_comes_alone_goes_before_copies_of_a_broadcast) {
  constexpr size_t copies = 3 * worker_limits::hooks_behind;
  served s;
  std::vector<peer> peers;
  std::vector<link_ptr> links;
  for (size_t i = 0; i <= copies; ++i) {
    peers.push_back(sign_in(s));
    s.on(s.home(), [&] { links.push_back(s.sessions.link); });
  }
  const auto waits = [](const link_ptr& x) {
    return x->waits_to_be_written() > 0;
  };
  long copies_wait = 0;
  bool lone_waits = true;
  std::atomic<bool> seen = false;
  at_the_end look{[&] {
    copies_wait = std::count_if(links.begin(), links.end() - 1, waits);
    lone_waits = waits(links.back());
    links.clear();
    seen = true;
  }};
  s.on(s.home(), [&] {
    for (size_t i = 0; i < copies; ++i)
      links[i]->send({1}, copy_of(true));
    links.back()->send({1}, copy_of(false));
    worker::current()->mark_last(look);
  });
  BOOST_REQUIRE(eventually([&] { return seen.load(); }));
  BOOST_TEST(!lone_waits);
  BOOST_TEST(copies_wait >= long{copies - worker_limits::hooks_behind});
  const auto has_it = [](peer& p) {
    return p.read_until(
      [&] { return p.client.last<native::numbered_event>() != nullptr; });
  };
  for (auto& p : peers)
    BOOST_TEST(has_it(p));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

} // namespace parley::test
