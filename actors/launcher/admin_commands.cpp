#include "actors/launcher/admin_commands.hpp"

#include <charconv>
#include <fstream>
#include <iostream>

#include "actors/launcher/admin_files.hpp"
#include "actors/launcher/printable.hpp"
#include "protocol/defaults.hpp"
#include "protocol/unicode.hpp"

namespace parley {

using nlohmann::json;

const char* const admin_command_list = R"(
  user add USER@DOMAIN --password-file F     makes an account (F may be -)
  user password USER@DOMAIN --password-file F
  user remove USER@DOMAIN                    and all that waits for it
  user list
  user show USER@DOMAIN [--as USER@DOMAIN]   sessions, contacts and watchers,
                                             and what another sees of the user
  user import FILE                           rows user@domain,password (CSV) or
                                             SCRAM keys as in RFC 5803
  contacts import FILE                       rows user,contact[,name[,groups[,
                                             to|none]]] (CSV); - is standard
                                             input
  contacts export [USER@DOMAIN] [FILE]       the same rows
  settings list | get NAME | set NAME VALUE
  sessions
  kick USER@DOMAIN[/ENDPOINT]
  audit [MAX]                                the latest lines, 1 to 100000
  troubleshoot                               what is wrong, and how to mend it
  trace ID [--from USER@DOMAIN]              what became of an IM
)";

namespace {

[[noreturn]] void throw_wrong_words(
  std::string what, errc reason = errc::bad_request) {
  throw admin_wrong_usage{std::move(what),
    std::string{"; the commands are:"} + admin_command_list, reason};
}

[[noreturn]] void throw_unknown_command(const std::vector<std::string>& words) {
  if (words.empty())
    throw_wrong_words("there is no command");
  auto said = words.front();
  if (words.size() > 1)
    said += ' ' + words[1];
  throw_wrong_words("there is no command '" + printable_line(said) + "'",
    errc::unknown_request);
}

std::string read_password(const std::string& file) {
  std::string line;
  if (file == "-") {
    std::getline(std::cin, line);
  } else {
    auto in = open_admin_file(file);
    std::getline(in, line);
    if (in.bad())
      throw admin_refused{"file_failed", "cannot read " + file};
  }
  // As another system ends lines; no password may have it.
  if (line.ends_with('\r'))
    line.pop_back();
  if (!is_utf8(line))
    throw admin_refused{
      to_string(errc::bad_request), "the password is not written in UTF-8"};
  return line;
}

uint64_t parse_max(const std::string& text) {
  uint64_t n = 0;
  auto end = text.data() + text.size();
  auto read = std::from_chars(text.data(), end, n);
  if (read.ec != std::errc{} || read.ptr != end || n < 1
    || n > defaults::audit_lines_max)
    throw admin_wrong_usage{"'" + text + "' is no number from 1 to "
      + std::to_string(defaults::audit_lines_max)};
  return n;
}

/// Takes a command apart, whose first word is known.
class word_reader {
public:
  explicit word_reader(const std::vector<std::string>& words)
    : x_words(words) {}

  std::string at(size_t i) const {
    return i < x_words.size() ? x_words[i] : std::string{};
  }

  void need(size_t n) const {
    if (x_words.size() != n)
      throw_wrong_words("wrong number of words");
  }

  size_t size() const noexcept { return x_words.size(); }

  [[noreturn]] void throw_unknown() const { throw_unknown_command(x_words); }

private:
  const std::vector<std::string>& x_words;
};

admin_command user_command(const word_reader& words,
  const std::string& password_file, const std::string& viewer) {
  auto what = words.at(1);
  json request{{"op", "user." + what}};
  if (what == "list") {
    words.need(2);
    return {std::move(request), {}, {}};
  }
  words.need(3);
  if (what == "import")
    return {std::move(request), words.at(2), {}};
  request["user"] = words.at(2);
  if (what == "add" || what == "password") {
    if (password_file.empty())
      throw admin_wrong_usage{"--password-file is missing"};
    request["password"] = read_password(password_file);
  } else if (what != "remove" && what != "show") {
    words.throw_unknown();
  }
  if (!viewer.empty())
    request["as"] = viewer;
  return {std::move(request), {}, {}};
}

admin_command contacts_command(const word_reader& words) {
  auto what = words.at(1);
  if (what == "import") {
    words.need(3);
    return {{{"op", "contacts.import"}}, words.at(2), {}};
  }
  if (what != "export")
    words.throw_unknown();
  if (words.size() > 4)
    words.need(4);
  json request{{"op", "contacts.export"}};
  auto file = words.at(3);
  // A user has an @ and no slash.
  auto one = words.at(2);
  bool is_user = one.find('@') != one.npos && one.find('/') == one.npos;
  if (words.size() == 4 || is_user)
    request["user"] = one;
  else
    file = one;
  return {std::move(request), {}, {}, file.empty() ? "-" : file};
}

admin_command settings_command(const word_reader& words) {
  auto what = words.at(1);
  if (what == "list") {
    words.need(2);
    return {{{"op", "settings.list"}}, {}, {}};
  }
  if (what == "get") {
    words.need(3);
    return {{{"op", "settings.list"}}, {}, words.at(2)};
  }
  if (what != "set")
    words.throw_unknown();
  words.need(4);
  return {
    {{"op", "settings.set"}, {"name", words.at(2)}, {"value", words.at(3)}}, {},
    {}};
}

} // namespace

admin_command parse_admin_command(const std::vector<std::string>& given,
  const std::string& password_file, const std::string& from,
  const std::string& viewer) {
  word_reader words{given};
  auto verb = words.at(0);
  if (!from.empty() && verb != "trace")
    throw admin_wrong_usage{"--from goes with trace alone"};
  if (!viewer.empty() && (verb != "user" || words.at(1) != "show"))
    throw admin_wrong_usage{"--as goes with user show alone"};
  if (verb == "user")
    return user_command(words, password_file, viewer);
  if (verb == "contacts")
    return contacts_command(words);
  if (verb == "settings")
    return settings_command(words);
  if (verb == "sessions") {
    words.need(1);
    return {{{"op", "sessions"}}, {}, {}};
  }
  if (verb == "kick") {
    words.need(2);
    return {{{"op", "kick"}, {"user", words.at(1)}}, {}, {}};
  }
  if (verb == "audit") {
    json request{{"op", "audit"}};
    if (words.size() == 2)
      request["max"] = parse_max(words.at(1));
    else
      words.need(1);
    return {std::move(request), {}, {}};
  }
  if (verb == "troubleshoot") {
    words.need(1);
    return {{{"op", "troubleshoot"}}, {}, {}};
  }
  if (verb == "trace") {
    words.need(2);
    json request{{"op", "trace"}, {"id", words.at(1)}};
    if (!from.empty())
      request["from"] = from;
    return {std::move(request), {}, {}};
  }
  words.throw_unknown();
}

} // namespace parley
