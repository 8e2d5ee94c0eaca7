#pragma once

#include <array>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/actors/roster/disk.hpp"

namespace parley::test {

/// What a user of a pair may do about the other.
enum class deed : uint8_t {
  subscribe,
  unsubscribe,
  approve,
  deny,
  remove,
  add,
  block,
  unblock,
  allow,
  disallow,
  ask_by_default,
  default_by_default,
};
inline constexpr size_t deeds = 12;
std::string_view to_string(deed x) noexcept;

/// Does it in `to`, which is one of the two.
void perform(roster_rules& to, deed what, const user_address& other,
  const policy& rules, uint64_t now_us);

/// Whom a contact check would be refused, by what is on disk.
failure why_not(const roster_disk& whom, bool watched, const policy& rules);

/// A note on its way, or the word that it is on disk at the other side.
struct in_flight {
  bool confirms = false;
  subscription_note note;
};

/// Who of a pair is meant: 0 or 1.
const user_address& one_of_pair(size_t side);

/// What is wrong with the two halves of `watcher` watching `presentity`;
/// nothing if they agree.
std::optional<std::string> disagreement(
  const roster_disk& watcher, const roster_disk& presentity, size_t watching);

/// Two rosters and what is between them, as they are when nothing waits for a
/// disk: a value.
struct pair_state {
  std::array<roster_disk, 2> disks;
  /// On their way to each side, oldest first.
  std::array<std::deque<in_flight>, 2> net;
  bool auto_approve = true;
  uint64_t now = 1;

  policy rules() const;
  /// Everything that tells it from other states. Numbers by their order alone.
  std::string key() const;

  /// Calls `act` with the roster of one side and does what it asks for. What
  /// is wrong with that, if anything.
  std::optional<std::string> run(
    size_t side, const std::function<void(roster_rules&)>& act);
  std::optional<std::string> perform(size_t side, deed what);
  /// Turns the general setting, and both decide anew.
  std::optional<std::string> turn_auto_approval();
  /// The one of this place on its way to `side`; keeps it there if `again`.
  std::optional<std::string> deliver(size_t side, size_t place, bool again);
  /// What is on its way is lost, and what is on disk sent again.
  void crash();
  /// Each shows itself to the other, as at a sign-in.
  std::optional<std::string> meet();

  /// Delivers everything, in the order of sending.
  std::optional<std::string> settle();
  /// What is wrong still once they have met, and whoever is asked has decided:
  /// a wish that came late, after its end was forgotten, is taken back then.
  std::optional<std::string> wrong_for_good(bool approves) const;

  bool is_quiet() const noexcept { return net[0].empty() && net[1].empty(); }
  /// For when it is quiet.
  std::optional<std::string> wrong() const;
  std::string text() const;
};

} // namespace parley::test
