#pragma once

#include <string>
#include <string_view>

namespace parley {

/// `text` for a terminal: control characters, which could move the cursor,
/// change colours or the direction of what follows, become visible, and so do
/// bytes that are no UTF-8; newlines stay, each followed by `indent`.
std::string printable(std::string_view text, std::string_view indent);

/// The same on one line: a newline becomes a blank.
std::string printable_line(std::string_view text);

/// How many columns a printable text takes: two for a wide character, none for
/// what combines with the one before.
size_t width_of(std::string_view text) noexcept;

} // namespace parley
