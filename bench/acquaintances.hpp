#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bench/session_pool.hpp"

namespace parley::bench {

/// Who sees whose presence among the users 0, 1, 2, … of a run. Each pair of a
/// watcher and a presentity has a number, from 0 without gaps.
class acquaintances {
public:
  /// A watcher and whom it sees.
  using pair = std::pair<uint32_t, uint32_t>;

  /// `pairs` distinct, of users below `users`; nobody sees itself.
  acquaintances(uint32_t users, std::vector<pair> pairs);

  /// User 0 is seen by 1 to `watchers`.
  static acquaintances star(uint32_t watchers);
  /// Each of `users` has `contacts` mutual ones, its neighbours in a ring of
  /// all; an odd number is rounded down, and less than `users`.
  static acquaintances ring(uint32_t users, uint32_t contacts);
  /// The first `users` have `contacts` each, mutual, drawn in turn from
  /// `others` more users.
  static acquaintances two_sides(
    uint32_t users, uint32_t contacts, uint32_t others);

  /// Users that nobody sees.
  static acquaintances strangers(uint32_t users);
  /// Those of each part after those of the part before; parts do not know each
  /// other.
  static acquaintances side_by_side(const std::vector<acquaintances>& parts);

  uint32_t users() const noexcept {
    return static_cast<uint32_t>(x_begin.size() - 1);
  }
  size_t pairs() const noexcept { return x_whom.size(); }

  /// Whom a user sees, in order; the first of them is pair `first_pair`.
  std::span<const uint32_t> seen_by(uint32_t watcher) const noexcept {
    return {x_whom.data() + x_begin[watcher],
      x_begin[watcher + 1] - x_begin[watcher]};
  }
  size_t first_pair(uint32_t watcher) const noexcept {
    return x_begin[watcher];
  }
  std::optional<size_t> find(
    uint32_t watcher, uint32_t presentity) const noexcept;
  uint32_t watchers_of(uint32_t presentity) const noexcept {
    return x_watchers[presentity];
  }
  /// Everybody sees whom it is seen by.
  bool mutual() const;

  /// Makes accounts, contact lists and active subscriptions in the store of a
  /// data folder that no server runs on. All have `password`. Throws
  /// std::runtime_error if the store refuses.
  void write(const std::string& folder, const user_names& names,
    const std::string& password) const;

private:
  /// By watcher: where its pairs begin; one more at the end.
  std::vector<size_t> x_begin;
  std::vector<uint32_t> x_whom;
  std::vector<uint32_t> x_watchers;
};

} // namespace parley::bench
