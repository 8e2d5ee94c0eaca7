#include "bench/cpus.hpp"

#include <cerrno>
#include <system_error>

namespace parley::bench {

std::optional<divided_cpus> divide_cpus() {
  divided_cpus out;
  CPU_ZERO(&out.own);
  if (::sched_getaffinity(0, sizeof out.others, &out.others) != 0)
    throw std::system_error{errno, std::generic_category(), "CPUs"};
  if (CPU_COUNT(&out.others) < 2)
    return std::nullopt;
  int first = 0;
  while (!CPU_ISSET(first, &out.others))
    ++first;
  CPU_CLR(first, &out.others);
  CPU_SET(first, &out.own);
  return out;
}

void stay_on(const cpu_set_t& cpus) {
  if (::sched_setaffinity(0, sizeof cpus, &cpus) != 0)
    throw std::system_error{
      errno, std::generic_category(), "CPUs " + to_string(cpus)};
}

std::string to_string(const cpu_set_t& cpus) {
  std::string out;
  for (int i = 0; i < CPU_SETSIZE; ++i)
    if (CPU_ISSET(i, &cpus))
      out += (out.empty() ? "" : ",") + std::to_string(i);
  return out;
}

} // namespace parley::bench
