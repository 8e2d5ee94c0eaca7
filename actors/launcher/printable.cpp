#include "actors/launcher/printable.hpp"

#include <algorithm>

#include "protocol/unicode.hpp"

namespace parley {

namespace {

/// Of the UTF-8 sequence at the front of `text`; 0 if there is none.
size_t sequence_size(std::string_view text) {
  auto lead = static_cast<unsigned char>(text.front());
  size_t n = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return text.size() >= n && is_utf8(text.substr(0, n)) ? n : 0;
}

/// U+0080 to U+009F, the second set of control characters.
bool is_c1(std::string_view sequence) {
  return sequence.size() == 2 && sequence[0] == '\xc2'
    && static_cast<unsigned char>(sequence[1]) < 0xa0;
}

void put_ascii(std::string& out, char c, std::string_view newline) {
  if (c == '\n')
    out.append(newline);
  else if (c == '\t')
    out += ' ';
  else if (static_cast<unsigned char>(c) < 0x20)
    out.append("^").push_back(static_cast<char>(c + '@'));
  else
    out += c == 0x7f ? '?' : c;
}

std::string made_printable(std::string_view text, std::string_view newline) {
  std::string out;
  while (!text.empty()) {
    auto n = sequence_size(text);
    if (n == 1)
      put_ascii(out, text.front(), newline);
    else if (n == 0 || is_c1(text.substr(0, n)))
      out += '?';
    else
      out += text.substr(0, n);
    text.remove_prefix(std::max<size_t>(n, 1));
  }
  return out;
}

} // namespace

std::string printable(std::string_view text, std::string_view indent) {
  return made_printable(text, "\n" + std::string{indent});
}

std::string printable_line(std::string_view text) {
  return made_printable(text, " ");
}

size_t width_of(std::string_view text) noexcept {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(),
    [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

} // namespace parley
