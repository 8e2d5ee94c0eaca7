#include "persistence/log_check.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

using namespace parley;

namespace {

constexpr size_t block = 32 * 1024;

uint32_t crc32c(std::string_view text) {
  uint32_t x = 0xffffffff;
  for (unsigned char c : text) {
    x ^= c;
    for (int bit = 0; bit < 8; ++bit)
      x = x & 1 ? x >> 1 ^ 0x82f63b78 : x >> 1;
  }
  return ~x;
}

/// Writes as RocksDB does.
struct log_writer {
  std::string file;
  /// Where each record begins.
  std::vector<size_t> starts;
  /// That of the next batch.
  uint64_t sequence = 77;

  void add(std::string_view record) {
    starts.push_back(file.size());
    bool begin = true;
    do {
      if (auto left = block - file.size() % block; left < 7)
        file.append(left, '\0');
      auto n = std::min(record.size(), block - file.size() % block - 7);
      bool end = n == record.size();
      put(begin && end ? 1 : begin ? 2 : end ? 4 : 3, record.substr(0, n));
      record.remove_prefix(n);
      begin = false;
      if (end)
        return;
    } while (true);
  }

  /// A write batch, which follows on those before.
  void add_batch(std::string_view data, uint64_t count = 2) {
    add(batch(sequence, count, data));
    sequence += count;
  }

  static std::string batch(
    uint64_t sequence, uint64_t count, std::string_view data) {
    log_writer x;
    x.little(sequence, 8);
    x.little(count, 4);
    return x.file.append(data);
  }

  void put(int type, std::string_view data) {
    std::string typed(1, static_cast<char>(type));
    typed.append(data);
    auto crc = crc32c(typed);
    little((crc >> 15 | crc << 17) + 0xa282ead8, 4);
    little(data.size(), 2);
    file.append(typed);
  }

  void little(uint64_t x, int bytes) {
    for (; bytes > 0; --bytes, x >>= 8)
      file.push_back(static_cast<char>(x));
  }
};

std::string text(size_t n, int seed) {
  std::mt19937_64 random(static_cast<uint64_t>(seed));
  std::string out;
  for (size_t i = 0; i < n; ++i)
    out.push_back(static_cast<char>('a' + random() % 26));
  return out;
}

/// Records within a block, and over several.
log_writer sample_log() {
  log_writer log;
  log.add_batch(text(100, 1));
  log.add_batch(text(20, 2));
  log.add_batch(text(40'000, 3));
  log.add_batch(text(90'000, 4));
  log.add_batch(text(300, 5));
  return log;
}

log_end end_of(std::string_view file) {
  return check_log(file, [](std::string_view) {});
}

/// Such a fragment again and again, as a client may send it.
std::string forged(size_t size, std::string_view data) {
  log_writer one;
  one.put(1, data);
  std::string out;
  while (out.size() < size)
    out += one.file;
  return out;
}

size_t records_in(std::string_view file) {
  size_t n = 0;
  check_log(file, [&](std::string_view) { ++n; });
  return n;
}

} // namespace

BOOST_TEST_DONT_PRINT_LOG_VALUE(parley::log_end)

BOOST_AUTO_TEST_SUITE(logs)

BOOST_AUTO_TEST_CASE(a_whole_log_is_clean_and_its_records_are_told) {
  auto log = sample_log();
  std::vector<std::string> heads;
  auto end =
    check_log(log.file, [&](std::string_view x) { heads.emplace_back(x); });
  BOOST_TEST(end == log_end::clean);
  BOOST_REQUIRE(heads.size() == 5u);
  BOOST_TEST(log_sequence(heads[3]) == 77u + 3 * 2);
  BOOST_TEST(log_count(heads[3]) == 2u);
  BOOST_TEST(end_of("") == log_end::clean);
}

BOOST_AUTO_TEST_CASE(a_record_that_begins_at_a_blocks_very_end_is_read) {
  for (size_t left = 0; left <= 9; ++left) {
    log_writer log;
    log.add(std::string(block - 7 - left, 'x'));
    log.add("second record");
    BOOST_TEST(end_of(log.file) == log_end::clean, "with " << left);
    BOOST_TEST(records_in(log.file) == 2u);
  }
}

BOOST_AUTO_TEST_CASE(cut_at_any_byte_it_is_torn) {
  auto log = sample_log();
  auto cut = [&](size_t n) {
    auto part = std::string_view(log.file).substr(0, n);
    auto end = end_of(part);
    BOOST_REQUIRE_MESSAGE(end != log_end::damaged, "cut at " << n);
    size_t whole = 0;
    for (auto start : log.starts)
      whole += start < n;
    auto at_record = n == log.file.size();
    for (auto start : log.starts)
      at_record |= start == n;
    BOOST_REQUIRE_MESSAGE(
      records_in(part) + (at_record ? 0 : 1) == whole, "cut at " << n);
  };
  for (size_t n = 1; n < 300; ++n)
    cut(n);
  for (size_t n = 300; n < log.file.size(); n += 97)
    cut(n);
  for (size_t n = log.starts[4]; n <= log.file.size(); ++n)
    cut(n);
}

BOOST_AUTO_TEST_CASE(any_flipped_bit_is_damage) {
  auto log = sample_log();
  auto flip = [&](size_t at, int bit) {
    log.file[at] = static_cast<char>(log.file[at] ^ 1 << bit);
    BOOST_REQUIRE_MESSAGE(
      end_of(log.file) == log_end::damaged, "bit " << bit << " of byte " << at);
    log.file[at] = static_cast<char>(log.file[at] ^ 1 << bit);
  };
  // Every bit of the small records, the last one among them, and of headers.
  std::vector<size_t> places;
  for (size_t at = 0; at < log.starts[2] + 20; ++at)
    places.push_back(at);
  for (size_t at = block; at < block + 20; ++at)
    places.push_back(at);
  for (size_t at = log.starts[3]; at < log.starts[3] + 20; ++at)
    places.push_back(at);
  for (size_t at = log.starts[4]; at < log.file.size(); ++at)
    places.push_back(at);
  for (auto at : places)
    for (int bit = 0; bit < 8; ++bit)
      flip(at, bit);
  for (size_t at = 200; at < log.file.size(); at += 1009)
    flip(at, static_cast<int>(at % 8));
}

BOOST_AUTO_TEST_CASE(a_hole_before_a_later_record_is_damage) {
  auto log = sample_log();
  auto hole = log.file;
  std::fill_n(hole.begin() + 512, 4096, '\0');
  BOOST_TEST(end_of(hole) == log_end::damaged);
  hole = log.file;
  std::fill_n(hole.begin(), 100, '\0');
  BOOST_TEST(end_of(hole) == log_end::damaged);
}

BOOST_AUTO_TEST_CASE(sectors_missing_in_the_last_record_are_a_torn_end) {
  log_writer log;
  log.add_batch(text(1000, 1));
  log.add_batch(text(90'000, 2));
  for (size_t sector = 2; (sector + 1) * 512 <= log.file.size(); ++sector) {
    auto torn = log.file;
    auto from = std::max(sector * 512, log.starts[1]);
    std::fill(torn.begin() + static_cast<ptrdiff_t>(from),
      torn.begin() + static_cast<ptrdiff_t>((sector + 1) * 512), '\0');
    BOOST_REQUIRE_MESSAGE(
      end_of(torn) == log_end::torn, "without sector " << sector);
    BOOST_REQUIRE(records_in(torn) == 1u);
  }
  auto unwritten = log.file.substr(0, log.starts[1]) + std::string(9000, '\0');
  BOOST_TEST(end_of(unwritten) == log_end::torn);
}

BOOST_AUTO_TEST_CASE(a_text_that_looks_like_a_record_is_none) {
  const std::vector<std::string> data{"ddd", log_writer::batch(1, 1, ""),
    log_writer::batch(70, 1, "x"), log_writer::batch(80, 1, "x"),
    log_writer::batch(500'000, 1, "")};
  for (auto& x : data)
    for (size_t size : {5000u, 70'000u})
      for (int before = 0; before < 2; ++before) {
        log_writer log;
        for (int i = 0; i < before; ++i)
          log.add_batch(text(100, 1));
        log.add_batch(forged(size, x));
        BOOST_TEST(end_of(log.file) == log_end::clean);
        for (auto n = log.starts.back() + 1; n < log.file.size();
             n += size / 150) {
          auto part = log.file.substr(0, n);
          BOOST_REQUIRE_MESSAGE(end_of(part) == log_end::torn,
            "cut at " << n << " of " << log.file.size());
          BOOST_REQUIRE(records_in(part) == static_cast<size_t>(before));
        }
      }
}

/// Zeros of a client's own would be missing sectors, if nothing followed.
BOOST_AUTO_TEST_CASE(damage_before_a_later_record_is_seen_in_any_text) {
  const auto body = forged(300, "ddd") + std::string(1500, '\0')
    + forged(300, log_writer::batch(500'000, 1, ""));
  for (int before = 0; before < 2; ++before)
    // The last record begins at the end of a block, too.
    for (size_t left : {7u, 8u, 15u, 18u, 19u, 25u, 500u}) {
      log_writer log;
      for (int i = 0; i < before; ++i)
        log.add_batch(text(100, 1));
      log.add_batch(body
        + std::string(
          block - 7 - 12 - left - body.size() - log.file.size(), 'x'));
      log.add_batch(body);
      BOOST_REQUIRE(log.starts.back() == block - left);
      BOOST_REQUIRE(end_of(log.file) == log_end::clean);
      auto at = log.starts[static_cast<size_t>(before)];
      for (size_t i = 0; i < 60; ++i)
        for (int bit = 0; bit < 8; ++bit) {
          auto x = log.file;
          // Of the record's head all, of its data some.
          auto where = i < 30 ? at + i : at + i * 500;
          x[where] = static_cast<char>(x[where] ^ 1 << bit);
          BOOST_REQUIRE_MESSAGE(end_of(x) == log_end::damaged,
            "bit " << bit << " of byte " << where - at << ", " << left);
        }
      // Sectors of zeros or of noise.
      for (auto from = at / 512 * 512; from + 512 < log.starts.back();
           from += 512)
        for (int seed = 0; seed < 2; ++seed) {
          auto x = log.file;
          x.replace(std::max(at, from), from + 512 - std::max(at, from),
            seed ? text(from + 512 - std::max(at, from), seed)
                 : std::string(from + 512 - std::max(at, from), '\0'));
          BOOST_REQUIRE_MESSAGE(x == log.file || end_of(x) == log_end::damaged,
            "sector at " << from << ", " << left);
        }
    }
}

/// Its length and its number say nothing then.
BOOST_AUTO_TEST_CASE(a_wrong_head_hides_no_later_record) {
  for (size_t which = 0; which < 2; ++which) {
    log_writer log;
    for (int i = 0; i < 3; ++i)
      log.add_batch(std::string(1500, '\0'));
    auto at = log.starts[which];
    log.file[at + 5] = 0x70;
    log.file[at + 7 + 7] = 1;
    BOOST_TEST(end_of(log.file) == log_end::damaged);
  }
}

BOOST_AUTO_TEST_CASE(a_text_behind_missing_sectors_is_judged_by_its_number) {
  for (bool is_near : {false, true}) {
    log_writer log;
    log.add_batch(text(100, 1));
    log.add_batch(
      forged(5000, log_writer::batch(is_near ? 90 : 500'000, 1, "")));
    std::fill(log.file.begin() + static_cast<ptrdiff_t>(log.starts[1]),
      log.file.begin() + 1024, '\0');
    // A false alarm, where the number is guessed: it may well be a record.
    BOOST_TEST(
      end_of(log.file) == (is_near ? log_end::damaged : log_end::torn));
  }
}

BOOST_AUTO_TEST_CASE(a_hole_over_several_records_is_damage) {
  log_writer log;
  for (int i = 0; i < 40; ++i)
    log.add_batch(text(300, i));
  for (size_t first = 0; first < 38; ++first)
    for (size_t from : {0u, 7u, 20u, 100u}) {
      auto x = log.file;
      std::fill(x.begin() + static_cast<ptrdiff_t>(log.starts[first] + from),
        x.begin() + static_cast<ptrdiff_t>(log.starts[39] - 1), '\0');
      BOOST_TEST(end_of(x) == log_end::damaged);
    }
}

// As a commit of many small changes is.
BOOST_AUTO_TEST_CASE(damage_at_the_end_of_a_long_record_hides_no_later_one) {
  constexpr uint64_t count = 8'000;
  constexpr size_t sector = 512;
  log_writer log;
  log.add_batch(text(200, 1), 1);
  // Its last fragment is short.
  const auto start = log.file.size() % block;
  log.add_batch(text(11 * block - start + 1'000, 2), count);
  const auto end = log.file.size();
  BOOST_REQUIRE(end % block < count);
  for (int i = 0; i < 10; ++i)
    log.add_batch(text(300, i));
  auto at = static_cast<ptrdiff_t>((end - 900) / sector * sector);
  std::fill_n(log.file.begin() + at, sector, '\0');
  BOOST_TEST(end_of(log.file) == log_end::damaged);
}

BOOST_AUTO_TEST_CASE(anything_can_be_checked) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 200; ++i) {
    std::string noise;
    for (size_t n = random() % 2000; n > 0; --n)
      noise.push_back(static_cast<char>(random() % 8));
    end_of(noise);
  }
}

BOOST_AUTO_TEST_SUITE_END()
