#include "persistence/folder_check.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <vector>

#include <rocksdb/db.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/wal_filter.h>

#include "persistence/database.hpp"
#include "persistence/keys.hpp"
#include "persistence/log_check.hpp"
#include "persistence/opening.hpp"
#include "persistence/records.hpp"
#include "persistence/rocks_events.hpp"
#include "persistence/shorter_file.hpp"
#include "protocol/defaults.hpp"

namespace parley {

namespace {

failure damaged(const std::string& path, const std::string& what) {
  return failure{
    errc::store_corrupt, "the store in " + path + " is damaged: " + what};
}

/// Nothing if there is anything else than digits.
std::optional<uint64_t> number_of(std::string_view digits) {
  uint64_t number = 0;
  const auto* end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, number);
  return error == std::errc{} && at == end ? std::optional{number}
                                           : std::nullopt;
}

/// The number in NUMBER.log, if it is one.
std::optional<uint64_t> wal_number(std::string_view name) {
  constexpr std::string_view suffix = ".log";
  if (!name.ends_with(suffix))
    return std::nullopt;
  name.remove_suffix(suffix.size());
  return number_of(name);
}

/// That in MANIFEST-NUMBER.
uint64_t manifest_number(std::string_view name) {
  return number_of(name.substr(name.find('-') + 1)).value_or(UINT64_MAX);
}

/// RocksDB writes CURRENT before any of these.
bool belongs_to_store(const std::string& name) {
  constexpr std::string_view manifest = "MANIFEST-";
  return name.ends_with(".sst") || wal_number(name)
    || (name.starts_with(manifest) && name != "MANIFEST-000001");
}

/// Holds the file LOCK.
class folder_lock {
public:
  explicit folder_lock(rocksdb::Env& env) : x_env(env) {}
  ~folder_lock() {
    if (x_lock)
      x_env.UnlockFile(x_lock).PermitUncheckedError();
  }
  folder_lock(const folder_lock&) = delete;
  folder_lock& operator=(const folder_lock&) = delete;

  rocksdb::Status take(const std::string& path) {
    return x_env.LockFile(path + "/LOCK", &x_lock);
  }

private:
  rocksdb::Env& x_env;
  rocksdb::FileLock* x_lock = nullptr;
};

/// Learns which WAL files RocksDB would replay, and keeps it from doing so.
class wal_listener : public rocksdb::WalFilter {
public:
  WalProcessingOption LogRecordFound(unsigned long long number,
    const std::string&, const rocksdb::WriteBatch&, rocksdb::WriteBatch*,
    bool*) override {
    live.insert(number);
    return WalProcessingOption::kIgnoreCurrentRecord;
  }
  const char* Name() const override { return "parley.wal_listener"; }

  std::set<uint64_t> live;
};

/// The sequence numbers of a WAL file: its first, and the one that its last
/// record would be followed by.
struct wal_span {
  uint64_t first = 0;
  uint64_t next = 0;
};

/// All checks of one folder that has a store.
class folder_checker {
public:
  folder_checker(rocksdb::Env& env, const std::string& path,
    const std::vector<std::string>& files)
    : x_env(env), x_path(path), x_files(files) {}

  result<void> run() {
    return check_manifest()
      .and_then([this] { return check_wals(); })
      .and_then([this] { return open(); })
      .and_then([this] { return check_schema(); })
      .and_then([this] { return check_chain(); })
      .and_then([this] { return check_tables(); });
  }

  /// See folder_state; after `run`, whose database it closes.
  std::unique_ptr<rocksdb::Env> take_env() {
    x_meta.reset();
    x_db.reset();
    return std::move(x_without_end);
  }

private:
  result<std::string> read(const std::string& name) {
    std::string text;
    auto status = rocksdb::ReadFileToString(&x_env, x_path + "/" + name, &text);
    if (!status.ok())
      return tl::unexpected(opening_failure(status, x_path));
    return text;
  }

  result<void> check_manifest() {
    auto current = read("CURRENT");
    if (!current)
      return tl::unexpected(current.error());
    if (current->ends_with('\n'))
      current->pop_back();
    if (std::ranges::find(x_files, *current) == x_files.end())
      return tl::unexpected(damaged(x_path,
        current->starts_with("MANIFEST-")
          ? *current + ", which CURRENT names, is missing"
          : "CURRENT names no MANIFEST"));
    auto text = read(*current);
    if (!text)
      return tl::unexpected(text.error());
    const auto x = parley::check_manifest(*text);
    if (x.end == log_end::damaged)
      return tl::unexpected(damaged(x_path, *current));
    // A WAL is removed when it is synced that tables have what is in it, and
    // what a MANIFEST begins with is synced before it is named.
    if ((x.torn_log != 0 && !has_wal(x.log, x.torn_log))
      || x.next_file <= manifest_number(*current))
      return tl::unexpected(
        damaged(x_path, *current + ": what is missing was synced"));
    // RocksDB bears one that is cut off, but not one with unwritten sectors.
    if (x.end == log_end::torn)
      x_without_end = env_with_shorter_file(x_env, *current, x.whole);
    return {};
  }

  /// One from this number on and below that one.
  bool has_wal(uint64_t from, uint64_t to) const {
    return std::ranges::any_of(x_files, [from, to](const auto& name) {
      auto number = wal_number(name);
      return number && *number >= from && *number < to;
    });
  }

  result<void> check_wals() {
    for (auto& name : x_files) {
      auto number = wal_number(name);
      if (!number)
        continue;
      auto text = read(name);
      if (!text)
        return tl::unexpected(text.error());
      wal_span span;
      bool chained = true;
      auto end = check_log(*text, [&](std::string_view head) {
        if (head.size() < log_record_head) {
          chained = false;
          return;
        }
        auto sequence = log_sequence(head);
        if (span.next == 0)
          span.first = sequence;
        else
          chained &= sequence == span.next;
        span.next = sequence + log_count(head);
      });
      if (end == log_end::damaged || !chained)
        return tl::unexpected(damaged(x_path, name));
      if (span.next != 0)
        x_spans[*number] = span;
    }
    return {};
  }

  /// Of some damage within a table RocksDB says only that the MANIFEST names
  /// it.
  failure with_its_table(const rocksdb::Status& status) {
    if (!status.IsCorruption())
      return opening_failure(status, x_path);
    rocksdb::Options options;
    options.env = &x_env;
    for (auto& name : x_files) {
      if (!name.ends_with(".sst"))
        continue;
      rocksdb::SstFileReader table(options);
      auto found = table.Open(x_path + '/' + name);
      if (found.ok())
        found = table.VerifyChecksum();
      if (found.IsCorruption())
        return damaged(x_path, name + ": " + found.ToString());
    }
    return opening_failure(status, x_path);
  }

  /// For reading, without what is in the WAL.
  result<void> open() {
    rocksdb::DBOptions options;
    options.env = x_without_end ? x_without_end.get() : &x_env;
    options.info_log = std::make_shared<silent_log>();
    options.wal_filter = &x_listener;
    // What is damaged has been found; this is to be told of all records.
    options.wal_recovery_mode =
      rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
    options.max_open_files = defaults::open_tables_max;
    // As many as it is told to, for each family, whatever there is to open.
    options.max_file_opening_threads = 1;
    std::vector<std::string> names;
    auto status = rocksdb::DB::ListColumnFamilies(options, x_path, &names);
    if (!status.ok())
      return tl::unexpected(opening_failure(status, x_path));
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (auto& name : names)
      families.emplace_back(name, rocksdb::ColumnFamilyOptions());
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* db = nullptr;
    status =
      rocksdb::DB::OpenForReadOnly(options, x_path, families, &handles, &db);
    if (!status.ok())
      return tl::unexpected(with_its_table(status));
    x_db.reset(db);
    for (auto* handle : handles) {
      if (handle->GetName() == family_names[static_cast<size_t>(family::meta)])
        x_meta.reset(handle);
      else
        delete handle;
    }
    return {};
  }

  result<void> check_schema() {
    if (!x_meta)
      return {};
    std::string value;
    auto status = x_db->Get(
      rocksdb::ReadOptions(), x_meta.get(), slice(keys::schema), &value);
    // It is put into a table when a store is made; before that there is none.
    if (status.IsNotFound())
      return {};
    if (!status.ok())
      return tl::unexpected(opening_failure(status, x_path));
    auto version = records::decode_number(value);
    if (!version)
      return tl::unexpected(damaged(x_path, "its schema version"));
    if (auto why = judge_schema(*version, x_path))
      return tl::unexpected(*why);
    return {};
  }

  /// The WAL files that are replayed go on from the tables and from each other.
  result<void> check_chain() {
    // The MANIFEST may know of commits that only the WAL has.
    auto next = x_db->GetLatestSequenceNumber() + 1;
    uint64_t in_tables = 0;
    std::vector<rocksdb::LiveFileMetaData> tables;
    x_db->GetLiveFilesMetaData(&tables);
    for (auto& table : tables)
      in_tables = std::max(in_tables, table.largest_seqno);
    bool is_first = true;
    for (auto number : x_listener.live) {
      auto i = x_spans.find(number);
      if (i == x_spans.end())
        continue;
      auto& span = i->second;
      if (is_first ? span.first <= in_tables || span.first > next
                   : span.first != next)
        return tl::unexpected(damaged(x_path,
          "log " + std::to_string(number) + " does not follow on the others"));
      next = span.next;
      is_first = false;
    }
    return {};
  }

  result<void> check_tables() {
    std::vector<rocksdb::LiveFileMetaData> tables;
    x_db->GetLiveFilesMetaData(&tables);
    uint64_t size = 0;
    for (auto& table : tables)
      size += table.size;
    if (size > defaults::verify_at_open_max)
      return {};
    auto status = x_db->VerifyChecksum();
    if (!status.ok())
      return tl::unexpected(opening_failure(status, x_path));
    return {};
  }

  rocksdb::Env& x_env;
  const std::string& x_path;
  const std::vector<std::string>& x_files;
  std::map<uint64_t, wal_span> x_spans;
  wal_listener x_listener;
  std::unique_ptr<rocksdb::Env> x_without_end;
  std::unique_ptr<rocksdb::DB> x_db;
  std::unique_ptr<rocksdb::ColumnFamilyHandle> x_meta;
};

} // namespace

std::optional<failure> judge_schema(uint64_t version, const std::string& path) {
  if (version <= schema_version)
    return std::nullopt;
  failure why{errc::schema_too_new,
    "a newer Parley wrote the store in " + path + ": its schema is "
      + std::to_string(version) + ", this Parley knows up to "
      + std::to_string(schema_version)};
  why.limit = schema_version;
  why.value = version;
  return why;
}

failure opening_failure(
  const rocksdb::Status& status, const std::string& path) {
  auto text = status.ToString();
  // A table that is missing is looked for last under the name that RocksDB gave
  // to tables long ago.
  for (size_t at = 0; (at = text.find(".ldb", at)) != std::string::npos;)
    text.replace(at, 4, ".sst");
  auto says = [&](std::string_view what) {
    return text.find(what) != std::string::npos;
  };
  // RocksDB has no code for this: another process, this process, in memory.
  if (says("While lock file") || says("lock hold by current process")
    || says("lock is already held"))
    return failure{
      errc::store_locked, "another process holds the store in " + path};
  if (status.IsIOError() && !status.IsPathNotFound())
    return failure{errc::store_unavailable,
      "the store in " + path + " cannot be used: " + text};
  return damaged(path, text);
}

result<folder_state> check_folder(rocksdb::Env& env, const std::string& path) {
  std::vector<std::string> files;
  auto status = env.GetChildren(path, &files);
  if (status.IsNotFound() || status.IsPathNotFound())
    return folder_state{.has_store = false};
  if (!status.ok())
    return tl::unexpected(failure{errc::store_unavailable,
      "the store in " + path + " cannot be used: " + status.ToString()});
  if (std::ranges::find(files, "CURRENT") == files.end()) {
    if (std::ranges::any_of(files, belongs_to_store))
      return tl::unexpected(damaged(path, "CURRENT is missing"));
    return folder_state{.has_store = false};
  }
  folder_lock lock(env);
  status = lock.take(path);
  if (!status.ok())
    return tl::unexpected(opening_failure(status, path));
  // Once more: the one who held the lock may have changed them.
  status = env.GetChildren(path, &files);
  if (!status.ok())
    return tl::unexpected(opening_failure(status, path));
  folder_checker checker(env, path, files);
  return checker.run().map([&checker] {
    return folder_state{.has_store = true, .env = checker.take_env()};
  });
}

} // namespace parley
