#include <clocale>
#include <cstring>
#include <ctime>

#include <langinfo.h>
#include <unistd.h>

#include "actors/launcher/chat_command.hpp"
#include "actors/launcher/chat_front.hpp"
#include "actors/launcher/chat_screen.hpp"
#include "actors/launcher/printable.hpp"
#include "protocol/defaults.hpp"

namespace parley::chat {

namespace {

/// Select Graphic Rendition (ECMA-48, 8.3.117).
enum class style : int {
  dim = 2,
  red = 31,
  green = 32,
  yellow = 33,
  cyan = 36
};

/// Signs in front of outcomes, for terminals that have them or not.
struct signs {
  const char* delivered;
  const char* stored;
  const char* rejected;
  const char* arrow;
};
constexpr signs unicode_signs{"✓", "◔", "✗", "→"};
constexpr signs ascii_signs{"+", "o", "!", "->"};

/// Local: the time, with the day if that is not today.
std::string time_text(wall_time x) {
  auto then = std::chrono::system_clock::to_time_t(x);
  auto now = std::time(nullptr);
  tm t{}, today{};
  ::localtime_r(&then, &t);
  ::localtime_r(&now, &today);
  auto same_day = t.tm_yday == today.tm_yday && t.tm_year == today.tm_year;
  char out[64];
  std::strftime(out, sizeof out, same_day ? "%H:%M" : "%a %d %b %H:%M", &t);
  return out;
}

wall_time now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(
    std::chrono::system_clock::now());
}

class talk : public front {
public:
  talk(const options& x, std::shared_ptr<const client_target> target)
    : front(x, std::move(target)),
      x_screen(::isatty(STDIN_FILENO) && ::isatty(STDOUT_FILENO)
          ? make_terminal(io())
          : make_pipe(io())),
      x_history_file(x.history_file),
      x_signs(std::strcmp(::nl_langinfo(CODESET), "UTF-8") == 0 ? unicode_signs
                                                                : ascii_signs),
      x_writing_ends(io()) {}

private:
  // -- what the person does ---------------------------------------------------

  void begin() override {
    if (!x_history_file.empty() && x_may_keep)
      x_screen->load_history(x_history_file);
    show_prompt();
    x_screen->open({[this](const std::string& line) { typed(line); },
      [this](const std::string& line) { typing(line); }, [this] { leave(); }});
  }

  void leave() {
    if (!x_history_file.empty() && x_may_keep)
      x_screen->save_history(x_history_file);
    x_screen->close();
    quit();
  }

  void typed(const std::string& line) {
    if (is_quitting())
      return;
    auto x = parse_command(line, core().self().user.domain());
    if (!x)
      return x_screen->show(in(style::red, x.error()));
    std::visit([this](auto& what) { perform(what); }, *x);
  }

  void typing(const std::string& line) {
    auto t = std::chrono::steady_clock::now();
    if (line.front() == '/' || x_peer.empty()
      || t - x_last_typing < defaults::chat_typing_interval)
      return;
    x_last_typing = t;
    core().typing(x_peer);
  }

  void perform(const no_command&) {}

  void perform(const say_command& x) {
    if (x_peer.empty())
      return x_screen->show(
        in(style::red, "To whom? Write: /to bob@example.org"));
    say(x.text);
  }

  void perform(const to_command& x) {
    x_peer = x.to;
    show_prompt();
    if (!x.text.empty())
      say(x.text);
  }

  void say(const std::string& text) {
    x_last_typing = {};
    x_last_line = time_text(now()) + " " + x_signs.arrow + " "
      + in(style::cyan, name_of(x_peer)) + ": " + printable(text, "  ");
    x_screen->show(x_last_line);
    x_last_tag = {x_last_tag.value + 1};
    x_last_is_last = true;
    core().send({core().new_id().value, x_peer, text, {}, false}, x_last_tag);
  }

  void perform(const away_command& x) {
    core().set_availability({show::away, x.status, 0});
    tell(in(style::dim, "You are away."));
  }

  void perform(const back_command&) {
    core().set_availability({});
    tell(in(style::dim, "You are back."));
  }

  void perform(const broadcast_command& x) {
    tell(time_text(now()) + " " + x_signs.arrow + " "
      + in(style::cyan, std::to_string(x.to.size()) + " users") + ": "
      + printable(x.text, "  "));
    core().broadcast({core().new_id().value, {}, x.text, {}, false}, x.to);
  }

  void perform(const help_command&) { tell(std::string{command_help()}); }

  void perform(const quit_command&) { leave(); }

  // -- what is shown ----------------------------------------------------------

  std::string in(style how, std::string_view text) const {
    if (!x_screen->has_colours())
      return std::string{text};
    return "\x1b[" + std::to_string(static_cast<int>(how)) + "m"
      + std::string{text} + "\x1b[0m";
  }

  /// Anything but the last thing that was said.
  void tell(const std::string& text) {
    x_last_is_last = false;
    x_screen->show(text);
  }

  /// Without the domain if that is one's own.
  std::string name_of(std::string_view who) const {
    auto at = who.find('@');
    auto slash = who.find('/');
    if (at == std::string_view::npos)
      return printable(who, {});
    auto domain = who.substr(at + 1, slash - at - 1);
    std::string x{
      domain == core_domain() ? who.substr(0, at) : who.substr(0, slash)};
    if (slash != std::string_view::npos)
      x += who.substr(slash);
    return printable(x, {});
  }

  std::string_view core_domain() const noexcept { return x_domain; }

  void show_prompt() {
    auto who = x_peer.empty() ? std::string{"/to?"} : name_of(x_peer);
    x_screen->set_prompt(
      x_writing.empty() ? who + ">" : who + " (" + x_writing + " writes)>");
  }

  void show_ready(const address& self, bool resumed) override {
    auto first = x_domain.empty();
    x_domain = self.user.domain();
    if (first)
      tell("You are " + in(style::green, printable(self.str(), {}))
        + ". /to USER begins, /help tells more.");
    else
      tell(in(style::dim, resumed ? "Connected again." : "Signed in again."));
  }

  void show_disconnected(
    const failure& why, std::chrono::milliseconds retry_in) override {
    auto seconds = std::chrono::ceil<std::chrono::seconds>(retry_in).count();
    tell(in(style::dim,
      "Not connected (" + words_of(why) + "); trying again in "
        + std::to_string(seconds) + " s."));
  }

  void show_failure(const failure& why) override {
    tell(in(style::red, words_of(why)));
  }

  void on_message(const received_im& x) override {
    stop_writing(x.from);
    if (x.body.empty())
      return;
    if (x_peer.empty())
      x_peer = x.from_user();
    auto when = time_text(x.sent_at);
    tell((x.offline ? in(style::yellow, when) : when) + " "
      + in(style::green, name_of(x.from)) + ": " + printable(x.body, "  "));
    show_prompt();
  }

  std::string mark_of(const outcome& x) const {
    switch (x.what) {
    case outcome::kind::delivered:
      return in(style::green, std::string{x_signs.delivered} + " delivered");
    case outcome::kind::stored:
      return in(style::yellow,
        std::string{x_signs.stored} + " stored, waits to be fetched");
    case outcome::kind::rejected:
      break;
    }
    return in(style::red,
      std::string{x_signs.rejected} + " rejected: " + words_of(x.why));
  }

  void on_outcome(request_tag tag, std::string_view, std::string_view to,
    const outcome& what) override {
    auto mark = mark_of(what);
    if (!x_last_is_last || tag != x_last_tag
      || !x_screen->replace_last(x_last_line + "  " + mark))
      tell("  " + mark + in(style::dim, " (to " + name_of(to) + ")"));
    answer_came();
  }

  void on_broadcast(request_tag, std::string_view,
    const std::vector<recipient_outcome>& outcomes) override {
    for (auto& x : outcomes)
      tell("  " + mark_of(x.what) + " (to " + name_of(x.to) + ")");
    answer_came();
  }

  void on_done(request_tag) override { answer_came(); }

  void on_refused(request_tag, const failure& why) override {
    tell(in(style::red, words_of(why)));
    answer_came();
  }

  void on_error(const failure& why) override {
    tell(in(style::red, words_of(why)));
  }

  void on_policy(
    const std::vector<std::pair<std::string, std::string>>& x) override {
    for (auto& [name, value] : x)
      if (name == "im.client_history")
        x_may_keep = value != "off";
  }

  // -- who is writing ---------------------------------------------------------

  void on_typing(std::string_view from) override {
    x_writing_from = from;
    x_writing = name_of(from.substr(0, from.find('/')));
    show_prompt();
    x_writing_ends.expires_after(defaults::chat_typing_shown);
    x_writing_ends.async_wait([this](const boost::system::error_code& why) {
      if (!why)
        stop_writing(x_writing_from);
    });
  }

  void stop_writing(std::string_view from) {
    if (x_writing.empty() || from != x_writing_from)
      return;
    x_writing.clear();
    x_writing_ends.cancel();
    show_prompt();
  }

  std::unique_ptr<screen> x_screen;
  std::string x_history_file;
  /// The policy im.client_history.
  bool x_may_keep = true;
  signs x_signs;
  std::string x_domain;
  /// To whom the person writes.
  std::string x_peer;
  std::string x_writing;
  std::string x_writing_from;
  boost::asio::steady_timer x_writing_ends;
  std::chrono::steady_clock::time_point x_last_typing{};
  request_tag x_last_tag;
  std::string x_last_line;
  /// Nothing was shown since.
  bool x_last_is_last = false;
};

} // namespace

std::unique_ptr<front> make_talk(
  const options& x, std::shared_ptr<const client_target> target) {
  return std::make_unique<talk>(x, std::move(target));
}

} // namespace parley::chat
