#include "persistence/log_check.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <string>

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

/// Whether a record begins anywhere from `at` on. Each record is synced before
/// the next begins.
bool any_begins(std::string_view file, size_t at) {
  for (; at + header_size <= file.size(); ++at) {
    auto kind = static_cast<uint8_t>(file[at + header_size - 1]);
    if ((kind == full || kind == first) && fragment(file, at))
      return true;
  }
  return false;
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
log_end judge(std::string_view file, size_t at) {
  if (any_begins(file, at + 1))
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
  bool inside = false;
  std::string head;
  for (size_t at = 0; at < file.size();) {
    auto left = block_size - at % block_size;
    if (left < header_size) {
      at += left;
      continue;
    }
    auto data = fragment(file, at);
    if (!data)
      return judge(file, at);
    auto kind = header(file, at).type;
    auto begins = kind == full || kind == first;
    if (begins == inside)
      return log_end::damaged;
    head.append(data->substr(0, log_record_head - head.size()));
    inside = kind == first || kind == middle;
    if (!inside) {
      each(head);
      head.clear();
    }
    at += header_size + data->size();
  }
  return inside ? log_end::torn : log_end::clean;
}

} // namespace parley
