#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "actors/accounts/password_line.hpp"
#include "actors/accounts/registrations.hpp"
#include "actors/interfaces.hpp"
#include "actors/router/surroundings.hpp"
#include "actors/runtime/pinned.hpp"

namespace parley {

class decoys;

/// Whom a registrar asks.
struct registrar_config {
  store_reader_actor reader;
  store_writer_actor writer;
  password_actor passwords;
  /// Of the password actor. Whoever asks has entered it.
  std::shared_ptr<password_line> line;
  /// In slot order.
  std::vector<router_actor> routers;
  std::shared_ptr<surroundings> world;
  /// Learns the keys of new accounts.
  std::shared_ptr<decoys> unknown_users;
};

struct registrar_state {
  explicit registrar_state(
    pinned_pointer<registrar_actor, registrar_state> parent)
    : self(parent) {}
  static inline const char* name = "registrar";

  using then = std::function<void(const failure&)>;

  /// An end before the password is sent on: gives its place in line back.
  then unhashed(uint64_t ticket, then end) const;
  /// In this order, each after the last.
  void make(account_wanted what, then end);
  void derive(account_wanted what, then end);
  void write(const account_wanted& what, scram_keys keys, then end);
  void announce(const account_wanted& what, then end);

  pinned_pointer<registrar_actor, registrar_state> self;
  registrar_config with;
  registrations tries;
};

/// Makes accounts for strangers who ask for them, as far as `registrations`
/// lets them.
registrar_actor::behavior_type registrar(
  pinned_pointer<registrar_actor, registrar_state> self, registrar_config with);

} // namespace parley
