#include "actors/launcher/chat_command.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "actors/launcher/chat_defaults.hpp"
#include "actors/launcher/chat_json.hpp"
#include "actors/launcher/limit_words.hpp"
#include "actors/launcher/printable.hpp"

namespace parley::chat {

namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view trimmed(std::string_view x) {
  auto begin = x.find_first_not_of(blanks);
  if (begin == std::string_view::npos)
    return {};
  return x.substr(begin, x.find_last_not_of(blanks) - begin + 1);
}

/// Takes the first word off.
std::string_view take_word(std::string_view& x) {
  x = trimmed(x);
  auto word = x.substr(0, x.find_first_of(blanks));
  x = trimmed(x.substr(word.size()));
  return word;
}

std::string with_domain(std::string_view user, std::string_view domain) {
  std::string x{user};
  if (user.find('@') == std::string_view::npos)
    x.append("@").append(domain);
  return x;
}

tl::expected<command, std::string> parse_broadcast(
  std::string_view rest, std::string_view domain) {
  auto colon = rest.find(':');
  broadcast_command x;
  auto names = rest.substr(0, colon);
  while (!names.empty())
    if (auto name = take_word(names); !name.empty())
      x.to.push_back(with_domain(name, domain));
  if (colon != std::string_view::npos)
    x.text = trimmed(rest.substr(colon + 1));
  if (x.to.empty() || x.text.empty())
    return tl::unexpected<std::string>("Write: /broadcast alice bob: text");
  return x;
}

constexpr std::string_view whom_missing = "Write the name of a user behind it.";

/// The commands that say how one is.
std::optional<parley::show> shown_by(std::string_view name) {
  if (name == "/away")
    return show::away;
  if (name == "/xa")
    return show::xa;
  if (name == "/dnd")
    return show::dnd;
  if (name == "/chatty")
    return show::chat;
  return std::nullopt;
}

/// `/add USER [NAME]`; `#` begins a group in the name.
add_contacts parse_add(const user_address& whom, std::string_view rest) {
  wanted_contact x{whom.str(), {}, {}};
  while (!rest.empty()) {
    auto word = take_word(rest);
    if (word.starts_with('#') && word.size() > 1)
      x.groups.emplace_back(word.substr(1));
    else
      x.name.append(x.name.empty() ? "" : " ").append(word);
  }
  return {{std::move(x)}};
}

tl::expected<command, std::string> parse_watch(
  const user_address& whom, std::string_view rest) {
  constexpr uint64_t seconds_a_minute = 60;
  watch x{whom, defaults::chat_watch_seconds};
  if (rest.empty())
    return ask_command{std::move(x), whom};
  uint32_t minutes = 0;
  auto end = rest.data() + rest.size();
  auto read = std::from_chars(rest.data(), end, minutes);
  if (read.ec != std::errc{} || read.ptr != end || minutes == 0)
    return tl::unexpected<std::string>("Write: /watch bob 10 (minutes)");
  x.seconds = minutes * seconds_a_minute;
  return ask_command{std::move(x), whom};
}

/// The commands about one user; `no_command` if `name` is none of them.
tl::expected<command, std::string> parse_about(
  std::string_view name, std::string_view rest, std::string_view domain) {
  constexpr std::array<std::string_view, 12> known{"/add", "/remove",
    "/subscribe", "/unsubscribe", "/approve", "/deny", "/watch", "/unwatch",
    "/block", "/unblock", "/allow", "/unallow"};
  if (std::ranges::find(known, name) == known.end())
    return no_command{};
  auto word = take_word(rest);
  if (word.empty())
    return tl::unexpected<std::string>(std::string{whom_missing});
  auto address = address::parse(with_domain(word, domain));
  if (!address)
    return tl::unexpected<std::string>(printable(word, {}) + " is no address.");
  auto& whom = address->user;
  if (name == "/add")
    return ask_command{parse_add(whom, rest), whom};
  if (name == "/remove")
    return ask_command{remove_contacts{{whom.str()}}, whom};
  if (name == "/subscribe")
    return ask_command{subscribe{whom}, whom};
  if (name == "/unsubscribe")
    return ask_command{unsubscribe{whom}, whom};
  if (name == "/approve")
    return ask_command{approve{whom}, whom};
  if (name == "/deny")
    return ask_command{deny{whom}, whom};
  if (name == "/watch")
    return parse_watch(whom, rest);
  if (name == "/unwatch")
    return ask_command{watch{whom, 0}, whom};
  if (name == "/block" || name == "/unblock")
    return block_command{whom, name == "/block"};
  return allow_command{whom, name == "/allow"};
}

/// The commands about one's privacy; `no_command` if `name` is none of them.
tl::expected<command, std::string> parse_privacy(
  std::string_view name, std::string_view rest) {
  if (name == "/privacy")
    return privacy_command{};
  if (name == "/approval") {
    auto what = approval_from_string(rest);
    if (!what || *what == approval::block)
      return tl::unexpected<std::string>(
        "Write: /approval auto, /approval ask or /approval default");
    return approval_command{*what};
  }
  if (name == "/sharing") {
    auto what = sharing_from_string(rest);
    if (!what)
      return tl::unexpected<std::string>(
        "Write: /sharing on, /sharing off or /sharing default");
    return sharing_command{*what};
  }
  if (name != "/domain")
    return no_command{};
  auto domain = user_address::parse("x@" + std::string{take_word(rest)});
  auto what = approval_from_string(rest);
  if (!domain || !what)
    return tl::unexpected<std::string>(
      "Write: /domain example.org auto (or ask, block, default)");
  return rule_command{std::string{domain->domain()}, *what};
}

} // namespace

tl::expected<command, std::string> parse_command(
  std::string_view line, std::string_view domain) {
  line = trimmed(line);
  if (line.empty())
    return no_command{};
  if (line.front() != '/')
    return say_command{std::string{line}};
  if (line.starts_with("//"))
    return say_command{std::string{line.substr(1)}};
  auto rest = line;
  auto name = take_word(rest);
  if (name == "/to") {
    auto user = take_word(rest);
    if (user.empty())
      return tl::unexpected<std::string>("Write: /to bob@example.org");
    return to_command{with_domain(user, domain), std::string{rest}};
  }
  if (auto show = shown_by(name))
    return away_command{std::string{rest}, *show};
  if (name == "/contacts")
    return contacts_command{};
  if (name == "/back")
    return back_command{};
  if (name == "/broadcast")
    return parse_broadcast(rest, domain);
  if (name == "/help")
    return help_command{};
  if (name == "/quit")
    return quit_command{};
  auto of_privacy = parse_privacy(name, rest);
  if (!of_privacy || !std::holds_alternative<no_command>(*of_privacy))
    return of_privacy;
  auto about = parse_about(name, rest, domain);
  if (!about || !std::holds_alternative<no_command>(*about))
    return about;
  return tl::unexpected<std::string>(
    "There is no " + printable(name, {}) + "; /help tells what there is.");
}

std::string_view command_help() noexcept {
  return "/to USER [TEXT]            write to USER from now on\n"
         "/away [STATUS], /back      tell that you are away, or here again\n"
         "/xa, /dnd, /chatty         away for longer, not to be disturbed, "
         "glad to talk\n"
         "/contacts                  who is on your list, and who is there\n"
         "/add USER [NAME] [#GROUP]  put USER on your list; /remove USER\n"
         "/subscribe USER            ask to see whether USER is there, from "
         "now on; /unsubscribe\n"
         "/approve USER, /deny USER  let USER see whether you are here, or "
         "not\n"
         "/watch USER [MINUTES]      see whether USER is there, for a while; "
         "/unwatch\n"
         "/block USER, /unblock USER neither messages nor your presence\n"
         "/privacy                   what you have said of the following\n"
         "/approval auto|ask|default whether those who ask may see you, or you "
         "are asked\n"
         "/sharing on|off|default    whether others see that you are here\n"
         "/allow USER, /unallow USER may see you without your being asked\n"
         "/domain NAME auto|ask|block|default   the same for all of a domain\n"
         "/broadcast A B C: TEXT     one message to many\n"
         "/quit                      sign out (Ctrl-D does too)\n"
         "Anything else is sent; // begins a message with a slash.";
}

std::string said_of(const contacts_request& what, std::string who) {
  if (std::holds_alternative<add_contacts>(what))
    return who + " is on your list.";
  if (std::holds_alternative<remove_contacts>(what))
    return who + " is on your list no longer.";
  if (std::holds_alternative<subscribe>(what))
    return who + " is asked.";
  if (std::holds_alternative<unsubscribe>(what))
    return "You see " + who + " no longer.";
  if (std::holds_alternative<approve>(what))
    return who + " may see whether you are here.";
  if (std::holds_alternative<deny>(what))
    return who + " may not see whether you are here.";
  return who;
}

std::string words_of(const failure& why, std::string_view whose) {
  switch (why.code) {
  case errc::too_large:
    return "the message is too long";
  case errc::bad_address:
    return "this is no address";
  case errc::im_disabled:
    return "messages are switched off";
  case errc::no_such_user:
    return "nobody has this address";
  case errc::refused:
    return "not wanted there";
  case errc::rate_limited:
    return "too many messages at once";
  case errc::recipient_offline:
    return "nobody is there, and the server keeps no messages";
  case errc::quota_exceeded:
    return "too many messages are waiting there already";
  case errc::store_failed:
    return "the server could not keep it";
  case errc::contact_list_full:
  case errc::watcher_limit:
  case errc::watch_limit:
  case errc::watch_disabled:
    return limit_words(why, whose);
  case errc::not_authorised:
    return "you have to be allowed to see that user first";
  case errc::authentication_failed:
    // The client library has other reasons than the server's refusal: the
    // server did not prove who it is.
    return why.text.empty() ? "wrong user name or password"
                            : printable(why.text, " ");
  case errc::replaced:
    return "signed in elsewhere under this endpoint name";
  case errc::account_removed:
    return "the account was removed";
  case errc::kicked:
    return "an operator ended the session";
  default:
    break;
  }
  if (!why.text.empty())
    return printable(why.text, " ");
  auto name = reason_of(why, "no reason given");
  std::ranges::replace(name, '_', ' ');
  return name;
}

} // namespace parley::chat
