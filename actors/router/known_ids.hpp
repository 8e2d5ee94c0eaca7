#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "actors/router/id_filter.hpp"
#include "protocol/shared.hpp"

namespace parley {

/// Which retry ids may be on disk: a filter over all that were there when
/// somebody looked through the store, and what this shard has added since.
class known_ids {
public:
  /// All that are on disk; empty: none are.
  void start(shared<id_filter> all) { x_all = std::move(all); }

  bool may_contain(uint64_t retry_hash) const noexcept {
    return x_since.may_contain(retry_hash)
      || (x_young && x_young->may_contain(retry_hash))
      || (x_all && x_all->may_contain(retry_hash));
  }
  /// This id came on disk.
  void insert(uint64_t retry_hash) {
    (x_young ? *x_young : x_since).insert(retry_hash);
  }

  /// The store will be looked through anew: what comes from now on is kept
  /// apart, since it may be missed. Again before the end of that: nothing new.
  void scan_begins() {
    if (!x_young)
      x_young.emplace();
  }
  /// All ids that were on disk when the scan began, and are not forgotten.
  void scanned(shared<id_filter> all) {
    x_all = std::move(all);
    if (x_young)
      x_since = std::move(*x_young);
    x_young.reset();
  }

private:
  shared<id_filter> x_all;
  /// Those that came since.
  id_filter x_since;
  /// Those that came since the scan under way began.
  std::optional<id_filter> x_young;
};

} // namespace parley
