#include "persistence/sip_hash.hpp"

#include <bit>

namespace parley {

sip_hash::sip_hash(uint64_t k0, uint64_t k1) noexcept :
  x_v0(k0 ^ 0x736f6d6570736575), x_v1(k1 ^ 0x646f72616e646f6d),
  x_v2(k0 ^ 0x6c7967656e657261), x_v3(k1 ^ 0x7465646279746573) {}

inline void sip_hash::round() noexcept {
  x_v0 += x_v1;
  x_v1 = std::rotl(x_v1, 13) ^ x_v0;
  x_v0 = std::rotl(x_v0, 32);
  x_v2 += x_v3;
  x_v3 = std::rotl(x_v3, 16) ^ x_v2;
  x_v0 += x_v3;
  x_v3 = std::rotl(x_v3, 21) ^ x_v0;
  x_v2 += x_v1;
  x_v1 = std::rotl(x_v1, 17) ^ x_v2;
  x_v2 = std::rotl(x_v2, 32);
}

inline void sip_hash::word(uint64_t m) noexcept {
  x_v3 ^= m;
  round();
  round();
  x_v0 ^= m;
}

void sip_hash::add(std::string_view text) noexcept {
  const auto shift = 8 * (x_size % 8);
  x_size += text.size();
  for (; text.size() >= 8; text.remove_prefix(8)) {
    uint64_t x = 0;
    for (unsigned i = 0; i < 8; ++i) // one load where bytes lie this way
      x |= uint64_t{static_cast<unsigned char>(text[i])} << 8 * i;
    word(x_tail | x << shift);
    x_tail = shift == 0 ? 0 : x >> (64 - shift);
  }
  auto at = shift;
  for (unsigned char c : text) {
    x_tail |= uint64_t{c} << at;
    if ((at += 8) == 64) {
      word(x_tail);
      x_tail = 0;
      at = 0;
    }
  }
}

void sip_hash::add(uint64_t x) noexcept {
  const auto shift = 8 * (x_size % 8);
  x_size += 8;
  word(x_tail | x << shift);
  x_tail = shift == 0 ? 0 : x >> (64 - shift);
}

uint64_t sip_hash::finish() noexcept {
  word(x_tail | x_size << 56);
  x_v2 ^= 0xff;
  for (int i = 0; i < 4; ++i)
    round();
  return x_v0 ^ x_v1 ^ x_v2 ^ x_v3;
}

} // namespace parley
