#include "bench/report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <thread>

#include <boost/version.hpp>
#include <google/protobuf/stubs/common.h>
#include <nlohmann/json.hpp>
#include <openssl/crypto.h>
#include <rocksdb/version.h>
#include <sys/utsname.h>

namespace parley::bench {

using nlohmann::ordered_json;

namespace {

constexpr double ns_per_us = 1000;

std::optional<double> find(const figures& in, const std::string& name) {
  for (const auto& f : in)
    if (f.name == name)
      return f.value;
  return std::nullopt;
}

std::optional<double> median_of(
  const std::vector<figures>& rounds, const std::string& name) {
  std::vector<double> values;
  for (const auto& round : rounds)
    if (const auto value = find(round, name))
      values.push_back(*value);
  if (values.empty())
    return std::nullopt;
  return median(std::move(values));
}

ordered_json to_object(const figures& in) {
  ordered_json out = ordered_json::object();
  for (const auto& f : in)
    out[f.name] = f.value;
  return out;
}

ordered_json versions() {
  utsname system{};
  ::uname(&system);
  return {
    {"parley", PARLEY_VERSION},
    {"boost", BOOST_LIB_VERSION},
    {"protobuf",
      google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION)},
    {"openssl", OpenSSL_version(OPENSSL_VERSION_STRING)},
    {"rocksdb", rocksdb::GetRocksVersionAsString()},
    {"kernel", system.release},
  };
}

/// Numbers as people like them: three digits that count, no exponents.
std::string readable(double value) {
  char text[64];
  const double size = std::abs(value);
  const bool whole = size == std::floor(size);
  const int digits = whole || size >= 100 ? 0
    : size >= 10                          ? 1
    : size >= 1                           ? 2
                                          : 3;
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string cell(const std::optional<double>& value) {
  return value ? readable(*value) : "-";
}

} // namespace

void add_latency(figures& out, const std::string& name, const histogram& of) {
  const auto add = [&](const char* what, uint64_t ns) {
    out.push_back({name + what, static_cast<double>(ns) / ns_per_us});
  };
  add("_p50_us", of.quantile(0.5));
  add("_p99_us", of.quantile(0.99));
  add("_p999_us", of.quantile(0.999));
  add("_max_us", of.max());
}

report::report(std::string scenario) : x_scenario(std::move(scenario)) {}
report::~report() = default;

void report::parameter(const std::string& name, const std::string& value) {
  x_texts.emplace_back(name, value);
}

void report::parameter(const std::string& name, double value) {
  x_numbers.emplace_back(name, value);
}

void report::round(figures server, figures relay) {
  x_server.push_back(std::move(server));
  x_relay.push_back(std::move(relay));
}

void report::single(const std::string& name, double value) {
  x_singles.push_back({name, value});
}

void report::note(const std::string& text) {
  x_notes.push_back(text);
}

std::vector<report::line> report::summary() const {
  std::vector<line> out;
  std::vector<std::string> names;
  for (const auto* side : {&x_server, &x_relay})
    for (const auto& round : *side)
      for (const auto& f : round)
        if (std::find(names.begin(), names.end(), f.name) == names.end())
          names.push_back(f.name);
  for (const auto& name : names) {
    line l{.name = name,
      .server = median_of(x_server, name),
      .relay = median_of(x_relay, name),
      .times = std::nullopt};
    std::vector<double> times;
    for (size_t i = 0; i < x_server.size(); ++i) {
      const auto server = find(x_server[i], name);
      const auto relay = find(x_relay[i], name);
      if (server && relay && *relay > 0)
        times.push_back(*server / *relay);
    }
    if (!times.empty())
      l.times = median(std::move(times));
    out.push_back(std::move(l));
  }
  return out;
}

std::string report::to_json(const fault_log& faults) const {
  ordered_json out{{"scenario", x_scenario}, {"ok", faults.total() == 0},
    {"cores", std::thread::hardware_concurrency()}, {"versions", versions()}};
  auto& parameters = out["parameters"] = ordered_json::object();
  for (const auto& [name, value] : x_texts)
    parameters[name] = value;
  for (const auto& [name, value] : x_numbers)
    parameters[name] = value;
  auto& lines = out["figures"] = ordered_json::object();
  for (const auto& l : summary()) {
    auto& one = lines[l.name] = ordered_json::object();
    if (l.server)
      one["server"] = *l.server;
    if (l.relay)
      one["relay"] = *l.relay;
    if (l.times)
      one["times_relay"] = *l.times;
  }
  for (const auto& f : x_singles)
    lines[f.name] = {{"server", f.value}};
  auto& rounds = out["rounds"] = ordered_json::array();
  for (size_t i = 0; i < x_server.size(); ++i)
    rounds.push_back(
      {{"server", to_object(x_server[i])}, {"relay", to_object(x_relay[i])}});
  out["notes"] = x_notes;
  auto& wrong = out["faults"] = ordered_json{{"total", faults.total()}};
  for (size_t kind = 0; kind < fault_kinds; ++kind) {
    const auto name = static_cast<fault_kind>(kind);
    wrong[std::string{to_string(name)}] = faults.count(name);
  }
  wrong["first"] = faults.lines();
  return out.dump(2);
}

void report::print_text(const fault_log& faults) const {
  std::printf("%s", x_scenario.c_str());
  for (const auto& [name, value] : x_texts)
    std::printf(", %s %s", name.c_str(), value.c_str());
  for (const auto& [name, value] : x_numbers)
    std::printf(", %s %s", name.c_str(), readable(value).c_str());
  std::printf("\n\n");
  const auto lines = summary();
  if (!lines.empty())
    std::printf("%-26s %12s %12s %12s\n", "", "server", "relay", "times relay");
  for (const auto& l : lines)
    std::printf("%-26s %12s %12s %12s\n", l.name.c_str(),
      cell(l.server).c_str(), cell(l.relay).c_str(), cell(l.times).c_str());
  for (const auto& f : x_singles)
    std::printf("%-26s %12s\n", f.name.c_str(), readable(f.value).c_str());
  for (const auto& text : x_notes)
    std::printf("note: %s\n", text.c_str());
  for (const auto& text : faults.lines())
    std::printf("FAULT %s\n", text.c_str());
  if (faults.total() == 0)
    std::printf("\nok: all was checked, nothing is wrong\n");
  else
    std::printf("\nFAILED: %llu faults\n",
      static_cast<unsigned long long>(faults.total()));
}

void report::print(const fault_log& faults, bool as_json) const {
  if (as_json)
    std::printf("%s\n", to_json(faults).c_str());
  else
    print_text(faults);
  std::fflush(stdout);
}

} // namespace parley::bench
