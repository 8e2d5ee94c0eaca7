#include "actors/launcher/chat_options.hpp"

#include <cerrno>
#include <cstring>
#include <string_view>

#include <cxxopts.hpp>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include "protocol/defaults.hpp"

namespace parley::chat {

namespace {

cxxopts::Options description() {
  cxxopts::Options x("parley chat", "Talks to a Parley server.");
  x.add_options()("server", "The server", cxxopts::value<std::string>(),
    "HOST:PORT")("user", "Who you are", cxxopts::value<std::string>(),
    "USER@DOMAIN")("password-file",
    "Its first line is the password; - is standard input. Without it the "
    "terminal is asked",
    cxxopts::value<std::string>()->default_value(""), "FILE")("endpoint",
    "Under which name this client signs in; the server makes one if there is "
    "none",
    cxxopts::value<std::string>()->default_value(""),
    "NAME")("plain", "TCP without TLS")("ca",
    "Trust servers that these certificates (PEM) signed, not the system's",
    cxxopts::value<std::string>()->default_value(""),
    "FILE")("insecure", "TLS with whatever certificate the server has")(
    "jsonl", "A JSON object a line in and out, for scripts")(
    "no-ack", "Acknowledge no message: the server keeps them all")("history",
    "Keep the lines that you type in this file, if the server's policy "
    "im.client_history allows it",
    cxxopts::value<std::string>()->default_value(""),
    "FILE")("help", "This text");
  return x;
}

/// One line of an open file, byte by byte so that what follows it stays there.
result<std::string> first_line(int fd, std::string_view name) {
  std::string line;
  char c = 0;
  for (;;) {
    auto n = ::read(fd, &c, 1);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return fail(
        errc::bad_request, std::string{name} + ": " + std::strerror(errno));
    if (n == 0 || c == '\n') {
      // As another system ends lines; no password may have it.
      if (line.ends_with('\r'))
        line.pop_back();
      return line;
    }
    if (line.size() == defaults::password_max)
      return fail(errc::bad_request,
        std::string{name} + ": the first line is too long for a password");
    line += c;
  }
}

/// Asks without echo; only a terminal can be asked.
result<std::string> ask(const std::string& user) {
  auto fd = ::open("/dev/tty", O_RDWR | O_CLOEXEC);
  termios before{};
  if (fd < 0 || ::tcgetattr(fd, &before) != 0) {
    if (fd >= 0)
      ::close(fd);
    return fail(errc::bad_request,
      "there is no terminal to ask for the password: use --password-file");
  }
  auto quiet = before;
  quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  quiet.c_lflag |= ECHONL;
  auto question = "Password of " + user + ": ";
  static_cast<void>(::tcsetattr(fd, TCSAFLUSH, &quiet));
  static_cast<void>(!::write(fd, question.data(), question.size()));
  auto line = first_line(fd, "the terminal");
  static_cast<void>(::tcsetattr(fd, TCSAFLUSH, &before));
  ::close(fd);
  return line;
}

result<options> from(const cxxopts::ParseResult& given) {
  options x;
  if (given.count("help") > 0) {
    x.help = true;
    return x;
  }
  if (!given.unmatched().empty())
    return fail(errc::bad_request,
      "nobody knows what to do with " + given.unmatched().front());
  for (const char* name : {"server", "user"})
    if (given.count(name) == 0)
      return fail(errc::bad_request, "--" + std::string{name} + " is missing");
  auto ways = (given.count("plain") > 0) + (given.count("insecure") > 0)
    + (given.count("ca") > 0);
  if (ways > 1)
    return fail(
      errc::bad_request, "--plain, --ca and --insecure exclude each other");
  auto server = parse_server(given["server"].as<std::string>(), x.server);
  if (!server)
    return tl::unexpected{std::move(server.error())};
  using protection = client_options::protection;
  if (given.count("plain") > 0)
    x.server.transport = protection::plain;
  else if (given.count("insecure") > 0)
    x.server.transport = protection::tls_unverified;
  x.server.ca_file = given["ca"].as<std::string>();
  x.server.core.software = "parley-chat";
  x.server.core.follow_contacts = true;
  if (given.count("no-ack") > 0)
    x.server.core.acknowledge = acknowledging::manual;
  x.account.user = given["user"].as<std::string>();
  x.account.endpoint = given["endpoint"].as<std::string>();
  x.password_file = given["password-file"].as<std::string>();
  x.history_file = given["history"].as<std::string>();
  x.jsonl = given.count("jsonl") > 0;
  return x;
}

} // namespace

result<options> parse_options(int argc, char** argv) {
  try {
    return from(description().parse(argc, argv));
  } catch (const cxxopts::exceptions::exception& e) {
    return fail(errc::bad_request, e.what());
  }
}

std::string usage() {
  return description().help();
}

result<void> read_password(options& x) {
  result<std::string> line;
  if (x.password_file.empty()) {
    line = ask(x.account.user);
  } else if (x.password_file == "-") {
    line = first_line(STDIN_FILENO, "standard input");
  } else {
    auto fd = ::open(x.password_file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
      return fail(
        errc::bad_request, x.password_file + ": " + std::strerror(errno));
    line = first_line(fd, x.password_file);
    ::close(fd);
  }
  if (!line)
    return tl::unexpected{std::move(line.error())};
  if (line->empty())
    return fail(errc::bad_request, "the password is empty");
  x.account.password = std::move(*line);
  return {};
}

} // namespace parley::chat
