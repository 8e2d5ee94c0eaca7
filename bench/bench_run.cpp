#include "bench/bench_run.hpp"

#include <random>
#include <stdexcept>

#include "bench/cpus.hpp"

namespace parley::bench {

namespace {

void check_descriptors(uint64_t connections) {
  const uint64_t limit = raise_descriptor_limit();
  if (connections + limits::spare_descriptors > limit)
    throw std::runtime_error{std::to_string(connections)
      + " connections need more open files than the limit of this process, "
      + std::to_string(limit) + " (ulimit -n)"};
}

} // namespace

bench_run::bench_run(const options& what, uint32_t users, uint64_t connections)
  : bench_run(what, connections, data_preparation{}) {
  if (x_server)
    x_server->import(what.names, users, what.password);
}

bench_run::bench_run(
  const options& what, const acquaintances& users, uint64_t connections)
  : bench_run(
    what, connections, data_preparation{[&](const std::string& folder) {
      users.write(folder, what.names, what.password);
    }}) {}

bench_run::bench_run(
  const options& what, uint64_t connections, data_preparation prepare)
  : x_options(what),
    x_bodies(what.body, what.seed),
    x_ids(std::random_device{}()),
    x_report(what.scenario) {
  check_descriptors(connections);
  if (what.apart != options::placing::together)
    keep_apart();
  if (what.start_server) {
    x_server =
      std::make_unique<server_under_test>(server_settings{.parley = what.parley,
        .threads = what.threads,
        .arguments = what.server_arguments,
        .root = what.root,
        .tls = what.tls,
        .domain = what.names.domain,
        .protocol = what.protocol,
        .prepare = std::move(prepare),
        .cpus = x_cpus});
  }
  if (!what.relay_only)
    x_server_target =
      target{.address = x_server ? x_server->address() : *what.server,
        .tls = what.tls ? &x_tls : nullptr,
        .password = what.password,
        .secrets = &x_secrets,
        .protocol = what.protocol,
        .managed = what.managed};
  if (what.protocol == client_protocol::xmpp)
    x_report.parameter("protocol",
      std::string{what.managed ? "XMPP with acknowledgements" : "XMPP"});
  x_report.parameter("transport", what.tls ? "TLS" : "plain TCP");
  x_report.parameter(
    "body", what.body ? std::to_string(*what.body) + " bytes" : "text");
  x_report.parameter("texts", std::string{x_bodies.source()});
  x_report.parameter("body_mean_bytes", x_bodies.mean());
  x_report.parameter("seed", static_cast<double>(what.seed));
  for (const auto& argument : what.server_arguments)
    x_report.parameter("server_arg", argument);
}

bench_run::~bench_run() = default;

void bench_run::keep_apart() {
  const auto cpus = divide_cpus();
  if (!cpus && x_options.apart == options::placing::apart)
    throw std::runtime_error{"--apart needs two CPUs"};
  if (!cpus)
    return x_report.note("one CPU for the load generator and the server");
  stay_on(cpus->own);
  x_cpus = cpus->others;
  x_report.parameter("load_cpus", to_string(cpus->own));
  x_report.parameter("server_cpus", to_string(cpus->others));
}

const target& bench_run::start_relay(uint32_t group) {
  x_relay = std::make_unique<relay_under_test>(group, x_cpus);
  x_relay_target = target{.address = x_relay->address(),
    .tls = nullptr,
    .relay = true,
    .password = {},
    .secrets = nullptr};
  return *x_relay_target;
}

std::optional<int64_t> bench_run::server_cpu() const {
  if (x_server)
    return cpu_time(x_server->process());
  if (x_options.server_pid > 0)
    return family_cpu_time(x_options.server_pid);
  return std::nullopt;
}

std::optional<int64_t> bench_run::relay_cpu() const {
  return x_relay ? cpu_time(x_relay->process()) : std::nullopt;
}

std::optional<uint64_t> bench_run::server_memory() const {
  if (x_server)
    return settled_memory(x_server->process());
  if (x_options.server_pid > 0)
    return settled_memory(x_options.server_pid);
  return std::nullopt;
}

void bench_run::set(const std::string& name, uint64_t value) {
  if (x_server)
    x_server->set(name, std::to_string(value));
}

int bench_run::end() {
  if (x_server) {
    try {
      x_server->stop();
    } catch (const std::runtime_error& e) {
      x_faults.add(fault_kind::connection, e.what());
    }
  }
  x_report.print(x_faults, x_options.json);
  return x_faults.total() == 0 ? 0 : 1;
}

} // namespace parley::bench
