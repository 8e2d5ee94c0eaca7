#include "protocol/contacts.hpp"

#include <array>

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

} // namespace

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
