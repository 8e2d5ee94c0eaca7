#include "protocol/vocabulary.hpp"

#include <array>

namespace parley {

namespace {

constexpr std::array<std::string_view, 7> show_names{
  "available", "chat", "away", "xa", "dnd", "unavailable", "unknown"};
constexpr std::array<std::string_view, 3> outcome_names{
  "delivered", "stored", "rejected"};
constexpr std::array<std::string_view, 3> receipt_names{
  "delivered", "chosen", "read"};

template <size_t N, class Enum>
std::string_view name_of(
  const std::array<std::string_view, N>& names, Enum x) noexcept {
  auto i = static_cast<size_t>(x);
  return i < N ? names[i] : std::string_view{};
}

} // namespace

std::string_view to_string(show x) noexcept {
  return name_of(show_names, x);
}

std::optional<show> show_from_string(std::string_view text) noexcept {
  for (size_t i = 0; i < show_names.size(); ++i)
    if (show_names[i] == text)
      return static_cast<show>(i);
  return std::nullopt;
}

std::string_view to_string(outcome::kind x) noexcept {
  return name_of(outcome_names, x);
}

std::string_view to_string(receipt::kind x) noexcept {
  return name_of(receipt_names, x);
}

} // namespace parley
