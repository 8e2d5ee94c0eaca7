#pragma once

#include <cstddef>
#include <string_view>

namespace parley {

/// Whether `text` is UTF-8 as RFC 3629 has it: no overlong forms, no
/// surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text) noexcept;

/// At least `n` bytes of `text`, that is UTF-8, from the front, cut between
/// two characters; the whole if it is shorter.
std::string_view first_bytes(std::string_view text, size_t n) noexcept;

} // namespace parley
