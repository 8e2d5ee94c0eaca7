#pragma once

#include <cstdint>

#include <boost/circular_buffer.hpp>
#include <boost/container/small_vector.hpp>

#include "actors/router/ids.hpp"
#include "persistence/store.hpp"
#include "protocol/vocabulary.hpp"

namespace parley {

/// The least that is greater.
inline im_order after(im_order x) noexcept {
  return im_order{x.value + 1};
}

/// An accepted IM that no endpoint has acknowledged, while it is in memory.
struct waiting_im {
  enum class place : uint8_t {
    /// Nowhere but here; the grace time runs.
    memory,
    /// On its way to the disk.
    committing,
    /// On disk, synced.
    disk,
  };

  im_order order;
  shared<im> message;
  /// The endpoint that it is addressed to; empty: the bare address.
  endpoint_name to;
  origin from;
  place where = place::memory;
  /// The sender has its outcome.
  bool settled = false;
  /// Acknowledged, expired or rejected: a gap that `waiting_log` closes.
  bool gone = false;
  bool of_broadcast = false;

  /// A session that was handed a copy and has not acknowledged it.
  struct holder {
    session_id session;
    /// Handed out after the acceptance: its grace runs by itself.
    bool late = false;
  };
  boost::container::small_vector<holder, 2> holders;

  /// Null if it has none.
  holder* find_holder(session_id x) noexcept;
  bool held_by(session_id x) noexcept { return find_holder(x) != nullptr; }
  void drop_holder(session_id x) noexcept;
};

/// The IMs of one user that wait in memory, in the order of acceptance. Finding
/// is logarithmic; adding the newest and taking out the oldest is constant.
class waiting_log {
public:
  using iterator = boost::circular_buffer<waiting_im>::iterator;

  /// Those that are not gone.
  size_t size() const noexcept { return x_alive; }
  bool empty() const noexcept { return x_alive == 0; }

  iterator begin() noexcept { return x_items.begin(); }
  iterator end() noexcept { return x_items.end(); }
  /// The first at or after `order`; it may be gone.
  iterator from(im_order order) noexcept;
  /// Null if it is not here or gone.
  waiting_im* find(im_order order) noexcept;
  /// An empty one, mostly at the end, where it is cheap. The order must be new.
  /// Invalidates iterators and references.
  waiting_im& add(im_order order);
  /// Leaves a gap that `compact` closes: iterators and references stay valid.
  void erase(waiting_im& x) noexcept;
  /// Closes gaps; invalidates iterators and references.
  void compact();
  /// Gives back the room of a burst that is over.
  void shrink();
  void clear();

private:
  boost::circular_buffer<waiting_im> x_items;
  size_t x_alive = 0;
};

} // namespace parley
