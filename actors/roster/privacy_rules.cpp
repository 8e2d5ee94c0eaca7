#include "actors/roster/privacy_rules.hpp"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "protocol/codec_fields.hpp"
#include "protocol/defaults.hpp"

namespace parley {

namespace {

bool holds(
  const std::vector<user_address>& xs, const user_address& who) noexcept {
  return std::binary_search(xs.begin(), xs.end(), who);
}

approval domain_rule(const privacy& x, const user_address& who) noexcept {
  for (const auto& [domain, rule] : x.domains)
    if (domain == who.domain())
      return rule;
  return approval::by_default;
}

} // namespace

bool is_blocked(const privacy& x, const user_address& who) noexcept {
  if (holds(x.block, who))
    return true;
  if (x.domains.empty() || holds(x.allow, who))
    return false;
  return domain_rule(x, who) == approval::block;
}

bool blocks_anybody(const privacy& x) noexcept {
  return !x.block.empty()
    || std::any_of(x.domains.begin(), x.domains.end(),
      [](const auto& d) { return d.second == approval::block; });
}

privacy changed(privacy x, set_privacy what) {
  auto take = [](auto& to, auto& from) {
    if (from)
      to = std::move(*from);
  };
  take(x.approve, what.approve);
  take(x.sharing, what.sharing);
  take(x.allow, what.allow);
  take(x.block, what.block);
  take(x.domains, what.domains);
  const auto& more = what.block_more;
  const auto& less = what.block_less;
  std::vector<user_address> all;
  std::set_union(x.block.begin(), x.block.end(), more.begin(), more.end(),
    std::back_inserter(all));
  x.block.clear();
  std::set_difference(all.begin(), all.end(), less.begin(), less.end(),
    std::back_inserter(x.block));
  return x;
}

std::optional<failure> growth_fault(const privacy& before, const privacy& now) {
  using defaults::privacy_entries_max;
  std::optional<failure> why;
  auto judge = [&why](const char* what, const auto& old, const auto& list) {
    if (!why && list.size() > std::max(privacy_entries_max, old.size()))
      why = native::over_limit(
        errc::bad_request, what, privacy_entries_max, list.size());
  };
  judge("users who are allowed", before.allow, now.allow);
  judge("users who are blocked", before.block, now.block);
  judge("domains with a rule", before.domains, now.domains);
  return why;
}

verdict judge_watcher(
  const privacy& x, const user_address& who, const policy& rules) noexcept {
  if (holds(x.block, who))
    return verdict::block;
  if (holds(x.allow, who))
    return verdict::allow;
  auto rule = domain_rule(x, who);
  if (rule == approval::by_default)
    rule = x.approve;
  switch (rule) {
  case approval::allow:
    return verdict::allow;
  case approval::ask:
    return verdict::ask;
  case approval::block:
    return verdict::block;
  case approval::by_default:
    break;
  }
  return rules.presence_auto_approve ? verdict::allow : verdict::ask;
}

bool shares_presence(sharing own, const policy& rules) noexcept {
  if (own == sharing::off)
    return false;
  return rules.presence_sharing
    || (own == sharing::on && rules.presence_sharing_override);
}

} // namespace parley
