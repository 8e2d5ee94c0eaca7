#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "persistence/store.hpp"

namespace parley {

/// Removals that the store has refused: nobody waits for them, so each is tried
/// again until it is done, soon at first, then ever more rarely. A damaged
/// record refuses for good.
class failed_removals {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// `what` is asked of the store for the first time, which will answer it;
  /// false: it was before, and has not been done since.
  bool begun(const store_operation& what);
  /// `what` is a remove_im or a remove_account.
  void refused(const store_operation& what, time_point now);
  /// It is on disk, whoever asked for it.
  void done(const store_operation& what) { x_entries.erase(key_of(what)); }
  /// This account is a new one: the one to be removed is gone.
  void drop_account(const user_address& user) {
    x_entries.erase({user, std::nullopt});
  }

  /// Those whose time has come. Each is said to be refused or done before it
  /// comes again.
  std::vector<store_operation> due(time_point now);

  bool empty() const noexcept { return x_entries.empty(); }

private:
  struct entry {
    store_operation what;
    std::chrono::milliseconds wait{};
    time_point due{};
    bool under_way = false;
  };

  /// No order: the account.
  using key = std::pair<user_address, std::optional<im_order>>;
  static key key_of(const store_operation& what);

  std::map<key, entry> x_entries;
  /// None is due before it.
  time_point x_next = time_point::max();
};

} // namespace parley
