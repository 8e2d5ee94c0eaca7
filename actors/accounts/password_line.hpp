#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_set>

namespace parley {

/// Who waits for a password to be hashed; bounds the queue of the password
/// actor. Shared by it and those that send to it. Thread-safe.
class password_line {
public:
  explicit password_line(size_t max) noexcept : x_max(max) {}

  /// Before a password is sent; false if the line is full: it must not be
  /// sent then.
  bool enter(uint64_t ticket);
  /// Nobody waits for the answer any more.
  void leave(uint64_t ticket);
  /// Its turn has come; false if nobody waits.
  bool claim(uint64_t ticket);

  /// Those in the queue, who left included.
  size_t size() const;

private:
  const size_t x_max;
  mutable std::mutex x_mutex;
  size_t x_queued = 0;
  std::unordered_set<uint64_t> x_waiting;
};

} // namespace parley
