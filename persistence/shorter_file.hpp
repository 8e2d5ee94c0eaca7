#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <rocksdb/env.h>

namespace parley {

/// As `base`, which has to last, but that every file of this name, whatever its
/// folder, ends after `size` bytes for who reads it in a row. On the disk
/// nothing changes.
std::unique_ptr<rocksdb::Env> env_with_shorter_file(
  rocksdb::Env& base, std::string name, uint64_t size);

} // namespace parley
