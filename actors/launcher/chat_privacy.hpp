#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/launcher/chat_command.hpp"
#include "protocol/contacts.hpp"

/// Privacy as a person sees and changes it.
namespace parley::chat {

/// What has to know the whole privacy first: a list is set at a time.
using privacy_question =
  std::variant<privacy_command, block_command, allow_command, rule_command>;

/// How users are named.
using name_teller = std::function<std::string(std::string_view)>;

/// `now` with the change in it; nothing where it is only to be shown.
set_privacy changed(const privacy_question& what, const privacy& now);

/// What it has done, in a sentence.
std::string said_of(const privacy_question& what, const name_teller& name_of);
std::string said_of(approval x);
std::string said_of(sharing x);

/// All of it, a sentence a line.
std::vector<std::string> lines_of(const privacy& x, const name_teller& name_of);

} // namespace parley::chat
