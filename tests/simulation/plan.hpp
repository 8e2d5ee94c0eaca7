#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace parley::test {

/// What can happen to the world of a run.
enum class deed : uint8_t {
  // devices
  come,
  come_anew,
  come_by_old_token,
  leave,
  sign_out,
  send,
  send_again,
  send_altered,
  broadcast,
  show,
  type,
  acknowledge,
  turn_prompt,
  turn_silent,
  stop_reading,
  read_on,
  change_window,
  ask_contacts,
  watch,
  change_privacy,
  // the network
  cut,
  cut_after_bytes,
  stall,
  // the server and its disk
  change_setting,
  hold_writes,
  let_writes_go,
  disk_fails,
  disk_mends,
  kill,
  power_fails,
  stop,
  kick,
  remove_account,
  add_accounts,
  expire,
  // time
  wait,
  wait_long,
  converse,
};

/// One thing that happens. All chance in it, and in what the server and the
/// network make of it until the next one, comes from `chance`: without the
/// others it stays as it is as far as can be.
struct happening {
  deed what = deed::wait;
  /// Of a device.
  uint8_t who = 0;
  /// Of a user.
  uint8_t whom = 0;
  /// What it is about; each deed has its own use for it.
  uint16_t amount = 0;
  /// Of actors and network, after it.
  uint16_t turns = 0;
  uint64_t chance = 0;
};

using plan = std::vector<happening>;

/// Users, and devices of each.
inline constexpr size_t users_there = 4;
inline constexpr std::array<size_t, users_there> devices_of{3, 2, 3, 2};
inline constexpr size_t devices_there = 10;

/// As plain as it can be said: `phone of u1 sends an IM to u0; 12 turns`.
std::string in_words(const happening& x);
std::string in_words(const plan& xs);

/// What happens in the run of this seed.
plan plan_of(uint64_t seed);

/// The endpoint's name of the so-manieth device, and whose it is.
std::string_view device_name(size_t device);
size_t owner_of(size_t device);

} // namespace parley::test
