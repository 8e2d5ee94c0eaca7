#pragma once

#include <string>

#include "persistence/database.hpp"

namespace parley {

/// Makes what was opened a store of this schema. True: something was written.
/// Each step can be repeated; a new store gets the schema with its secret: one
/// without them was never used. `path` is for what errors say: `store_corrupt`,
/// also of contacts that cannot be read, `schema_too_new`, `store_unavailable`;
/// after one of the disk's a part may be done, with which the next call goes
/// on.
result<bool> migrate(database& db, const std::string& path);

} // namespace parley
