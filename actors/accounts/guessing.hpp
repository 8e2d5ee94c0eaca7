#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "actors/accounts/throttle.hpp"
#include "protocol/address.hpp"
#include "protocol/defaults.hpp"
#include "protocol/errors.hpp"

namespace parley {

/// Who has to wait before a password may be tried, so that nobody guesses one.
/// Rules only. A try is one of three kinds:
///
/// - From a source address whence the account's right password came before:
///   only the failures of this very pair slow it. So no stranger can keep users
///   out where they have signed in.
/// - From a source against which nothing is held: it takes its turn among such
///   tries of the account. One that guesses is not among them any more after
///   its first failure, so it cannot keep users out elsewhere either.
/// - From any other: it takes its turn among the account's remaining tries.
///
/// The latter two take their turn among those of their source as well. Who
/// leaves while it waits has failed, as far as its source goes: a few that
/// stood in line and left, again and again, would keep all others out.
class guessing {
public:
  using time_point = throttle::time_point;
  using milliseconds = std::chrono::milliseconds;

  struct turn {
    /// Until the try may go on.
    milliseconds wait{};
    /// Until the next one may from then on, if this one fails.
    milliseconds pause{};
    /// `overloaded` if the turn would come too late, or would be one too many
    /// for this second; nothing was taken then.
    failure why;
    bool is_over_rate = false;
  };

  /// Tries that are let in a second, from 1; nothing: as many as come. A
  /// quarter is for known pairs: no stranger can use it up.
  void limit_rate(std::optional<uint64_t> per_second) noexcept {
    x_rate = per_second;
  }

  /// A try begins. `ticket` names it until its end; one that is begun anew has
  /// ended wrongly.
  turn begin(const user_address& user, const std::string& source,
    uint64_t ticket, time_point now);
  /// Nothing happens if there is no such try.
  void end(uint64_t ticket, try_end how, time_point now);
  /// A source sent an exchange that named nobody.
  void fail(const std::string& source, time_point now);

  /// Tries that have not ended.
  size_t under_way() const noexcept { return x_tries.size(); }

private:
  struct attempt {
    /// Of the account's turns, or of the pair's.
    std::string lane;
    std::string source;
    std::string pair;
    bool is_known = false;
    bool has_to_wait = false;
    /// Its place in the lane.
    time_point lane_turn;
    milliseconds lane_pause{};
  };

  attempt classify(
    const user_address& user, const std::string& source, time_point now) const;
  /// Nothing was looked at: it shall not have cost the others anything.
  void give_back(const attempt& x);
  void end_at_source(const attempt& x, try_end how, time_point now);
  /// What a stranger must find left of this second's, so that enough remains.
  double needed_by_strangers() const noexcept;
  /// Tries that may be left at most.
  double left_max() const noexcept;
  /// Takes one of this second's; how long until there is one if it cannot.
  std::optional<milliseconds> over_rate(bool is_known, time_point now);

  throttle x_lanes{defaults::account_tries_at_once};
  throttle x_sources{std::nullopt};
  known_keys x_known;
  std::unordered_map<uint64_t, attempt> x_tries;
  std::optional<uint64_t> x_rate;
  /// Tries that are left of this second's.
  double x_left = 0;
  std::optional<time_point> x_left_at;
};

/// What counts as one source: an IPv4 address, or the /64 that one subscriber
/// has of IPv6 (RFC 6177). `peer` is `ADDRESS:PORT`, brackets around IPv6.
std::string source_of(const std::string& peer);

} // namespace parley
