#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <tuple>

namespace parley {

/// A session within the process; never given again. 0: none.
struct session_id {
  uint64_t value = 0;
  auto operator<=>(const session_id&) const = default;
  auto fields() { return std::tie(value); }
};

/// Who is owed the outcome of an IM: the retry hash under which the shard that
/// owns a directory slot keeps it.
struct origin {
  uint32_t slot = 0;
  uint64_t ticket = 0;
  auto operator<=>(const origin&) const = default;
  auto fields() { return std::tie(slot, ticket); }
};

} // namespace parley

template <>
struct std::hash<parley::session_id> {
  size_t operator()(parley::session_id x) const noexcept {
    return std::hash<uint64_t>{}(x.value);
  }
};
