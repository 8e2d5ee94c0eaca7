#pragma once

#include <tuple>
#include <utility>

#include "protocol/errors.hpp"

namespace parley {

/// Whether somebody may be a contact.
struct contact_verdict {
  // NOLINTNEXTLINE(google-explicit-constructor): a refusal says all
  contact_verdict(failure why = {}, bool absent = false)
    : why(std::move(why)), absent(absent) {}

  /// Code none: it may.
  failure why;
  /// It has no account here.
  bool absent = false;
  auto fields() { return std::tie(why, absent); }
};

} // namespace parley
