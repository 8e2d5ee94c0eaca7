#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <rocksdb/db.h>
#include <rocksdb/wal_filter.h>

#include "persistence/families.hpp"
#include "protocol/errors.hpp"

namespace parley {

/// What a status of RocksDB's means to Parley: `damage` as store_corrupt, all
/// else as `otherwise`. Each status ends here or in `locked`.
failure failure_of(const rocksdb::Status& status, errc otherwise);

inline rocksdb::Slice slice(std::string_view x) {
  return {x.data(), x.size()};
}

inline std::string_view view(const rocksdb::Slice& x) {
  return {x.data(), x.size()};
}

/// An open RocksDB with its families: reading, with our errors.
class database {
public:
  using handles = std::array<rocksdb::ColumnFamilyHandle*, family_count>;

  /// Owns them all. Filter and environment, which may be null, are what it was
  /// opened with.
  database(rocksdb::DB* db, const handles& families,
    std::unique_ptr<rocksdb::WalFilter> filter,
    std::unique_ptr<rocksdb::Env> env)
    : x_env(std::move(env)),
      x_filter(std::move(filter)),
      x_db(db),
      x_handles(families) {}
  ~database();
  database(const database&) = delete;
  database& operator=(const database&) = delete;

  rocksdb::DB& rocks() noexcept { return *x_db; }
  rocksdb::ColumnFamilyHandle* handle(family x) const noexcept {
    return x_handles[static_cast<size_t>(x)];
  }

  /// As of `snapshot`, or now. Nothing if it is not there.
  result<std::optional<std::string>> get(family where, std::string_view key,
    const rocksdb::Snapshot* snapshot = nullptr);

  /// What `each` of a scan returns to go on.
  using visitor =
    std::function<result<bool>(std::string_view key, std::string_view value)>;

  struct range {
    std::string begin = {};
    /// Exclusive; empty: to the last key.
    std::string end = {};
    const rocksdb::Snapshot* snapshot = nullptr;
    /// A look at everything should not drive out what is used.
    bool keep_in_cache = true;
    /// The tables that are looked into; empty: all of them.
    std::function<bool(const rocksdb::TableProperties&)> tables = {};
  };

  /// In the order of keys, until `each` returns false or an error.
  result<void> scan(family where, const range& what, const visitor& each);
  /// From the last key backwards.
  result<void> scan_back(family where, const visitor& each);

private:
  // RocksDB keeps pointers to both.
  std::unique_ptr<rocksdb::Env> x_env;
  std::unique_ptr<rocksdb::WalFilter> x_filter;
  std::unique_ptr<rocksdb::DB> x_db;
  handles x_handles;
};

/// For as long as it lives, reads through it see one state.
class read_point {
public:
  explicit read_point(database& db)
    : x_db(db), x_snapshot(db.rocks().GetSnapshot()) {}
  ~read_point() { x_db.rocks().ReleaseSnapshot(x_snapshot); }
  read_point(const read_point&) = delete;
  read_point& operator=(const read_point&) = delete;

  const rocksdb::Snapshot* get() const noexcept { return x_snapshot; }

private:
  database& x_db;
  const rocksdb::Snapshot* x_snapshot;
};

} // namespace parley
