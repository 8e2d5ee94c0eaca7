#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include <boost/circular_buffer.hpp>

namespace parley {

/// Appends to a ring that has no bound of its own and holds no memory while it
/// was never used.
template <class T>
void push_growing(boost::circular_buffer<T>& ring, T x) {
  constexpr size_t first = 8;
  if (ring.full())
    ring.set_capacity(std::max(first, 2 * ring.capacity()));
  ring.push_back(std::move(x));
}

} // namespace parley
