#include "actors/launcher/admin.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <cxxopts.hpp>
#include <nlohmann/json.hpp>

#include "actors/launcher/admin_commands.hpp"
#include "actors/launcher/admin_files.hpp"
#include "actors/launcher/admin_printing.hpp"
#include "actors/launcher/admin_socket.hpp"
#include "actors/launcher/printable.hpp"
#include "protocol/defaults.hpp"

namespace parley {

using nlohmann::json;

namespace {

/// A command line in two: what cxxopts reads, and the words of the command. It
/// would take -1 for an option, and cut a,b in two.
struct split_line {
  std::vector<const char*> options;
  std::vector<std::string> words;
  bool as_json = false;

  split_line(int argc, char** argv) : options{argv[0]} {
    bool only_words = false;
    for (int i = 1; i < argc; ++i) {
      std::string_view x = argv[i];
      if (x == "--" && !only_words) {
        only_words = true;
      } else if (only_words || !x.starts_with("--")) {
        words.emplace_back(x);
      } else {
        options.push_back(argv[i]);
        as_json |= x == "--json";
        bool has_value = x == "--data" || x == "--password-file"
          || x == "--from" || x == "--as";
        if (has_value && i + 1 < argc)
          options.push_back(argv[++i]);
      }
    }
  }
};

int run_import(
  admin_socket& server, const admin_command& command, bool as_json) {
  auto op = command.request.at("op").get<std::string>();
  auto done = import_file_of(server, op, command.import_from);
  if (as_json)
    std::puts(json_line(done).c_str());
  else
    print_import(done, op);
  return done.at("refused").empty() ? 0 : 1;
}

int run_export(
  admin_socket& server, const admin_command& command, bool as_json) {
  bool to_file = command.export_to != "-";
  if (as_json && !to_file)
    throw admin_wrong_usage{"--json of an export needs a file"};
  auto done = export_contacts(server, command.request, command.export_to);
  if (as_json)
    std::puts(json_line(done).c_str());
  else if (to_file)
    print_admin_answer(done, "contacts.export");
  return 0;
}

void show_setting(const json& settings, const std::string& name, bool as_json) {
  for (const auto& s : settings)
    if (s.at("name") == name) {
      auto value = printable_line(s.at("value").get<std::string>());
      std::puts(as_json ? json_line(s).c_str() : value.c_str());
      return;
    }
  throw admin_refused{to_string(errc::bad_request),
    "there is no setting '" + printable_line(name)
      + "'; `settings list` has them all"};
}

int run(const cxxopts::ParseResult& given,
  const std::vector<std::string>& words, bool as_json) {
  if (!given.count("data"))
    throw admin_wrong_usage{"--data DIR is missing"};
  auto command =
    parse_admin_command(words, given["password-file"].as<std::string>(),
      given["from"].as<std::string>(), given["as"].as<std::string>());
  admin_socket server{
    given["data"].as<std::string>(), defaults::admin_answer_patience};
  if (!command.import_from.empty())
    return run_import(server, command, as_json);
  if (!command.export_to.empty())
    return run_export(server, command, as_json);
  auto answer = server.ask(command.request);
  if (answer.contains("error"))
    throw admin_refused{std::move(answer)};
  if (!command.setting.empty())
    show_setting(answer.at("settings"), command.setting, as_json);
  else if (as_json)
    std::puts(json_line(answer).c_str());
  else
    print_admin_answer(answer, command.request.at("op"));
  return 0;
}

constexpr int refused = 1;
constexpr int wrong_usage = 2;

/// For a person on standard error; for a script, too, as the answer.
int complain(const admin_refused& why, bool as_json, int exit_code) {
  if (as_json)
    std::puts(json_line(why.answer).c_str());
  else if (why.answer.contains("refused"))
    print_refused_rows(why.answer);
  bool is_of_disk = why.text.starts_with("store_");
  std::fprintf(stderr, "parley admin: %s%s\n", why.text.c_str(),
    is_of_disk ? "\nSee: parley admin --data DIR troubleshoot" : "");
  return exit_code;
}

/// `exit_code`, if the answer got where it was to go.
int written(int exit_code) {
  const int error = std::fflush(stdout) == 0 ? 0 : errno;
  if (error == 0 && std::ferror(stdout) == 0)
    return exit_code;
  std::fprintf(stderr, "parley admin: the answer cannot be written%s%s\n",
    error != 0 ? ": " : "", error != 0 ? std::strerror(error) : "");
  return refused;
}

int complain(const admin_wrong_usage& why, bool as_json) {
  admin_refused x{to_string(why.reason), why.text};
  x.text += why.more;
  return complain(x, as_json, wrong_usage);
}

} // namespace

int admin_main(int argc, char** argv) {
  cxxopts::Options spec{"parley admin", "Operates a running server."};
  spec.add_options()("data", "the server's data folder",
    cxxopts::value<std::string>(), "DIR")("password-file",
    "its first line is the password; - is standard input",
    cxxopts::value<std::string>()->default_value(""), "F")("from",
    "of a trace: the sender", cxxopts::value<std::string>()->default_value(""),
    "USER@DOMAIN")("as", "of a user who is shown: who looks",
    cxxopts::value<std::string>()->default_value(""),
    "USER@DOMAIN")("json", "for scripts")("help", "this text");
  spec.positional_help("COMMAND …");
  split_line line{argc, argv};
  try {
    auto given =
      spec.parse(static_cast<int>(line.options.size()), line.options.data());
    if (given.count("help")) {
      std::printf("%s%s", spec.help().c_str(), admin_command_list);
      return 0;
    }
    return written(run(given, line.words, line.as_json));
  } catch (const cxxopts::exceptions::exception& e) {
    return complain(admin_wrong_usage{e.what()}, line.as_json);
  } catch (const admin_wrong_usage& e) {
    return complain(e, line.as_json);
  } catch (const admin_refused& e) {
    return complain(e, line.as_json, refused);
  } catch (const json::exception&) {
    return complain(
      {"bad_answer", "the server's answer is not what was expected"},
      line.as_json, refused);
  }
}

} // namespace parley
