#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

/// As much of protobuf's encoding as the few hot frames need: they are written
/// and read without a message object in between. The golden tests hold it
/// against the generated code.
/// https://protobuf.dev/programming-guides/encoding/
namespace parley::native::wire_format {

inline constexpr uint32_t varint_type = 0;
inline constexpr uint32_t bytes_type = 2;

constexpr uint32_t tag(uint32_t field, uint32_t type) noexcept {
  return field << 3 | type;
}

constexpr size_t varint_size(uint64_t x) noexcept {
  return static_cast<size_t>(std::bit_width(x | 1) + 6) / 7;
}

/// Bytes of a number field; none if it is 0, as proto3 has it.
constexpr size_t number_size(uint32_t field, uint64_t x) noexcept {
  return x == 0 ? 0 : varint_size(tag(field, varint_type)) + varint_size(x);
}

/// Bytes of a string, bytes or message field of `n` bytes, also if `n` is 0.
constexpr size_t block_size(uint32_t field, size_t n) noexcept {
  return varint_size(tag(field, bytes_type)) + varint_size(n) + n;
}

/// The same of a string or bytes field, that is left out if empty.
constexpr size_t text_size(uint32_t field, size_t n) noexcept {
  return n == 0 ? 0 : block_size(field, n);
}

/// Writes where its owner has made room.
class writer {
public:
  explicit writer(char* p) noexcept : x_p(p) {}

  void varint(uint64_t x) noexcept {
    while (x >= 0x80) {
      *x_p++ = static_cast<char>(x | 0x80);
      x >>= 7;
    }
    *x_p++ = static_cast<char>(x);
  }

  void raw(std::string_view x) noexcept {
    std::memcpy(x_p, x.data(), x.size());
    x_p += x.size();
  }

  void byte(char x) noexcept { *x_p++ = x; }

  void number(uint32_t field, uint64_t x) noexcept {
    if (x != 0) {
      varint(tag(field, varint_type));
      varint(x);
    }
  }

  /// Tag and size of a field whose `n` bytes follow.
  void block(uint32_t field, size_t n) noexcept {
    varint(tag(field, bytes_type));
    varint(n);
  }

  void text(uint32_t field, std::string_view x) noexcept {
    if (!x.empty()) {
      block(field, x.size());
      raw(x);
    }
  }

  char* position() const noexcept { return x_p; }

private:
  char* x_p;
};

/// Reads what is well-formed. At the first thing that is not, `ok` is false
/// for good and everything reads as 0 or empty.
class reader {
public:
  explicit reader(std::string_view x) noexcept
    : x_p(x.data()), x_end(x.data() + x.size()) {}

  bool ok() const noexcept { return x_ok; }

  /// The next tag; 0 at the end and after an error.
  uint32_t next() noexcept {
    if (x_p == x_end)
      return 0;
    auto x = varint();
    if (x > UINT32_MAX || x < 8)
      x_ok = false;
    return x_ok ? static_cast<uint32_t>(x) : 0;
  }

  uint64_t varint() noexcept {
    if (x_p != x_end && static_cast<uint8_t>(*x_p) < 0x80)
      return static_cast<uint8_t>(*x_p++);
    uint64_t x = 0;
    for (int shift = 0; shift < 64 && x_p != x_end; shift += 7) {
      auto byte = static_cast<uint8_t>(*x_p++);
      x |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80)
        return x;
    }
    return error();
  }

  std::string_view bytes() noexcept {
    auto n = varint();
    if (n > static_cast<size_t>(x_end - x_p)) {
      error();
      return {};
    }
    std::string_view x{x_p, static_cast<size_t>(n)};
    x_p += n;
    return x;
  }
  /// The same into `x`; false if that holds some already, which protobuf would
  /// have looked at as well.
  bool once(std::string_view& x) noexcept {
    if (!x.empty())
      return false;
    x = bytes();
    return true;
  }

private:
  uint64_t error() noexcept {
    x_ok = false;
    x_p = x_end;
    return 0;
  }

  const char* x_p;
  const char* x_end;
  bool x_ok = true;
};

} // namespace parley::native::wire_format
