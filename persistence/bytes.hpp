#pragma once

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
    if (x_ok && !x_in.empty() && !(x_in[0] & 0x80)) // mostly
      return static_cast<unsigned char>(take(1)[0]);
    uint64_t x = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      auto in = take(1);
      if (!x_ok)
        return 0;
      auto byte = static_cast<unsigned char>(in[0]);
      // One number, one form: neither bits that do not fit nor zeros in front.
      if ((shift == 63 && byte > 1) || (shift > 0 && byte == 0))
        break;
      x |= uint64_t{byte & 0x7fu} << shift;
      if (!(byte & 0x80))
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
