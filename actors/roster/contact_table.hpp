#pragma once

#include <cstddef>
#include <map>
#include <optional>

#include "persistence/contact_rows.hpp"

namespace parley {

/// The entries of a contact list in memory: as they came from disk, those apart
/// that were looked at closely or changed, whose rows go when all are.
class contact_table {
public:
  void load(contact_rows x);

  size_t size() const noexcept { return x_items.size() + x_raw; }
  bool empty() const noexcept { return size() == 0; }
  /// Calls `f(const roster_item&)` for each that is decoded; beside them there
  /// is so much, in bytes.
  template <class F>
  size_t each_decoded(F f) const {
    for (const auto& [whom, item] : x_items)
      f(item);
    return x_rows.memory();
  }
  /// Null if it is not there. Stays valid until the entry is erased.
  const roster_item* find(const user_address& whom) const;
  roster_item* find(const user_address& whom);
  /// The same in short, for which nothing is decoded for good.
  std::optional<contact_brief> brief(const user_address& whom) const;
  std::optional<contact_standing> standing(const user_address& whom) const;
  /// Made if it is not there.
  roster_item& make(const user_address& whom);
  void erase(const user_address& whom);
  /// Has the entry of `whom` hold the address that the caller holds.
  void share_address(const user_address& whom);

  /// All of them, from then on decoded.
  const std::map<user_address, roster_item>& all() const;

  /// Calls `f(roster_item)` for each that `wanted(const contact_brief&)`, in no
  /// order. Neither may look into this table.
  template <class Wanted, class F>
  void each(Wanted wanted, F f) const {
    for (size_t i = 0; i < x_rows.size(); ++i)
      if (!x_rows.is_taken(i) && wanted(x_rows.brief(i)))
        f(x_rows.item(i));
    for (const auto& [whom, item] : x_items)
      if (wanted(contact_brief::of(item)))
        f(item);
  }

  /// Calls `f(const address_ref&, const contact_standing&)` for each, in no
  /// order; it may not look into this table for more than a `brief`.
  template <class F>
  void each_standing(F f) const {
    for (size_t i = 0; i < x_rows.size(); ++i)
      if (!x_rows.is_taken(i))
        f(x_rows.address(i), x_rows.standing(i));
    for (const auto& [whom, item] : x_items)
      f(address_ref{whom.str(), whom.hash()}, contact_standing::of(item));
  }

private:
  /// `npos`: it is not there, or decoded.
  size_t row_of(const user_address& whom) const;
  roster_item& take(size_t row) const;

  /// Decoded when somebody looks.
  mutable contact_rows x_rows;
  /// Rows that are not taken.
  mutable size_t x_raw = 0;
  mutable std::map<user_address, roster_item> x_items;
};

} // namespace parley
