#include "protocol/client/contact_book.hpp"

#include <array>

namespace parley {

std::string_view to_string(subscription_event x) noexcept {
  constexpr std::array<std::string_view, 4> names{
    "request", "approved", "denied", "ended"};
  auto i = static_cast<size_t>(x);
  return i < names.size() ? names[i] : std::string_view{};
}

bool contact_book::take(const contact_list& x, std::vector<news>& out) {
  auto whole = x.since.value == 0;
  if (!whole && (!x_has_list || x.since > x_version))
    return false;
  // An answer that a later change has overtaken.
  if (!whole && x.version < x_version)
    return true;
  auto first = !x_has_list;
  if (whole) {
    std::set<user_address> gone;
    for (auto& [who, entry] : x_entries)
      gone.insert(who);
    for (auto& entry : x.contacts)
      gone.erase(entry.address);
    for (auto& who : gone)
      erase(who, out);
  }
  for (auto& entry : x.contacts)
    put(entry, first, out);
  for (auto& who : x.removed)
    erase(who, out);
  x_has_list = true;
  x_version = x.version;
  return true;
}

void contact_book::put(const contact& x, bool first, std::vector<news>& out) {
  auto& entry = x_entries[x.address];
  auto before = std::exchange(entry, x).subscription;
  auto after = x.subscription;
  if (after.from == half::pending && before.from != half::pending)
    out.push_back({x.address, subscription_event::request});
  if (first || after.to == before.to)
    return;
  if (after.to == half::active)
    out.push_back({x.address, subscription_event::approved});
  else if (after.to == half::none)
    tell_end(x.address, before.to, out);
}

void contact_book::erase(const user_address& who, std::vector<news>& out) {
  auto i = x_entries.find(who);
  if (i == x_entries.end())
    return;
  auto before = i->second.subscription.to;
  x_entries.erase(i);
  if (before != half::none)
    tell_end(who, before, out);
}

void contact_book::tell_end(
  const user_address& who, half before, std::vector<news>& out) {
  if (x_expected.erase(who) == 0)
    out.push_back({who,
      before == half::pending ? subscription_event::denied
                              : subscription_event::ended});
}

void contact_book::expect_end(const user_address& who) {
  auto i = x_entries.find(who);
  if (i != x_entries.end() && i->second.subscription.to != half::none)
    x_expected.insert(who);
}

void contact_book::forget_end(const user_address& who) {
  x_expected.erase(who);
}

size_t contact_book::memory() const noexcept {
  // A node has three pointers and a colour beside its value.
  constexpr size_t node = 4 * sizeof(void*);
  size_t n = x_expected.size() * (node + sizeof(user_address));
  for (auto& [who, entry] : x_entries)
    n += node + sizeof(entries::value_type) + 2 * who.str().size()
      + entry.name.capacity() + entry.groups.capacity() * sizeof(std::string);
  return n;
}

} // namespace parley
