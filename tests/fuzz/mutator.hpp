#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace parley::fuzz {

/// Makes inputs out of those of a corpus. The same seed and the same corpus
/// make the same inputs.
class mutator {
public:
  /// Of `words` some are put in. No input is longer than `size_max` bytes.
  mutator(uint64_t seed, std::vector<std::string> corpus,
    std::vector<std::string> words, size_t size_max);

  /// The next input: one of the corpus with a few changes.
  std::string next();

private:
  size_t below(size_t n) { return n == 0 ? 0 : x_random() % n; }
  const std::string& any();
  void change(std::string& x);
  void set_number(std::string& x);
  void cut_out(std::string& x);
  void repeat(std::string& x);
  void splice(std::string& x);
  void insert(std::string& x, std::string_view what);

  std::mt19937_64 x_random;
  std::vector<std::string> x_corpus;
  std::vector<std::string> x_words;
  size_t x_size_max;
};

/// The words of a dictionary in libFuzzer's form: lines `name="text"` or
/// `"text"`, with `\\`, `\"` and `\xNN` in the text; those that begin with #
/// say nothing. Throws std::runtime_error on other lines.
std::vector<std::string> words_of(const std::string& dictionary);

} // namespace parley::fuzz
