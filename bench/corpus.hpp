#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace parley::bench {

/// Which IM a body or an id belongs to.
struct im_name {
  uint32_t conversation = 0;
  /// Below 2^48.
  uint64_t number = 0;
  bool operator==(const im_name&) const = default;
};

/// The bodies of a run: real text in several scripts, from the texts of
/// Debian's fortunes packages where they are installed, else from a few built
/// in. The same seed and the same texts give the same bodies.
///
/// A body is a head that names the IM, and text that follows from the name: a
/// receiver can say of every byte whether it is what was sent.
class corpus {
public:
  /// Bytes of a head, and so of the shortest body.
  static constexpr size_t head_size = 22;

  /// `body_size`: bytes of every body, at least `head_size`; absent: natural
  /// texts, each with its own length. `folder` is read if it is there.
  corpus(std::optional<size_t> body_size, uint64_t seed,
    const std::string& folder = "/usr/share/games/fortunes");

  /// Writes the head of `name` over what `out` held.
  static void head(const im_name& name, std::string& out);
  /// The text that follows the head.
  std::string_view text(const im_name& name) const noexcept {
    return x_texts[mix(name) % x_texts.size()];
  }

  /// Whose body it is; nothing if a single byte is not as it was sent.
  std::optional<im_name> check(std::string_view body) const noexcept;

  /// `fortunes`, or `built-in`.
  std::string_view source() const noexcept { return x_source; }
  size_t texts() const noexcept { return x_texts.size(); }
  /// Bytes of a body, heads included.
  size_t longest() const noexcept;
  double mean() const noexcept;

private:
  uint64_t mix(const im_name& name) const noexcept;

  std::vector<std::string> x_texts;
  uint64_t x_seed;
  std::string x_source;
};

/// Ids of one run, at most 29 bytes: no two runs share one, so that a server
/// that remembers ids does not take one run for a retry of another.
class id_maker {
public:
  /// `run` should differ from run to run.
  explicit id_maker(uint32_t run) : x_run(run) {}

  void write(const im_name& name, std::string& out) const;
  std::optional<im_name> read(std::string_view id) const noexcept;

private:
  uint32_t x_run;
};

/// Texts in several scripts, for machines without fortunes.
std::vector<std::string> built_in_texts();

/// The longest beginning of `text` that has at most `size` bytes and ends
/// between two characters of UTF-8.
std::string_view cut(std::string_view text, size_t size) noexcept;

/// Whether `text` is UTF-8 (RFC 3629) without control characters other than
/// tab and newline.
bool is_plain_text(std::string_view text) noexcept;

} // namespace parley::bench
