#include "actors/launcher/options.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <type_traits>

#include <cxxopts.hpp>
#include <toml++/toml.h>

#include "protocol/address.hpp"
#include "protocol/defaults.hpp"
#include "protocol/defaults_memory.hpp"

namespace parley {

namespace {

using listeners = std::vector<listen_address>;

result<void> add_listener(listeners& to, const std::string& text) {
  auto at = listen_address::parse(text);
  if (!at)
    return tl::unexpected(at.error());
  to.push_back(std::move(*at));
  return {};
}

result<void> set_metrics(serve_options& x, const std::string& text) {
  auto at = listen_address::parse(text);
  if (!at)
    return tl::unexpected(at.error());
  x.metrics = std::move(*at);
  return {};
}

/// Reads a TOML file key by key; what it finds wrong names the file's line.
class file_reader {
public:
  file_reader(const toml::table& file, const std::string& path)
    : x_file(file), x_path(path) {}

  /// Takes over the key's value if it is there.
  template <class T>
  void take(std::string_view key, T& to) {
    x_known.push_back(key);
    const auto* node = x_file.get(key);
    if (!node)
      return;
    if (auto value = node->value_exact<T>())
      to = std::move(*value);
    else
      complain(*node, std::string{key} + " is to be " + kind_of<T>());
  }

  /// Calls `set` with the key's value if it is there.
  void take_number(std::string_view key, int64_t min, int64_t max, auto set) {
    x_known.push_back(key);
    const auto* node = x_file.get(key);
    if (!node)
      return;
    auto n = node->value_exact<int64_t>();
    if (n && *n >= min && *n <= max)
      set(*n);
    else
      complain(*node,
        std::string{key} + " is to be a whole number from "
          + std::to_string(min) + " to " + std::to_string(max));
  }

  /// A text, or a list of texts.
  void take_listeners(std::string_view key, listeners& to) {
    x_known.push_back(key);
    const auto* node = x_file.get(key);
    if (!node)
      return;
    if (const auto* list = node->as_array())
      for (const auto& one : *list)
        take_listener(key, one, to);
    else
      take_listener(key, *node, to);
  }

  /// One text, for a function that may refuse it.
  void take_metrics(std::string_view key, serve_options& to) {
    std::string text;
    take(key, text);
    if (text.empty())
      return;
    if (auto ok = set_metrics(to, text); !ok)
      complain(*x_file.get(key), ok.error().text);
  }

  /// Once all keys are taken: what is wrong first, if anything is.
  result<void> end() {
    for (const auto& [key, node] : x_file)
      if (std::find(x_known.begin(), x_known.end(), key.str()) == x_known.end())
        complain(node, "there is no key '" + std::string{key.str()} + "'");
    if (!x_wrong)
      return {};
    return fail(errc::bad_request,
      x_path + ", line " + std::to_string(x_wrong->first) + ": "
        + x_wrong->second);
  }

private:
  template <class T>
  static constexpr const char* kind_of() {
    return std::is_same_v<T, bool> ? "true or false" : "a text in quotes";
  }

  void take_listener(
    std::string_view key, const toml::node& node, listeners& to) {
    auto text = node.value_exact<std::string>();
    if (!text)
      return complain(
        node, std::string{key} + " is to be \"HOST:PORT\", or a list of such");
    if (auto ok = add_listener(to, *text); !ok)
      complain(node, ok.error().text);
  }

  /// The topmost in the file is told.
  void complain(const toml::node& at, std::string what) {
    auto line = static_cast<uint64_t>(at.source().begin.line);
    if (!x_wrong || line < x_wrong->first)
      x_wrong = {line, std::move(what)};
  }

  const toml::table& x_file;
  const std::string& x_path;
  std::vector<std::string_view> x_known;
  std::optional<std::pair<uint64_t, std::string>> x_wrong;
};

result<void> read_file(serve_options& x, const std::string& path) {
  toml::table file;
  try {
    file = toml::parse_file(path);
  } catch (const toml::parse_error& e) {
    auto line = e.source().begin.line;
    return fail(errc::bad_request,
      path + (line > 0 ? ", line " + std::to_string(line) : std::string{})
        + ": " + std::string{e.description()});
  }
  file_reader from{file, path};
  from.take("data", x.data);
  from.take_listeners("listen", x.listen);
  from.take_listeners("xmpp", x.xmpp);
  from.take_listeners("xmpp_ws", x.xmpp_ws);
  from.take("plain", x.plain);
  from.take("plain_anywhere", x.plain_anywhere);
  from.take("domain", x.domain);
  from.take("certificate", x.certificate);
  from.take("key", x.key);
  from.take_number("threads", 1, defaults::threads_max,
    [&x](int64_t n) { x.threads = static_cast<size_t>(n); });
  from.take_number("spin_us", 0, defaults::spin_max_us,
    [&x](int64_t n) { x.spin = std::chrono::microseconds{n}; });
  from.take_metrics("metrics", x);
  from.take("metrics_anywhere", x.metrics_anywhere);
  from.take_number("trace_ims", 0, defaults::trace_ims_max,
    [&x](int64_t n) { x.traced_ims = static_cast<size_t>(n); });
  from.take_number("presence_rate", 0, defaults::presence_rate_max,
    [&x](int64_t n) { x.presence_rate = static_cast<double>(n); });
  from.take_number("memory_mib", defaults::memory_budget_min_mib,
    defaults::memory_budget_max_mib,
    [&x](int64_t n) { x.memory_mib = static_cast<uint64_t>(n); });
  from.take("user", x.user);
  from.take("log", x.log);
  return from.end();
}

result<void> check(serve_options& x) {
  if (x.data.empty())
    return fail(errc::bad_request, "--data DIR is missing");
  if (x.listen.empty())
    return fail(errc::bad_request, "--listen HOST:PORT is missing");
  if (x.threads < 1 || x.threads > defaults::threads_max)
    return fail(errc::bad_request,
      "threads must be 1 to " + std::to_string(defaults::threads_max));
  constexpr std::array<std::string_view, 4> levels{
    "debug", "info", "warn", "error"};
  if (std::find(levels.begin(), levels.end(), x.log) == levels.end())
    return fail(errc::bad_request,
      "'" + x.log + "' is no log level; they are debug, info, warn and error");
  if (x.certificate.empty() != x.key.empty())
    return fail(
      errc::bad_request, "certificate and key are given together or not");
  if (auto domain = user_address::parse("x@" + x.domain); domain)
    x.domain = domain->domain();
  else
    return fail(errc::bad_request, "'" + x.domain + "' is no domain");
  if (x.plain && !x.plain_anywhere)
    for (const auto* all : {&x.listen, &x.xmpp, &x.xmpp_ws})
      for (const auto& at : *all)
        if (!at.is_loopback())
          return fail(errc::bad_request,
            "plain TCP is for loopback only, and " + at.str()
              + " is not; plain_anywhere = true in the file allows it");
  if (x.metrics && !x.metrics_anywhere && !x.metrics->is_loopback())
    return fail(errc::bad_request,
      "metrics are for loopback only, and " + x.metrics->str()
        + " is not; metrics_anywhere = true in the file allows it");
  return {};
}

} // namespace

result<serve_options> serve_options::parse(
  int argc, char** argv, std::string& help) {
  serve_options x;
  cxxopts::Options spec{"parley serve", "Starts the server on a data folder."};
  spec.add_options()("data", "the data folder, made if need be",
    cxxopts::value<std::string>(), "DIR")("listen",
    "where clients connect; may be given more than once; port 0"
    " picks one",
    cxxopts::value<std::vector<std::string>>(), "HOST:PORT")("xmpp",
    "where clients of XMPP connect; may be given more than once; port 0 picks"
    " one",
    cxxopts::value<std::vector<std::string>>(),
    "HOST:PORT")("xmpp-ws", "the same over WebSocket, on the path /xmpp",
    cxxopts::value<std::vector<std::string>>(),
    "HOST:PORT")("plain", "TCP without TLS, on loopback")("domain",
    "the server's; a client may leave it out when it signs in",
    cxxopts::value<std::string>(),
    "D")("config", "a TOML file", cxxopts::value<std::string>(), "FILE")("user",
    "drop privileges to this user", cxxopts::value<std::string>(),
    "U")("threads", "worker threads", cxxopts::value<size_t>(), "N")("metrics",
    "where Prometheus reads /metrics, on loopback; also /healthz and /readyz",
    cxxopts::value<std::string>(), "HOST:PORT")("log",
    "debug, info, warn or error", cxxopts::value<std::string>(),
    "LEVEL")("help", "this text");
  try {
    auto given = spec.parse(argc, argv);
    if (given.count("help")) {
      help = spec.help();
      return x;
    }
    if (!given.unmatched().empty())
      return fail(
        errc::bad_request, "what is '" + given.unmatched().front() + "'?");
    if (given.count("config"))
      if (auto ok = read_file(x, given["config"].as<std::string>()); !ok)
        return tl::unexpected(ok.error());
    if (given.count("data"))
      x.data = given["data"].as<std::string>();
    for (auto [name, to] : {std::pair{"listen", &x.listen},
           std::pair{"xmpp", &x.xmpp}, std::pair{"xmpp-ws", &x.xmpp_ws}})
      if (given.count(name)) {
        to->clear();
        for (const auto& text : given[name].as<std::vector<std::string>>())
          if (auto ok = add_listener(*to, text); !ok)
            return tl::unexpected(ok.error());
      }
    x.plain |= given.count("plain") > 0;
    if (given.count("domain"))
      x.domain = given["domain"].as<std::string>();
    if (given.count("user"))
      x.user = given["user"].as<std::string>();
    if (given.count("threads"))
      x.threads = given["threads"].as<size_t>();
    if (given.count("metrics"))
      if (auto ok = set_metrics(x, given["metrics"].as<std::string>()); !ok)
        return tl::unexpected(ok.error());
    if (given.count("log"))
      x.log = given["log"].as<std::string>();
  } catch (const cxxopts::exceptions::exception& e) {
    return fail(errc::bad_request, e.what());
  }
  if (auto ok = check(x); !ok)
    return tl::unexpected(ok.error());
  return x;
}

} // namespace parley
