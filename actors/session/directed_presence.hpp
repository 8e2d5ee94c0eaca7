#pragma once

#include <cstddef>
#include <map>
#include <set>

#include "protocol/vocabulary.hpp"

namespace parley {

/// Directed presence of one session, and what others took back from it while
/// its client could not be told.
class directed_presence {
public:
  /// It has shown itself there, within its rate.
  void shown(const address& to) { x_shown.insert(to); }
  /// Whether it had, and does no more.
  bool taken_back(const address& from) { return x_shown.erase(from) > 0; }

  /// What another endpoint took back, to be told later. False: there is no
  /// room.
  bool keep(const passed_on& x);
  /// It shows itself anew.
  void forget(const address& who);
  bool has_kept() const noexcept { return !x_kept.empty(); }
  /// One of what was kept.
  passed_on take();

  /// How many there are of either; and the bytes of what is kept.
  size_t size() const noexcept { return x_shown.size() + x_kept.size(); }
  size_t kept_bytes() const noexcept { return x_kept_bytes; }

private:
  /// No more than the client's connection remembers: it takes back what it
  /// forgets.
  std::set<address> x_shown;
  std::map<address, passed_on> x_kept;
  size_t x_kept_bytes = 0;
};

} // namespace parley
