#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/client/core.hpp"
#include "protocol/errors.hpp"

/// What a person types into `parley chat`.
namespace parley::chat {

/// Text for whom one is writing to.
struct say_command {
  std::string text;
};
/// Writes to `to` from now on; `text` may be empty.
struct to_command {
  std::string to;
  std::string text;
};
/// Another presence than plainly available.
struct away_command {
  std::string status;
  parley::show show = show::away;
};
struct back_command {};
/// A request about contacts or somebody's presence.
struct ask_command {
  contacts_request what;
  /// Whom it is about.
  user_address whom;
};
struct contacts_command {};
/// Blocks a user, or does so no longer.
struct block_command {
  user_address whom;
  bool blocked = true;
};
/// Lets a user see one's presence whatever else is said, or does so no longer.
struct allow_command {
  user_address whom;
  bool allowed = true;
};
/// What becomes of all of a domain; `by_default`: nothing special.
struct rule_command {
  /// Prepared.
  std::string domain;
  approval what = approval::by_default;
};
/// What becomes of those who ask to see one's presence; never `block`.
struct approval_command {
  approval what = approval::by_default;
};
/// Whether one's presence is told at all.
struct sharing_command {
  sharing what = sharing::by_default;
};
/// Shows what one has said of these.
struct privacy_command {};
struct broadcast_command {
  std::vector<std::string> to;
  std::string text;
};
struct help_command {};
struct quit_command {};
/// Nothing but blanks.
struct no_command {};

using command = std::variant<no_command, say_command, to_command, away_command,
  back_command, ask_command, contacts_command, block_command, allow_command,
  rule_command, approval_command, sharing_command, privacy_command,
  broadcast_command, help_command, quit_command>;

/// Reads one line. A line that begins with `/` is a command, with `//` a text
/// that begins with `/`. Users without a domain get `domain`. The error is a
/// sentence for who typed the line.
tl::expected<command, std::string> parse_command(
  std::string_view line, std::string_view domain);

/// What `/help` says.
std::string_view command_help() noexcept;

/// What a request about `who` has done, in a sentence; of others the name.
std::string said_of(const contacts_request& what, std::string who);

/// A rejection's reason in words; `whose` as in `limit_words`.
std::string words_of(const failure& why, std::string_view whose = {});

} // namespace parley::chat
