#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>

#include "protocol/errors.hpp"

namespace parley {

/// Counts in ranges whose upper bounds rise; written by one thread, read by
/// any.
template <size_t N>
class histogram_meter {
public:
  explicit constexpr histogram_meter(const std::array<double, N>& bounds)
    : x_bounds(bounds) {}

  void add(double x) noexcept {
    size_t i = 0;
    while (i < N && x > x_bounds[i])
      ++i;
    bump(x_counts[i], uint64_t{1});
    bump(x_sum, x);
  }

  const std::array<double, N>& bounds() const noexcept { return x_bounds; }
  /// Those up to each bound alone; the last: above all.
  std::array<uint64_t, N + 1> counts() const noexcept {
    std::array<uint64_t, N + 1> xs;
    for (size_t i = 0; i <= N; ++i)
      xs[i] = x_counts[i].load(std::memory_order_relaxed);
    return xs;
  }
  double sum() const noexcept { return x_sum.load(std::memory_order_relaxed); }

private:
  /// There is one writer: no locked instruction is needed.
  template <class T>
  static void bump(std::atomic<T>& x, T by) noexcept {
    x.store(x.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }

  const std::array<double, N>& x_bounds;
  std::array<std::atomic<uint64_t>, N + 1> x_counts{};
  std::atomic<double> x_sum = 0;
};

/// How the store's writer fares. Told by the writer, read by any thread, also
/// while the disk lets the writer wait.
class commit_meter {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Upper bounds: seconds of a commit, operations of one.
  static constexpr std::array<double, 12> seconds_bounds{
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1, 5};
  static constexpr std::array<double, 8> operations_bounds{
    1, 4, 16, 64, 256, 1'024, 4'096, 16'384};

  void begins(time_point now) noexcept;
  /// `refusal`: why the disk refused it, if it did.
  void ends(
    time_point now, size_t operations, const failure* refusal = nullptr);

  const auto& seconds() const noexcept { return x_seconds; }
  const auto& operations() const noexcept { return x_operations; }
  /// Commits that the disk refused.
  uint64_t refused() const noexcept { return x_refused; }
  /// Why the last one was, if it was.
  std::optional<failure> last_refusal() const;
  /// Since when one is under way; nothing if none is.
  std::optional<time_point> busy_since() const noexcept;

private:
  histogram_meter<seconds_bounds.size()> x_seconds{seconds_bounds};
  histogram_meter<operations_bounds.size()> x_operations{operations_bounds};
  std::atomic<uint64_t> x_refused = 0;
  /// Ticks of the steady clock; 0: none is under way.
  std::atomic<time_point::rep> x_began = 0;

  mutable std::mutex x_refusing;
  std::optional<failure> x_last_refusal; // guarded by it
};

} // namespace parley
