#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "persistence/store.hpp"

namespace parley::test {

/// Pairs of these users whose two halves of a subscription say different
/// things on disk, told in words.
std::vector<std::string> disagreements(
  store& db, const std::vector<user_address>& users);

/// Notes on disk that the other half has not confirmed.
size_t open_notes(store& db);

/// The user's entry about `whom`; an unlisted one that says nothing if there
/// is none.
roster_item entry_of(
  store& db, const user_address& user, const user_address& whom);

} // namespace parley::test
