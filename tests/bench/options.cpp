#include "bench/options.hpp"

#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

using namespace parley::bench;

BOOST_AUTO_TEST_SUITE(command_line)

namespace {

parsed_options parse(std::vector<const char*> words) {
  words.insert(words.begin(), "parley-bench");
  return parse_options(static_cast<int>(words.size()), words.data());
}

} // namespace

BOOST_AUTO_TEST_CASE(load_goes_to_this_machine_alone) {
  for (const auto* good :
    {"127.0.0.1:5000", "127.1.2.3:1", "localhost:65535", "[::1]:443"}) {
    const auto parsed = parse({"im", "--server", good});
    BOOST_TEST(parsed.text == "");
    BOOST_TEST(parsed.what.server.has_value());
  }
  for (const auto* bad : {"10.0.0.1:5000", "example.org:80", "0.0.0.0:80",
         "[2001:db8::1]:80", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536",
         "localhost:", "128.0.0.1:80", ":80", "::1:80"}) {
    const auto parsed = parse({"im", "--server", bad});
    BOOST_TEST(parsed.text != "");
    BOOST_TEST(parsed.code == 2);
  }
}

BOOST_AUTO_TEST_CASE(it_must_be_said_what_is_measured_once) {
  BOOST_TEST(parse({"im"}).code == 2);
  BOOST_TEST(parse({"im", "--start-server", "--relay-only"}).code == 2);
  BOOST_TEST(
    parse({"im", "--start-server", "--server", "127.0.0.1:1"}).code == 2);
  BOOST_TEST(parse({"idle", "--relay-only"}).code == 2);
  BOOST_TEST(parse({"presence", "--relay-only"}).code == 0);
  BOOST_TEST(
    parse({"presence", "--relay-only", "--rate", "100", "--ims"}).code == 2);
  BOOST_TEST(parse({"nonsense", "--start-server"}).code == 2);
  BOOST_TEST(parse({}).code == 2);
  BOOST_TEST(parse({"im", "--start-server", "more"}).code == 2);
}

BOOST_AUTO_TEST_CASE(numbers_out_of_range_are_refused) {
  using words = std::vector<const char*>;
  for (const auto& bad : {words{"--pairs", "0"}, words{"--endpoints", "65"},
         words{"--window", "100000"}, words{"--rate", "-1"},
         words{"--body", "21"}, words{"--body", "1000000"},
         words{"--body", "long"}, words{"--seconds", "0"},
         words{"--rounds", "0"}, words{"--traffic", "none"},
         words{"--pairs", "many"}, words{"--no-such-thing"}}) {
    auto all = words{"im", "--start-server"};
    all.insert(all.end(), bad.begin(), bad.end());
    BOOST_TEST(parse(all).code == 2, bad.front());
  }
  BOOST_TEST(parse({"offline", "--start-server", "--recipients", "1000000",
                     "--each", "1000000"})
               .code
    == 2);
}

BOOST_AUTO_TEST_CASE(a_started_server_is_compared_with_the_relay) {
  BOOST_TEST(parse({"im", "--start-server"}).what.compare_relay);
  BOOST_TEST(!parse({"im", "--start-server", "--no-relay"}).what.compare_relay);
  BOOST_TEST(!parse({"im", "--server", "[::1]:1"}).what.compare_relay);
  BOOST_TEST(
    parse({"im", "--server", "[::1]:1", "--compare-relay"}).what.compare_relay);
  BOOST_TEST(!parse({"offline", "--start-server"}).what.compare_relay);
  for (bool alone : {true, false}) {
    std::vector<const char*> words{
      "presence", "--start-server", "--rate", "100", "--ims"};
    if (!alone)
      words.insert(words.end(), {"--users", "60"});
    const auto parsed = parse(words);
    BOOST_TEST(parsed.code == 0);
    BOOST_TEST(parsed.what.compare_relay == alone);
  }
}

BOOST_AUTO_TEST_CASE(the_load_generator_has_a_cpu_of_its_own_where_asked) {
  using placing = options::placing;
  const auto read = [](std::vector<const char*> words) {
    const auto parsed = parse(std::move(words));
    BOOST_TEST(parsed.text == "");
    return parsed.what.apart;
  };
  const auto ims = [&](const char* more) {
    return read({"presence", "--start-server", "--rate", "100", "--ims", more});
  };
  BOOST_TEST((read({"im", "--start-server"}) == placing::together));
  BOOST_TEST((read({"im", "--start-server", "--apart"}) == placing::apart));
  BOOST_TEST((read({"im", "--relay-only", "--apart"}) == placing::apart));
  BOOST_TEST((ims("--no-relay") == placing::apart_if_possible));
  BOOST_TEST((ims("--apart") == placing::apart));
  BOOST_TEST((ims("--together") == placing::together));
  BOOST_TEST(
    parse({"im", "--start-server", "--apart", "--together"}).code == 2);
  BOOST_TEST(
    parse({"im", "--start-server", "--rate", "100", "--ims"}).code == 2);
  BOOST_TEST(parse({"im", "--server", "127.0.0.1:1", "--apart"}).code == 2);
}

BOOST_AUTO_TEST_CASE(a_lone_pair_has_one_im_under_way) {
  const auto what = parse({"lone", "--start-server", "--pairs", "9"}).what;
  BOOST_TEST(what.im.pairs == 1u);
  BOOST_TEST(what.im.window == 1u);
  BOOST_TEST((what.im.kind == traffic::one_way));
}

BOOST_AUTO_TEST_CASE(help_is_no_error) {
  const auto parsed = parse({"--help"});
  BOOST_TEST(parsed.code == 0);
  BOOST_TEST(parsed.text.find("--start-server") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
