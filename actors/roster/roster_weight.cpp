#include "actors/roster/roster_weight.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/defaults_memory.hpp"

namespace parley {

namespace {

/// A string beyond itself: short ones are within.
uint64_t apart(const std::string& x) noexcept {
  return x.capacity() < sizeof(x) / 2 ? 0 : x.capacity() + 1;
}

uint64_t bytes_of(const std::vector<std::string>& xs) noexcept {
  uint64_t n = xs.capacity() * sizeof(std::string);
  for (const auto& x : xs)
    n += apart(x);
  return n;
}

uint64_t bytes_of(const std::vector<user_address>& xs) noexcept {
  uint64_t n = xs.capacity() * sizeof(user_address);
  for (const auto& x : xs)
    n += x.str().size();
  return n;
}

uint64_t bytes_of(
  const std::vector<std::pair<std::string, approval>>& xs) noexcept {
  uint64_t n = xs.capacity() * sizeof(xs[0]);
  for (const auto& x : xs)
    n += apart(x.first);
  return n;
}

template <class T>
uint64_t bytes_of(const std::optional<T>& x) noexcept {
  return x ? bytes_of(*x) : 0;
}

/// What a request brings, as it came.
uint64_t bytes_of(const request& x) noexcept {
  uint64_t n = sizeof(x);
  if (auto* a = std::get_if<add_contacts>(&x)) {
    for (const auto& c : a->contacts)
      n += sizeof(c) + apart(c.address) + apart(c.name) + bytes_of(c.groups);
  } else if (auto* r = std::get_if<remove_contacts>(&x)) {
    n += bytes_of(r->addresses);
  } else if (auto* p = std::get_if<set_privacy>(&x)) {
    n += bytes_of(p->allow) + bytes_of(p->block) + bytes_of(p->domains)
      + bytes_of(p->block_more) + bytes_of(p->block_less);
  }
  return n;
}

} // namespace

uint64_t bytes_of(const contact& x) noexcept {
  return sizeof(x) + x.address.str().size() + apart(x.name)
    + bytes_of(x.groups);
}

uint64_t bytes_of(const privacy& x) noexcept {
  return sizeof(x) + bytes_of(x.allow) + bytes_of(x.block)
    + bytes_of(x.domains);
}

// -- of one

void roster_weight::counted(uint64_t list, uint64_t privacy) noexcept {
  x_list = list;
  x_added = 0;
  x_privacy = privacy;
}

void roster_weight::written(const store_operation& x) noexcept {
  if (auto* c = std::get_if<put_contact>(&x))
    x_added += defaults::contact_bytes + bytes_of(c->what.what);
  else if (auto* r = std::get_if<put_roster>(&x))
    x_privacy = bytes_of(r->what.privacy);
  else if (std::holds_alternative<remove_contact>(x))
    x_added += defaults::contact_bytes;
}

bool roster_weight::is_stale() const noexcept {
  return x_added > std::max(x_list / 2, defaults::roster_bytes);
}

bool roster_weight::take(const request& x, uint64_t max) noexcept {
  // As an operation, as news for the user's endpoints, and as it came.
  constexpr uint64_t copies = 3;
  auto n = copies * bytes_of(x);
  // All lists are said and kept anew with each change of one.
  if (std::holds_alternative<set_privacy>(x))
    n += copies * x_privacy;
  if (std::holds_alternative<list_contacts>(x))
    n += x_list + x_added;
  if (waiting() > 0 && waiting() + n > max)
    return false;
  x_waiting += n;
  return true;
}

void roster_weight::commit() noexcept {
  x_under_way += std::exchange(x_waiting, 0);
}

void roster_weight::committed(bool all) noexcept {
  x_under_way = 0;
  if (all)
    x_waiting = 0;
}

// -- of all

void roster_weights::set(const user_address& whom, uint64_t bytes) {
  if (bytes == 0) {
    if (auto gone = x_bytes.extract(whom))
      x_total -= gone.mapped();
    return;
  }
  auto& x = x_bytes[whom];
  x_total += bytes - x;
  x = bytes;
}

uint64_t roster_weights::of(const user_address& whom) const noexcept {
  auto i = x_bytes.find(whom);
  return i == x_bytes.end() ? 0 : i->second;
}

uint64_t roster_weights::excess_of(const user_address& whom) const noexcept {
  const auto n = of(whom);
  return n - std::min(n, defaults::roster_allowance);
}

} // namespace parley
