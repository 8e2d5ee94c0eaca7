#include "bench/xml_text.hpp"

#include <array>
#include <charconv>
#include <utility>

#include "protocol/xmpp/extent.hpp"

namespace parley::bench {

namespace {

constexpr std::string_view blanks = " \t\r\n";
constexpr auto npos = std::string_view::npos;

std::string_view name_at(std::string_view tag) noexcept {
  return tag.substr(0, tag.find_first_of(" \t\r\n/>"));
}

void append_utf8(std::string& out, uint32_t code) {
  const auto put = [&](uint32_t x) { out.push_back(static_cast<char>(x)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

constexpr std::array<std::pair<std::string_view, char>, 5> entities{
  {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}}};

bool append_entity(std::string& out, std::string_view name) {
  if (name.starts_with('#')) {
    const bool is_hex = name.starts_with("#x");
    const auto digits = name.substr(is_hex ? 2 : 1);
    const auto* const end = digits.data() + digits.size();
    uint32_t code = 0;
    const auto [at, error] =
      std::from_chars(digits.data(), end, code, is_hex ? 16 : 10);
    constexpr uint32_t last_code = 0x10ffff;
    if (error != std::errc{} || at != end || code > last_code)
      return false;
    append_utf8(out, code);
    return true;
  }
  for (const auto& [known, character] : entities)
    if (name == known) {
      out.push_back(character);
      return true;
    }
  return false;
}

} // namespace

stream_piece next_piece(std::string_view bytes) noexcept {
  using kind = stream_piece::kind;
  constexpr std::string_view declaration = "<?xml ";
  constexpr std::string_view start = "<stream:stream";
  constexpr std::string_view finish = "</stream:stream";
  size_t at = bytes.find_first_not_of(blanks);
  if (at == npos)
    return {kind::more, {}, bytes.size()};
  if (bytes.substr(at).starts_with(declaration)) {
    const auto length = xmpp::extent_of_tag(bytes.substr(at));
    at = length == npos ? npos : bytes.find_first_not_of(blanks, at + length);
    if (at == npos)
      return {kind::more, {}, 0};
  }
  const auto rest = bytes.substr(at);
  const auto is = [&](std::string_view what) { return rest.starts_with(what); };
  if (rest[0] != '<')
    return {kind::broken, {}, 0};
  // So short that it may become any of these.
  if (rest.size() <= finish.size()
    && (start.starts_with(rest) || finish.starts_with(rest)
      || declaration.starts_with(rest)))
    return {kind::more, {}, 0};
  const bool begins = is(start) && name_at(rest.substr(1)) == start.substr(1);
  const bool ends = is(finish);
  const size_t end =
    begins || ends ? xmpp::extent_of_tag(rest) : xmpp::extent_of_element(rest);
  if (end == 0 || (!begins && !ends && is("</")))
    return {kind::broken, {}, 0};
  if (end == npos)
    return {kind::more, {}, 0};
  return {begins ? kind::header
      : ends     ? kind::end
                 : kind::element,
    rest.substr(0, end), at + end};
}

element_view::element_view(std::string_view text) noexcept
  : x_text(text),
    x_name(name_at(text.substr(1))),
    x_tag(xmpp::extent_of_tag(text)) {}

std::string_view element_view::attribute(std::string_view name) const noexcept {
  auto rest = x_text.substr(0, x_tag).substr(1 + x_name.size());
  while (true) {
    const size_t begin = rest.find_first_not_of(blanks);
    if (begin == npos)
      return {};
    const size_t equals = rest.find('=', begin);
    const size_t open =
      equals == npos ? npos : rest.find_first_of("'\"", equals);
    const size_t close = open == npos ? npos : rest.find(rest[open], open + 1);
    if (close == npos)
      return {};
    auto found = rest.substr(begin, equals - begin);
    found = found.substr(0, found.find_first_of(blanks));
    if (found == name)
      return rest.substr(open + 1, close - open - 1);
    rest.remove_prefix(close + 1);
  }
}

std::string_view element_view::content() const noexcept {
  if (x_tag >= x_text.size())
    return {};
  const size_t end = x_text.rfind('<');
  return x_text.substr(x_tag, end - x_tag);
}

std::optional<element_view> element_view::child(
  std::string_view name) const noexcept {
  const auto inner = content();
  size_t at = inner.find('<');
  while (at != npos) {
    const auto rest = inner.substr(at);
    const auto length = xmpp::extent_of_element(rest);
    if (length == 0 || length == npos)
      break;
    if (name_at(rest.substr(1)) == name)
      return element_view{rest.substr(0, length)};
    at = inner.find('<', at + length);
  }
  return std::nullopt;
}

std::string_view element_view::child_text(
  std::string_view name) const noexcept {
  const auto found = child(name);
  return found ? found->content() : std::string_view{};
}

bool unescape(std::string_view escaped, std::string& out) {
  out.clear();
  while (true) {
    const size_t at = escaped.find('&');
    out += escaped.substr(0, at);
    if (at == npos)
      return true;
    escaped.remove_prefix(at + 1);
    const size_t end = escaped.find(';');
    if (end == npos || !append_entity(out, escaped.substr(0, end)))
      return false;
    escaped.remove_prefix(end + 1);
  }
}

void put_escaped(std::string& out, std::string_view text) {
  while (true) {
    const size_t at = text.find_first_of("&<>'\"");
    out += text.substr(0, at);
    if (at == npos)
      return;
    for (const auto& [name, character] : entities)
      if (text[at] == character) {
        out += '&';
        out += name;
        out += ';';
      }
    text.remove_prefix(at + 1);
  }
}

} // namespace parley::bench
