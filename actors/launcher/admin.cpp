#include "actors/launcher/admin.hpp"

#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cxxopts.hpp>
#include <nlohmann/json.hpp>

#include "protocol/defaults.hpp"

namespace parley {

namespace {

using nlohmann::json;

constexpr auto commands = R"(
  user add USER@DOMAIN --password-file F     makes an account (F may be -)
  user password USER@DOMAIN --password-file F
  user remove USER@DOMAIN                    and all that waits for it
  user list
  user show USER@DOMAIN
  user import FILE                           rows user@domain,password or SCRAM
                                             keys as in RFC 5803
  settings list | get NAME | set NAME VALUE
  sessions
  kick USER@DOMAIN[/ENDPOINT]
  audit [MAX]
)";

struct wrong_usage {
  std::string text;
};

struct refused {
  std::string text;
};

/// The socket of a running server.
class admin_socket {
public:
  explicit admin_socket(const std::string& folder) {
    auto path = folder + "/admin.sock";
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    if (path.size() >= sizeof(at.sun_path))
      throw refused{"the path is too long: " + path};
    path.copy(at.sun_path, sizeof(at.sun_path) - 1);
    x_fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (x_fd < 0
      || ::connect(x_fd, reinterpret_cast<const sockaddr*>(&at), sizeof(at))
        != 0)
      throw refused{"no server runs on " + folder + " that you may operate ("
        + std::strerror(errno) + ")"};
  }

  ~admin_socket() { ::close(x_fd); }
  admin_socket(const admin_socket&) = delete;
  admin_socket& operator=(const admin_socket&) = delete;

  json ask(const json& what) {
    auto line = what.dump(-1, ' ', false, json::error_handler_t::replace);
    line += '\n';
    for (std::string_view rest = line; !rest.empty();) {
      auto n = ::send(x_fd, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (n <= 0)
        throw refused{"the server closed the connection"};
      rest.remove_prefix(static_cast<size_t>(n));
    }
    size_t end = 0;
    while ((end = x_in.find('\n')) == x_in.npos) {
      char buffer[64 * 1024];
      auto n = ::recv(x_fd, buffer, sizeof(buffer), 0);
      if (n <= 0)
        throw refused{"the server closed the connection"};
      x_in.append(buffer, static_cast<size_t>(n));
    }
    auto answer = json::parse(x_in.substr(0, end), nullptr, false);
    x_in.erase(0, end + 1);
    if (!answer.is_object())
      throw refused{"the server's answer is no JSON"};
    return answer;
  }

private:
  int x_fd = -1;
  std::string x_in;
};

std::string read_password(const std::string& file) {
  std::string line;
  if (file == "-") {
    std::getline(std::cin, line);
    return line;
  }
  std::ifstream in{file};
  if (!in)
    throw refused{"cannot read " + file};
  std::getline(in, line);
  return line;
}

std::string date_of(const json& ms) {
  auto t = static_cast<std::time_t>(ms.get<int64_t>() / 1000);
  std::tm utc{};
  gmtime_r(&t, &utc);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

std::string cell_of(const std::string& key, const json& x) {
  if (key.ends_with("_ms"))
    return date_of(x);
  return x.is_string() ? x.get<std::string>() : x.dump();
}

/// A table for people: the named columns of an array of objects.
void print_table(const json& rows, const std::vector<std::string>& columns) {
  std::vector<size_t> widths;
  auto title = [](const std::string& c) {
    return c.ends_with("_ms") ? c.substr(0, c.size() - 3) : c;
  };
  for (const auto& c : columns) {
    auto width = title(c).size();
    for (const auto& r : rows)
      width = std::max(width, cell_of(c, r[c]).size());
    widths.push_back(width);
  }
  auto line = [&](auto cell) {
    std::string text;
    for (size_t i = 0; i < columns.size(); ++i) {
      auto x = cell(columns[i]);
      text += x;
      if (i + 1 < columns.size())
        text.append(widths[i] - x.size() + 2, ' ');
    }
    std::puts(text.c_str());
  };
  line(title);
  for (const auto& r : rows)
    line([&r](const std::string& c) { return cell_of(c, r[c]); });
}

void print(const json& answer, const std::string& op) {
  if (op == "user.list") {
    for (const auto& u : answer["users"])
      std::puts(u.get<std::string>().c_str());
  } else if (op == "settings.list") {
    print_table(
      answer["settings"], {"name", "value", "default", "range", "text"});
  } else if (op == "settings.set") {
    std::printf("%s: %s, was %s\n", answer["name"].get<std::string>().c_str(),
      answer["value"].get<std::string>().c_str(),
      answer["before"].get<std::string>().c_str());
  } else if (op == "sessions" || op == "user.show") {
    print_table(answer["sessions"],
      {"user", "endpoint", "state", "show", "priority", "transport", "peer",
        "software", "since_ms"});
  } else if (op == "audit") {
    print_table(answer["audit"], {"when_ms", "who", "what", "from", "to"});
  } else if (op == "kick") {
    std::printf("%s sessions ended\n", answer["ended"].dump().c_str());
  }
}

std::vector<std::string> split_row(const std::string& line) {
  std::vector<std::string> cells;
  size_t start = 0;
  // The user's part has no comma; SCRAM keys in base64 have none either.
  for (auto end = line.find(','); end != line.npos;
       end = line.find(',', start)) {
    cells.push_back(line.substr(start, end - start));
    start = end + 1;
    if (line.compare(start, 6, "SCRAM-") != 0)
      break; // a password may have commas
  }
  cells.push_back(line.substr(start));
  return cells;
}

json import_users(admin_socket& server, const std::string& file) {
  std::ifstream in{file};
  if (!in)
    throw refused{"cannot read " + file};
  json total{{"added", 0}, {"refused", json::array()}};
  auto rows = json::array();
  auto flush = [&] {
    if (rows.empty())
      return;
    auto answer = server.ask({{"op", "user.import"}, {"rows", rows}});
    rows = json::array();
    if (answer.contains("error"))
      throw refused{answer["error"].get<std::string>() + ": "
        + answer["text"].get<std::string>()};
    total["added"] =
      total["added"].get<uint64_t>() + answer["added"].get<uint64_t>();
    for (auto& r : answer["refused"])
      total["refused"].push_back(std::move(r));
  };
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line.back() == '\r')
      line.pop_back();
    if (line.empty())
      continue;
    rows.push_back(split_row(line));
    if (rows.size() == defaults::import_rows)
      flush();
  }
  flush();
  return total;
}

struct request {
  json what;
  /// For `settings get`: the one that is wanted.
  std::string only;
};

request request_of(
  const std::vector<std::string>& words, const std::string& password_file) {
  auto word = [&words](size_t i) {
    return i < words.size() ? words[i] : std::string{};
  };
  auto need = [&](size_t n) {
    if (words.size() != n)
      throw wrong_usage{
        "wrong number of words; the commands are:" + std::string{commands}};
  };
  auto verb = word(0);
  if (verb == "user") {
    auto what = word(1);
    if (what == "list") {
      need(2);
      return {{{"op", "user.list"}}, {}};
    }
    need(3);
    if (what == "add" || what == "password") {
      if (password_file.empty())
        throw wrong_usage{"--password-file is missing"};
      return {{{"op", "user." + what}, {"user", word(2)},
                {"password", read_password(password_file)}},
        {}};
    }
    if (what == "remove" || what == "show")
      return {{{"op", "user." + what}, {"user", word(2)}}, {}};
  } else if (verb == "settings") {
    if (word(1) == "list") {
      need(2);
      return {{{"op", "settings.list"}}, {}};
    }
    if (word(1) == "get") {
      need(3);
      return {{{"op", "settings.list"}}, word(2)};
    }
    if (word(1) == "set") {
      need(4);
      return {
        {{"op", "settings.set"}, {"name", word(2)}, {"value", word(3)}}, {}};
    }
  } else if (verb == "sessions") {
    need(1);
    return {{{"op", "sessions"}}, {}};
  } else if (verb == "kick") {
    need(2);
    return {{{"op", "kick"}, {"user", word(1)}}, {}};
  } else if (verb == "audit") {
    json x{{"op", "audit"}};
    if (words.size() == 2)
      x["max"] = std::strtoull(word(1).c_str(), nullptr, 10);
    else
      need(1);
    return {std::move(x), {}};
  }
  throw wrong_usage{"the commands are:" + std::string{commands}};
}

int run(const cxxopts::ParseResult& given) {
  if (!given.count("data"))
    throw wrong_usage{"--data DIR is missing"};
  auto words = given.count("words")
    ? given["words"].as<std::vector<std::string>>()
    : std::vector<std::string>{};
  bool as_json = given.count("json") > 0;
  bool import = words.size() == 3 && words[0] == "user" && words[1] == "import";
  request what;
  if (!import)
    what = request_of(words, given["password-file"].as<std::string>());
  admin_socket server{given["data"].as<std::string>()};
  json answer;
  if (import) {
    answer = import_users(server, words[2]);
    if (!as_json) {
      for (const auto& r : answer["refused"])
        std::fprintf(stderr, "refused %s: %s %s\n",
          r["row"].at(0).dump().c_str(), r["reason"].get<std::string>().c_str(),
          r["text"].get<std::string>().c_str());
      std::printf("%s accounts made, %zu rows refused\n",
        answer["added"].dump().c_str(), answer["refused"].size());
    }
  } else {
    answer = server.ask(what.what);
  }
  if (answer.contains("error")) {
    if (as_json)
      std::puts(answer.dump().c_str());
    throw refused{answer["error"].get<std::string>() + ": "
      + answer.value("text", std::string{})};
  }
  if (!what.only.empty()) {
    for (const auto& s : answer["settings"])
      if (s["name"] == what.only) {
        std::puts(
          as_json ? s.dump().c_str() : s["value"].get<std::string>().c_str());
        return 0;
      }
    throw refused{"there is no setting '" + what.only + "'"};
  }
  if (as_json)
    std::puts(answer.dump().c_str());
  else if (!import)
    print(answer, what.what["op"].get<std::string>());
  return import && !answer["refused"].empty() ? 1 : 0;
}

} // namespace

int admin_main(int argc, char** argv) {
  cxxopts::Options spec{"parley admin", "Operates a running server."};
  spec.add_options()("data", "the server's data folder",
    cxxopts::value<std::string>(), "DIR")("password-file",
    "its first line is the password; - is standard input",
    cxxopts::value<std::string>()->default_value(""),
    "F")("json", "for scripts")("help", "this text")(
    "words", "", cxxopts::value<std::vector<std::string>>());
  spec.parse_positional({"words"});
  spec.positional_help("COMMAND …");
  try {
    auto given = spec.parse(argc, argv);
    if (given.count("help")) {
      std::printf("%s%s", spec.help().c_str(), commands);
      return 0;
    }
    return run(given);
  } catch (const cxxopts::exceptions::exception& e) {
    std::fprintf(stderr, "parley admin: %s\n", e.what());
    return 2;
  } catch (const wrong_usage& e) {
    std::fprintf(stderr, "parley admin: %s\n", e.text.c_str());
    return 2;
  } catch (const refused& e) {
    std::fprintf(stderr, "parley admin: %s\n", e.text.c_str());
    return 1;
  }
}

} // namespace parley
