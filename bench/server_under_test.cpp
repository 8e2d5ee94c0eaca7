#include "bench/server_under_test.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>

#include <rocksdb/db.h>
#include <unistd.h>

#include "bench/clock.hpp"
#include "bench/limits.hpp"
#include "bench/scram.hpp"

namespace parley::bench {

namespace {

/// The address in the line `KIND HOST:PORT`, or else in the line `ready`, which
/// is the last; other lines are passed over.
loopback_address wait_ready(
  child_process& process, std::string_view kind = "ready ") {
  const int64_t deadline = now_ns() + to_ns(limits::start_deadline);
  constexpr std::string_view ready = "ready ";
  std::optional<loopback_address> found;
  while (const auto line = process.read_line(deadline)) {
    if (line->starts_with(kind))
      found = loopback_address::parse(line->substr(kind.size()));
    if (line->starts_with(ready) && found)
      return *found;
  }
  throw std::runtime_error{
    "the process that was to be measured does not get ready"};
}

std::vector<std::string> serve(const server_settings& settings,
  const std::string& folder, const std::string& configuration) {
  std::vector<std::string> out{settings.parley, "serve", "--data", folder,
    "--listen", "127.0.0.1:0", "--domain", settings.domain, "--threads",
    std::to_string(settings.threads), "--log", "warn"};
  if (!settings.tls)
    out.emplace_back("--plain");
  if (settings.protocol == client_protocol::xmpp)
    out.insert(out.end(), {"--xmpp", "127.0.0.1:0"});
  const auto& more = settings.arguments;
  out.insert(out.end(), more.begin(), more.end());
  if (std::find(more.begin(), more.end(), "--config") == more.end()) {
    const auto file = configuration + "/parley.toml";
    std::ofstream{file} << "presence_rate = 0\n";
    out.insert(out.end(), {"--config", file});
  }
  return out;
}

} // namespace

temporary_folder::temporary_folder(const std::string& root)
  : x_path(root + "/parley-bench-XXXXXX") {
  if (!::mkdtemp(x_path.data()))
    throw std::system_error{errno, std::generic_category(), root};
}

temporary_folder::~temporary_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(x_path, ignored);
}

server_under_test::server_under_test(const server_settings& settings)
  : x_parley(settings.parley),
    x_folder(settings.root),
    x_configuration(settings.root) {
  if (::access(x_parley.c_str(), X_OK) != 0)
    throw std::runtime_error{x_parley + " cannot be executed"};
  if (settings.prepare)
    settings.prepare(x_folder.path());
  x_server = std::make_unique<child_process>(
    serve(settings, x_folder.path(), x_configuration.path()), settings.cpus);
  x_address = wait_ready(
    *x_server, settings.protocol == client_protocol::xmpp ? "xmpp " : "ready ");
}

server_under_test::~server_under_test() = default;

void server_under_test::import(
  const user_names& names, uint32_t count, const std::string& password) const {
  const auto file = x_folder.path() + "/users.csv";
  {
    std::ofstream out{file};
    write_users(out, names, count, password);
  }
  admin({"user", "import", file});
  std::filesystem::remove(file);
}

void server_under_test::set(
  const std::string& name, const std::string& value) const {
  admin({"settings", "set", name, value});
}

void server_under_test::stop() {
  const int code = x_server->stop(now_ns() + to_ns(limits::stop_deadline));
  if (code != 0)
    throw std::runtime_error{
      "the server ended with code " + std::to_string(code)};
}

void server_under_test::admin(const std::vector<std::string>& arguments) const {
  std::vector<std::string> all{x_parley, "admin", "--data", x_folder.path()};
  all.insert(all.end(), arguments.begin(), arguments.end());
  child_process process{all};
  const auto code = process.wait(now_ns() + to_ns(limits::import_deadline));
  if (code != 0)
    throw std::runtime_error{"parley admin " + arguments[0] + " " + arguments[1]
      + " ended with code "
      + (code ? std::to_string(*code) : std::string{"nothing, it hangs"})};
}

void write_users(std::ostream& out, const user_names& names, uint32_t count,
  const std::string& password) {
  constexpr std::string_view salt = "parley-bench salt";
  std::string keys;
  for (const auto hash : {scram_hash::sha1, scram_hash::sha256}) {
    keys += hash == scram_hash::sha1 ? "" : ",";
    keys +=
      rfc5803(derive_secret(password, salt, limits::scram_iterations, hash),
        salt, limits::scram_iterations, hash);
  }
  for (uint32_t i = 0; i < count; ++i)
    out << names.user(i) << ',' << keys << '\n';
}

relay_under_test::relay_under_test(
  uint32_t group, const std::optional<cpu_set_t>& cpus)
  : x_process({own_path(), "relay", "--group", std::to_string(group)}, cpus),
    x_address(wait_ready(x_process)) {}

double synced_puts_per_second(
  const std::string& root, size_t value_bytes, double seconds) {
  const temporary_folder folder{root};
  const auto check = [](const rocksdb::Status& status) {
    if (!status.ok())
      throw std::runtime_error{"RocksDB says " + status.ToString()};
  };
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* opened = nullptr;
  check(rocksdb::DB::Open(options, folder.path(), &opened));
  const std::unique_ptr<rocksdb::DB> db{opened};
  rocksdb::WriteOptions write;
  write.sync = true;
  std::string const value(value_bytes, 'v');
  const int64_t start = now_ns();
  const int64_t end = start + seconds_to_ns(seconds);
  uint64_t puts = 0;
  for (; now_ns() < end; ++puts)
    check(db->Put(write, "key" + std::to_string(puts), value));
  return static_cast<double>(puts) / ns_to_seconds(now_ns() - start);
}

} // namespace parley::bench
