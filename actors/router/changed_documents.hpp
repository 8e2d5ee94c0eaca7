#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "protocol/address.hpp"

namespace parley {

/// When collections changed last: what was read before a change must not be
/// told after it. Collections share the places of a table of one size, so that
/// it now and then says of one what is true of another.
class changed_documents {
public:
  /// Counts the changes; 1 before the first.
  uint64_t last() const noexcept { return x_last; }

  void add(const user_address& owner, std::string_view collection) noexcept {
    x_places[place_of(owner, collection)] = ++x_last;
  }

  /// Whether it may have changed since the change that was the last then.
  bool may_have_changed(const user_address& owner, std::string_view collection,
    uint64_t since) const noexcept {
    return x_places[place_of(owner, collection)] > since;
  }

private:
  static constexpr size_t places = 4096;

  static size_t place_of(
    const user_address& owner, std::string_view collection) noexcept {
    constexpr size_t odd = 31;
    return (owner.hash() * odd + std::hash<std::string_view>{}(collection))
      % places;
  }

  uint64_t x_last = 1;
  std::array<uint64_t, places> x_places{};
};

} // namespace parley
