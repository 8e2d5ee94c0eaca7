#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "protocol/errors.hpp"

namespace parley {

/// A request that was refused, or no server that could be asked; caught in
/// `admin_main`.
struct admin_refused {
  /// A server's `reason` is one of `errc`; `no_server`, `connection_lost`,
  /// `bad_answer` and `file_failed` are the client's own.
  admin_refused(std::string_view reason, std::string what);
  /// An answer that is an error.
  explicit admin_refused(nlohmann::json answer);

  /// For scripts: `error`, `text`, and what else there is to tell.
  nlohmann::json answer;
  /// For a person.
  std::string text;
};

/// The words of a line that make no sense.
struct admin_wrong_usage {
  std::string text;
  /// What else there is, for a person.
  std::string more = {};
  errc reason = errc::bad_request;
};

/// The client's end of a running server's admin socket. Every call waits at
/// most `patience` for the server and throws admin_refused on any failure.
class admin_socket {
public:
  admin_socket(const std::string& folder, std::chrono::seconds patience);
  ~admin_socket();
  admin_socket(const admin_socket&) = delete;
  admin_socket& operator=(const admin_socket&) = delete;

  /// One request, one answer; an answer that is an error is returned.
  nlohmann::json ask(const nlohmann::json& what);

private:
  [[noreturn]] void fail(const char* doing, int error) const;
  void send_line(std::string line);
  std::string receive_line();

  std::chrono::seconds x_patience;
  int x_fd = -1;
  std::string x_in;
};

} // namespace parley
