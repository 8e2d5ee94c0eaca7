#pragma once

#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

#include "actors/launcher/admin_socket.hpp"

/// Files that operators bring in and take out.
namespace parley {

/// Throws admin_refused if it cannot be read.
std::ifstream open_admin_file(const std::string& file);

/// Sends the rows of a file, or of standard input for `-`, many at once: how
/// many were `added` (`user.import`) or `imported` (`contacts.import`), and of
/// each row that was `refused` its line, user, reason and text. Throws
/// admin_refused if the file or the server fails; what was done stays and is in
/// its answer, with the line of the file from which to `go_on_from_line`: of
/// the rows behind it some may be in, too.
nlohmann::json import_file_of(
  admin_socket& server, const std::string& op, const std::string& file);

/// Writes what `contacts.export` answers as rows of a file that an import
/// takes, or to standard output for `-`: how many were `exported`. Throws
/// admin_refused if the file or the server fails; the file is not whole then.
nlohmann::json export_contacts(
  admin_socket& server, nlohmann::json request, const std::string& file);

} // namespace parley
