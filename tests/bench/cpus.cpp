#include "bench/cpus.hpp"

#include <chrono>

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
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (!CPU_ISSET(i, &all))
      continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(i, &one);
    BOOST_TEST(to_string(one) == std::to_string(i));
    BOOST_TEST(told_by_child(one) == std::to_string(i));
    if (i > 3)
      break;
  }
  const auto mine = allowed();
  BOOST_TEST(CPU_EQUAL(&mine, &all));
}

BOOST_AUTO_TEST_CASE(one_that_is_not_there_ends_the_child) {
  cpu_set_t none;
  CPU_ZERO(&none);
  child_process child{{"/bin/true"}, none};
  BOOST_TEST(
    child.wait(now_ns() + to_ns(std::chrono::minutes{1})).value_or(0) == 127);
}

BOOST_AUTO_TEST_SUITE_END()
