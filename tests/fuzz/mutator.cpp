#include "tests/fuzz/mutator.hpp"

#include <algorithm>
#include <array>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace parley::fuzz {

namespace {

/// Where lengths, counts and enums tend to go wrong.
constexpr std::array<uint64_t, 16> numbers{0, 1, 2, 7, 0x7f, 0x80, 0xff, 0x100,
  0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
  UINT64_MAX};

constexpr size_t changes_max = 6;

unsigned hex_digit(char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  auto x = digits.find(c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c);
  if (x == digits.npos)
    throw std::runtime_error{"a dictionary has \\xNN with two digits"};
  return static_cast<unsigned>(x);
}

std::string word_of(const std::string& line) {
  auto begin = line.find('"');
  auto end = line.rfind('"');
  if (begin == line.npos || begin == end)
    throw std::runtime_error{"a word of a dictionary has quotes: " + line};
  std::string x;
  for (auto i = begin + 1; i < end; ++i) {
    if (line[i] != '\\' || line.at(++i) != 'x') {
      x += line[i];
    } else {
      x += static_cast<char>(
        hex_digit(line.at(i + 1)) << 4 | hex_digit(line.at(i + 2)));
      i += 2;
    }
  }
  return x;
}

} // namespace

std::vector<std::string> words_of(const std::string& dictionary) {
  std::istringstream in{dictionary};
  std::vector<std::string> words;
  for (std::string line; std::getline(in, line);)
    if (!line.empty() && line.front() != '#')
      words.push_back(word_of(line));
  return words;
}

mutator::mutator(uint64_t seed, std::vector<std::string> corpus,
  std::vector<std::string> words, size_t size_max)
  : x_random(seed),
    x_corpus(std::move(corpus)),
    x_words(std::move(words)),
    x_size_max(size_max) {
  if (x_corpus.empty())
    x_corpus.emplace_back();
}

const std::string& mutator::any() {
  return x_corpus[below(x_corpus.size())];
}

std::string mutator::next() {
  auto x = any();
  for (auto n = 1 + below(changes_max); n > 0; --n)
    change(x);
  x.resize(std::min(x.size(), x_size_max));
  return x;
}

void mutator::change(std::string& x) {
  auto kind = below(9);
  // There must be something to be changed.
  if (x.empty() && kind < 5)
    return insert(x, any());
  auto at = below(x.size());
  switch (kind) {
  case 0:
    x[at] = static_cast<char>(x[at] ^ 1 << below(8));
    break;
  case 1:
    x[at] = static_cast<char>(x_random());
    break;
  case 2:
    return set_number(x);
  case 3:
    return cut_out(x);
  case 4:
    return repeat(x);
  case 5:
    x.resize(at);
    break;
  case 6:
    return splice(x);
  case 7:
    if (!x_words.empty())
      return insert(x, x_words[below(x_words.size())]);
    [[fallthrough]];
  default:
    insert(x, std::string(1 + below(4), static_cast<char>(x_random())));
  }
}

/// Of 1, 2, 4 or 8 bytes, in place, either end first.
void mutator::set_number(std::string& x) {
  auto n = std::min<size_t>(size_t{1} << below(4), x.size());
  auto at = below(x.size() - n + 1);
  auto value = numbers[below(numbers.size())];
  bool highest_first = below(2) == 0;
  for (size_t i = 0; i < n; ++i) {
    auto shift = 8 * (highest_first ? n - 1 - i : i);
    x[at + i] = static_cast<char>(value >> shift);
  }
}

void mutator::cut_out(std::string& x) {
  auto at = below(x.size());
  x.erase(at, 1 + below(std::min<size_t>(x.size() - at, 32)));
}

void mutator::repeat(std::string& x) {
  auto at = below(x.size());
  insert(x, x.substr(at, 1 + below(32)));
}

/// The end of another input instead of one's own.
void mutator::splice(std::string& x) {
  const auto& other = any();
  x.resize(below(x.size() + 1));
  x.append(other, below(other.size() + 1), other.npos);
}

void mutator::insert(std::string& x, std::string_view what) {
  // A copy: `what` may be a part of `x`.
  const std::string text{what};
  if (x.size() + text.size() <= x_size_max)
    x.insert(below(x.size() + 1), text);
}

} // namespace parley::fuzz
