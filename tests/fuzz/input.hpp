#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

/// What all fuzz targets share: an input as a row of choices, and the end of a
/// run that found a fault.
namespace parley::fuzz {

/// Ends the process with `what` unless `holds`: the input is kept by whoever
/// runs the target.
inline void expect(bool holds, const char* what) {
  if (holds)
    return;
  std::fprintf(stderr, "fuzz: does not hold: %s\n", what);
  std::abort();
}

/// Takes an input apart from the front. Total: beyond the end there are zeros
/// and empty texts.
class input {
public:
  input(const uint8_t* data, size_t size)
    : x_rest(reinterpret_cast<const char*>(data), size) {}

  bool empty() const noexcept { return x_rest.empty(); }

  uint8_t byte() {
    auto one = take(1);
    return one.empty() ? 0 : static_cast<uint8_t>(one.front());
  }

  /// At most `n` bytes.
  std::string_view take(size_t n) {
    auto x = x_rest.substr(0, n);
    x_rest.remove_prefix(x.size());
    return x;
  }

  /// A text of up to 65 535 bytes behind its length of two, the higher first.
  std::string_view text() {
    size_t n = byte();
    n = n << 8 | byte();
    return take(n);
  }

  std::string_view rest() { return take(x_rest.size()); }

private:
  std::string_view x_rest;
};

} // namespace parley::fuzz
