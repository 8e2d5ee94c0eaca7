#include "actors/launcher/chat_policy.hpp"

#include <array>
#include <string_view>

#include "actors/launcher/printable.hpp"

namespace parley::chat {

namespace {

/// Switches that concern what a person does with the client itself.
struct switch_words {
  std::string_view name;
  std::string_view on;
  std::string_view off;
};

constexpr std::array<switch_words, 3> known_switches{{
  {"im.client_history", "What you type may be kept by this client again.",
    "What you type is kept by this client no longer."},
  {"im.cut_and_paste", "Texts may be copied out of conversations again.",
    "Texts are not to be copied out of conversations any more."},
  {"im.enabled", "Messages are switched on again.",
    "Messages are switched off."},
}};

std::string words_of_change(
  const std::string& name, const std::string& before, const std::string& now) {
  for (auto& x : known_switches)
    if (x.name == name && (now == "on" || now == "off"))
      return std::string{now == "on" ? x.on : x.off};
  return "The server's " + printable_line(name) + " is now "
    + printable_line(now) + ", was " + printable_line(before) + ".";
}

} // namespace

std::vector<std::string> policy_board::take(const values& now) {
  std::vector<std::string> lines;
  std::map<std::string, std::string> all{now.begin(), now.end()};
  for (auto& [name, value] : all)
    if (auto before = x_now.find(name);
        before != x_now.end() && before->second != value)
      lines.push_back(words_of_change(name, before->second, value));
  x_now = std::move(all);
  return lines;
}

} // namespace parley::chat
