#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace parley {

/// `1 user`, `2 users`; of words that take an s.
inline std::string counted(uint64_t n, std::string_view what) {
  auto x = std::to_string(n) + ' ';
  x += what;
  return n == 1 ? x : x + 's';
}

} // namespace parley
