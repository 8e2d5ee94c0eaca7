#include "bench/faults.hpp"

#include "bench/limits.hpp"

namespace parley::bench {

std::string_view to_string(fault_kind x) noexcept {
  switch (x) {
  case fault_kind::lost:
    return "lost";
  case fault_kind::no_outcome:
    return "no_outcome";
  case fault_kind::second_outcome:
    return "second_outcome";
  case fault_kind::duplicated:
    return "duplicated";
  case fault_kind::reordered:
    return "reordered";
  case fault_kind::altered:
    return "altered";
  case fault_kind::unknown:
    return "unknown";
  case fault_kind::wrong_endpoint:
    return "wrong_endpoint";
  case fault_kind::rejected:
    return "rejected";
  case fault_kind::connection:
    return "connection";
  }
  return "unknown";
}

void fault_log::add(fault_kind kind, std::string text) {
  ++x_counts[static_cast<size_t>(kind)];
  ++x_total;
  if (x_lines.size() < limits::faults_described)
    x_lines.push_back(std::string{to_string(kind)} + ": " + text);
}

} // namespace parley::bench
