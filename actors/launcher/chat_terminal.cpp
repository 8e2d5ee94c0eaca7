#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <vector>

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <editline/readline.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors/launcher/chat_defaults.hpp"
#include "actors/launcher/chat_input.hpp"
#include "actors/launcher/chat_screen.hpp"

namespace parley::chat {

namespace {

size_t columns() {
  winsize x{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &x) == 0 && x.ws_col > 0)
    return x.ws_col;
  constexpr size_t usual = 80;
  return usual;
}

/// How many cells `text` takes; escape sequences and libedit's marks of them
/// take none.
size_t width(std::string_view text) {
  std::string visible;
  for (size_t i = 0; i < text.size(); ++i)
    if (text[i] == '\x1b')
      i = std::min(text.find('m', i), text.size());
    else if (text[i] > '\2' || text[i] < 0)
      visible += text[i];
  std::vector<wchar_t> wide(visible.size() + 1);
  auto n = std::mbstowcs(wide.data(), visible.c_str(), wide.size());
  auto cells = n == static_cast<size_t>(-1) ? -1 : ::wcswidth(wide.data(), n);
  return cells < 0 ? visible.size() : static_cast<size_t>(cells);
}

/// How many rows lines of text take.
size_t rows(std::string_view text) {
  size_t n = 0;
  for (;;) {
    auto end = text.find('\n');
    n += std::max<size_t>(
      1, (width(text.substr(0, end)) + columns() - 1) / columns());
    if (end == std::string_view::npos)
      return n;
    text.remove_prefix(end + 1);
  }
}

class terminal : public screen {
public:
  explicit terminal(boost::asio::io_context& io)
    : x_watch(io, STDIN_FILENO, [this] { read(); }), x_resized(io, SIGWINCH) {
    self = this;
    auto term = std::getenv("TERM");
    auto plain = std::getenv("NO_COLOR");
    x_colours = (!plain || !*plain) && term && std::strcmp(term, "dumb") != 0;
    // Signals are the io_context's.
    rl_catch_signals = 0;
    rl_readline_name = "parley";
    using_history();
    stifle_history(defaults::chat_history_max);
    watch_size();
  }

  ~terminal() override {
    close();
    self = nullptr;
  }

  void open(listener l) override {
    x_listener = std::move(l);
    open_line();
    x_watch.next();
  }

  void close() override {
    x_ended = true;
    if (!x_open)
      return;
    erase_line();
    std::fflush(stdout);
    close_line();
  }

  void show(const std::string& text) override {
    auto was_open = x_open;
    erase_line();
    put(text);
    x_last_rows = rows(text);
    if (was_open)
      redraw();
  }

  bool replace_last(const std::string& text) override {
    if (x_last_rows == 0)
      return false;
    auto was_open = x_open;
    erase_line();
    std::printf("\x1b[%zuA\x1b[J", x_last_rows);
    put(text);
    x_last_rows = rows(text);
    if (was_open)
      redraw();
    return true;
  }

  void set_prompt(const std::string& text) override {
    // libedit drops an escape sequence that nothing follows.
    auto marked =
      x_colours ? "\1\x1b[1m\2" + text + "\1\x1b[0m\2 " : text + " ";
    if (marked == x_prompt)
      return;
    if (!x_open) {
      x_prompt = marked;
      return;
    }
    erase_line();
    x_prompt = marked;
    rl_set_prompt(x_prompt.c_str());
    redraw();
  }

  void load_history(const std::string& file) override {
    read_history(file.c_str());
  }

  void save_history(const std::string& file) override {
    // For nobody else to read.
    auto before = ::umask(077);
    write_history(file.c_str());
    ::umask(before);
  }

  bool has_colours() const noexcept override { return x_colours; }

private:
  void open_line() {
    rl_callback_handler_install(x_prompt.c_str(), take_line);
    x_open = true;
  }

  void close_line() {
    rl_callback_handler_remove();
    x_open = false;
  }

  void read() {
    rl_callback_read_char();
    if (!x_ended) {
      if (x_open && rl_end > 0)
        x_listener.typing(
          std::string(rl_line_buffer, static_cast<size_t>(rl_end)));
      x_watch.next();
    }
  }

  // libedit takes a plain function.
  static void take_line(char* line) { self->took(line); }

  void took(char* line) {
    x_open = false;
    if (!line) {
      std::fputs("\n", stdout);
      close_line();
      x_ended = true;
      return x_listener.ended();
    }
    std::string text{line};
    std::free(line);
    // The line shows up again as what it did.
    std::printf("\r\x1b[%zuA\x1b[J", rows(x_prompt + text));
    x_last_rows = 0;
    if (!text.empty())
      add_history(text.c_str());
    x_listener.typed(text);
    if (!x_ended)
      open_line();
  }

  /// The cursor goes to where the prompt began, nothing is below.
  void erase_line() {
    if (!x_open)
      return;
    auto before = std::string(rl_line_buffer, static_cast<size_t>(rl_point));
    auto up = width(x_prompt + before) / columns();
    if (up > 0)
      std::printf("\x1b[%zuA", up);
    std::fputs("\r\x1b[J", stdout);
  }

  void put(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fputc('\n', stdout);
    std::fflush(stdout);
  }

  void redraw() {
    std::fflush(stdout);
    rl_forced_update_display();
  }

  void watch_size() {
    x_resized.async_wait([this](const boost::system::error_code& why, int) {
      if (why)
        return;
      if (x_open)
        rl_resize_terminal();
      watch_size();
    });
  }

  static terminal* self;

  readable_watch x_watch;
  boost::asio::signal_set x_resized;
  listener x_listener;
  std::string x_prompt;
  /// Of what was shown last; 0: something else came after it.
  size_t x_last_rows = 0;
  bool x_open = false;
  bool x_ended = false;
  bool x_colours = false;
};

terminal* terminal::self = nullptr;

} // namespace

std::unique_ptr<screen> make_terminal(boost::asio::io_context& io) {
  return std::make_unique<terminal>(io);
}

} // namespace parley::chat
