#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace parley {

/// How a file in RocksDB's log format (its WAL and its MANIFEST) ends.
enum class log_end : uint8_t {
  /// With a whole record.
  clean,
  /// With a record that the power cut found half written: nothing begins after
  /// it, and bytes of it are missing, cut off or still zero.
  torn,
  /// Anything else: bytes are there, but not those that were written.
  damaged,
};

/// Reads a whole file and calls `each` with the first bytes, at most
/// `log_record_head`, of every record before the end.
///
/// RocksDB's own reader is not asked, since it takes a flipped bit in a length
/// near the end for a torn record, and what follows it for lost.
log_end check_log(std::string_view file,
  const std::function<void(std::string_view head)>& each);

struct manifest_end {
  log_end end = log_end::clean;
  /// Bytes of whole entries before the end.
  size_t whole = 0;
  /// What is in WALs of lower numbers is in tables, as these entries say, and
  /// as those say of a group that is not whole. 0: nothing is said.
  uint64_t log = 0;
  uint64_t torn_log = 0;
  /// Above all numbers of files so far. Not above that of the MANIFEST itself
  /// as long as not all is there that was synced before CURRENT named it.
  uint64_t next_file = 0;
};

/// The same for a MANIFEST, of whose entries some are written and synced
/// together: those that say so are torn together, too.
manifest_end check_manifest(std::string_view file);

/// Sequence number and count of a write batch: 8 and 4 bytes, lowest first.
inline constexpr size_t log_record_head = 12;

/// The sequence number with which a write batch of the WAL begins.
uint64_t log_sequence(std::string_view batch) noexcept;
/// How many sequence numbers it takes.
uint64_t log_count(std::string_view batch) noexcept;

} // namespace parley
