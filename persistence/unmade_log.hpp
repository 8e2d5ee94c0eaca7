#pragma once

#include <memory>

#include <rocksdb/env.h>

namespace parley {

/// As `base`, but that a log (*.log) that cannot be made is taken for made,
/// once this is wanted, and fails with that error when it is written to.
///
/// RocksDB 7.8 goes on with one log more for each flush. If it cannot make it,
/// DBImpl::ScheduleFlushes keeps the families that it has counted up for an
/// atomic flush, and to close the database ends the process. It knows how to
/// fail at a write.
class unmade_log_env : public rocksdb::EnvWrapper {
public:
  /// `base` has to last.
  explicit unmade_log_env(rocksdb::Env& base);
  explicit unmade_log_env(std::unique_ptr<rocksdb::Env> base);
  const char* Name() const override;

  /// From here on. To open a database should fail at once, and does so well.
  void bear_failures();

private:
  class files;
  void wrap(rocksdb::Env& base);

  std::shared_ptr<files> x_files;
};

} // namespace parley
