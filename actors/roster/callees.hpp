#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "persistence/contact_rows.hpp"

namespace parley {

/// Users whom a presence call is for: most of them are not here, and no
/// addresses are made of those.
class callees {
public:
  bool empty() const noexcept { return x_all.empty(); }

  /// Room for about `n` of usual length.
  void reserve(size_t n) {
    constexpr size_t usual_length = 24;
    x_text.reserve(n * usual_length);
    x_all.reserve(n);
  }

  void add(const address_ref& user, bool shown, bool asked) {
    x_text.append(user.text);
    x_all.push_back(
      {user.hash, static_cast<uint32_t>(user.text.size()), shown, asked});
  }

  /// Calls `f(address_ref, shown, asked)` for each.
  template <class F>
  void each(F f) const {
    auto rest = std::string_view{x_text};
    for (const auto& x : x_all) {
      f(address_ref{rest.substr(0, x.size), x.hash}, x.shown, x.asked);
      rest.remove_prefix(x.size);
    }
  }

  auto fields() { return std::tie(x_text, x_all); }

private:
  struct callee {
    uint64_t hash = 0;
    uint32_t size = 0;
    bool shown = false;
    bool asked = false;
    auto fields() { return std::tie(hash, size, shown, asked); }
  };

  std::string x_text;
  std::vector<callee> x_all;
};

} // namespace parley
