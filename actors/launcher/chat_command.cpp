#include "actors/launcher/chat_command.hpp"

#include <algorithm>

#include "actors/launcher/chat_json.hpp"
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
  if (name == "/away")
    return away_command{std::string{rest}};
  if (name == "/back")
    return back_command{};
  if (name == "/broadcast")
    return parse_broadcast(rest, domain);
  if (name == "/help")
    return help_command{};
  if (name == "/quit")
    return quit_command{};
  return tl::unexpected<std::string>(
    "There is no " + printable(name, {}) + "; /help tells what there is.");
}

std::string_view command_help() noexcept {
  return "/to USER [TEXT]            write to USER from now on\n"
         "/away [STATUS], /back      tell that you are away, or here again\n"
         "/broadcast A B C: TEXT     one message to many\n"
         "/quit                      sign out (Ctrl-D does too)\n"
         "Anything else is sent; // begins a message with a slash.";
}

std::string words_of(const failure& why) {
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
