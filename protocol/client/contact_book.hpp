#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "protocol/vocabulary.hpp"

namespace parley {

/// What changed between a user and somebody else.
enum class subscription_event : uint8_t {
  /// It asks to see the user's presence.
  request,
  /// It lets the user see its presence.
  approved,
  /// It refused the user's request.
  denied,
  /// The user sees its presence no longer.
  ended,
};

/// `request`, `approved`, `denied`, `ended`.
std::string_view to_string(subscription_event x) noexcept;

/// A user's contact list as the server tells it, whole or by differences, and
/// what of its changes is news about subscriptions.
class contact_book {
public:
  struct news {
    user_address who;
    subscription_event what;
    bool operator==(const news&) const = default;
  };
  using entries = std::map<user_address, contact>;

  /// What is to be known before the next difference; 0: nothing came yet.
  roster_version known() const noexcept { return x_version; }

  /// By address, also those that the user did not add.
  const entries& all() const noexcept { return x_entries; }

  /// False if `x` rests on a version that is not known here: the list is to be
  /// asked for, and nothing changes. Appends to `out` what is news; of the
  /// first list these are requests alone.
  bool take(const contact_list& x, std::vector<news>& out);

  /// The user itself ends its subscription to `who`, or does not after all:
  /// this is no news when it comes.
  void expect_end(const user_address& who);
  void forget_end(const user_address& who);

  /// Bytes on the heap, about.
  size_t memory() const noexcept;

private:
  void put(const contact& x, bool first, std::vector<news>& out);
  void erase(const user_address& who, std::vector<news>& out);
  void tell_end(const user_address& who, half before, std::vector<news>& out);

  roster_version x_version;
  bool x_has_list = false;
  entries x_entries;
  std::set<user_address> x_expected;
};

} // namespace parley
