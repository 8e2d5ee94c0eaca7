#include "actors/launcher/chat_input.hpp"

#include <algorithm>
#include <cstdint>
#include <system_error>

#include <boost/asio/post.hpp>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "actors/launcher/chat_defaults.hpp"

namespace parley::chat {

readable_watch::readable_watch(
  boost::asio::io_context& io, int fd, std::function<void()> readable)
  : x_io(io),
    x_fd(fd),
    x_end(::eventfd(0, EFD_CLOEXEC)),
    x_readable(std::move(readable)) {
  if (x_end < 0)
    throw std::system_error(errno, std::generic_category(), "eventfd");
  x_thread = std::thread([this] { run(); });
}

readable_watch::~readable_watch() {
  {
    std::lock_guard lock(x_mutex);
    x_ending = true;
  }
  x_changed.notify_one();
  uint64_t one = 1;
  static_cast<void>(!::write(x_end, &one, sizeof one));
  x_thread.join();
  ::close(x_end);
}

void readable_watch::next() {
  {
    std::lock_guard lock(x_mutex);
    x_asked = true;
  }
  x_changed.notify_one();
}

void readable_watch::run() {
  for (;;) {
    {
      std::unique_lock lock(x_mutex);
      x_changed.wait(lock, [this] { return x_asked || x_ending; });
      x_asked = false;
      if (x_ending)
        return;
    }
    pollfd both[] = {{x_fd, POLLIN, 0}, {x_end, POLLIN, 0}};
    while (::poll(both, 2, -1) < 0 && errno == EINTR) {
    }
    if (both[1].revents != 0)
      return;
    boost::asio::post(x_io, [this] { x_readable(); });
  }
}

std::vector<std::string> line_splitter::feed(std::string_view bytes) {
  std::vector<std::string> lines;
  auto add = [this](std::string_view x) {
    auto room = defaults::chat_line_max + 1 - x_line.size();
    x_line.append(x.substr(0, room));
  };
  for (auto end = bytes.find('\n'); end != std::string_view::npos;
       end = bytes.find('\n')) {
    add(bytes.substr(0, end));
    bytes.remove_prefix(end + 1);
    lines.push_back(std::exchange(x_line, {}));
  }
  add(bytes);
  return lines;
}

std::string line_splitter::rest() {
  return std::exchange(x_line, {});
}

} // namespace parley::chat
