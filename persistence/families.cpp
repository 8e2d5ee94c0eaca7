#include "persistence/families.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>

#include "persistence/defaults.hpp"
#include "persistence/rocks_events.hpp"
#include "persistence/stored_contacts.hpp"
#include "protocol/defaults.hpp"

namespace parley {

namespace {

/// Where records come and go, so that deletions pile up.
bool is_queue(family x) {
  return x == family::ims || x == family::bodies || x == family::ids
    || x == family::notes || x == family::documents;
}

bool is_large(family x) {
  return is_queue(x) || x == family::rosters || x == family::documents;
}

} // namespace

rocksdb::DBOptions database_options(rocksdb::Env* env) {
  rocksdb::DBOptions o;
  o.env = env ? env : rocksdb::Env::Default();
  // README.md, "Recovery": the check before has made sure that what this mode
  // drops was never acknowledged.
  o.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  // All families are on disk up to the same commit, so that a WAL file is
  // needed whole or not at all.
  o.atomic_flush = true;
  o.max_total_wal_size = defaults::wal_max;
  o.db_write_buffer_size = defaults::write_buffers_max;
  o.max_open_files = defaults::open_tables_max;
  o.max_file_opening_threads = 1;
  o.max_background_jobs = 2;
  // store::impl::recover does it.
  o.max_bgerror_resume_count = 0;
  // One thread writes at a time.
  o.allow_concurrent_memtable_write = false;
  o.enable_write_thread_adaptive_yield = false;
  o.listeners.push_back(std::make_shared<no_recovery>());
  o.info_log = std::make_shared<silent_log>();
  o.stats_dump_period_sec = 0;
  o.stats_persist_period_sec = 0;
  return o;
}

std::shared_ptr<rocksdb::Cache> make_block_cache() {
  rocksdb::LRUCacheOptions o;
  o.capacity = defaults::block_cache_bytes;
  // Few parts: in one of many, a single block could drive out all others.
  o.num_shard_bits = 2;
  // For indexes and filters.
  o.high_pri_pool_ratio = 0.5;
  return rocksdb::NewLRUCache(o);
}

rocksdb::ColumnFamilyOptions family_options(
  family x, const std::shared_ptr<rocksdb::Cache>& blocks) {
  rocksdb::ColumnFamilyOptions o;
  o.write_buffer_size =
    is_large(x) ? defaults::write_buffer_bytes : defaults::small_write_buffer;
  // RocksDB takes memory in pieces of this, each family its own.
  o.arena_block_size = defaults::arena_bytes;
  o.compression = rocksdb::kLZ4Compression;
  if (is_queue(x))
    o.table_properties_collector_factories.push_back(
      rocksdb::NewCompactOnDeletionCollectorFactory(
        defaults::deletions_window, defaults::deletions_trigger));

  if (x == family::rosters) {
    o.merge_operator = stored_contacts::merge_operator();
    // Beyond that the writer lays them on: reading would do so each time.
    o.max_successive_merges = defaults::contact_changes_max;
  }

  rocksdb::BlockBasedTableOptions table;
  table.block_cache = blocks;
  // Within the cache's bound, rather than beside it; in small pieces, or one
  // table's would fill it.
  table.cache_index_and_filter_blocks = true;
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  table.enable_index_compression = false;
  table.filter_policy.reset(
    rocksdb::NewBloomFilterPolicy(defaults::bloom_bits));
  table.format_version = 5;
  o.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return o;
}

} // namespace parley
