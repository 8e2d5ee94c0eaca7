#pragma once

#include <string>

#include <sys/types.h>

#include "protocol/errors.hpp"

namespace parley {

/// A user of this machine, as `serve --user` names it.
struct system_user {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;

  /// `bad_request` if there is none of this name, `not_authorised` if this
  /// process may become none but itself.
  static result<system_user> find(const std::string& name);
};

/// Whether this process runs as `who` and cannot become anybody else.
bool runs_as(const system_user& who);

/// Makes this process run as `who` for good: its groups, then its group, then
/// its user, each verified. Before any other thread is started: the C library
/// interrupts all of them by a signal. `not_authorised` if this process may
/// not, or could go back.
result<void> become(const system_user& who);

} // namespace parley
