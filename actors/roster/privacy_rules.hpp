#pragma once

#include <cstdint>
#include <optional>

#include "actors/settings/policy.hpp"
#include "protocol/contacts.hpp"
#include "protocol/errors.hpp"

/// What a user's privacy, and the policy, say about somebody else.
namespace parley {

/// Neither IMs nor presence for `who`: the block list, then the allow list,
/// then the rule for the domain.
bool is_blocked(const privacy& x, const user_address& who) noexcept;

/// Whether anybody is.
bool blocks_anybody(const privacy& x) noexcept;

/// `x` with what `what` changes.
privacy changed(privacy x, set_privacy what);

/// Why `now` cannot follow `before`: one of its lists has more than
/// `privacy_entries_max` entries (`bad_request`, with limit and value), and
/// more than it had. One that is too long already may shrink.
std::optional<failure> growth_fault(const privacy& before, const privacy& now);

enum class verdict : uint8_t { allow, ask, block };

/// Whether `who` may see the presence of `x`'s owner: block list, allow list,
/// domain, the user's own default, `presence.auto_approve`.
verdict judge_watcher(
  const privacy& x, const user_address& who, const policy& rules) noexcept;

/// Whether somebody's presence is shown to others at all: `presence.sharing`
/// and its `own` word, where `presence.sharing_override` decides whether that
/// stands against a general *off*.
bool shares_presence(sharing own, const policy& rules) noexcept;

} // namespace parley
