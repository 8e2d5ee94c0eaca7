#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace parley {

/// First in, first out, for what most of its many holders have empty: a
/// std::deque holds 576 bytes then, this one nothing, or no more than a few
/// elements need.
template <class T>
class lean_queue {
public:
  bool empty() const noexcept { return x_first == x_items.size(); }
  size_t size() const noexcept { return x_items.size() - x_first; }
  T& front() noexcept { return x_items[x_first]; }
  const T& front() const noexcept { return x_items[x_first]; }
  /// In order.
  auto begin() noexcept { return x_items.begin() + offset(); }
  auto begin() const noexcept { return x_items.begin() + offset(); }
  auto end() noexcept { return x_items.end(); }
  auto end() const noexcept { return x_items.end(); }

  void push_back(T x) { x_items.push_back(std::move(x)); }
  void pop_front() {
    x_items[x_first++] = T{};
    if (empty())
      return clear();
    // Each element is moved once for each that has gone.
    if (x_first < x_items.size() / 2)
      return;
    x_items.erase(x_items.begin(), begin());
    x_first = 0;
  }
  void clear() noexcept {
    x_items.clear();
    x_first = 0;
    if (x_items.capacity() * sizeof(T) > kept_bytes)
      x_items = {};
  }

private:
  static constexpr size_t kept_bytes = 128;

  std::ptrdiff_t offset() const noexcept {
    return static_cast<std::ptrdiff_t>(x_first);
  }

  std::vector<T> x_items;
  size_t x_first = 0;
};

} // namespace parley
