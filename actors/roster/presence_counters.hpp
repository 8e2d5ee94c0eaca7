#pragma once

#include <cstdint>
#include <tuple>

#include "protocol/errors.hpp"

namespace parley {

/// Of presence on one worker; counted by its rosters, subscriptions and
/// sessions, which share it.
struct presence_counters {
  // At this moment: rosters in memory, live subscriptions, and those among
  // these that somebody has for a limited time.
  uint64_t rosters = 0;
  uint64_t subscriptions = 0;
  uint64_t adhoc = 0;
  /// Notices handed to sessions, and those among these that a later one took
  /// the place of while the client was slow.
  uint64_t notifications = 0;
  uint64_t coalesced = 0;
  /// Changes of an endpoint that came too fast to be told one by one.
  uint64_t held_changes = 0;
  // What was refused by contacts.max, watchers.max and presence.adhoc_max.
  uint64_t contacts_full = 0;
  uint64_t watchers_full = 0;
  uint64_t watches_full = 0;
  /// Requests that found too much waiting for the disk.
  uint64_t waiting_full = 0;

  void count_refusal(errc why) noexcept {
    contacts_full += why == errc::contact_list_full;
    watchers_full += why == errc::watcher_limit;
    watches_full += why == errc::watch_limit;
  }

  presence_counters& operator+=(const presence_counters& x) noexcept {
    rosters += x.rosters;
    subscriptions += x.subscriptions;
    adhoc += x.adhoc;
    notifications += x.notifications;
    coalesced += x.coalesced;
    held_changes += x.held_changes;
    contacts_full += x.contacts_full;
    watchers_full += x.watchers_full;
    watches_full += x.watches_full;
    waiting_full += x.waiting_full;
    return *this;
  }

  auto fields() {
    return std::tie(rosters, subscriptions, adhoc, notifications, coalesced,
      held_changes, contacts_full, watchers_full, watches_full, waiting_full);
  }
};

} // namespace parley
