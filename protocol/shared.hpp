#pragma once

#include <memory>
#include <utility>

namespace parley {

/// One immutable value, shared by all who hold it: copying copies a pointer.
/// Can be serialised like the value itself; empty only before assignment.
template <class T>
class shared {
public:
  using value_type = T;

  shared() = default;
  explicit shared(T x) : x_ptr(std::make_shared<const T>(std::move(x))) {}
  /// What is held together with something else.
  explicit shared(std::shared_ptr<const T> x) noexcept : x_ptr(std::move(x)) {}

  const T& operator*() const noexcept { return *x_ptr; }
  const T* operator->() const noexcept { return x_ptr.get(); }
  const T* get() const noexcept { return x_ptr.get(); }
  explicit operator bool() const noexcept { return x_ptr != nullptr; }
  const std::shared_ptr<const T>& pointer() const noexcept { return x_ptr; }
  void reset(T x) { x_ptr = std::make_shared<const T>(std::move(x)); }

  /// Identity, not equality of what is held.
  friend bool operator==(const shared& a, const shared& b) noexcept {
    return a.x_ptr == b.x_ptr;
  }

private:
  std::shared_ptr<const T> x_ptr;
};

} // namespace parley
