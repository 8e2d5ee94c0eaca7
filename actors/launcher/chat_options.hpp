#pragma once

#include <optional>
#include <string>

#include "protocol/client/client.hpp"
#include "protocol/errors.hpp"

namespace parley::chat {

/// What the command line says.
struct options {
  client_options server;
  client_account account;
  /// `-`: standard input; empty: the terminal is asked.
  std::string password_file;
  /// Where typed lines are kept; empty: nowhere.
  std::string history_file;
  bool jsonl = false;
  bool help = false;
};

/// `bad_request` with a sentence for who typed it.
result<options> parse_options(int argc, char** argv);

/// How the command is used, with all of its options.
std::string usage();

/// Fills in the password: the first line of the file without its newline.
/// `bad_request` if there is none.
result<void> read_password(options& x);

} // namespace parley::chat
