#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "actors/router/surroundings.hpp"
#include "tests/support/deterministic.hpp"

namespace parley::test {

/// Time and chance of one run. The wall clock goes on over restarts, the
/// steady one begins anew.
class made_up_world final : public surroundings {
public:
  /// When the world began, in microseconds since 1970.
  static constexpr uint64_t beginning = 1'700'000'000'000'000;

  /// `since`: how long it has gone on before.
  made_up_world(deterministic_system& system, std::chrono::microseconds since)
    : x_system(system), x_since(since) {}

  wall_time wall_clock() override {
    return wall_time{std::chrono::milliseconds{wall_clock_us() / 1'000}};
  }
  /// No two readings are of one microsecond, however little time passes here:
  /// what is done between them takes longer on any machine.
  uint64_t wall_clock_us() override {
    auto now = x_system.now().time_since_epoch();
    return beginning + static_cast<uint64_t>(x_since.count())
      + static_cast<uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(now).count())
      + x_readings++;
  }
  std::string random_octets(size_t n) override {
    std::string x(n, '\0');
    for (auto& c : x)
      c = static_cast<char>(x_system.random()());
    return x;
  }

private:
  deterministic_system& x_system;
  std::chrono::microseconds x_since;
  uint64_t x_readings = 0;
};

} // namespace parley::test
