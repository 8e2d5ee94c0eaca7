#include "bench/report.hpp"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "bench/faults.hpp"

using namespace parley::bench;

BOOST_AUTO_TEST_SUITE(reports)

BOOST_AUTO_TEST_CASE(multiples_are_medians_of_the_rounds_multiples) {
  report r{"im"};
  r.parameter("pairs", 50);
  // Multiples 2, 10 and 3: their median is 3, while the medians of the
  // figures, 20 and 5, would give 4.
  r.round({{"cpu_us_per_im", 10}}, {{"cpu_us_per_im", 5}});
  r.round({{"cpu_us_per_im", 20}}, {{"cpu_us_per_im", 2}});
  r.round({{"cpu_us_per_im", 30}}, {{"cpu_us_per_im", 10}});
  r.single("memory_bytes_per_session", 7000);
  const auto json = nlohmann::json::parse(r.to_json({}));
  BOOST_TEST(json["ok"] == true);
  BOOST_TEST(json["figures"]["cpu_us_per_im"]["server"] == 20);
  BOOST_TEST(json["figures"]["cpu_us_per_im"]["relay"] == 5);
  BOOST_TEST(json["figures"]["cpu_us_per_im"]["times_relay"] == 3);
  BOOST_TEST(json["figures"]["memory_bytes_per_session"]["server"] == 7000);
  BOOST_TEST(json["parameters"]["pairs"] == 50);
  BOOST_TEST(json["rounds"].size() == 3u);
  BOOST_TEST(json["cores"] > 0);
  BOOST_TEST(json["versions"].contains("parley"));
}

BOOST_AUTO_TEST_CASE(faults_make_it_fail) {
  fault_log faults;
  faults.add(fault_kind::duplicated, "an IM");
  const auto json = nlohmann::json::parse(report{"im"}.to_json(faults));
  BOOST_TEST(json["ok"] == false);
  BOOST_TEST(json["faults"]["duplicated"] == 1);
  BOOST_TEST(json["faults"]["lost"] == 0);
  BOOST_TEST(json["faults"]["first"][0] == "duplicated: an IM");
}

BOOST_AUTO_TEST_SUITE_END()
