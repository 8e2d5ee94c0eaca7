#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rocksdb/merge_operator.h>

#include "persistence/bytes.hpp"

/// The contacts of a user as they are on disk: one value, and changes of it
/// that RocksDB lays upon it. Both have one form (README.md, *contacts*).
namespace parley::stored_contacts {

/// One contact.
struct element {
  /// Empty: what follows could not be read.
  std::string_view address;
  /// As `records::encode_contact` makes it, unchecked. Empty: the contact is
  /// removed; not within a whole list.
  std::string_view entry;
};

/// From one to the next. Total: what is not such a value ends it.
class reader {
public:
  explicit reader(std::string_view list);

  std::optional<element> next();
  /// All was read, and it was a list to its end.
  bool complete() const noexcept { return x_in.complete(); }
  /// What comes after the last one.
  std::string_view rest() const noexcept { return x_in.rest(); }

private:
  bytes::reader x_in;
};

/// The entry of one contact; empty if it is not in the list, or behind damage.
/// Reads up to its place, half of the list on average.
std::string_view find(std::string_view list, std::string_view address);

/// A list without elements, to append to in order of address.
std::string empty();
void append(std::string& list, const element& x);

/// A change of one contact.
std::string change(std::string_view address, std::string_view entry);

/// The changes, oldest first, as one.
std::string join(const std::vector<std::string_view>& changes);
/// What comes of a list, if there was one, by the changes, oldest first. Of one
/// that is damaged what precedes the damage counts; the rest stays as it is, as
/// an element without an address, of several the latest.
std::string with_changes(std::optional<std::string_view> list,
  const std::vector<std::string_view>& changes);

/// For the family that has the lists.
std::shared_ptr<rocksdb::MergeOperator> merge_operator();

} // namespace parley::stored_contacts
