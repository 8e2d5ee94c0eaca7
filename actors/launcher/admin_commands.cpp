#include "actors/launcher/admin_commands.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "actors/launcher/import_file.hpp"
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
  user show USER@DOMAIN
  user import FILE                           rows user@domain,password (CSV) or
                                             SCRAM keys as in RFC 5803
  settings list | get NAME | set NAME VALUE
  sessions
  kick USER@DOMAIN[/ENDPOINT]
  audit [MAX]                                the latest lines, 1 to 100000
)";

namespace {

[[noreturn]] void throw_wrong_words(std::string what) {
  throw admin_wrong_usage{
    std::move(what) + "the commands are:" + admin_command_list};
}

/// Opening a folder succeeds, and reading it is an empty file.
std::ifstream open_file(const std::string& file) {
  std::error_code ec;
  if (std::filesystem::is_directory(file, ec))
    throw admin_refused{"cannot read " + file + ": it is a folder"};
  std::ifstream in{file};
  if (!in)
    throw admin_refused{"cannot read " + file};
  return in;
}

std::string read_password(const std::string& file) {
  std::string line;
  if (file == "-") {
    std::getline(std::cin, line);
  } else {
    auto in = open_file(file);
    std::getline(in, line);
    if (in.bad())
      throw admin_refused{"cannot read " + file};
  }
  if (!is_utf8(line))
    throw admin_refused{"the password is not written in UTF-8"};
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
      throw_wrong_words("wrong number of words; ");
  }

  size_t size() const noexcept { return x_words.size(); }

private:
  const std::vector<std::string>& x_words;
};

admin_command user_command(
  const word_reader& words, const std::string& password_file) {
  auto what = words.at(1);
  json request{{"op", "user." + what}};
  if (what == "list") {
    words.need(2);
    return {std::move(request), {}, {}};
  }
  words.need(3);
  if (what == "import")
    return {{}, words.at(2), {}};
  request["user"] = words.at(2);
  if (what == "add" || what == "password") {
    if (password_file.empty())
      throw admin_wrong_usage{"--password-file is missing"};
    request["password"] = read_password(password_file);
  } else if (what != "remove" && what != "show") {
    throw_wrong_words({});
  }
  return {std::move(request), {}, {}};
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
    throw_wrong_words({});
  words.need(4);
  return {
    {{"op", "settings.set"}, {"name", words.at(2)}, {"value", words.at(3)}}, {},
    {}};
}

} // namespace

admin_command parse_admin_command(
  const std::vector<std::string>& given, const std::string& password_file) {
  word_reader words{given};
  auto verb = words.at(0);
  if (verb == "user")
    return user_command(words, password_file);
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
  throw_wrong_words({});
}

admin_refused refusal_of(const json& answer) {
  return {printable_line(answer.value("error", std::string{})) + ": "
    + printable(answer.value("text", std::string{}), "  ")};
}

namespace {

/// A failure says how far the import came.
json ask_for_rows(admin_socket& server, const json& rows, uint64_t added) {
  try {
    auto answer = server.ask({{"op", "user.import"}, {"rows", rows}});
    if (answer.contains("error"))
      throw refusal_of(answer);
    return answer;
  } catch (const admin_refused& e) {
    throw admin_refused{
      e.text + " (" + std::to_string(added) + " accounts made before)"};
  }
}

} // namespace

json import_users(admin_socket& server, const std::string& file) {
  auto in = open_file(file);
  import_file rows{in};
  uint64_t added = 0;
  auto refused = json::array();
  auto waiting = json::array();
  std::vector<uint64_t> lines;
  auto flush = [&] {
    if (waiting.empty())
      return;
    auto answer = ask_for_rows(server, waiting, added);
    added += answer.at("added").get<uint64_t>();
    for (auto& r : answer.at("refused")) {
      r["line"] = lines.at(r.at("index").get<size_t>());
      r.erase("index");
      refused.push_back(std::move(r));
    }
    waiting.clear();
    lines.clear();
  };
  auto is_text = [](const std::string& cell) { return is_utf8(cell); };
  while (auto row = rows.next()) {
    if (row->why.code == errc::none
      && !std::all_of(row->cells.begin(), row->cells.end(), is_text))
      row->why = failure{errc::bad_request, "the row is not written in UTF-8"};
    if (row->why.code != errc::none) {
      refused.push_back({{"line", row->line}, {"user", row->cells.front()},
        {"reason", to_string(row->why.code)}, {"text", row->why.text}});
      continue;
    }
    waiting.push_back(std::move(row->cells));
    lines.push_back(row->line);
    if (lines.size() == defaults::import_rows)
      flush();
  }
  if (in.bad())
    throw admin_refused{"cannot read on in " + file};
  flush();
  std::sort(refused.begin(), refused.end(),
    [](const json& a, const json& b) { return a.at("line") < b.at("line"); });
  return {{"added", added}, {"refused", std::move(refused)}};
}

} // namespace parley
