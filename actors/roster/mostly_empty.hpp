#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace parley {

/// A list that most of its many holders have empty: it is one pointer then, a
/// third of a vector. Moved from, it is empty.
template <class T>
class mostly_empty {
public:
  mostly_empty() = default;
  mostly_empty(mostly_empty&&) noexcept = default;
  mostly_empty& operator=(mostly_empty&&) noexcept = default;
  mostly_empty(const mostly_empty& x)
    : x_items(x.empty() ? nullptr : std::make_unique<items>(*x.x_items)) {}
  mostly_empty& operator=(const mostly_empty& x) {
    return *this = mostly_empty{x};
  }

  bool empty() const noexcept { return !x_items; }
  size_t size() const noexcept { return x_items ? x_items->size() : 0; }
  T* begin() noexcept { return x_items ? x_items->data() : nullptr; }
  T* end() noexcept { return begin() + size(); }
  const T* begin() const noexcept {
    return x_items ? x_items->data() : nullptr;
  }
  const T* end() const noexcept { return begin() + size(); }

  void push_back(T x) {
    if (!x_items)
      x_items = std::make_unique<items>();
    x_items->push_back(std::move(x));
  }

  /// All from `first` on.
  void cut(const T* first) {
    if (first == begin())
      x_items.reset();
    else if (x_items)
      x_items->erase(x_items->begin() + (first - begin()), x_items->end());
  }

private:
  using items = std::vector<T>;
  std::unique_ptr<items> x_items;
};

} // namespace parley
