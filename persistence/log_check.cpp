#include "persistence/log_check.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "persistence/bytes.hpp"

namespace parley {

// The format: blocks of 32 KiB; in them fragments, each with a header of a
// masked CRC-32C of type and data (4 bytes), the length of the data (2) and the
// type (1), lowest byte first. Less than a header's room at a block's end stays
// unused. RocksDB documents it in db/log_format.h.

namespace {

constexpr size_t block_size = 32 * 1024;
constexpr size_t header_size = 7;
/// What a disk writes whole or not at all.
constexpr size_t sector_size = 512;
/// Fewer zeros than this at the end of a file may well be data.
constexpr size_t zeros_min = 8;

enum type : uint8_t { full = 1, first = 2, middle = 3, last = 4 };

/// CRC-32C, reflected, one byte at a time.
class crc32c {
public:
  void add(std::string_view text) noexcept {
    for (unsigned char c : text)
      x_state = table[(x_state ^ c) & 0xff] ^ x_state >> 8;
  }

  /// As it stands in a header.
  uint32_t masked() const noexcept {
    return std::rotr(~x_state, 15) + 0xa282ead8;
  }

private:
  static constexpr auto table = [] {
    std::array<uint32_t, 256> result{};
    for (uint32_t i = 0; i < result.size(); ++i) {
      auto x = i;
      for (int bit = 0; bit < 8; ++bit)
        x = x & 1 ? x >> 1 ^ 0x82f63b78 : x >> 1;
      result[i] = x;
    }
    return result;
  }();

  uint32_t x_state = 0xffffffff;
};

/// Lowest byte first.
template <class T>
T little(std::string_view x) {
  T result = 0;
  for (size_t i = x.size(); i > 0; --i)
    result = static_cast<T>(result << 8 | static_cast<unsigned char>(x[i - 1]));
  return result;
}

struct header {
  uint32_t checksum;
  size_t length;
  uint8_t type;

  header(std::string_view file, size_t at)
    : checksum(little<uint32_t>(file.substr(at, 4))),
      length(little<uint16_t>(file.substr(at + 4, 2))),
      type(static_cast<uint8_t>(file[at + 6])) {}
};

/// Bytes from `at` to the end of its block or of the file.
size_t room(std::string_view file, size_t at) {
  return std::min(block_size - at % block_size, file.size() - at);
}

/// The data of the fragment at `at`, if it is one.
std::optional<std::string_view> fragment(std::string_view file, size_t at) {
  auto space = room(file, at);
  if (space < header_size)
    return std::nullopt;
  header h(file, at);
  if (h.type < full || h.type > last || header_size + h.length > space)
    return std::nullopt;
  crc32c sum;
  sum.add(file.substr(at + header_size - 1, 1 + h.length));
  if (sum.masked() != h.checksum)
    return std::nullopt;
  return file.substr(at + header_size, h.length);
}

/// Where a record begins from `at` on, among the places that `may_be` takes for
/// one. Each record of a WAL is synced before the next begins.
template <class F>
std::optional<size_t> next_record(
  std::string_view file, size_t at, const F& may_be) {
  for (; at + header_size <= file.size(); ++at) {
    auto kind = static_cast<uint8_t>(file[at + header_size - 1]);
    if ((kind == full || kind == first) && may_be(at) && fragment(file, at))
      return at;
  }
  return std::nullopt;
}

bool anywhere(size_t) {
  return true;
}

/// Whether some sector's part of the file from `at` on was never written.
bool any_unwritten(std::string_view file, size_t at) {
  while (at < file.size()) {
    auto end = (at / sector_size + 1) * sector_size;
    auto part = file.substr(at, end - at);
    if (part.find_first_not_of('\0') == std::string_view::npos
      && (end <= file.size() || part.size() >= zeros_min))
      return true;
    at = end;
  }
  return false;
}

/// Whether the data at `at` are whole under another length than their header
/// says.
bool other_length_fits(std::string_view file, size_t at) {
  header h(file, at);
  auto data = file.substr(at + header_size, room(file, at) - header_size);
  crc32c sum;
  sum.add(file.substr(at + header_size - 1, 1));
  for (size_t n = 0;; ++n) {
    if (sum.masked() == h.checksum)
      return true;
    if (n == data.size())
      return false;
    sum.add(data.substr(n, 1));
  }
}

/// What to think of a file whose fragment at `at` is none.
template <class F>
log_end judge(std::string_view file, size_t at, const F& may_be) {
  if (next_record(file, at + 1, may_be))
    return log_end::damaged;
  if (any_unwritten(file, at))
    return log_end::torn;
  if (file.size() - at < header_size)
    return log_end::torn;
  header h(file, at);
  auto fits = header_size + h.length <= room(file, at);
  auto in_block = header_size + h.length <= block_size - at % block_size;
  if (fits || !in_block || other_length_fits(file, at))
    return log_end::damaged;
  return log_end::torn;
}

struct reading {
  /// Where the last whole record ends.
  size_t whole = 0;
  /// Where there should be a fragment and is none.
  std::optional<size_t> bad;
  /// A record has no end.
  bool is_open = false;
  /// What is kept of that.
  std::string head;
  /// A fragment is not of the kind that follows on the one before it.
  bool is_mixed_up = false;
};

/// From `at` on, to the first place that is no fragment. Of each record `each`
/// gets the first `keep` bytes.
template <class F>
reading read_log(std::string_view file, size_t at, size_t keep, F each) {
  reading x;
  x.whole = at;
  auto& head = x.head;
  while (at < file.size()) {
    auto left = block_size - at % block_size;
    if (left < header_size) {
      at += left;
      continue;
    }
    auto data = fragment(file, at);
    if (!data) {
      x.bad = at;
      return x;
    }
    auto kind = header(file, at).type;
    auto begins = kind == full || kind == first;
    if (begins == x.is_open) {
      x.is_mixed_up = true;
      return x;
    }
    head.append(data->substr(0, keep - head.size()));
    at += header_size + data->size();
    x.is_open = kind == first || kind == middle;
    if (!x.is_open) {
      each(std::string_view{head});
      head.clear();
      x.whole = at;
    }
  }
  return x;
}

/// Which places after the bad one of a WAL may begin a record. Clients' texts
/// stand in it as they are, and a checksum has no secret: what looks like a
/// fragment is one only if its sequence number follows, too.
class batch_after {
public:
  /// `next` is the number that follows on the last whole record, 0 if there is
  /// none.
  batch_after(std::string_view file, const reading& x, uint64_t next)
    : x_file(file), x_bad(*x.bad), x_whole(x.whole), x_least(next) {
    auto head = x.head;
    if (head.size() == log_record_head)
      x_least = log_sequence(head);
    else if (auto left = room(file, x_bad); left > header_size)
      head += file.substr(x_bad + header_size,
        std::min(left - header_size, log_record_head - head.size()));
    auto sequence = log_sequence(head);
    auto count = log_count(head);
    // Where nothing says which number it has to be, at least no noise.
    auto is_likely = x_least != 0 ? sequence == x_least
                                  : sequence >> 56 == 0 && count >> 24 == 0;
    if (!is_likely || count == 0)
      return;
    x_end = told_end(x.is_open);
    x_follower = sequence + count;
  }

  bool operator()(size_t at) const {
    auto sequence = sequence_at(at);
    if (!sequence)
      return false;
    // Within the bad record as its headers have it: only if a length is wrong,
    // and then what follows on it. Damage of its count leaves the lengths.
    if (at < x_end)
      return *sequence == x_follower;
    // Each number takes more than a byte, from where the bad record begins.
    return x_least == 0
      || (*sequence >= x_least && *sequence - x_least <= at - x_whole);
  }

private:
  /// Where the bad record ends, as far as headers say so.
  size_t told_end(bool is_open) const {
    auto at = x_bad;
    while (room(x_file, at) >= header_size) {
      header h(x_file, at);
      auto end = at + header_size + h.length;
      auto block_end = (at / block_size + 1) * block_size;
      if (h.type == (is_open ? last : full) && end <= block_end)
        return end;
      // All others take the rest of their block.
      if (h.type != (is_open ? middle : first) || end != block_end)
        return at;
      at = end;
      is_open = true;
      if (at >= x_file.size())
        return at;
    }
    return at;
  }

  /// That of the write batch which begins with the fragment at `at`.
  std::optional<uint64_t> sequence_at(size_t at) const {
    header h(x_file, at);
    auto end = at + header_size + h.length;
    if (h.type == first && end % block_size != 0)
      return std::nullopt;
    std::string head(
      x_file.substr(at + header_size, std::min(h.length, log_record_head)));
    if (h.type == first && head.size() < log_record_head && end < x_file.size())
      if (auto rest = fragment(x_file, end))
        head += rest->substr(0, log_record_head - head.size());
    if (head.size() < log_record_head)
      return std::nullopt;
    return log_sequence(head);
  }

  std::string_view x_file;
  size_t x_bad;
  size_t x_whole;
  /// Below this nothing follows; 0: not known.
  uint64_t x_least;
  size_t x_end = 0;
  /// Follows on the bad record.
  uint64_t x_follower = 0;
};

// Entries of a MANIFEST: numbered fields, numbers in varints; RocksDB documents
// them in db/version_edit.h.
enum field : uint64_t {
  comparator = 1,
  log_number = 2,
  next_file = 3,
  last_sequence = 4,
  previous_log = 9,
  least_log = 10,
  greatest_family = 203,
  db_id = 1 << 13 | 1,
};

struct entry_head {
  /// What is in WALs below this number is in tables.
  uint64_t log = 0;
  uint64_t next_file = 0;
};

/// The fields that an entry begins with.
entry_head read_head(std::string_view entry) {
  entry_head x;
  bytes::reader in{entry};
  while (in.ok()) {
    const auto what = in.varint();
    if (what == comparator || what == db_id) {
      in.text();
      continue;
    }
    const bool is_number = what == log_number || what == next_file
      || what == last_sequence || what == previous_log || what == least_log
      || what == greatest_family;
    const auto number = in.ok() && is_number ? in.varint() : 0;
    if (!is_number || !in.ok())
      break;
    if (what == log_number || what == least_log)
      x.log = std::max(x.log, number);
    else if (what == next_file)
      x.next_file = number;
  }
  return x;
}

/// How many entries follow that belong to this one: all of them are written,
/// and synced, together. Of one that is alone nothing.
std::optional<unsigned> group_left(std::string_view entry) {
  constexpr std::string_view field = "\xac\x02"; // 300, the last of an entry
  if (entry.size() < field.size() + 1
    || entry.substr(entry.size() - field.size() - 1, field.size()) != field)
    return std::nullopt;
  auto left = static_cast<unsigned char>(entry.back());
  return left < 0x80 ? std::optional<unsigned>{left} : std::nullopt;
}

/// Whether all that begins from `at` on is of one group of entries, to each of
/// which `each` is called.
template <class F>
bool only_one_group_goes_on(std::string_view file, size_t at, F each) {
  std::optional<unsigned> left;
  bool is_one = true;
  auto take = [&](std::string_view entry) {
    auto now = group_left(entry);
    is_one &= now && (!left || *now < *left);
    left = now;
    each(entry);
  };
  while (auto next = next_record(file, at, anywhere)) {
    auto x = read_log(file, *next, SIZE_MAX, take);
    if (!is_one || x.is_mixed_up)
      return false;
    at = x.bad.value_or(file.size()) + 1;
  }
  return is_one;
}

/// Of a file without a bad place.
log_end end_of(const reading& x) {
  if (x.is_mixed_up)
    return log_end::damaged;
  return x.is_open ? log_end::torn : log_end::clean;
}

} // namespace

uint64_t log_sequence(std::string_view batch) noexcept {
  return batch.size() < log_record_head ? 0
                                        : little<uint64_t>(batch.substr(0, 8));
}

uint64_t log_count(std::string_view batch) noexcept {
  return batch.size() < log_record_head ? 0
                                        : little<uint32_t>(batch.substr(8, 4));
}

log_end check_log(std::string_view file,
  const std::function<void(std::string_view head)>& each) {
  uint64_t next = 0;
  auto x = read_log(file, 0, log_record_head, [&](std::string_view head) {
    next = log_sequence(head) + log_count(head);
    each(head);
  });
  return x.bad ? judge(file, *x.bad, batch_after(file, x, next)) : end_of(x);
}

manifest_end check_manifest(std::string_view file) {
  manifest_end out;
  // Of a group, until it is whole.
  uint64_t log = 0;
  auto look = [&log](std::string_view entry) {
    const auto head = read_head(entry);
    log = std::max(log, head.log);
    return head.next_file;
  };
  auto x = read_log(file, 0, SIZE_MAX, [&](std::string_view entry) {
    out.next_file = std::max(out.next_file, look(entry));
    if (group_left(entry).value_or(0) == 0)
      out.log = std::max(out.log, std::exchange(log, 0));
  });
  out.whole = x.whole;
  out.end = x.bad ? judge(file, *x.bad, anywhere) : end_of(x);
  if (out.end == log_end::damaged && x.bad && any_unwritten(file, *x.bad)
    && only_one_group_goes_on(file, *x.bad + 1, look))
    out.end = log_end::torn;
  out.torn_log = log;
  return out;
}

} // namespace parley
