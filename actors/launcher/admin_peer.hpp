#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace parley {

/// One operator's connection to the admin socket: lines in, lines out, and no
/// call waits.
class admin_peer {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Takes the descriptor of a socket that does not block.
  admin_peer(int fd, time_point now);
  ~admin_peer();
  admin_peer(admin_peer&& x) noexcept;
  admin_peer& operator=(admin_peer&& x) noexcept;

  int fd() const noexcept { return x_fd; }
  /// The name of the user at the other end, for the audit log.
  const std::string& who() const noexcept { return x_who; }
  /// For `poll`. While answers wait to be written nothing is read.
  short wanted_events() const noexcept;
  /// What `poll` found is done.
  void handle(short events, time_point now);
  bool has_line() const noexcept;
  /// The next line that is complete, without its newline.
  std::optional<std::string> take_line();
  void put_line(std::string text, time_point now);
  bool is_over() const noexcept { return x_over; }
  /// When something last came or went.
  time_point last_active() const noexcept { return x_last_active; }

private:
  void read(time_point now);
  void write(time_point now);

  int x_fd = -1;
  std::string x_who;
  std::string x_in;
  std::string x_out;
  bool x_ends = false;
  bool x_over = false;
  time_point x_last_active;
};

} // namespace parley
