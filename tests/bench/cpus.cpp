#include "bench/cpus.hpp"

#include <chrono>
#include <initializer_list>

#include <boost/test/unit_test.hpp>

#include "bench/clock.hpp"
#include "bench/process.hpp"

using namespace parley::bench;

BOOST_AUTO_TEST_SUITE(cpus)

namespace {

cpu_set_t allowed() {
  cpu_set_t out;
  BOOST_REQUIRE(::sched_getaffinity(0, sizeof out, &out) == 0);
  return out;
}

cpu_set_t only(std::initializer_list<int> numbers) {
  cpu_set_t out;
  CPU_ZERO(&out);
  for (int n : numbers)
    CPU_SET(n, &out);
  return out;
}

/// Which a child with these may use, as the kernel has it.
std::string told_by_child(const std::optional<cpu_set_t>& of) {
  child_process child{
    {"/bin/grep", "Cpus_allowed_list", "/proc/self/status"}, of};
  const int64_t deadline = now_ns() + to_ns(std::chrono::minutes{1});
  const auto line = child.read_line(deadline).value_or("");
  BOOST_TEST(child.wait(deadline).value_or(-1) == 0);
  return line.substr(line.find_last_of("\t ") + 1);
}

} // namespace

BOOST_AUTO_TEST_CASE(all_are_divided_and_none_belongs_to_both) {
  const auto all = allowed();
  const auto divided = divide_cpus();
  BOOST_REQUIRE(divided.has_value() == (CPU_COUNT(&all) > 1));
  if (!divided)
    return;
  BOOST_TEST(CPU_COUNT(&divided->own) == 1);
  cpu_set_t both;
  CPU_AND(&both, &divided->own, &divided->others);
  BOOST_TEST(CPU_COUNT(&both) == 0);
  CPU_OR(&both, &divided->own, &divided->others);
  BOOST_TEST(CPU_EQUAL(&both, &all));
}

BOOST_AUTO_TEST_CASE(a_child_keeps_to_those_that_it_is_given) {
  const auto all = allowed();
  int left = 4; // of so many it would do so with all others
  for (int i = 0; i < CPU_SETSIZE && left > 0; ++i) {
    if (!CPU_ISSET(i, &all))
      continue;
    --left;
    BOOST_TEST(told_by_child(only({i})) == std::to_string(i));
  }
  const auto mine = allowed();
  BOOST_TEST(CPU_EQUAL(&mine, &all));
}

BOOST_AUTO_TEST_CASE(a_child_that_may_use_none_of_them_does_not_run) {
  const int64_t deadline = now_ns() + to_ns(std::chrono::minutes{1});
  child_process runs{{"/bin/true"}};
  BOOST_TEST(runs.wait(deadline).value_or(-1) == 0);
  child_process child{{"/bin/true"}, only({})};
  BOOST_TEST(child.wait(deadline).value_or(-1) == 127);
}

BOOST_AUTO_TEST_CASE(they_are_told_by_their_numbers) {
  BOOST_TEST(to_string(only({})) == "");
  BOOST_TEST(to_string(only({7})) == "7");
  BOOST_TEST(to_string(only({12, 0, 3})) == "0,3,12");
}

BOOST_AUTO_TEST_SUITE_END()
