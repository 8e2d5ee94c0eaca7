#pragma once

#include <chrono>
#include <ctime>
#include <string>

#include "protocol/vocabulary.hpp"

/// How `parley chat` looks to a person.
namespace parley::chat {

/// Select Graphic Rendition (ECMA-48, 8.3.117).
enum class style : int {
  dim = 2,
  red = 31,
  green = 32,
  yellow = 33,
  cyan = 36
};

/// Signs in front of outcomes, for terminals that have them or not.
struct signs {
  const char* delivered;
  const char* stored;
  const char* rejected;
  const char* arrow;
};
inline constexpr signs unicode_signs{"✓", "◔", "✗", "→"};
inline constexpr signs ascii_signs{"+", "o", "!", "->"};

/// Local: the time, with the day if that is not today.
inline std::string time_text(wall_time x) {
  auto then = std::chrono::system_clock::to_time_t(x);
  auto now = std::time(nullptr);
  tm t{}, today{};
  ::localtime_r(&then, &t);
  ::localtime_r(&now, &today);
  auto same_day = t.tm_yday == today.tm_yday && t.tm_year == today.tm_year;
  char out[64];
  std::strftime(out, sizeof out, same_day ? "%H:%M" : "%a %d %b %H:%M", &t);
  return out;
}

inline wall_time now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(
    std::chrono::system_clock::now());
}

} // namespace parley::chat
