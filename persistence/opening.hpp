#pragma once

#include <memory>
#include <string>

#include "persistence/database.hpp"
#include "persistence/store.hpp"

namespace parley {

/// The layout that this program writes, in meta under `schema`.
inline constexpr uint64_t schema_version = 1;

struct opened {
  std::unique_ptr<database> db;
  /// As store::secret.
  std::string secret;
};

/// Checks the folder without writing into it, then opens it or makes a store
/// in it; errors as of store::open.
result<opened> open_database(const store::options& how);

} // namespace parley
