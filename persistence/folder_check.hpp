#pragma once

#include <memory>
#include <optional>
#include <string>

#include <rocksdb/env.h>

#include "protocol/errors.hpp"

namespace parley {

/// What is in a folder that a store is to be opened in.
struct folder_state {
  /// A store that can be opened. Otherwise there is none yet, or one whose
  /// making broke off before anything was acknowledged.
  bool has_store = false;
  /// What it is to be opened in, if that is not the environment that it was
  /// looked at in, which has to last: where the MANIFEST has no torn end.
  std::unique_ptr<rocksdb::Env> env = nullptr;
};

/// Looks at every byte that opening depends on, and writes nothing but the file
/// LOCK, which it holds meanwhile. `store_locked`, `schema_too_new`,
/// `store_corrupt`, `store_unavailable`.
result<folder_state> check_folder(rocksdb::Env& env, const std::string& path);

/// Whether the schema can be used; text for operators otherwise.
std::optional<failure> judge_schema(uint64_t version, const std::string& path);

/// `status`, met while opening `path`, with a text for operators.
failure opening_failure(const rocksdb::Status& status, const std::string& path);

} // namespace parley
