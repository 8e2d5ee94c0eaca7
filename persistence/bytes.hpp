#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace parley::bytes {

// Whole numbers are big-endian, so that keys sort as their numbers do. Lengths
// within values are varints: seven bits a byte, the lowest first, the high bit
// set on all but the last byte.

template <class T>
void put_fixed(std::string& out, T x) {
  char bytes[sizeof(T)];
  for (size_t i = 0; i < sizeof(T); ++i)
    bytes[i] = static_cast<char>(x >> 8 * (sizeof(T) - 1 - i));
  out.append(bytes, sizeof(T));
}

inline void put_varint(std::string& out, uint64_t x) {
  for (; x >= 0x80; x >>= 7)
    out.push_back(static_cast<char>(x | 0x80));
  out.push_back(static_cast<char>(x));
}

/// A varint of the length, then the text.
inline void put_text(std::string& out, std::string_view text) {
  put_varint(out, text.size());
  out.append(text);
}

/// Takes what the functions above have put. Total: what is not there or does
/// not fit makes `ok` false, from then on for good, and reads as zero or empty.
class reader {
public:
  explicit reader(std::string_view in) : x_in(in) {}

  bool ok() const noexcept { return x_ok; }
  /// All was read, and nothing was missing.
  bool complete() const noexcept { return x_ok && x_in.empty(); }
  std::string_view rest() const noexcept { return x_in; }

  template <class T>
  T fixed() {
    auto in = take(sizeof(T));
    T x = 0;
    for (auto c : in)
      x = static_cast<T>(x << 8 | static_cast<unsigned char>(c));
    return x;
  }

  uint64_t varint() {
    constexpr size_t longest = 10;
    const size_t size = x_ok ? std::min(x_in.size(), longest) : 0;
    uint64_t x = 0;
    for (size_t i = 0; i < size; ++i) {
      const auto byte = static_cast<unsigned char>(x_in[i]);
      x |= uint64_t{byte & 0x7fu} << 7 * i;
      if (byte & 0x80)
        continue;
      // One number, one form: neither bits that do not fit nor zeros in front.
      if (i > 0 && (byte == 0 || (i + 1 == longest && byte > 1)))
        break;
      x_in.remove_prefix(i + 1);
      return x;
    }
    x_ok = false;
    return 0;
  }

  std::string_view text() { return take(varint()); }

  std::string_view take(uint64_t n) {
    if (!x_ok || n > x_in.size()) {
      x_ok = false;
      return {};
    }
    auto result = x_in.substr(0, n);
    x_in.remove_prefix(n);
    return result;
  }

private:
  std::string_view x_in;
  bool x_ok = true;
};

} // namespace parley::bytes
