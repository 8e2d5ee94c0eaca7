#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "persistence/database.hpp"
#include "persistence/store.hpp"

namespace parley {

/// The layout that this program writes, in meta under `schema`.
inline constexpr uint64_t schema_version = 5;

struct opened {
  std::unique_ptr<database> db;
  /// As store::secret.
  std::string secret;
};

/// Checks the folder without writing into it, then opens it or makes a store
/// in it; errors as of store::open. Of what is only in the WAL, all from the
/// sequence number `refused_from` on is left out for good.
result<opened> open_database(const store::options& how,
  std::optional<uint64_t> refused_from = std::nullopt);

/// A store that was open a moment ago, and that the disk does not let be opened
/// for writing again; nothing is written. What was committed can be read.
result<std::unique_ptr<database>> open_for_reading(
  const store::options& how, std::optional<uint64_t> refused_from);

} // namespace parley
