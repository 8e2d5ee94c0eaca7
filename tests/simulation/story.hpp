#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace parley::test {

/// A promise that did not hold. `check` names it, the same for all ways in
/// which it can be broken.
struct broken : std::runtime_error {
  broken(std::string which, const std::string& text)
    : std::runtime_error(which + ": " + text), check(std::move(which)) {}
  std::string check;
};

/// What happens in a run, in order: as a hash always, in words if wanted.
class story {
public:
  explicit story(bool in_words) : x_in_words(in_words) {}

  void tell(std::string_view what) {
    // FNV-1a
    for (unsigned char c : what)
      x_hash = (x_hash ^ c) * 0x100000001b3;
    x_hash = (x_hash ^ '\n') * 0x100000001b3;
    if (x_in_words)
      x_text.append(what).append("\n");
  }
  uint64_t hash() const noexcept { return x_hash; }
  const std::string& text() const noexcept { return x_text; }

private:
  uint64_t x_hash = 0xcbf29ce484222325;
  bool x_in_words;
  std::string x_text;
};

} // namespace parley::test
