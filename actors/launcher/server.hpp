#pragma once

#include <memory>
#include <string>
#include <vector>

#include "actors/launcher/options.hpp"
#include "protocol/errors.hpp"

namespace parley {

/// The composition root: opens the store, starts the actors, listens; and ends
/// all of it in order. One a process, used from one thread.
class server {
public:
  /// Errors say what to do about them; nothing is left behind.
  static result<std::unique_ptr<server>> start(const serve_options& how);

  /// Stops if nobody did.
  ~server();

  /// Where clients connect, in the order of the options.
  std::vector<std::string> listening() const;
  /// Where clients of XMPP connect.
  std::vector<std::string> listening_xmpp() const;
  /// The same over WebSocket.
  std::vector<std::string> listening_xmpp_ws() const;
  /// Where metrics are read; empty if they are not.
  std::vector<std::string> metrics() const;
  /// Reads the certificates anew; the old ones stay on an error.
  result<void> reload();
  /// Orderly: settles what is under way, tells the clients when to come back.
  void stop();

private:
  struct impl;
  explicit server(std::unique_ptr<impl> x);
  std::unique_ptr<impl> x_impl;
};

/// `parley serve`: runs until SIGTERM or SIGINT. Exit codes: 0 stopped, 1 could
/// not start, 2 wrong usage.
int serve_main(int argc, char** argv);

} // namespace parley
