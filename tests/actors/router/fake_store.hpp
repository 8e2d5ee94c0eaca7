#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <vector>

#include "actors/router/ids.hpp"
#include "persistence/store.hpp"

namespace parley::test {

/// One user's part of the store. Nothing happens by itself: writes reach the
/// disk when told, in order; the inbox hears of it later still; a page may be
/// read at any time between its being asked for and its answer.
struct fake_store {
  struct write {
    enum class kind : uint8_t { put, remove, remove_account };
    kind what = kind::put;
    im_order order;
    stored_im im;
    bool failed = false;
  };

  struct page {
    std::vector<stored_im> ims;
    bool complete = false;
  };

  struct read {
    session_id for_whom;
    im_order from;
    size_t max = 0;
    page read_so_far;
  };

  std::map<im_order, stored_im> disk;
  /// Not on disk yet.
  std::deque<write> writes;
  /// On disk, or failed; the inbox does not know.
  std::deque<write> notices;
  std::deque<read> reads;

  /// `exact`: a full page may be known to be the last one.
  page take(const read& r, bool exact) const {
    page p;
    auto i = disk.lower_bound(r.from);
    for (; i != disk.end() && p.ims.size() < r.max; ++i)
      p.ims.push_back(i->second);
    p.complete = exact ? i == disk.end() : p.ims.size() < r.max;
    return p;
  }

  /// The oldest write reaches the disk, or fails; only puts can.
  void apply(bool fails) {
    auto w = std::move(writes.front());
    writes.pop_front();
    w.failed = fails && w.what == write::kind::put;
    switch (w.what) {
    case write::kind::put:
      if (!w.failed)
        disk[w.order] = w.im;
      break;
    case write::kind::remove:
      disk.erase(w.order);
      break;
    case write::kind::remove_account:
      disk.clear();
      break;
    }
    notices.push_back(std::move(w));
  }
};

} // namespace parley::test
