#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/acquaintances.hpp"
#include "bench/faults.hpp"
#include "bench/frames.hpp"

namespace parley::bench {

/// What each watcher was told against what is true. The states of a presentity
/// are numbered: 0 is how it signs in, available without status; each change
/// makes the next. Number, show and status follow from each other, so that
/// whatever is told can be compared in full.
class presence_check {
public:
  /// Users sign in as `user/endpoint`. Both references have to last.
  presence_check(const acquaintances& who, user_names names,
    std::string endpoint, fault_log& faults);

  /// wire::Show of state `number`; never unavailable.
  static uint32_t show_of(uint64_t number) noexcept;
  /// Appends its status.
  static void put_status(std::string& out, uint64_t number);

  /// Signs in: from here on others may be told so, and it of others.
  void online(uint32_t user);
  /// Signs out: after this others have to see it as unavailable.
  void offline(uint32_t user);
  bool is_online(uint32_t user) const noexcept { return x_truth[user] > 0; }
  /// Goes on to its next state, whose number is returned.
  uint64_t change(uint32_t user) noexcept;

  /// What a notice changed in the eyes of its watcher.
  struct news {
    uint32_t whom = 0;
    /// Absent: unavailable.
    std::optional<uint64_t> before;
    std::optional<uint64_t> now;
  };
  /// Nothing if there is something wrong with it, or if it was known.
  std::optional<news> arrived(uint32_t watcher, const presence_view& what);

  /// Every watcher that is online sees the last state of everybody it may see.
  bool converged() const noexcept;
  /// Nothing more will come: whatever is not so is a fault.
  void finish();

  /// Notices that told what was known already.
  uint64_t repeated() const noexcept { return x_repeated; }
  /// Pairs of which both are online.
  uint64_t pairs_online() const noexcept;

private:
  struct sender {
    uint32_t user = 0;
    bool whole = false;
  };
  std::optional<sender> sender_of(std::string_view from) const noexcept;
  void fault(fault_kind kind, uint32_t watcher, const presence_view& what,
    const std::string& why);

  const acquaintances& x_who;
  user_names x_names;
  std::string x_tail;
  /// By user, and by pair what the watcher was told: 0 is unavailable, else
  /// one more than the number of the state.
  std::vector<uint64_t> x_truth;
  std::vector<uint64_t> x_seen;
  uint64_t x_repeated = 0;
  std::string x_status;
  fault_log& x_faults;
};

} // namespace parley::bench
