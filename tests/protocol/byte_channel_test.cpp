#include "protocol/byte_channel.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using parley::byte_channel;

BOOST_AUTO_TEST_CASE(what_was_written_in_part_comes_out_once_and_in_order) {
  byte_channel x;
  std::string all, out;
  for (size_t i = 0; i < 200; ++i) {
    std::string some(i * 331 % 9'000, static_cast<char>('a' + i % 26));
    x.sink() += some;
    all += some;
    auto waits = x.output();
    auto n = waits.size() * (i % 5) / 4;
    out += waits.substr(0, n);
    BOOST_TEST(x.written(n) == (n == waits.size()));
    BOOST_TEST(x.waiting() == all.size() - out.size());
    BOOST_TEST(x.written_total() == out.size());
    BOOST_TEST(x.output_total() == all.size());
  }
  out += x.output();
  BOOST_TEST((out == all));
}

BOOST_AUTO_TEST_CASE(memory_of_what_was_written_is_given_back) {
  byte_channel x;
  const std::string text(30'000, 'x');
  x.sink() += text;
  BOOST_TEST(x.memory() >= text.size());
  BOOST_TEST(!x.written(text.size() - 1'000));
  BOOST_TEST(x.memory() < 2'000u);
  BOOST_TEST(x.output() == std::string(1'000, 'x'));
  BOOST_TEST(x.written(1'000));
  BOOST_TEST(x.memory() == 0u);
}
