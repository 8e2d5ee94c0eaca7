#include "bench/presence_check.hpp"

#include <array>
#include <charconv>

#include "protocol/parley.pb.h"

namespace parley::bench {

namespace {

constexpr std::array shows{
  wire::AVAILABLE, wire::CHAT, wire::AWAY, wire::XA, wire::DND};

constexpr std::string_view status_text = " back in a while";

/// The number that a text begins with, and what follows it.
std::optional<uint64_t> leading_number(std::string_view& text) noexcept {
  uint64_t out = 0;
  const auto* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, out);
  if (error != std::errc{})
    return std::nullopt;
  text.remove_prefix(static_cast<size_t>(at - text.data()));
  return out;
}

} // namespace

presence_check::presence_check(const acquaintances& who, user_names names,
  std::string endpoint, fault_log& faults)
  : x_who(who),
    x_names(std::move(names)),
    x_tail("/" + endpoint),
    x_truth(who.users()),
    x_seen(who.pairs()),
    x_faults(faults) {}

uint32_t presence_check::show_of(uint64_t number) noexcept {
  return shows[number % shows.size()];
}

void presence_check::put_status(std::string& out, uint64_t number) {
  if (number == 0)
    return;
  out += std::to_string(number);
  out += status_text;
}

void presence_check::online(uint32_t user) {
  x_truth[user] = 1;
  const auto first =
    x_seen.begin() + static_cast<int64_t>(x_who.first_pair(user));
  std::fill_n(first, x_who.seen_by(user).size(), 0);
}

void presence_check::offline(uint32_t user) {
  x_truth[user] = 0;
}

uint64_t presence_check::change(uint32_t user) noexcept {
  return x_truth[user]++;
}

std::optional<presence_check::sender> presence_check::sender_of(
  std::string_view from) const noexcept {
  if (!from.starts_with(x_names.prefix))
    return std::nullopt;
  from.remove_prefix(x_names.prefix.size());
  const auto number = leading_number(from);
  if (!number || *number < x_names.first
    || *number - x_names.first >= x_who.users() || !from.starts_with('@'))
    return std::nullopt;
  from.remove_prefix(1);
  if (!from.starts_with(x_names.domain))
    return std::nullopt;
  from.remove_prefix(x_names.domain.size());
  if (!from.empty() && from != x_tail)
    return std::nullopt;
  return sender{static_cast<uint32_t>(*number - x_names.first), from.empty()};
}

void presence_check::fault(fault_kind kind, uint32_t watcher,
  const presence_view& what, const std::string& why) {
  x_faults.add(kind,
    x_names.user(watcher) + " was told that " + std::string{what.from} + " is "
      + wire::Show_Name(static_cast<wire::Show>(what.show)) + ", \""
      + std::string{what.status} + "\": " + why);
}

std::optional<presence_check::news> presence_check::arrived(
  uint32_t watcher, const presence_view& what) {
  const auto from = sender_of(what.from);
  const auto pair = from ? x_who.find(watcher, from->user) : std::nullopt;
  if (!pair) {
    fault(fault_kind::unknown, watcher, what, "it may not see that user");
    return std::nullopt;
  }
  auto& seen = x_seen[*pair];
  news out{.whom = from->user, .before = {}, .now = {}};
  if (seen > 0)
    out.before = seen - 1;
  if (what.show == wire::UNAVAILABLE) {
    if (x_truth[from->user] > 0) {
      fault(fault_kind::altered, watcher, what, "but it is there");
      return std::nullopt;
    }
    if (seen == 0) {
      fault(fault_kind::duplicated, watcher, what, "it was told before");
      return std::nullopt;
    }
    seen = 0;
    return out;
  }
  auto status = what.status;
  const auto number =
    status.empty() ? std::optional<uint64_t>{0} : leading_number(status);
  x_status.clear();
  if (number)
    put_status(x_status, *number);
  const bool whole = number && what.status == x_status
    && what.show == show_of(*number) && what.composed == what.show
    && what.composed_status == what.status && what.priority == 0
    && !from->whole;
  if (!whole) {
    fault(fault_kind::altered, watcher, what, "nobody has set that");
    return std::nullopt;
  }
  const uint64_t truth = x_truth[from->user];
  if (truth > 0 && *number >= truth) {
    fault(fault_kind::unknown, watcher, what, "it has not come to that yet");
    return std::nullopt;
  }
  if (*number + 1 < seen || (seen == 0 && truth == 0)) {
    fault(fault_kind::reordered, watcher, what, "it was told of a later state");
    return std::nullopt;
  }
  if (*number + 1 == seen) {
    ++x_repeated;
    return std::nullopt;
  }
  seen = *number + 1;
  out.now = *number;
  return out;
}

bool presence_check::converged() const noexcept {
  for (uint32_t i = 0; i < x_who.users(); ++i) {
    if (!is_online(i))
      continue;
    auto pair = x_who.first_pair(i);
    for (const auto whom : x_who.seen_by(i))
      if (x_seen[pair++] != x_truth[whom])
        return false;
  }
  return true;
}

void presence_check::finish() {
  const auto state = [](uint64_t x) {
    return x == 0 ? std::string{"unavailable"}
                  : "in state " + std::to_string(x - 1);
  };
  for (uint32_t i = 0; i < x_who.users(); ++i) {
    if (!is_online(i))
      continue;
    auto pair = x_who.first_pair(i);
    for (const auto whom : x_who.seen_by(i)) {
      const auto seen = x_seen[pair++];
      if (seen != x_truth[whom])
        x_faults.add(fault_kind::lost,
          x_names.user(i) + " sees " + x_names.user(whom) + " " + state(seen)
            + ", which is " + state(x_truth[whom]));
    }
  }
}

uint64_t presence_check::pairs_online() const noexcept {
  uint64_t out = 0;
  for (uint32_t i = 0; i < x_who.users(); ++i)
    if (is_online(i))
      for (const auto whom : x_who.seen_by(i))
        out += is_online(whom) ? 1 : 0;
  return out;
}

} // namespace parley::bench
