#include "protocol/xmpp/element.hpp"

#include <algorithm>
#include <array>

namespace parley::xmpp {

namespace {

const attribute* find_attribute(
  const element& x, std::string_view name, std::string_view in) noexcept {
  for (const auto& a : x.attributes)
    if (a.name == name && a.xmlns == in)
      return &a;
  return nullptr;
}

/// Bytes that may not stay as they are; the first of U+FFFE among them.
constexpr std::array<bool, 256> make_special() {
  std::array<bool, 256> x{};
  constexpr size_t first_printable = 0x20;
  for (size_t i = 0; i < first_printable; ++i)
    x[i] = true;
  for (const unsigned char c : {'&', '<', '>', '\'', '"', '\xef'})
    x[c] = true;
  return x;
}
constexpr auto special = make_special();

/// U+FFFE and U+FFFF, which XML does not have (XML 1.0, 2.2).
bool is_no_character(std::string_view rest) noexcept {
  return rest.starts_with("\xef\xbf\xbe") || rest.starts_with("\xef\xbf\xbf");
}

} // namespace

std::string_view element::operator[](
  std::string_view attribute_name) const noexcept {
  const auto* a = find_attribute(*this, attribute_name, {});
  return a ? std::string_view{a->value} : std::string_view{};
}

std::string_view element::lang() const noexcept {
  const auto* a = find_attribute(*this, "lang", ns::xml);
  return a ? std::string_view{a->value} : std::string_view{};
}

bool element::has(std::string_view attribute_name) const noexcept {
  return find_attribute(*this, attribute_name, {}) != nullptr;
}

const element* element::find(
  std::string_view wanted, std::string_view in) const noexcept {
  for (const auto& c : children)
    if (c.is(wanted, in))
      return &c;
  return nullptr;
}

const element* element::first() const noexcept {
  for (const auto& c : children)
    if (!c.is_text())
      return &c;
  return nullptr;
}

std::string element::inner_text() const {
  std::string x;
  for (const auto& c : children)
    if (c.is_text())
      x += c.text;
  return x;
}

void append_escaped(std::string& out, std::string_view text) {
  constexpr size_t first_printable = 0x20;
  size_t from = 0;
  auto put = [&](size_t at, std::string_view instead, size_t length = 1) {
    out.append(text.substr(from, at - from));
    out.append(instead);
    from = at + length;
  };
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (!special[c])
      continue;
    switch (c) {
    case '&':
      put(i, "&amp;");
      break;
    case '<':
      put(i, "&lt;");
      break;
    case '>':
      put(i, "&gt;");
      break;
    case '\'':
      put(i, "&apos;");
      break;
    case '"':
      put(i, "&quot;");
      break;
    // Readers make other characters of these.
    case '\t':
      put(i, "&#9;");
      break;
    case '\n':
      put(i, "&#10;");
      break;
    case '\r':
      put(i, "&#13;");
      break;
    default:
      if (c < first_printable)
        put(i, {});
      else if (c == 0xef && is_no_character(text.substr(i)))
        put(i, {}, 3);
    }
  }
  out.append(text.substr(std::min(from, text.size())));
}

void append_attribute(
  std::string& out, std::string_view name, std::string_view value) {
  out += ' ';
  out += name;
  out += "='";
  append_escaped(out, value);
  out += '\'';
}

void append_optional(
  std::string& out, std::string_view name, std::string_view value) {
  if (!value.empty())
    append_attribute(out, name, value);
}

void append_element(
  std::string& out, const element& x, std::string_view around) {
  if (x.is_text())
    return append_escaped(out, x.text);
  // No default namespace can be this one (Namespaces in XML, 3).
  const bool is_xml = x.xmlns == ns::xml;
  const auto name = is_xml ? "xml:" + x.name : x.name;
  const auto within = is_xml ? around : std::string_view{x.xmlns};
  out += '<';
  out += name;
  if (within != around)
    append_attribute(out, "xmlns", within);
  size_t prefixes = 0;
  for (const auto& a : x.attributes) {
    if (a.xmlns.empty()) {
      append_attribute(out, a.name, a.value);
    } else if (a.xmlns == ns::xml) {
      append_attribute(out, "xml:" + a.name, a.value);
    } else {
      // Twice the same namespace under two prefixes is no fault.
      const auto prefix = "a" + std::to_string(prefixes++);
      append_attribute(out, "xmlns:" + prefix, a.xmlns);
      append_attribute(out, prefix + ":" + a.name, a.value);
    }
  }
  if (x.children.empty()) {
    out += "/>";
    return;
  }
  out += '>';
  for (const auto& c : x.children)
    append_element(out, c, within);
  out += "</";
  out += name;
  out += '>';
}

} // namespace parley::xmpp
