#pragma once

#include "actors/interfaces.hpp"
#include "actors/types.hpp"
#include "tests/persistence/fixture.hpp"
#include "tests/support/deterministic.hpp"
#include "tests/support/lossy_fs.hpp"

#include <caf/actor_cast.hpp>
#include <caf/event_based_actor.hpp>

#include <memory>
#include <vector>

namespace parley::test {

/// What the store's actors told one router or gateway.
struct heard {
  std::vector<written> writes;
  std::vector<head_found> heads;
  std::vector<page_found> pages;
  std::vector<id_found> ids;
  std::vector<account_found> accounts;
  std::vector<ims_expired> expired;
  std::vector<shared<id_filter>> filters;
  /// How often it was told that a scan begins.
  size_t scans = 0;
};
using heard_ptr = std::shared_ptr<heard>;

inline caf::behavior listen(caf::event_based_actor*, heard_ptr to) {
  return {
    [to](const written& x) { to->writes.push_back(x); },
    [to](const head_found& x) { to->heads.push_back(x); },
    [to](const page_found& x) { to->pages.push_back(x); },
    [to](const id_found& x) { to->ids.push_back(x); },
    [to](const account_found& x) { to->accounts.push_back(x); },
    [to](const ims_expired& x) { to->expired.push_back(x); },
    [to](const shared<id_filter>& x) { to->filters.push_back(x); },
    [to](scan_atom) {
      ++to->scans;
      return done_atom::value;
    },
  };
}

/// A store on a disk of its own, and actors without threads.
struct store_world {
  explicit store_world(uint64_t seed = 1)
    : actors(seed, [](auto& cfg) { add_message_types(cfg); }) {}

  /// One that only listens, in the place of a router or a gateway.
  template <class Handle>
  Handle listener(const heard_ptr& to) {
    return caf::actor_cast<Handle>(actors.spawn(listen, to));
  }

  lossy_disk disk;
  std::unique_ptr<store> db =
    must(store::open({.path = "/store", .env = disk.env()}));
  deterministic_system actors;
};

/// In order.
inline user_address numbered(size_t i) {
  return user("u" + std::to_string(100'000 + i) + "@example.org");
}

} // namespace parley::test
