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
  /// To be sent, with the rows of a file if it is an import.
  nlohmann::json request;
  /// Of an import: the file; - is standard input.
  std::string import_from;
  /// Of `settings get`: the one that is wanted.
  std::string setting;
  /// Of an export: the file; - is standard output.
  std::string export_to = {};
};

/// Throws admin_wrong_usage, and admin_refused if the password file is of no
/// use. `-` as `password_file` is standard input; `from` goes with a trace,
/// `viewer` with a user who is shown.
admin_command parse_admin_command(const std::vector<std::string>& words,
  const std::string& password_file, const std::string& from,
  const std::string& viewer);

} // namespace parley
