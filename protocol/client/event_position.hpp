#pragma once

#include <cstdint>

#include <boost/circular_buffer.hpp>

#include "protocol/client/events.hpp"
#include "protocol/vocabulary.hpp"

namespace parley {

/// How far the stream of a session's events has come: which one is next, and
/// up to which all are safe and may be acknowledged.
class event_position {
public:
  enum class verdict : uint8_t {
    fresh,
    /// Replayed after a resume, though it had come.
    known,
    /// One before it is missing: the server broke the protocol.
    gap,
  };

  /// Looks at the number of an event, changes nothing.
  verdict look(sequence number) const noexcept;

  /// The event has come. If it needs no acknowledgement of the owner's, it
  /// becomes safe with the next call of `safe`.
  void take(sequence number) noexcept { x_received = number.value; }

  /// The event `number` is an IM that is safe only once the owner says so.
  void hold(sequence number, delivery_ticket ticket, uint64_t fingerprint);

  /// The same IM came again. If the owner has not acknowledged the first one,
  /// this one waits for the same ticket.
  void hold_again(sequence number, uint64_t fingerprint);

  /// The owner has the IM safe.
  void acknowledge(delivery_ticket ticket) noexcept;

  /// All events up to this one are safe.
  sequence safe() const noexcept;

  /// Events count from 1 again; what was held is still the owner's.
  void start_session() noexcept;

  size_t memory() const noexcept;

private:
  struct held {
    /// 0: of a session that ended.
    uint64_t number;
    delivery_ticket ticket;
    uint64_t fingerprint;
    bool done;
  };

  uint64_t x_received = 0;
  /// In the order of numbers; those of ended sessions first.
  boost::circular_buffer<held> x_held;
};

} // namespace parley
