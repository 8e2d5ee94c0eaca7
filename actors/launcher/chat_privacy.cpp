#include "actors/launcher/chat_privacy.hpp"

#include <algorithm>

#include "actors/launcher/printable.hpp"

namespace parley::chat {

namespace {

using users = std::vector<user_address>;

users with(users list, const user_address& who, bool there) {
  std::erase(list, who);
  if (there)
    list.push_back(who);
  return list;
}

std::string said_of_rule(std::string_view domain, approval rule) {
  auto name = printable_line(domain);
  switch (rule) {
  case approval::allow:
    return "Everybody of " + name + " may see whether you are here.";
  case approval::ask:
    return "You are asked before anybody of " + name + " sees you.";
  case approval::block:
    return "Everybody of " + name + " is blocked.";
  case approval::by_default:
    break;
  }
  return "There is no rule for " + name + " any more.";
}

std::string names(const users& list, const name_teller& name_of) {
  std::string text;
  for (auto& who : list)
    text += (text.empty() ? "" : ", ") + name_of(who.str());
  return text;
}

} // namespace

set_privacy changed(const privacy_question& what, const privacy& now) {
  set_privacy x;
  if (auto* block = std::get_if<block_command>(&what)) {
    x.block = with(now.block, block->whom, block->blocked);
  } else if (auto* allow = std::get_if<allow_command>(&what)) {
    x.allow = with(now.allow, allow->whom, allow->allowed);
  } else if (auto* rule = std::get_if<rule_command>(&what)) {
    // Of two for one domain the last counts.
    x.domains = now.domains;
    x.domains->emplace_back(rule->domain, rule->what);
  }
  return x;
}

std::string said_of(const privacy_question& what, const name_teller& name_of) {
  if (auto* block = std::get_if<block_command>(&what))
    return name_of(block->whom.str())
      + (block->blocked ? " is blocked." : " is blocked no longer.");
  if (auto* allow = std::get_if<allow_command>(&what))
    return name_of(allow->whom.str())
      + (allow->allowed ? " may see you without being asked about."
                        : " is judged as anybody else.");
  if (auto* rule = std::get_if<rule_command>(&what))
    return said_of_rule(rule->domain, rule->what);
  return {};
}

std::string said_of(approval x) {
  switch (x) {
  case approval::allow:
    return "Whoever asks may see whether you are here.";
  case approval::ask:
    return "You are asked before anybody sees you.";
  default:
    return "The server's settings say what becomes of those who ask to see "
           "you.";
  }
}

std::string said_of(sharing x) {
  switch (x) {
  case sharing::on:
    return "You let others see whether you are here.";
  case sharing::off:
    return "You let nobody see whether you are here.";
  case sharing::by_default:
    break;
  }
  return "The server's settings say whether others see that you are here.";
}

std::vector<std::string> lines_of(
  const privacy& x, const name_teller& name_of) {
  std::vector<std::string> lines{said_of(x.approve), said_of(x.sharing)};
  if (!x.allow.empty())
    lines.push_back("Always let in: " + names(x.allow, name_of));
  if (!x.block.empty())
    lines.push_back("Blocked: " + names(x.block, name_of));
  for (auto& [domain, rule] : x.domains)
    lines.push_back(said_of_rule(domain, rule));
  return lines;
}

} // namespace parley::chat
