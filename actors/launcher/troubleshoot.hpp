#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "actors/observation/engine_reading.hpp"
#include "actors/settings/policy.hpp"
#include "protocol/tls.hpp"

namespace parley {

/// What the troubleshooter judges by; gathered by who can ask.
struct engine_facts {
  wall_time now{};
  /// Since the start, by the steady clock.
  std::chrono::milliseconds up{};
  engine_reading engine;
  /// Not there: without TLS.
  std::optional<tls_context::use> certificate;
  std::string certificate_file;
  /// What a start or SIGHUP would find in that file.
  result<certificate_state> certificate_there;
  /// Of the data folder's file system; `free`: for this user.
  uint64_t disk_free = 0;
  uint64_t disk_size = 0;
  std::string folder;
  /// Why writes are refused at this moment; none: they are not.
  failure store;
  /// The time of the newest line of the audit log.
  std::optional<wall_time> last_audited;
  /// Why that could not be found out; none: it was.
  failure no_audit;
  /// Files that the process may open; and that the system would let it.
  uint64_t files_max = 0;
  uint64_t files_hard_max = 0;
  policy rules;
  /// Why these could not be found out; none: they were.
  failure no_rules;
  /// Those that were found; `why`: there may be more.
  limits_found at_limits;
  /// The same of endpoints, which are on no disk.
  failure no_endpoints;
};

/// One check.
struct finding {
  enum class state : uint8_t { passed, warning, failed };
  std::string check;
  finding::state how = state::passed;
  /// What there is.
  std::string what = {};
  /// How to mend it; empty if nothing is to be.
  std::string remedy = {};
  /// All users that it concerns.
  std::vector<std::string> users = {};
};

std::string_view to_string(finding::state x) noexcept;

/// All checks, in an order that stays.
std::vector<finding> troubleshoot(const engine_facts& x);

} // namespace parley
