#include "persistence/opening.hpp"

#include <string>
#include <vector>

#include <rocksdb/wal_filter.h>
#include <rocksdb/write_batch.h>

#include "persistence/folder_check.hpp"
#include "persistence/keys.hpp"
#include "persistence/log_check.hpp"
#include "persistence/migration.hpp"
#include "persistence/records.hpp"
#include "persistence/unmade_log.hpp"

namespace parley {

namespace {

/// Keeps out of the replay what was written, but not synced.
class replay_end : public rocksdb::WalFilter {
public:
  explicit replay_end(uint64_t refused_from) : x_end(refused_from) {}

  WalProcessingOption LogRecordFound(unsigned long long, const std::string&,
    const rocksdb::WriteBatch& batch, rocksdb::WriteBatch*, bool*) override {
    return log_sequence(batch.Data()) < x_end
      ? WalProcessingOption::kContinueProcessing
      : WalProcessingOption::kIgnoreCurrentRecord;
  }
  const char* Name() const override { return "parley.replay_end"; }

private:
  uint64_t x_end;
};

enum class access { reading, writing };

rocksdb::Env& disk_of(const store::options& how) {
  return how.env ? *how.env : *rocksdb::Env::Default();
}

/// In `env`, if there is one, instead of that of `how`.
result<std::unique_ptr<database>> open_rocks(const store::options& how,
  std::optional<uint64_t> refused_from, access wanted = access::writing,
  std::unique_ptr<rocksdb::Env> env = nullptr) {
  auto disk = env ? std::make_unique<unmade_log_env>(std::move(env))
                  : std::make_unique<unmade_log_env>(disk_of(how));
  auto options = database_options(disk.get());
  auto filter =
    refused_from ? std::make_unique<replay_end>(*refused_from) : nullptr;
  options.wal_filter = filter.get();
  options.create_if_missing = wanted == access::writing;
  options.create_missing_column_families = wanted == access::writing;
  auto blocks = make_block_cache();
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (size_t i = 0; i < family_count; ++i)
    families.emplace_back(std::string(family_names[i]),
      family_options(static_cast<family>(i), blocks));
  std::vector<rocksdb::ColumnFamilyHandle*> opened;
  rocksdb::DB* db = nullptr;
  auto status = wanted == access::writing
    ? rocksdb::DB::Open(options, how.path, families, &opened, &db)
    : rocksdb::DB::OpenForReadOnly(options, how.path, families, &opened, &db);
  // What belongs to a store was looked at; this is a folder above it.
  if (status.IsPathNotFound())
    status = rocksdb::Status::IOError(status.ToString());
  if (!status.ok())
    return tl::unexpected(opening_failure(status, how.path));
  disk->bear_failures();
  database::handles handles{};
  std::copy(opened.begin(), opened.end(), handles.begin());
  return std::make_unique<database>(
    db, handles, std::move(filter), std::move(disk));
}

std::string parent_of(const std::string& path) {
  auto end = path.find_last_not_of('/');
  auto cut = end == std::string::npos ? end : path.find_last_of('/', end);
  return cut == std::string::npos ? "." : cut == 0 ? "/" : path.substr(0, cut);
}

/// Makes the names of the folders on a path as lasting as what will be in the
/// last one. Always: who made them may have been killed before this. One that
/// cannot be opened is none that we made.
rocksdb::Status sync_names(rocksdb::Env& env, const std::string& path) {
  for (auto at = path; at != "/" && at != ".";) {
    at = parent_of(at);
    std::unique_ptr<rocksdb::Directory> folder;
    if (auto opened = env.NewDirectory(at, &folder); !opened.ok())
      continue;
    if (auto synced = folder->Fsync(); !synced.ok())
      return synced;
  }
  return rocksdb::Status::OK();
}

} // namespace

result<std::unique_ptr<database>> open_for_reading(
  const store::options& how, std::optional<uint64_t> refused_from) {
  return open_rocks(how, refused_from, access::reading);
}

result<opened> open_database(
  const store::options& how, std::optional<uint64_t> refused_from) {
  auto& env = disk_of(how);
  auto state = check_folder(env, how.path);
  if (!state)
    return tl::unexpected(state.error());
  auto db =
    open_rocks(how, refused_from, access::writing, std::move(state->env));
  if (!db)
    return tl::unexpected(db.error());
  if (auto synced = sync_names(env, how.path); !synced.ok())
    return tl::unexpected(opening_failure(synced, how.path));
  auto migrated = migrate(**db, how.path);
  if (!migrated)
    return tl::unexpected(migrated.error());
  if (*migrated) {
    // Into a table, where check_folder looks for the schema. Not by a flush:
    // that of a single family is two entries of the MANIFEST, and a power cut
    // between them leaves a WAL that check_folder takes for damage.
    db->reset();
    db = open_rocks(how, std::nullopt);
    if (!db)
      return tl::unexpected(db.error());
  }
  auto secret = (*db)->get(family::meta, keys::secret);
  if (!secret)
    return tl::unexpected(secret.error());
  auto octets = *secret ? records::decode_setting(**secret) : std::nullopt;
  if (!octets)
    return fail(errc::store_corrupt,
      "the store in " + how.path + " is damaged: its secret");
  return opened{.db = std::move(*db), .secret = std::move(*octets)};
}

} // namespace parley
