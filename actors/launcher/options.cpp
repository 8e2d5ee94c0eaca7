#include "actors/launcher/options.hpp"

#include <algorithm>

#include <cxxopts.hpp>
#include <toml++/toml.h>

#include "protocol/address.hpp"
#include "protocol/defaults.hpp"

namespace parley {

namespace {

/// A key of the file, its type checked.
template <class T>
result<void> take(const toml::table& file, const char* key, T& to) {
  auto node = file[key];
  if (!node)
    return {};
  auto value = node.value<T>();
  if (!value)
    return fail(
      errc::bad_request, std::string{key} + " in the file has the wrong type");
  to = *value;
  return {};
}

result<void> add_listener(serve_options& x, const std::string& text) {
  auto at = listen_address::parse(text);
  if (!at)
    return tl::unexpected(at.error());
  x.listen.push_back(std::move(*at));
  return {};
}

result<void> read_file(serve_options& x, const std::string& path) {
  toml::table file;
  try {
    file = toml::parse_file(path);
  } catch (const toml::parse_error& e) {
    return fail(
      errc::bad_request, path + ": " + std::string{e.description()});
  }
  static constexpr std::string_view known[] = {"data", "listen", "plain",
    "plain_anywhere", "domain", "certificate", "key", "threads", "spin_us",
    "user", "log"};
  for (const auto& [key, value] : file)
    if (std::find(std::begin(known), std::end(known), key.str())
      == std::end(known))
      return fail(errc::bad_request,
        path + ": there is no key '" + std::string{key.str()} + "'");
  int64_t threads = static_cast<int64_t>(x.threads);
  int64_t spin = x.spin.count();
  result<void> ok;
  auto all = [&ok](result<void> next) {
    if (ok)
      ok = std::move(next);
  };
  all(take(file, "data", x.data));
  all(take(file, "plain", x.plain));
  all(take(file, "plain_anywhere", x.plain_anywhere));
  all(take(file, "domain", x.domain));
  all(take(file, "certificate", x.certificate));
  all(take(file, "key", x.key));
  all(take(file, "threads", threads));
  all(take(file, "spin_us", spin));
  all(take(file, "user", x.user));
  all(take(file, "log", x.log));
  if (!ok)
    return ok;
  x.threads = threads > 0 ? static_cast<size_t>(threads) : 0;
  x.spin = std::chrono::microseconds{spin};
  if (auto list = file["listen"].as_array()) {
    for (const auto& node : *list)
      if (ok = add_listener(x, node.value_or(std::string{})); !ok)
        return ok;
  } else if (auto one = file["listen"].value<std::string>()) {
    return add_listener(x, *one);
  }
  return {};
}

result<void> check(serve_options& x) {
  if (x.data.empty())
    return fail(errc::bad_request, "--data DIR is missing");
  if (x.listen.empty())
    return fail(errc::bad_request, "--listen HOST:PORT is missing");
  if (x.threads < 1 || x.threads > defaults::threads_max)
    return fail(errc::bad_request,
      "threads must be 1 to " + std::to_string(defaults::threads_max));
  if (x.certificate.empty() != x.key.empty())
    return fail(
      errc::bad_request, "certificate and key are given together or not");
  if (auto domain = user_address::parse("x@" + x.domain); domain)
    x.domain = domain->domain();
  else
    return fail(errc::bad_request, "'" + x.domain + "' is no domain");
  if (x.plain && !x.plain_anywhere)
    for (const auto& at : x.listen)
      if (!at.is_loopback())
        return fail(errc::bad_request,
          "plain TCP is for loopback only, and " + at.str()
            + " is not; plain_anywhere = true in the file allows it");
  return {};
}

} // namespace

result<serve_options> serve_options::parse(
  int argc, char** argv, std::string& help) {
  serve_options x;
  cxxopts::Options spec{"parley serve", "Starts the server on a data folder."};
  spec.add_options()
    ("data", "the data folder, made if need be", cxxopts::value<std::string>(),
      "DIR")
    ("listen", "where clients connect; may be given more than once; port 0"
      " picks one", cxxopts::value<std::vector<std::string>>(), "HOST:PORT")
    ("plain", "TCP without TLS, on loopback")
    ("domain", "of user names without one", cxxopts::value<std::string>(), "D")
    ("config", "a TOML file", cxxopts::value<std::string>(), "FILE")
    ("user", "drop privileges to this user", cxxopts::value<std::string>(), "U")
    ("threads", "worker threads", cxxopts::value<size_t>(), "N")
    ("log", "debug, info, warn or error", cxxopts::value<std::string>(),
      "LEVEL")
    ("help", "this text");
  try {
    auto given = spec.parse(argc, argv);
    if (given.count("help")) {
      help = spec.help();
      return x;
    }
    if (!given.unmatched().empty())
      return fail(errc::bad_request,
        "what is '" + given.unmatched().front() + "'?");
    if (given.count("config"))
      if (auto ok = read_file(x, given["config"].as<std::string>()); !ok)
        return tl::unexpected(ok.error());
    if (given.count("data"))
      x.data = given["data"].as<std::string>();
    if (given.count("listen")) {
      x.listen.clear();
      for (const auto& text : given["listen"].as<std::vector<std::string>>())
        if (auto ok = add_listener(x, text); !ok)
          return tl::unexpected(ok.error());
    }
    x.plain |= given.count("plain") > 0;
    if (given.count("domain"))
      x.domain = given["domain"].as<std::string>();
    if (given.count("user"))
      x.user = given["user"].as<std::string>();
    if (given.count("threads"))
      x.threads = given["threads"].as<size_t>();
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
