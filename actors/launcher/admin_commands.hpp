#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "actors/launcher/admin_socket.hpp"

namespace parley {

/// The commands of `parley admin`, for its help.
extern const char* const admin_command_list;

/// What the words of a command line ask for.
struct admin_command {
  /// To be sent; empty for an import.
  nlohmann::json request;
  /// Of `user import`: the file.
  std::string import_from;
  /// Of `settings get`: the one that is wanted.
  std::string setting;
};

/// Throws admin_wrong_usage, and admin_refused if the password file is of no
/// use. `-` as `password_file` is standard input.
admin_command parse_admin_command(
  const std::vector<std::string>& words, const std::string& password_file);

/// Sends the rows of a file, as many at once as `import_rows`: `added`, and of
/// each row that was `refused` its line, user, reason and text. Throws
/// admin_refused if the file or the server fails; what was added stays.
nlohmann::json import_users(admin_socket& server, const std::string& file);

/// The admin_refused of an answer that is an error.
admin_refused refusal_of(const nlohmann::json& answer);

} // namespace parley
