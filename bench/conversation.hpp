#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/faults.hpp"

namespace parley::bench {

/// The fate of an IM as its sender was told.
enum class fate : uint8_t { delivered, stored, rejected };

/// Checks one direction of one conversation: IMs 1, 2, 3, … from one sending
/// endpoint to one user with `endpoints` endpoints. It knows of each IM under
/// way whether it had to fork, had to go to the chosen endpoint alone, or may
/// have done either, because it crossed with the reply that chose.
///
/// Held is what is under way and no more: `capacity` IMs. Times are
/// nanoseconds of the caller's clock.
class conversation {
public:
  /// `chosen`: the endpoint that the recipient replies from, if it ever will.
  /// `capacity` is rounded up to a power of two.
  conversation(std::string name, uint32_t endpoints,
    std::optional<uint32_t> chosen, size_t capacity, fault_log& faults);

  /// From now on that it arrived is all that is told of an IM, and its outcome.
  void outcomes_are_arrivals() noexcept { x_by_arrival = true; }

  /// Whether another IM can be followed now.
  bool has_room() const noexcept { return x_next - x_oldest < x_slots.size(); }

  /// An IM is sent; returns its number. Only if `has_room`.
  uint64_t sent(int64_t intended) noexcept;

  /// It arrived at `endpoint`. Returns its intended time where the checker
  /// still has it and nothing is wrong.
  std::optional<int64_t> arrived(uint32_t endpoint, uint64_t number);

  /// Its outcome came. Returns its intended time unless something is wrong.
  std::optional<int64_t> outcome(uint64_t number, fate what);

  /// The recipient writes to the sender for the first time.
  void reply_sent() noexcept;
  /// The sender has the first reply: from here on its IMs must not fork.
  void reply_arrived() noexcept;

  /// IMs sent, and those of them with nothing left to come.
  uint64_t sent_count() const noexcept { return x_next - 1; }
  bool settled() const noexcept { return x_oldest == x_next; }
  /// IMs without an outcome.
  uint64_t unanswered() const noexcept { return x_unanswered; }

  /// Nothing more will come: whatever is still open is a fault.
  void finish();

private:
  struct slot {
    int64_t intended = 0;
    /// The endpoints that have it.
    uint64_t copies = 0;
    bool answered = false;
    bool done = false;
  };

  slot* live(uint64_t number) noexcept;
  bool complete(const slot& s, uint64_t number) const noexcept;
  void answer(slot& s) noexcept;
  void retire(slot& s, uint64_t number) noexcept;
  /// What an IM needs has changed: looks at all of them again.
  void review() noexcept;
  void fault(fault_kind kind, uint64_t number, const std::string& what);

  std::string x_name;
  uint32_t x_endpoints;
  std::optional<uint32_t> x_chosen;
  std::vector<slot> x_slots;
  uint64_t x_next = 1;
  uint64_t x_oldest = 1;
  uint64_t x_unanswered = 0;
  /// All up to this one had their outcome.
  uint64_t x_answered_upto = 0;
  bool x_by_arrival = false;
  bool x_replied = false;
  bool x_reply_arrived = false;
  /// IMs up to the first had to fork, IMs from the second on must not.
  uint64_t x_fork_upto = UINT64_MAX;
  uint64_t x_collapse_from = UINT64_MAX;
  /// An IM was stored because nobody acknowledged it in time: the choice ended
  /// and came back at times that only the server knows, so each IM has to
  /// reach some endpoint, in order and once, but not a given one.
  bool x_relaxed = false;
  /// By endpoint: the highest number that arrived.
  std::vector<uint64_t> x_last;
  fault_log& x_faults;
};

} // namespace parley::bench
