#include <cerrno>
#include <cstdio>
#include <vector>

#include <unistd.h>

#include "actors/launcher/chat_input.hpp"
#include "actors/launcher/chat_screen.hpp"
#include "protocol/defaults.hpp"

namespace parley::chat {

namespace {

class pipe_screen : public screen {
public:
  explicit pipe_screen(boost::asio::io_context& io)
    : x_watch(io, STDIN_FILENO, [this] { read(); }),
      x_buffer(defaults::client_read_bytes) {}

  void open(listener l) override {
    x_listener = std::move(l);
    x_watch.next();
  }

  void close() override { x_closed = true; }

  void show(const std::string& text) override {
    std::printf("%s\n", text.c_str());
    std::fflush(stdout);
  }

  bool replace_last(const std::string&) override { return false; }
  void set_prompt(const std::string&) override {}
  void load_history(const std::string&) override {}
  void save_history(const std::string&) override {}
  bool has_colours() const noexcept override { return false; }

private:
  void read() {
    auto n = ::read(STDIN_FILENO, x_buffer.data(), x_buffer.size());
    if (n < 0 && errno == EINTR)
      return x_watch.next();
    if (n <= 0) {
      if (auto last = x_lines.rest(); !last.empty())
        x_listener.typed(last);
      return x_listener.ended();
    }
    for (auto& line : x_lines.feed({x_buffer.data(), static_cast<size_t>(n)}))
      x_listener.typed(line);
    if (!x_closed)
      x_watch.next();
  }

  readable_watch x_watch;
  std::vector<char> x_buffer;
  line_splitter x_lines;
  listener x_listener;
  bool x_closed = false;
};

} // namespace

std::unique_ptr<screen> make_pipe(boost::asio::io_context& io) {
  return std::make_unique<pipe_screen>(io);
}

} // namespace parley::chat
