#pragma once

#include <set>
#include <vector>

#include "protocol/vocabulary.hpp"

namespace parley {

/// Who was told to be available, so that nobody stays so on a screen when what
/// was told becomes void.
class presence_table {
public:
  /// The last word about one endpoint, or, from a bare address, about all of a
  /// user's.
  void take(const presence_notice& x);

  /// All of it is void: the notices that say so, *unavailable* of each endpoint
  /// that was available. Nobody is available afterwards.
  std::vector<presence_notice> reset();

  /// Bytes on the heap, about.
  size_t memory() const noexcept;

private:
  /// Those of one user follow each other.
  std::set<address> x_available;
};

} // namespace parley
