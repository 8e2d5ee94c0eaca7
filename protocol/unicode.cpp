#include "protocol/unicode.hpp"

#include <cstdint>
#include <cstring>

namespace parley {

namespace {

/// Bytes of the character at `p`, 0 if there is none.
size_t character_size(const uint8_t* p, size_t available) noexcept {
  auto continues = [&](size_t i) { return (p[i] & 0xc0) == 0x80; };
  if (p[0] < 0x80)
    return 1;
  if (p[0] < 0xc2)
    return 0;
  if (p[0] < 0xe0)
    return available >= 2 && continues(1) ? 2 : 0;
  if (p[0] < 0xf0) {
    if (available < 3 || !continues(1) || !continues(2))
      return 0;
    auto overlong = p[0] == 0xe0 && p[1] < 0xa0;
    auto surrogate = p[0] == 0xed && p[1] > 0x9f;
    return overlong || surrogate ? 0 : 3;
  }
  if (p[0] > 0xf4 || available < 4 || !continues(1) || !continues(2)
    || !continues(3))
    return 0;
  auto overlong = p[0] == 0xf0 && p[1] < 0x90;
  auto beyond = p[0] == 0xf4 && p[1] > 0x8f;
  return overlong || beyond ? 0 : 4;
}

constexpr uint64_t high_bits = 0x8080808080808080;

uint64_t eight_bytes(const void* p) noexcept {
  uint64_t x;
  std::memcpy(&x, p, sizeof(x));
  return x;
}

bool is_ascii(std::string_view text) noexcept {
  auto p = text.data();
  auto n = text.size();
  uint64_t all = 0;
  if (n < sizeof(all)) {
    for (auto c : text)
      all |= static_cast<uint8_t>(c);
    return (all & 0x80) == 0;
  }
  for (size_t i = 0; i + sizeof(all) <= n; i += sizeof(all))
    all |= eight_bytes(p + i);
  // The last ones, some of them again.
  all |= eight_bytes(p + n - sizeof(all));
  return (all & high_bits) == 0;
}

} // namespace

bool is_utf8(std::string_view text) noexcept {
  // Most text is ASCII, or runs of it.
  if (is_ascii(text))
    return true;
  auto p = reinterpret_cast<const uint8_t*>(text.data());
  auto n = text.size();
  while (n > 0) {
    if (n >= sizeof(uint64_t) && (eight_bytes(p) & high_bits) == 0) {
      p += sizeof(uint64_t);
      n -= sizeof(uint64_t);
      continue;
    }
    auto size = character_size(p, n);
    if (size == 0)
      return false;
    p += size;
    n -= size;
  }
  return true;
}

std::string_view first_bytes(std::string_view text, size_t n) noexcept {
  while (n < text.size() && (static_cast<uint8_t>(text[n]) & 0xc0) == 0x80)
    ++n;
  return text.substr(0, n);
}

} // namespace parley
