#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace parley {

/// Bytes of what several hold together, and nobody alone. Thread-safe.
class byte_count {
public:
  void add(uint64_t n) noexcept {
    x_bytes.fetch_add(n, std::memory_order_relaxed);
  }
  void subtract(uint64_t n) noexcept {
    x_bytes.fetch_sub(n, std::memory_order_relaxed);
  }
  uint64_t value() const noexcept {
    return x_bytes.load(std::memory_order_relaxed);
  }

private:
  std::atomic<uint64_t> x_bytes = 0;
};

/// Counts for as long as it lives. Its count outlives it; null: nobody counts.
class byte_claim {
public:
  byte_claim() = default;
  byte_claim(byte_count* in, uint64_t bytes) noexcept
    : x_in(in), x_bytes(bytes) {
    if (x_in)
      x_in->add(x_bytes);
  }
  byte_claim(byte_claim&& x) noexcept
    : x_in(std::exchange(x.x_in, nullptr)), x_bytes(x.x_bytes) {}
  byte_claim& operator=(byte_claim&& x) noexcept {
    std::swap(x_in, x.x_in);
    std::swap(x_bytes, x.x_bytes);
    return *this;
  }
  void grow(uint64_t n) noexcept {
    if (x_in)
      x_in->add(n);
    x_bytes += n;
  }
  ~byte_claim() {
    if (x_in)
      x_in->subtract(x_bytes);
  }

private:
  byte_count* x_in = nullptr;
  uint64_t x_bytes = 0;
};

} // namespace parley
