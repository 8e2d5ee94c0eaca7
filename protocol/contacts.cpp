#include "protocol/contacts.hpp"

#include <algorithm>
#include <array>

#include "protocol/defaults.hpp"

namespace parley {

namespace {

constexpr std::array<std::string_view, 4> approval_names{
  "default", "auto", "ask", "block"};
constexpr std::array<std::string_view, 3> sharing_names{"default", "on", "off"};

template <class Enum, size_t N>
std::string_view name_of(
  const std::array<std::string_view, N>& names, Enum x) noexcept {
  auto i = static_cast<size_t>(x);
  return i < N ? names[i] : std::string_view{};
}

template <class Enum, size_t N>
std::optional<Enum> named(const std::array<std::string_view, N>& names,
  std::string_view text) noexcept {
  for (size_t i = 0; i < N; ++i)
    if (names[i] == text)
      return static_cast<Enum>(i);
  return std::nullopt;
}

/// Whether a text in UTF-8 can stand in XML (XML 1.0, 2.2): lines and tabs can,
/// and U+007F to U+009F.
/// What came is not told: frames carry no more of it than shows that it is too
/// much.
failure beyond(std::string_view what, uint64_t limit, std::string_view unit) {
  failure why{errc::bad_request};
  why.text.append(what).append(" over ").append(std::to_string(limit));
  why.text.append(unit);
  why.limit = limit;
  return why;
}

bool fits_xml(std::string_view text) noexcept {
  constexpr unsigned char first_printable = 0x20;
  auto is_control = [](unsigned char c) {
    return c < first_printable && c != '\t' && c != '\n' && c != '\r';
  };
  // U+FFFE and U+FFFF are no characters.
  return std::none_of(text.begin(), text.end(), is_control)
    && text.find("\xef\xbf\xbe") == text.npos
    && text.find("\xef\xbf\xbf") == text.npos;
}

} // namespace

std::optional<failure> contact_fault(
  std::string_view name, const std::vector<std::string>& groups) {
  using namespace defaults;
  if (name.size() > contact_name_max)
    return beyond("a contact's name is", contact_name_max, " bytes");
  if (!fits_xml(name))
    return failure{
      errc::bad_request, "a contact's name has a character that XML has not"};
  if (groups.size() > contact_groups_max)
    return beyond("a contact is in", contact_groups_max, " groups");
  for (const auto& x : groups) {
    if (x.empty())
      return failure{errc::bad_request, "a group needs a name"};
    if (x.size() > contact_name_max)
      return beyond("a group's name is", contact_name_max, " bytes");
    if (!fits_xml(x))
      return failure{
        errc::bad_request, "a group's name has a character that XML has not"};
  }
  return std::nullopt;
}

std::string_view to_string(approval x) noexcept {
  return name_of(approval_names, x);
}

std::optional<approval> approval_from_string(std::string_view text) noexcept {
  return named<approval>(approval_names, text);
}

std::string_view to_string(sharing x) noexcept {
  return name_of(sharing_names, x);
}

std::optional<sharing> sharing_from_string(std::string_view text) noexcept {
  return named<sharing>(sharing_names, text);
}

} // namespace parley
