#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

// Asio of Boost 1.74 uses std::exchange without including it.
#include <utility>

#include <boost/asio/io_context.hpp>

namespace parley::chat {

/// Tells when a file descriptor can be read without waiting. Asio's own
/// descriptors cannot do that for standard input: they do not take files, and
/// they make terminals non-blocking, standard output included.
class readable_watch {
public:
  /// `readable` is called on `io`, once for each call of `next`.
  readable_watch(
    boost::asio::io_context& io, int fd, std::function<void()> readable);
  ~readable_watch();
  readable_watch(const readable_watch&) = delete;
  readable_watch& operator=(const readable_watch&) = delete;

  /// Waits for the next time. Also at the end of the file, and on an error.
  void next();

private:
  void run();

  boost::asio::io_context& x_io;
  int x_fd;
  /// Becomes readable when it is time to end.
  int x_end;
  std::function<void()> x_readable;
  std::mutex x_mutex;
  std::condition_variable x_changed;
  bool x_asked = false;
  bool x_ending = false;
  std::thread x_thread;
};

/// Cuts input into lines. A line beyond `chat_line_max` is cut off one byte
/// behind that, so that it is seen to be too long.
class line_splitter {
public:
  /// The lines that are complete now, without their newlines.
  std::vector<std::string> feed(std::string_view bytes);
  /// What stands after the last newline.
  std::string rest();

private:
  std::string x_line;
};

} // namespace parley::chat
