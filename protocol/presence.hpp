#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "protocol/address.hpp"
#include "protocol/shared.hpp"

/// Availability, and what watchers are told of it.
namespace parley {

/// RFC 6121, 4.7.2.1, *unavailable*, and *unknown*: whether somebody is
/// available is not to be told. Nobody sets *unknown*.
enum class show : uint8_t {
  available = 0,
  chat = 1,
  away = 2,
  xa = 3,
  dnd = 4,
  unavailable = 5,
  unknown = 6,
};

/// `available`, `chat`, `away`, `xa`, `dnd`, `unavailable`, `unknown`.
std::string_view to_string(show x) noexcept;
std::optional<show> show_from_string(std::string_view text) noexcept;

/// One endpoint's availability.
struct availability {
  parley::show show = parley::show::available;
  /// At most 1 024 bytes of UTF-8.
  std::string status;
  /// RFC 6121, 4.7.2.3. Below 0: gets no IM that is not addressed to it.
  int8_t priority = 0;
  /// What a protocol says beside, that others carry and do not read; of XMPP.
  /// At most 4 096 bytes.
  std::string extension = {};

  bool operator==(const availability&) const = default;
  auto fields() { return std::tie(show, status, priority, extension); }
};

/// What a watcher is told of one endpoint of a presentity, or of the presentity
/// as a whole: *unknown* and the *unavailable* of one that no endpoint was told
/// of come from the bare address.
struct presence_notice {
  address from;
  availability what;
  /// One line for the whole presentity: *dnd* if any endpoint says so, else the
  /// most reachable of its endpoints.
  show composed = show::unavailable;
  std::string composed_status;

  bool operator==(const presence_notice&) const = default;
  auto fields() { return std::tie(from, what, composed, composed_status); }
};

/// One notice for all of its watchers; the last state counts. Not numbered.
struct presence_event {
  shared<presence_notice> what;
  auto fields() { return std::tie(what); }
};

/// Whatever was told of others' presence is void: who is not told of after this
/// is unavailable. Not numbered.
struct presence_reset {
  auto fields() { return std::tie(); }
};

/// An ad-hoc watch of this endpoint is over. Not numbered.
struct watch_ended {
  user_address whom;
  auto fields() { return std::tie(whom); }
};

} // namespace parley
