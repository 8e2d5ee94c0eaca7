#include <string>

#include <boost/test/unit_test.hpp>

#include "bench/im_load.hpp"
#include "tests/bench/scripted_xmpp_server.hpp"

using namespace parley::bench;

BOOST_AUTO_TEST_SUITE(xmpp_loads)

namespace {

using fate_of_message = scripted_xmpp_server::fate_of_message;

/// Runs a load of one pair, one direction, until it has sent this many IMs, or
/// something is wrong.
struct xmpp_fixture {
  explicit xmpp_fixture(scripted_xmpp_server::script route = {})
    : server(std::move(route)) {
    to.address =
      loopback_address::parse("127.0.0.1:" + std::to_string(server.port()))
        .value();
    to.protocol = client_protocol::xmpp;
    to.secrets = &secrets;
    to.password = "secret";
  }

  void run(uint32_t window, uint64_t ims) {
    im_load load{loop, to,
      {.kind = traffic::one_way, .pairs = 1, .window = window, .rate = {}},
      names, bodies, ids, faults};
    BOOST_REQUIRE(load.open());
    load.start();
    for (int i = 0; i < 100 && load.sent() < ims && faults.total() == 0; ++i)
      load.run(0.02);
    // What is lost, or is not what was sent, would be waited for.
    if (faults.total() > faults.count(fault_kind::altered))
      load.settle();
    load.finish();
  }

  void expect(fault_kind kind) {
    BOOST_TEST(faults.count(kind) >= 1u, to_string(kind));
    BOOST_TEST(faults.total() == faults.count(kind));
    for (const auto& line : faults.lines())
      BOOST_TEST_MESSAGE(line);
  }

  scripted_xmpp_server server;
  event_loop loop;
  secret_cache secrets;
  target to;
  user_names names;
  corpus bodies{std::nullopt, 1};
  id_maker ids{1};
  fault_log faults;
};

/// All as it should be but for message 20.
scripted_xmpp_server::script but_for_one(
  std::function<fate_of_message(const std::string&)> f) {
  return [f](uint64_t number, const std::string& stanza) {
    constexpr uint64_t victim = 20;
    return number == victim ? f(stanza) : fate_of_message{{stanza}, {}};
  };
}

} // namespace

BOOST_AUTO_TEST_CASE(what_goes_well_is_no_fault) {
  for (const uint32_t window : {1, 8}) {
    xmpp_fixture f;
    im_load load{f.loop, f.to, {.pairs = 3, .window = window, .rate = {}},
      f.names, f.bodies, f.ids, f.faults};
    BOOST_REQUIRE(load.open());
    load.start();
    for (int i = 0; i < 100 && load.counts().copies < 300; ++i)
      load.run(0.02);
    load.settle();
    load.finish();
    for (const auto& line : f.faults.lines())
      BOOST_ERROR(line);
    BOOST_TEST(load.counts().delivered >= 300u);
    BOOST_TEST(load.counts().delivered == load.sent());
    BOOST_TEST(load.sign_out());
  }
}

BOOST_AUTO_TEST_CASE(an_xmpp_im_that_is_lost_is_found) {
  xmpp_fixture f{but_for_one([](const auto&) { return fate_of_message{}; })};
  f.run(8, 100);
  f.expect(fault_kind::lost);
}

BOOST_AUTO_TEST_CASE(an_xmpp_im_that_comes_twice_is_found) {
  xmpp_fixture f{but_for_one([](const auto& stanza) {
    return fate_of_message{{stanza, stanza}, {}};
  })};
  f.run(8, 100);
  f.expect(fault_kind::duplicated);
}

BOOST_AUTO_TEST_CASE(an_xmpp_im_after_a_later_one_is_found) {
  std::string kept;
  xmpp_fixture f{[&kept](uint64_t number, const std::string& stanza) {
    if (number == 20) {
      kept = stanza;
      return fate_of_message{};
    }
    return number == 21 ? fate_of_message{{stanza, kept}, {}}
                        : fate_of_message{{stanza}, {}};
  }};
  f.run(8, 100);
  f.expect(fault_kind::reordered);
}

BOOST_AUTO_TEST_CASE(an_xmpp_im_with_another_body_is_found) {
  xmpp_fixture f{but_for_one([](std::string stanza) {
    stanza.insert(stanza.find("</body>"), "x");
    return fate_of_message{{stanza}, {}};
  })};
  f.run(8, 100);
  BOOST_TEST(f.faults.count(fault_kind::altered) == 1u);
}

BOOST_AUTO_TEST_CASE(an_xmpp_im_that_comes_back_is_rejected) {
  xmpp_fixture f{but_for_one([](std::string stanza) {
    stanza.replace(stanza.find("'chat'"), 6, "'error'");
    stanza.insert(stanza.find("</message>"),
      "<error type='wait'><policy-violation/></error>");
    return fate_of_message{{}, {stanza}};
  })};
  f.run(1, 100);
  f.expect(fault_kind::rejected);
}

BOOST_AUTO_TEST_CASE(an_im_that_nobody_sent_is_found) {
  xmpp_fixture f{but_for_one([](std::string stanza) {
    auto other = stanza;
    other.replace(other.find(" id='") + 5, 1, "?");
    return fate_of_message{{stanza, other}, {}};
  })};
  f.run(8, 100);
  f.expect(fault_kind::unknown);
}

BOOST_AUTO_TEST_SUITE_END()
