#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "persistence/store.hpp"

namespace parley {

/// A user whose address is somewhere else: looked for without allocating.
struct address_ref {
  std::string_view text;
  /// That of a `user_address` of this text.
  uint64_t hash = 0;

  friend bool operator==(const user_address& x, const address_ref& y) noexcept {
    return x.hash() == y.hash && x.str() == y.text;
  }
};

/// How a user and a contact stand to each other; as in roster_item.
struct contact_standing {
  subscription_state subscription;
  bool listed = false;
  bool preapproved = false;
  bool pretended = false;

  bool operator==(const contact_standing&) const = default;

  static contact_standing of(const roster_item& x) noexcept {
    return {
      x.what.subscription, x.what.listed, x.what.preapproved, x.pretended};
  }
};

/// An entry of a contact list without its address, name and groups.
struct contact_brief : contact_standing {
  roster_version version;
  uint64_t asked = 0;
  uint64_t heard = 0;
  uint64_t approved_at = 0;

  bool operator==(const contact_brief&) const = default;

  static contact_brief of(const roster_item& x) noexcept {
    return {
      contact_standing::of(x), x.version, x.asked, x.heard, x.approved_at};
  }
};

/// The entries of a contact list, each as it is on disk, side by side: most of
/// a list is never looked at while its user is here, and costs some 70 bytes an
/// entry so. In order of address.
class contact_rows {
public:
  static constexpr size_t npos = SIZE_MAX;

  /// In place of all that is here: those of a list (stored_contacts.hpp), of
  /// which `expected` are likely to be rows. What is no entry, or not above the
  /// one before it, is left out and told of, by the address that it has; by
  /// none, what is no list to its end, or has more than 4 GiB.
  void assign(std::string list, size_t expected,
    const std::function<void(std::string_view address)>& unreadable);
  /// Its address is above those that are here, and no longer than 65 535 bytes.
  void append(const roster_item& x);

  size_t size() const noexcept { return x_rows.size(); }
  bool empty() const noexcept { return x_rows.empty(); }
  /// What they hold, in bytes.
  size_t memory() const noexcept {
    return x_text.capacity() + x_rows.capacity() * sizeof(row)
      + x_places.capacity() * sizeof(uint32_t);
  }
  address_ref address(size_t i) const noexcept;
  /// Is at hand, without a look at the row.
  contact_standing standing(size_t i) const noexcept;
  contact_brief brief(size_t i) const;
  roster_item item(size_t i) const;
  /// `npos`: it is not here.
  size_t find(const address_ref& whom) const;

  /// Which are left out: for who holds them otherwise.
  bool is_taken(size_t i) const noexcept { return x_rows[i].taken; }
  void take(size_t i) noexcept { x_rows[i].taken = true; }

  /// The greatest number of a wish to any of them, also of those left out.
  uint64_t last_asked() const noexcept { return x_last_asked; }

  auto fields() { return std::tie(x_text, x_rows, x_last_asked); }

private:
  struct row {
    uint64_t hash = 0;
    /// In the text: the address. Some bytes after it, the value.
    uint32_t address_at = 0;
    uint32_t value_at = 0;
    uint32_t value_size = 0;
    uint16_t address_size = 0;
    bool taken = false;
    uint8_t standing = 0;
    auto fields() {
      return std::tie(
        hash, address_at, value_at, value_size, address_size, taken, standing);
    }
  };

  /// Of bytes within the text. False: those are not to be a row.
  bool add(std::string_view address, std::string_view value);
  std::string_view value(size_t i) const noexcept;
  void make_places() const;

  std::string x_text;
  std::vector<row> x_rows;
  /// Rows by their hash, counted from 1; 0 is none. Made when somebody is
  /// looked for.
  mutable std::vector<uint32_t> x_places;
  uint64_t x_last_asked = 0;
};

/// As `stored_roster`.
struct packed_roster {
  roster_head head;
  contact_rows items;
  auto fields() { return std::tie(head, items); }
};

} // namespace parley
