#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "bench/acquaintances.hpp"
#include "bench/corpus.hpp"
#include "bench/event_loop.hpp"
#include "bench/faults.hpp"
#include "bench/options.hpp"
#include "bench/report.hpp"
#include "bench/server_under_test.hpp"

namespace parley::bench {

/// What every scenario has: the loop, the bodies, the server (started or
/// found), and the report.
class bench_run {
public:
  /// Needs `users` users at a started server. Throws std::exception if there
  /// can be no run.
  bench_run(const options& what, uint32_t users, uint64_t connections);
  /// The server is started with these users and what they are to each other.
  bench_run(
    const options& what, const acquaintances& users, uint64_t connections);
  ~bench_run();
  bench_run(const bench_run&) = delete;
  bench_run& operator=(const bench_run&) = delete;

  event_loop& loop() noexcept { return x_loop; }
  fault_log& faults() noexcept { return x_faults; }
  const corpus& bodies() const noexcept { return x_bodies; }
  const id_maker& ids() const noexcept { return x_ids; }
  report& result() noexcept { return x_report; }

  /// Null with --relay-only.
  const target* server() const noexcept {
    return x_server_target ? &*x_server_target : nullptr;
  }
  /// Starts a relay for groups of so many connections, once.
  const target& start_relay(uint32_t group);

  /// CPU of the server (the relay) and of this process until now; absent if
  /// nobody said which process the server is.
  std::optional<int64_t> server_cpu() const;
  std::optional<int64_t> relay_cpu() const;
  std::optional<uint64_t> server_memory() const;
  /// Changes a policy setting of a started server; else does nothing.
  void set(const std::string& name, uint64_t value);

  /// Stops what was started, prints the report; the exit code.
  int end();

private:
  bench_run(
    const options& what, uint64_t connections, data_preparation prepare);

  void keep_apart();

  const options& x_options;
  event_loop x_loop;
  fault_log x_faults;
  corpus x_bodies;
  id_maker x_ids;
  report x_report;
  secret_cache x_secrets;
  tls_client x_tls;
  /// Of what is started; absent: any.
  std::optional<cpu_set_t> x_cpus;
  std::unique_ptr<server_under_test> x_server;
  std::unique_ptr<relay_under_test> x_relay;
  std::optional<target> x_server_target;
  std::optional<target> x_relay_target;
};

} // namespace parley::bench
