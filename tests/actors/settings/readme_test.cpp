#include "actors/settings/policy.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <iterator>
#include <string>

namespace parley::test {

namespace {

/// As the front page has it.
std::string table_of_settings() {
  std::string text = "| setting | default | range | |\n|---|---|---|---|\n";
  policy defaults;
  for (const auto& s : settings_table())
    text += "| `" + std::string{s.name} + "` | " + s.value(defaults) + " | "
      + s.range() + " | " + std::string{s.text} + " |\n";
  return text;
}

std::string front_page() {
  std::ifstream in{PARLEY_SOURCE_DIR "/README.md"};
  BOOST_REQUIRE(in.good());
  return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

BOOST_AUTO_TEST_CASE(the_front_page_has_the_table_of_settings_as_it_is) {
  auto table = table_of_settings();
  BOOST_TEST(front_page().find("\n\n" + table + "\n") != std::string::npos,
    "README.md is to have this table:\n"
      << table);
}

} // namespace parley::test
