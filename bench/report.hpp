#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/faults.hpp"
#include "bench/histogram.hpp"

namespace parley::bench {

/// One measured number; its unit is the end of its name (`_us`, `_per_s`, …).
struct figure {
  std::string name;
  double value = 0;
};

using figures = std::vector<figure>;

/// Appends `NAME_p50_us`, `_p99_us`, `_p999_us` and `_max_us` of nanoseconds.
void add_latency(figures& out, const std::string& name, const histogram& of);

/// What a run found, for people or as JSON. A figure that was measured in
/// several rounds is given as the median of them; the multiple of the relay is
/// the median of the rounds' multiples, each against the relay's figure of the
/// same round.
class report {
public:
  explicit report(std::string scenario);
  ~report();
  report(const report&) = delete;
  report& operator=(const report&) = delete;

  void parameter(const std::string& name, const std::string& value);
  void parameter(const std::string& name, double value);
  /// One round; either part may be empty.
  void round(figures server, figures relay);
  /// What is measured once, or follows from all rounds.
  void single(const std::string& name, double value);
  /// One sentence about this run that its reader should know.
  void note(const std::string& text);

  /// On standard output. `faults` are part of it.
  void print(const fault_log& faults, bool as_json) const;
  /// The same, one JSON object.
  std::string to_json(const fault_log& faults) const;

private:
  struct line {
    std::string name;
    std::optional<double> server;
    std::optional<double> relay;
    std::optional<double> times;
  };
  std::vector<line> summary() const;

  void print_text(const fault_log& faults) const;

  std::string x_scenario;
  std::vector<std::pair<std::string, std::string>> x_texts;
  std::vector<std::pair<std::string, double>> x_numbers;
  std::vector<figures> x_server;
  std::vector<figures> x_relay;
  figures x_singles;
  std::vector<std::string> x_notes;
};

} // namespace parley::bench
