#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "tests/fuzz/mutator.hpp"

// Runs a fuzz target where libFuzzer is not: the corpus, then what a seed makes
// of it.
//
//   TARGET [--corpus DIR] [--dictionary FILE] [--runs N] [--seed S] [INPUT …]
//
// With INPUTs runs these alone; one that ends with .hex is in hex. An input at
// which the process ends is written to TARGET.SEED.hex.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
/// There in programs with a sanitizer, which ends them without a signal.
// NOLINTNEXTLINE(bugprone-reserved-identifier): a sanitizer's name for it
extern "C" [[gnu::weak]] void __sanitizer_set_death_callback(void (*)());

namespace {

namespace fs = std::filesystem;

/// Bytes of an input; libFuzzer's own bound where there are no longer seeds.
constexpr size_t input_max = 4096;
/// Seconds after which an input is taken for one that never ends.
constexpr unsigned patience = 60;

// What the handler of a fatal signal may touch.
const char* now_data = nullptr;
size_t now_size = 0;
bool now_kept = false;
char kept_in[256];

void write_all(int fd, const char* text, size_t n) {
  while (n > 0) {
    auto done = ::write(fd, text, n);
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0)
      return;
    text += done;
    n -= static_cast<size_t>(done);
  }
}

/// Keeps the input that is being run. Calls nothing that a signal's handler
/// may not.
void keep_input() {
  if (now_kept || !now_data)
    return;
  now_kept = true;
  auto fd = ::open(kept_in, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  constexpr char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < now_size; ++i) {
    auto byte = static_cast<unsigned char>(now_data[i]);
    const char two[] = {digits[byte >> 4], digits[byte & 15]};
    write_all(fd, two, sizeof(two));
  }
  write_all(fd, "\n", 1);
  ::close(fd);
  constexpr char text[] = "fuzz: the input is in ";
  write_all(STDERR_FILENO, text, sizeof(text) - 1);
  write_all(STDERR_FILENO, kept_in, std::strlen(kept_in));
  write_all(STDERR_FILENO, "\n", 1);
}

void on_signal(int number) {
  keep_input();
  // The handler is gone (SA_RESETHAND): this ends the process as it would have.
  ::raise(number);
}

void watch_for_the_end() {
  for (int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM}) {
    // A sanitizer tells more of those that it handles.
    if (__sanitizer_set_death_callback && number != SIGABRT
      && number != SIGALRM)
      continue;
    struct sigaction how {};
    how.sa_handler = on_signal;
    how.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
    ::sigaction(number, &how, nullptr);
  }
  if (__sanitizer_set_death_callback)
    __sanitizer_set_death_callback(keep_input);
}

void run(const std::string& x) {
  // In a block of its own, as large as it is: reads beyond it are found.
  std::vector<char> copy(x.begin(), x.end());
  now_data = copy.data();
  now_size = copy.size();
  ::alarm(patience);
  try {
    LLVMFuzzerTestOneInput(
      reinterpret_cast<const uint8_t*>(copy.data()), copy.size());
  } catch (...) {
    keep_input();
    throw;
  }
  now_data = nullptr;
}

std::string content_of(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  std::string x{std::istreambuf_iterator<char>{in}, {}};
  if (!in)
    throw std::runtime_error{"cannot read " + file.string()};
  if (file.extension() != ".hex")
    return x;
  std::string bytes;
  for (size_t i = 0; i + 1 < x.size(); i += 2)
    bytes += static_cast<char>(std::stoi(x.substr(i, 2), nullptr, 16));
  return bytes;
}

std::vector<std::string> corpus_in(const std::string& folder) {
  std::vector<fs::path> files;
  for (const auto& x : fs::directory_iterator{folder})
    files.push_back(x.path());
  // The same seed is to make the same of it everywhere.
  std::sort(files.begin(), files.end());
  std::vector<std::string> all(files.size());
  std::transform(files.begin(), files.end(), all.begin(), content_of);
  return all;
}

struct options {
  std::vector<std::string> corpus;
  std::vector<std::string> words;
  std::vector<std::string> inputs;
  uint64_t runs = 0;
  uint64_t seed = std::random_device{}();
};

options parse(int argc, char** argv) {
  options x;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (!word.starts_with("--")) {
      x.inputs.push_back(content_of(word));
      continue;
    }
    if (++i == argc)
      throw std::runtime_error{word + " wants a value"};
    if (word == "--corpus")
      x.corpus = corpus_in(argv[i]);
    else if (word == "--dictionary")
      x.words = parley::fuzz::words_of(content_of(argv[i]));
    else if (word == "--runs")
      x.runs = std::stoull(argv[i]);
    else if (word == "--seed")
      x.seed = std::stoull(argv[i]);
    else
      throw std::runtime_error{"there is no " + word};
  }
  return x;
}

void run_all(const options& x) {
  const auto& given = x.inputs.empty() ? x.corpus : x.inputs;
  auto longest = input_max;
  for (const auto& one : given) {
    longest = std::max(longest, one.size());
    run(one);
  }
  if (!x.inputs.empty())
    return;
  parley::fuzz::mutator next{x.seed, x.corpus, x.words, longest};
  for (uint64_t i = 0; i < x.runs; ++i)
    run(next.next());
}

} // namespace

int main(int argc, char** argv) {
  try {
    auto x = parse(argc, argv);
    auto name = fs::path{argv[0]}.filename().string();
    std::snprintf(kept_in, sizeof(kept_in), "%s.%llu.hex", name.c_str(),
      static_cast<unsigned long long>(x.seed));
    std::printf("%s: seed %llu, %zu seeds in the corpus, %llu inputs more\n",
      name.c_str(), static_cast<unsigned long long>(x.seed), x.corpus.size(),
      static_cast<unsigned long long>(x.runs));
    std::fflush(stdout);
    watch_for_the_end();
    run_all(x);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "fuzz: %s\n", e.what());
    return 1;
  }
  return 0;
}
