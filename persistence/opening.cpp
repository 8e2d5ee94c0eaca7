#include "persistence/opening.hpp"

#include <set>
#include <string>
#include <vector>

#include <openssl/rand.h>

#include <rocksdb/wal_filter.h>
#include <rocksdb/write_batch.h>

#include "persistence/folder_check.hpp"
#include "persistence/keys.hpp"
#include "persistence/log_check.hpp"
#include "persistence/records.hpp"
#include "protocol/defaults.hpp"

namespace parley {

namespace {

result<std::string> random_octets(size_t n) {
  std::string out(n, '\0');
  if (RAND_bytes(
        reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(n))
    != 1)
    return fail(
      errc::store_unavailable, "no randomness for the store's secret");
  return out;
}

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

result<std::unique_ptr<database>> open_rocks(const store::options& how,
  std::optional<uint64_t> refused_from, access wanted = access::writing) {
  auto options = database_options(how.env);
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
  database::handles handles{};
  std::copy(opened.begin(), opened.end(), handles.begin());
  return std::make_unique<database>(db, handles, std::move(filter));
}

/// Those that have accounts.
result<void> collect_domains(database& db, rocksdb::WriteBatch& batch) {
  std::set<std::string, std::less<>> domains;
  auto done = db.scan(family::accounts, {.keep_in_cache = false},
    [&domains](std::string_view key, std::string_view) -> result<bool> {
      const auto name = key.substr(key.find('@') + 1);
      if (!domains.contains(name))
        domains.emplace(name);
      return true;
    });
  if (!done)
    return done;
  for (const auto& x : domains) {
    auto status = batch.Put(
      db.handle(family::meta), keys::domain(x), records::encode_setting({}));
    if (!status.ok())
      return tl::unexpected(failure_of(status, errc::store_unavailable));
  }
  return {};
}

/// Makes what was opened a store of this schema. True: something was written.
/// Each step can be repeated; the schema is written last, with the secret of a
/// new store: one without them was never used.
result<bool> migrate(database& db, const std::string& path) {
  auto schema = db.get(family::meta, keys::schema);
  if (!schema)
    return tl::unexpected(std::move(schema.error()));
  auto* meta = db.handle(family::meta);
  rocksdb::WriteBatch batch;
  rocksdb::Status status;
  if (*schema) {
    auto version = records::decode_number(**schema);
    if (!version)
      return fail(errc::store_corrupt,
        "the store in " + path + " is damaged: its schema version");
    if (*version == schema_version)
      return false;
    if (*version > schema_version)
      return fail(errc::schema_too_new, "the store in " + path + " is newer");
    // From 1 to 2, and from 2 to 3: families more, empty, which opening has
    // made. Heads are read in all their forms. From 3 to 4: domains.
    if (auto done = collect_domains(db, batch); !done)
      return tl::unexpected(std::move(done.error()));
  } else {
    auto secret = random_octets(defaults::store_secret_bytes);
    if (!secret)
      return tl::unexpected(secret.error());
    status =
      batch.Put(meta, slice(keys::secret), records::encode_setting(*secret));
  }
  if (status.ok())
    status = batch.Put(
      meta, slice(keys::schema), records::encode_number(schema_version));
  rocksdb::WriteOptions options;
  options.sync = true;
  if (status.ok())
    status = db.rocks().Write(options, &batch);
  if (!status.ok())
    return tl::unexpected(opening_failure(status, path));
  return true;
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
  auto* env = how.env ? how.env : rocksdb::Env::Default();
  auto state = check_folder(*env, how.path);
  if (!state)
    return tl::unexpected(state.error());
  auto db = open_rocks(how, refused_from);
  if (!db)
    return tl::unexpected(db.error());
  if (auto synced = sync_names(*env, how.path); !synced.ok())
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
