#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sched.h>
#include <sys/types.h>

#include "bench/link.hpp"
#include "bench/process.hpp"
#include "bench/session_pool.hpp"

namespace parley::bench {

/// A folder of its own, gone with all that is in it at the end.
class temporary_folder {
public:
  /// Below `root`. Throws std::system_error if it cannot be made.
  explicit temporary_folder(const std::string& root);
  ~temporary_folder();
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  const std::string& path() const noexcept { return x_path; }

private:
  std::string x_path;
};

/// What is done to a data folder before a server starts on it; may be empty.
using data_preparation = std::function<void(const std::string& folder)>;

/// How `parley serve` is started for a run.
struct server_settings {
  /// The executable.
  std::string parley;
  uint32_t threads = 1;
  /// Further arguments of `serve`.
  std::vector<std::string> arguments;
  /// Where its data folder is made; decides which disk is measured.
  std::string root;
  /// `--plain` is left out.
  bool tls = false;
  std::string domain;
  /// Whose listener `address` is.
  client_protocol protocol = client_protocol::native;
  data_preparation prepare = {};
  /// Absent: those of this process.
  std::optional<cpu_set_t> cpus = {};
};

/// A `parley serve` on a temporary folder and a port of its own, stopped with
/// this object. It tells every change of presence, however fast they come: what
/// one costs is measured. Not if the arguments name a configuration file. All
/// members throw std::runtime_error where the server does not do what it has
/// to.
class server_under_test {
public:
  explicit server_under_test(const server_settings& settings);
  ~server_under_test();

  const loopback_address& address() const noexcept { return x_address; }
  pid_t process() const noexcept { return x_server->id(); }
  const std::string& folder() const noexcept { return x_folder.path(); }

  /// Makes `count` users, see `write_users`.
  void import(
    const user_names& names, uint32_t count, const std::string& password) const;
  /// Changes a policy setting.
  void set(const std::string& name, const std::string& value) const;
  /// An orderly end; throws unless the server exits with 0 in time.
  void stop();

private:
  void admin(const std::vector<std::string>& arguments) const;

  std::string x_parley;
  temporary_folder x_folder;
  temporary_folder x_configuration;
  std::unique_ptr<child_process> x_server;
  loopback_address x_address;
};

/// Writes what `parley admin user import` reads: a row `user@domain,KEYS` for
/// each user, the keys ready (RFC 5803) and of one password and salt for all.
void write_users(std::ostream& out, const user_names& names, uint32_t count,
  const std::string& password);

/// A child process that runs the relay.
class relay_under_test {
public:
  /// Throws std::runtime_error if it does not start.
  explicit relay_under_test(
    uint32_t group, const std::optional<cpu_set_t>& cpus = {});

  const loopback_address& address() const noexcept { return x_address; }
  pid_t process() const noexcept { return x_process.id(); }

private:
  child_process x_process;
  loopback_address x_address;
};

/// How many single puts of `value_bytes` a second RocksDB does below `root`,
/// each synced: what the disk allows without group commit. Throws
/// std::runtime_error if RocksDB refuses.
double synced_puts_per_second(
  const std::string& root, size_t value_bytes, double seconds);

} // namespace parley::bench
