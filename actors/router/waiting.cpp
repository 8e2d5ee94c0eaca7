#include "actors/router/waiting.hpp"

#include <algorithm>

namespace parley {

namespace {

/// Places kept while nothing waits, so that lone IMs allocate nothing.
constexpr size_t kept = 4;

/// Below this many places, gaps in the middle are not worth closing.
constexpr size_t few = 32;

} // namespace

waiting_im::holder* waiting_im::find_holder(session_id x) noexcept {
  auto i = std::find_if(holders.begin(), holders.end(),
    [x](const holder& h) { return h.session == x; });
  return i == holders.end() ? nullptr : &*i;
}

void waiting_im::drop_holder(session_id x) noexcept {
  if (auto* h = find_holder(x))
    holders.erase(holders.begin() + (h - holders.data()));
}

waiting_log::iterator waiting_log::from(im_order order) noexcept {
  if (x_items.empty() || x_items.back().order < order)
    return x_items.end();
  if (order <= x_items.front().order)
    return x_items.begin();
  return std::lower_bound(x_items.begin(), x_items.end(), order,
    [](const waiting_im& x, im_order y) { return x.order < y; });
}

waiting_im* waiting_log::find(im_order order) noexcept {
  auto i = from(order);
  return i == x_items.end() || i->order != order || i->gone ? nullptr : &*i;
}

waiting_im& waiting_log::add(im_order order) {
  ++x_alive;
  auto i = from(order);
  if (i == x_items.end() || i->order != order) {
    if (x_items.full()) {
      auto at = i - x_items.begin();
      x_items.set_capacity(std::max(kept, x_items.size() * 2));
      i = x_items.begin() + at;
    }
    i = x_items.insert(i, waiting_im{});
  } else {
    *i = {}; // fills its own gap
  }
  i->order = order;
  return *i;
}

void waiting_log::erase(waiting_im& x) noexcept {
  x.gone = true;
  x.message = {};
  x.holders.clear();
  --x_alive;
}

void waiting_log::compact() {
  while (!x_items.empty() && x_items.front().gone)
    x_items.pop_front();
  while (!x_items.empty() && x_items.back().gone)
    x_items.pop_back();
  if (x_items.size() > few && x_alive < x_items.size() / 2)
    x_items.erase(std::remove_if(x_items.begin(), x_items.end(),
                    [](const waiting_im& x) { return x.gone; }),
      x_items.end());
}

void waiting_log::shrink() {
  if (x_items.empty() && x_items.capacity() > kept)
    x_items.set_capacity(kept);
}

void waiting_log::clear() {
  x_items.clear();
  x_items.set_capacity(kept);
  x_alive = 0;
}

} // namespace parley
