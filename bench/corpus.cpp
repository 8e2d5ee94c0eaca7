#include "bench/corpus.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>

#include "bench/limits.hpp"

namespace parley::bench {

namespace fs = std::filesystem;

namespace {

constexpr size_t conversation_digits = 8;
constexpr size_t number_digits = 12;

void write_hex(uint64_t value, size_t digits, std::string& out) {
  for (size_t i = digits; i-- > 0;)
    out.push_back("0123456789abcdef"[(value >> (4 * i)) & 15]);
}

/// Exactly `digits` lower-case digits at `at`.
bool read_hex(
  std::string_view text, size_t at, size_t digits, uint64_t& out) noexcept {
  if (text.size() < at + digits)
    return false;
  uint64_t value = 0;
  for (const char c : text.substr(at, digits)) {
    if (c >= '0' && c <= '9')
      value = value << 4 | static_cast<uint64_t>(c - '0');
    else if (c >= 'a' && c <= 'f')
      value = value << 4 | static_cast<uint64_t>(c - 'a' + 10);
    else
      return false;
  }
  out = value;
  return true;
}

/// Entries of a fortunes file end with a line `%`.
void read_texts(const fs::path& file, std::vector<std::string>& out) {
  std::ifstream in{file, std::ios::binary};
  std::string text;
  std::string line;
  const auto take = [&] {
    while (!text.empty() && text.back() == '\n')
      text.pop_back();
    if (!text.empty() && text.size() + corpus::head_size <= limits::text_max
      && is_plain_text(text))
      out.push_back(std::move(text));
    text.clear();
  };
  while (std::getline(in, line)) {
    if (line == "%") {
      take();
    } else {
      text += line;
      text += '\n';
    }
  }
  take();
}

/// One list of texts a language: a folder below `root`, or the files in it.
std::vector<std::vector<std::string>> read_folder(const fs::path& root) {
  std::vector<fs::path> files;
  std::error_code ec;
  fs::recursive_directory_iterator entry{root, ec};
  for (; !ec && entry != fs::recursive_directory_iterator{};
       entry.increment(ec)) {
    // Offensive ones stay out.
    if (entry->path().filename() == "off")
      entry.disable_recursion_pending();
    else if (!entry->is_symlink(ec) && entry->is_regular_file(ec)
      && entry->path().extension() != ".dat")
      files.push_back(entry->path());
  }
  std::sort(files.begin(), files.end());
  std::vector<std::vector<std::string>> languages;
  fs::path last;
  for (const auto& file : files) {
    // Files that lie in the root itself are of different languages.
    const auto language =
      file.parent_path() == root ? file : file.parent_path();
    if (languages.empty() || language != last)
      languages.emplace_back();
    last = language;
    read_texts(file, languages.back());
  }
  std::erase_if(languages, [](const auto& x) { return x.empty(); });
  return languages;
}

} // namespace

corpus::corpus(
  std::optional<size_t> body_size, uint64_t seed, const std::string& folder)
  : x_seed(seed), x_source("fortunes") {
  if (body_size && *body_size < head_size)
    throw std::invalid_argument{"a body has at least "
      + std::to_string(head_size) + " bytes, the head that is checked"};
  auto languages = read_folder(folder);
  if (languages.empty()) {
    x_source = "built-in";
    languages.push_back(built_in_texts());
  }
  std::mt19937_64 random{seed};
  std::vector<std::string> natural;
  for (size_t i = 0; i < limits::texts_max; ++i) {
    const auto& language = languages[i % languages.size()];
    natural.push_back(language[random() % language.size()]);
  }
  if (!body_size) {
    x_texts = std::move(natural);
    return;
  }
  // Texts are joined until the size is reached, and cut there.
  const size_t size = *body_size - head_size;
  const size_t memory = 16 * 1024 * 1024;
  const size_t count =
    std::clamp<size_t>(memory / (size + 1), 16, limits::texts_max);
  for (size_t i = 0; i < count; ++i) {
    std::string text;
    for (size_t next = i; text.size() < size; ++next) {
      text += natural[next % natural.size()];
      text += '\n';
    }
    text.resize(cut(text, size).size());
    text.resize(size, '.');
    x_texts.push_back(std::move(text));
  }
}

void corpus::head(const im_name& name, std::string& out) {
  out.clear();
  write_hex(name.conversation, conversation_digits, out);
  out.push_back('.');
  write_hex(name.number, number_digits, out);
  out.push_back(' ');
}

std::optional<im_name> corpus::check(std::string_view body) const noexcept {
  uint64_t conversation = 0;
  im_name name;
  if (!read_hex(body, 0, conversation_digits, conversation)
    || !read_hex(body, conversation_digits + 1, number_digits, name.number)
    || body.size() < head_size || body[conversation_digits] != '.'
    || body[head_size - 1] != ' ')
    return std::nullopt;
  name.conversation = static_cast<uint32_t>(conversation);
  if (body.substr(head_size) != text(name))
    return std::nullopt;
  return name;
}

size_t corpus::longest() const noexcept {
  size_t longest = 0;
  for (const auto& text : x_texts)
    longest = std::max(longest, text.size());
  return longest + head_size;
}

double corpus::mean() const noexcept {
  size_t total = 0;
  for (const auto& text : x_texts)
    total += text.size();
  return static_cast<double>(total) / static_cast<double>(x_texts.size())
    + head_size;
}

uint64_t corpus::mix(const im_name& name) const noexcept {
  // The finisher of splitmix64 spreads neighbours over all texts.
  uint64_t x = x_seed + name.number
    + (uint64_t{name.conversation} << 32) * 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

void id_maker::write(const im_name& name, std::string& out) const {
  out.clear();
  write_hex(x_run, conversation_digits, out);
  write_hex(name.conversation, conversation_digits, out);
  write_hex(name.number, number_digits, out);
}

std::optional<im_name> id_maker::read(std::string_view id) const noexcept {
  uint64_t run = 0;
  uint64_t conversation = 0;
  im_name name;
  if (id.size() != 2 * conversation_digits + number_digits
    || !read_hex(id, 0, conversation_digits, run) || run != x_run
    || !read_hex(id, conversation_digits, conversation_digits, conversation)
    || !read_hex(id, 2 * conversation_digits, number_digits, name.number))
    return std::nullopt;
  name.conversation = static_cast<uint32_t>(conversation);
  return name;
}

std::string_view cut(std::string_view text, size_t size) noexcept {
  if (text.size() <= size)
    return text;
  // Bytes 10xxxxxx continue a character.
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80)
    --size;
  return text.substr(0, size);
}

bool is_plain_text(std::string_view text) noexcept {
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      if ((c < 0x20 && c != '\t' && c != '\n') || c == 0x7f)
        return false;
      ++i;
      continue;
    }
    const size_t more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
    if (c < 0xc2 || c > 0xf4 || i + more >= text.size())
      return false;
    char32_t value = c & (0x3f >> more);
    for (size_t k = 1; k <= more; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xc0) != 0x80)
        return false;
      value = value << 6 | (next & 0x3f);
    }
    constexpr std::array<char32_t, 4> shortest{0, 0x80, 0x800, 0x10000};
    if (value < shortest[more] || value > 0x10ffff
      || (value >= 0xd800 && value < 0xe000) || (value >= 0x80 && value < 0xa0))
      return false;
    i += more + 1;
  }
  return true;
}

} // namespace parley::bench
