#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <rocksdb/options.h>

namespace parley {

/// The column families; README.md says what each holds.
enum class family : uint8_t {
  /// RocksDB's own, empty.
  none,
  accounts,
  heads,
  ims,
  bodies,
  ids,
  settings,
  audit,
  meta,
  rosters,
  notes,
  documents,
};

inline constexpr std::array family_names{std::string_view("default"),
  std::string_view("accounts"), std::string_view("heads"),
  std::string_view("ims"), std::string_view("bodies"), std::string_view("ids"),
  std::string_view("settings"), std::string_view("audit"),
  std::string_view("meta"), std::string_view("rosters"),
  std::string_view("notes"), std::string_view("documents")};

inline constexpr size_t family_count = family_names.size();

/// Of the whole database. `env` as in store::options.
rocksdb::DBOptions database_options(rocksdb::Env* env);

/// One cache for all families of a database.
std::shared_ptr<rocksdb::Cache> make_block_cache();

rocksdb::ColumnFamilyOptions family_options(
  family x, const std::shared_ptr<rocksdb::Cache>& blocks);

} // namespace parley
