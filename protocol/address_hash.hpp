#pragma once

#include <cstdint>
#include <string_view>

namespace parley {

/// What `user_address::hash` is for an address of this text.
constexpr uint64_t address_hash(std::string_view text) noexcept {
  uint64_t h = 0xcbf2'9ce4'8422'2325;
  for (char c : text)
    h = (h ^ static_cast<unsigned char>(c)) * 0x100'0000'01b3;
  return h;
}

} // namespace parley
