#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace parley {

/// SipHash-2-4 (Aumasson and Bernstein, 2012): 64 bits that stay the same on
/// every machine. Fed in any pieces; only their concatenation counts.
class sip_hash {
public:
  /// The halves of the key as its authors number them, k0 and k1.
  sip_hash(uint64_t k0, uint64_t k1) noexcept;

  void add(std::string_view text) noexcept;
  /// Eight bytes, the lowest first.
  void add(uint64_t x) noexcept;

  /// To be called once, last.
  uint64_t finish() noexcept;

private:
  void round() noexcept;
  void word(uint64_t m) noexcept;

  uint64_t x_v0, x_v1, x_v2, x_v3;
  /// Bytes not yet taken in, the first lowest, and how many.
  uint64_t x_tail = 0;
  uint64_t x_size = 0;
};

} // namespace parley
