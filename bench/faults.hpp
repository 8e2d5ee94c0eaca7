#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace parley::bench {

/// What a check found wrong. Any of these makes the run fail.
enum class fault_kind : uint8_t {
  /// An endpoint that had to get an IM did not.
  lost,
  /// An IM has no outcome though everything else came to rest.
  no_outcome,
  /// An IM got a second outcome.
  second_outcome,
  /// An IM came a second time to the same endpoint.
  duplicated,
  /// An IM came after a later one of its conversation.
  reordered,
  /// Body, sender, recipient or mark of an IM is not what was sent.
  altered,
  /// An IM or answer that belongs to nothing that was sent.
  unknown,
  /// A copy went to an endpoint though another one is chosen.
  wrong_endpoint,
  /// An IM was rejected that the server had to take, or not stored where it
  /// had to be.
  rejected,
  /// A connection broke, or the peer spoke what this protocol does not.
  connection,
};

inline constexpr size_t fault_kinds = 10;

/// `lost`, `no_outcome`, …
std::string_view to_string(fault_kind x) noexcept;

/// Counts all faults and describes the first few of them.
class fault_log {
public:
  void add(fault_kind kind, std::string text);

  uint64_t total() const noexcept { return x_total; }
  uint64_t count(fault_kind kind) const noexcept {
    return x_counts[static_cast<size_t>(kind)];
  }
  /// At most `limits::faults_described` lines, `kind: text`.
  const std::vector<std::string>& lines() const noexcept { return x_lines; }

private:
  std::array<uint64_t, fault_kinds> x_counts{};
  uint64_t x_total = 0;
  std::vector<std::string> x_lines;
};

} // namespace parley::bench
