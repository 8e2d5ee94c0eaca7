#include <cstring>
#include <deque>
#include <map>

#include <langinfo.h>
#include <unistd.h>

#include "actors/launcher/chat_command.hpp"
#include "actors/launcher/chat_defaults.hpp"
#include "actors/launcher/chat_front.hpp"
#include "actors/launcher/chat_people.hpp"
#include "actors/launcher/chat_policy.hpp"
#include "actors/launcher/chat_privacy.hpp"
#include "actors/launcher/chat_screen.hpp"
#include "actors/launcher/chat_style.hpp"
#include "actors/launcher/printable.hpp"

namespace parley::chat {

namespace {

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
      x_writing_ends(io()),
      x_gathered(io()) {}

private:
  /// What to say when the answer comes, and whom it is about.
  struct asked {
    std::string said;
    user_address whom;
  };

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
      return tell(in(style::red, x.error()));
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
      return tell(in(style::red, "To whom? Write: /to bob@example.org"));
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
    core().set_availability({x.show, x.status, 0});
    tell(in(style::dim, "You are shown as " + label_of({x.show, {}}) + "."));
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

  void perform(const ask_command& x) {
    x_asked[++x_asks] = {said_of(x.what, name_of(x.whom.str())), x.whom};
    core().ask(x.what, {x_asks});
  }

  void perform(const contacts_command&) {
    auto& all = core().contacts().all();
    if (all.empty())
      return tell("Nobody is on your list; /subscribe USER begins.");
    for (auto& [who, entry] : all)
      tell(text_of(entry));
  }

  void perform(const block_command& x) { ask_privacy(x); }
  void perform(const allow_command& x) { ask_privacy(x); }
  void perform(const rule_command& x) { ask_privacy(x); }
  void perform(const privacy_command& x) { ask_privacy(x); }

  /// A whole list is set at a time: first it has to be known, and nobody may
  /// change it meanwhile.
  void ask_privacy(privacy_question x) {
    x_privacy.push_back(std::move(x));
    if (x_privacy.size() == 1)
      ask_first();
  }

  void ask_first() {
    x_privacy_tag = {++x_asks};
    core().ask(set_privacy{}, x_privacy_tag);
  }

  void finish_first() {
    x_privacy.pop_front();
    if (!x_privacy.empty())
      ask_first();
  }

  bool is_of_first(request_tag tag) const {
    return !x_privacy.empty() && tag == x_privacy_tag;
  }

  void perform(const approval_command& x) {
    set_privacy what;
    what.approve = x.what;
    change_privacy(std::move(what), said_of(x.what));
  }

  void perform(const sharing_command& x) {
    set_privacy what;
    what.sharing = x.what;
    change_privacy(std::move(what), said_of(x.what));
  }

  request_tag change_privacy(set_privacy what, std::string said) {
    x_asked[++x_asks] = {std::move(said), {}};
    core().ask(std::move(what), {x_asks});
    return {x_asks};
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
    return printable(without_domain(who, x_domain), {});
  }

  /// Empty for the one who reads it.
  std::string name_of_other(const user_address& who) {
    return who == core().self().user ? std::string{} : name_of(who.str());
  }

  // -- contacts ---------------------------------------------------------------

  std::string text_of(const contact& x) const {
    auto name = name_of(x.address.str());
    auto shown = x_board.of(x.address);
    auto there = shown.show != show::unavailable && shown.show != show::unknown;
    auto text = in(there ? style::green : style::dim, name);
    if (!x.name.empty())
      text += " (" + printable_line(x.name) + ")";
    if (x.subscription.to == half::active)
      text += "  " + label_of(shown);
    for (auto& group : x.groups)
      text += in(style::cyan, "  #" + printable_line(group));
    if (auto words = words_of(x, name); !words.empty())
      text += in(style::dim, "  " + words);
    return text;
  }

  /// The answer to what was asked came.
  std::string take_asked(request_tag tag) {
    auto x = x_asked.extract(tag.value);
    return x.empty() ? std::string{} : std::move(x.mapped().said);
  }

  void on_contacts_changed(
    request_tag tag, const contacts_changed& what) override {
    auto said = take_asked(tag);
    if (what.refused.empty())
      tell(in(style::dim, said));
    for (auto& x : what.refused) {
      auto name = name_of(x.address);
      auto whose = x.whose.empty() ? name : name_of_other(x.whose);
      tell(in(style::red, name + ": " + words_of(x.why, whose)));
    }
    answer_came();
  }

  void on_contacts(std::optional<request_tag>, const contact_list&) override {
    answer_came();
  }

  void on_subscription(
    const user_address& who, subscription_event what) override {
    auto name = name_of(who.str());
    auto text = in(style::yellow, name + " " + words_of(what));
    if (what == subscription_event::request)
      text += ": /approve " + name + " or /deny " + name;
    tell(text);
  }

  void on_watching(request_tag tag, uint64_t seconds) override {
    constexpr uint64_t seconds_a_minute = 60;
    auto who = take_asked(tag);
    if (seconds > 0)
      tell(in(style::dim,
        "You see " + who + " for "
          + std::to_string((seconds + seconds_a_minute - 1) / seconds_a_minute)
          + " min."));
    answer_came();
  }

  void on_watch_ended(const user_address& whom) override {
    tell(in(style::dim, "You watch " + name_of(whom.str()) + " no longer."));
  }

  void on_privacy(
    std::optional<request_tag> tag, const privacy& what) override {
    if (tag && is_of_first(*tag) && !x_asked.contains(tag->value)) {
      go_on(x_privacy.front(), what);
    } else if (tag) {
      tell(in(style::dim, take_asked(*tag)));
      if (is_of_first(*tag))
        finish_first();
    }
    answer_came();
  }

  /// With what was asked, now that the privacy is known.
  void go_on(const privacy_question& asked, const privacy& now) {
    auto name = [this](std::string_view who) { return name_of(who); };
    if (!std::holds_alternative<privacy_command>(asked)) {
      x_privacy_tag = change_privacy(changed(asked, now), said_of(asked, name));
      return;
    }
    for (auto& line : lines_of(now, name))
      tell(line);
    finish_first();
  }

  // -- presence ---------------------------------------------------------------

  void on_presence(const presence_notice& x) override {
    x_board.take(x);
    if (!x_gathering)
      show_presence();
  }

  void on_presence_reset() override { gather(); }

  /// What comes at once after a sign-in is shown together.
  void gather() {
    x_gathering = true;
    x_gathered.expires_after(defaults::chat_presence_gathered);
    x_gathered.async_wait([this](const boost::system::error_code& why) {
      if (why)
        return;
      x_gathering = false;
      show_presence();
    });
  }

  void show_presence() {
    auto changes = x_board.changes();
    if (changes.empty())
      return;
    std::string text;
    for (auto& [who, what] : changes)
      text +=
        (text.empty() ? "" : ", ") + name_of(who.str()) + " " + words_of(what);
    tell(in(style::dim, text + "."));
  }

  void show_prompt() {
    auto who = x_peer.empty() ? std::string{"/to?"} : name_of(x_peer);
    x_screen->set_prompt(
      x_writing.empty() ? who + ">" : who + " (" + x_writing + " writes)>");
  }

  void show_ready(const address& self, bool resumed) override {
    auto first = x_domain.empty();
    gather();
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

  void show_open(const open_im& x) override {
    for (auto to : x.to)
      tell(in(style::red, "  ? nothing was heard of it")
        + in(style::dim, " (to " + name_of(to) + ")"));
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

  void on_done(request_tag tag) override {
    if (auto said = take_asked(tag); !said.empty())
      tell(in(style::dim, said));
    answer_came();
  }

  void on_refused(
    request_tag tag, const failure& why, const user_address& whose) override {
    auto asked = x_asked.extract(tag.value);
    if (is_of_first(tag))
      finish_first();
    // With words of its own the server speaks of a limit of this user.
    auto shown = !whose.empty()            ? name_of_other(whose)
      : asked.empty() || !why.text.empty() ? std::string{}
                                           : name_of(asked.mapped().whom.str());
    tell(in(style::red, words_of(why, shown)));
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
    for (auto& line : x_policy.take(x))
      tell(in(style::yellow, line));
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
  policy_board x_policy;
  /// The policy im.client_history.
  bool x_may_keep = true;
  signs x_signs;
  std::string x_domain;
  /// To whom the person writes.
  std::string x_peer;
  std::string x_writing;
  std::string x_writing_from;
  boost::asio::steady_timer x_writing_ends;
  presence_board x_board;
  /// Presence is gathered, and shown when this is over.
  bool x_gathering = false;
  boost::asio::steady_timer x_gathered;
  /// By tag: what to say when the answer comes.
  uint64_t x_asks = 0;
  std::map<uint64_t, asked> x_asked;
  /// One after another.
  std::deque<privacy_question> x_privacy;
  request_tag x_privacy_tag;
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
