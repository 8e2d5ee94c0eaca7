#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "protocol/address.hpp"
#include "protocol/errors.hpp"

/// Contact lists (rosters, RFC 6121, 2), subscriptions (3) and privacy: what
/// clients ask and are told.
namespace parley {

/// Grows with each change of a contact list, from 1 upwards. 0: knows nothing.
struct roster_version {
  uint64_t value = 0;
  auto operator<=>(const roster_version&) const = default;
  auto fields() { return std::tie(value); }
};

/// One direction of a subscription, as one of its two users has it.
enum class half : uint8_t {
  none = 0,
  /// Asked for, not decided.
  pending = 1,
  active = 2,
};

/// Both directions between a user and a contact, from the user's side. The nine
/// combinations are the states of RFC 6121, appendix A.1.
struct subscription_state {
  /// The user sees the contact's presence.
  half to = half::none;
  /// The contact sees the user's presence.
  half from = half::none;
  bool operator==(const subscription_state&) const = default;
  auto fields() { return std::tie(to, from); }
};

/// One entry of a contact list as clients see it.
struct contact {
  user_address address;
  /// At most `contact_name_max` bytes of UTF-8; may be empty.
  std::string name;
  /// Distinct, at most `contact_groups_max`, each 1 to `contact_name_max` bytes
  /// of UTF-8.
  std::vector<std::string> groups;
  /// False: the user did not add it; it is here since it watches or asks to.
  bool listed = true;
  subscription_state subscription;
  /// Its next request is approved already (RFC 6121, 3.4).
  bool preapproved = false;

  bool operator==(const contact&) const = default;
  auto fields() {
    return std::tie(address, name, groups, listed, subscription, preapproved);
  }
};

// -- requests -----------------------------------------------------------------

/// A contact as a client wants it.
struct wanted_contact {
  /// As the client wrote it.
  std::string address;
  std::string name;
  std::vector<std::string> groups;
  auto fields() { return std::tie(address, name, groups); }
};

/// What is wrong with a contact's name and distinct groups, if anything: beyond
/// their bounds, a group without name, characters that XML does not have.
/// `bad_request`.
std::optional<failure> contact_fault(
  std::string_view name, const std::vector<std::string>& groups);

/// Adds contacts, or gives those that are there another name and groups.
/// Answered by `contacts_changed`.
struct add_contacts {
  std::vector<wanted_contact> contacts;
  auto fields() { return std::tie(contacts); }
};

/// Removes contacts and ends the subscriptions with them, both ways. Answered
/// by `contacts_changed`.
struct remove_contacts {
  /// As the client wrote them.
  std::vector<std::string> addresses;
  auto fields() { return std::tie(addresses); }
};

/// Answered by `contact_list`: what has changed after `known`, or everything.
/// From then on the session is told of changes.
struct list_contacts {
  roster_version known;
  auto fields() { return std::tie(known); }
};

/// Asks to see the presence of `to`, who becomes a contact. Answered by
/// `contacts_changed` once the request is kept.
struct subscribe {
  user_address to;
  auto fields() { return std::tie(to); }
};

/// Answered by `done`, also if there is nothing to end.
struct unsubscribe {
  user_address to;
  auto fields() { return std::tie(to); }
};

/// Lets `from` see this user's presence: decides its request, or the next one,
/// and then it becomes a contact. Answered by `done`, or by `refused_request`
/// where there is no room for it.
struct approve {
  user_address from;
  auto fields() { return std::tie(from); }
};

/// Refuses a request of `from`, or ends its subscription. Answered by `done`.
struct deny {
  user_address from;
  auto fields() { return std::tie(from); }
};

/// Shows the presence of somebody who need not be a contact, to this endpoint,
/// for a time; asking again renews, 0 seconds end it. Answered by `watching`.
struct watch {
  user_address whom;
  uint64_t seconds = 0;
  auto fields() { return std::tie(whom, seconds); }
};

/// Whom a presentity lets see its presence, before the general setting counts.
enum class approval : uint8_t {
  /// As `presence.auto_approve` says.
  by_default = 0,
  allow = 1,
  ask = 2,
  /// For domains only.
  block = 3,
};

/// `default`, `auto`, `ask`, `block`.
std::string_view to_string(approval x) noexcept;
std::optional<approval> approval_from_string(std::string_view text) noexcept;

/// A user's own word on the sharing of its presence.
enum class sharing : uint8_t { by_default = 0, on = 1, off = 2 };

/// `default`, `on`, `off`.
std::string_view to_string(sharing x) noexcept;
std::optional<sharing> sharing_from_string(std::string_view text) noexcept;

/// A user's privacy. Lists are sorted, without duplicates, and have at most
/// `privacy_entries_max` entries each. Answers `set_privacy`; also told, not
/// numbered, to the user's other endpoints when it changes.
struct privacy {
  /// Who is in no list, and in no domain with a rule. Never `block`.
  approval approve = approval::by_default;
  parley::sharing sharing = parley::sharing::by_default;
  std::vector<user_address> allow;
  /// They may not send IMs either.
  std::vector<user_address> block;
  /// By prepared domain; never `by_default`.
  std::vector<std::pair<std::string, approval>> domains;

  bool operator==(const privacy&) const = default;
  auto fields() { return std::tie(approve, sharing, allow, block, domains); }
};

/// Changes what is given and leaves the rest. Answered by `privacy`.
struct set_privacy {
  std::optional<approval> approve;
  std::optional<parley::sharing> sharing;
  std::optional<std::vector<user_address>> allow;
  std::optional<std::vector<user_address>> block;
  std::optional<std::vector<std::pair<std::string, approval>>> domains;
  /// Who enters the block list, and who leaves it, whatever it is by then.
  /// Sorted, each once. For clients of XMPP: frames have neither.
  std::vector<user_address> block_more = {};
  std::vector<user_address> block_less = {};
  auto fields() {
    return std::tie(
      approve, sharing, allow, block, domains, block_more, block_less);
  }
};

// -- events -------------------------------------------------------------------

/// A contact that was not added or removed.
struct refused_contact {
  /// As the client wrote it.
  std::string address;
  failure why;
  /// `contact_list_full`: whose list it is.
  user_address whose;
  bool operator==(const refused_contact&) const = default;
  auto fields() { return std::tie(address, why, whose); }
};

/// `approve` is not carried out, since somebody's contact list is full.
struct refused_request {
  failure why;
  /// `contact_list_full`: whose list it is.
  user_address whose;
  bool operator==(const refused_request&) const = default;
  auto fields() { return std::tie(why, whose); }
};

/// What became of `add_contacts`, `remove_contacts` or `subscribe`: all but the
/// refused are done, and on disk.
struct contacts_changed {
  std::vector<refused_contact> refused;
  roster_version version;
  auto fields() { return std::tie(refused, version); }
};

/// What is in the contact list, or what of it has changed. Answers
/// `list_contacts`; comes not numbered when something changes. A client that
/// does not have `since` has missed something and asks.
struct contact_list {
  /// 0: this is the whole list.
  roster_version since;
  roster_version version;
  std::vector<contact> contacts;
  std::vector<user_address> removed;
  auto fields() { return std::tie(since, version, contacts, removed); }
};

/// An ad-hoc watch is in force for so long.
struct watching {
  uint64_t seconds = 0;
  auto fields() { return std::tie(seconds); }
};

} // namespace parley
