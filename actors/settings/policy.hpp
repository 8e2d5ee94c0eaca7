#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "protocol/errors.hpp"

namespace parley {

/// What stands for *unlimited* in a number or a duration.
inline constexpr uint64_t unlimited = UINT64_MAX;

/// Every policy setting, as actors read it. Who holds one holds a snapshot;
/// changes come as a new one. The table in policy.cpp names the settings,
/// their units, defaults and ranges.
struct policy {
  bool im_enabled = true;
  bool im_store_offline = true;
  bool im_client_history = true;
  bool im_cut_and_paste = true;
  uint64_t im_grace_ms = 2'000;
  uint64_t im_idle_release_ms = 600'000;
  uint64_t im_body_max = 32'768;
  uint64_t im_offline_max = 1'000;
  uint64_t im_offline_ttl_ms = 30ull * 86'400'000;
  uint64_t im_retry_memory_ms = 7ull * 86'400'000;
  uint64_t im_broadcast_max = 1'000;
  uint64_t im_rate = unlimited;
  bool account_registration = false;
  uint64_t contacts_max = 200;
  uint64_t watchers_max = 200;
  uint64_t documents_max = 1'000;
  uint64_t documents_bytes_max = 4'194'304;
  bool presence_sharing = true;
  bool presence_sharing_override = false;
  bool presence_auto_approve = true;
  bool presence_adhoc = true;
  uint64_t presence_adhoc_max = unlimited;
  uint64_t presence_adhoc_ttl_ms = 4'080'000;
  uint64_t session_endpoints_max = 10;
  uint64_t session_resume_window_ms = 60'000;
  uint64_t session_buffer = 100;
  uint64_t session_heartbeat_ms = 60'000;
  uint64_t signin_rate = unlimited;

  bool operator==(const policy&) const = default;
  auto fields() {
    return std::tie(im_enabled, im_store_offline, im_client_history,
      im_cut_and_paste, im_grace_ms, im_idle_release_ms, im_body_max,
      im_offline_max, im_offline_ttl_ms, im_retry_memory_ms, im_broadcast_max,
      im_rate, account_registration, contacts_max, watchers_max, documents_max,
      documents_bytes_max, presence_sharing, presence_sharing_override,
      presence_auto_approve, presence_adhoc, presence_adhoc_max,
      presence_adhoc_ttl_ms, session_endpoints_max, session_resume_window_ms,
      session_buffer, session_heartbeat_ms, signin_rate);
  }

  /// How many requests, and how many IMs, a session may have under way: half
  /// of `session.buffer` each, so that what a resume must bring fits by
  /// construction.
  uint32_t window_messages() const noexcept {
    return static_cast<uint32_t>(session_buffer / 2);
  }
};

/// In what a setting is measured.
enum class setting_unit : uint8_t {
  on_off,
  count,
  bytes,
  per_second,
  duration
};

/// One row of the table of settings.
struct setting {
  std::string_view name;
  setting_unit unit;
  /// In milliseconds for a duration.
  uint64_t min = 0;
  uint64_t max = 0;
  bool may_be_unlimited = false;
  /// One sentence for operators.
  std::string_view text;
  /// Where it lives in a policy; one of the two is set.
  bool policy::*flag = nullptr;
  uint64_t policy::*number = nullptr;

  /// The value in `x` as text: `on`, `200`, `2 s`, `unlimited`.
  std::string value(const policy& x) const;
  /// The same for programs: `on`, `200`, `2`, `0.1`, `unlimited`; bytes or
  /// seconds, without the unit.
  std::string bare_value(const policy& x) const;
  /// The range as text, for people.
  std::string range() const;
  /// Sets the value in `x`; `bad_request` with the range, and nothing changed,
  /// if `text` is none, or has a blank before or behind it. Durations take
  /// `ms`, `s`, `min`, `h`, `d`; bare numbers are seconds.
  result<void> assign(policy& x, std::string_view text) const;
};

/// All settings, sorted by name.
std::span<const setting> settings_table() noexcept;

/// Null if there is none of this name.
const setting* find_setting(std::string_view name) noexcept;

/// Every setting by name with its bare value: what clients are told.
std::vector<std::pair<std::string, std::string>> policy_as_text(
  const policy& x);

} // namespace parley
