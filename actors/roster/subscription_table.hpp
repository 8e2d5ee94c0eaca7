#pragma once

#include <cstdint>

#include "protocol/contacts.hpp"

/// RFC 6121, appendix A, as a table: what becomes of the two halves that one
/// user keeps of its subscriptions with a contact.
namespace parley {

/// What the user sends to the contact, and what comes from the contact.
enum class subscription_event : uint8_t {
  sends_subscribe = 0,
  sends_unsubscribe = 1,
  sends_subscribed = 2,
  sends_unsubscribed = 3,
  gets_subscribe = 4,
  gets_unsubscribe = 5,
  gets_subscribed = 6,
  gets_unsubscribed = 7,
};

struct subscription_step {
  subscription_state next;
  /// It goes on: what the user sends to the contact's server (A.2), what comes
  /// to the user's clients (A.3).
  bool passes = false;
  bool operator==(const subscription_step&) const = default;
};

/// The RFC's tables, cell by cell. A repeated wish passes, for the other half
/// may have missed it; whatever else changes nothing does not.
subscription_step step(
  subscription_state from, subscription_event what) noexcept;

} // namespace parley
