#include "actors/launcher/printable.hpp"

#include <algorithm>
#include <clocale>
#include <cwchar>

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

/// Marks, embeddings and isolates that change the direction of what follows:
/// U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069.
bool is_direction(std::string_view sequence) {
  auto is_within = [sequence](std::string_view first, std::string_view last) {
    return sequence >= first && sequence <= last;
  };
  return sequence == "\u061c" || is_within("\u200e", "\u200f")
    || is_within("\u202a", "\u202e") || is_within("\u2066", "\u2069");
}

/// Of the calling thread, for a while: as Unicode has characters, whatever the
/// environment says.
class unicode_locale {
public:
  unicode_locale() noexcept : x_before(::uselocale(the_locale())) {}
  ~unicode_locale() { ::uselocale(x_before); }
  unicode_locale(const unicode_locale&) = delete;
  unicode_locale& operator=(const unicode_locale&) = delete;

private:
  /// 0, with which nothing changes, where the system has none.
  static locale_t the_locale() noexcept {
    static const locale_t x = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return x;
  }

  locale_t x_before;
};

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
    else if (n == 0 || is_c1(text.substr(0, n))
      || is_direction(text.substr(0, n)))
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
  const unicode_locale here;
  size_t columns = 0;
  std::mbstate_t state{};
  while (!text.empty()) {
    wchar_t c = 0;
    const auto n = std::mbrtowc(&c, text.data(), text.size(), &state);
    // What the locale does not know is taken for bytes of one column each.
    const bool is_known = n > 0 && n <= text.size();
    if (!is_known)
      state = {};
    const int width = is_known ? ::wcwidth(c) : 1;
    columns += width < 0 ? 1 : static_cast<size_t>(width);
    text.remove_prefix(is_known ? n : 1);
  }
  return columns;
}

} // namespace parley
