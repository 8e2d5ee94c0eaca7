#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace parley {

/// Many things of which each is to be looked at now and then, some at a time.
/// Whoever ends need not be taken out: that is found when its turn comes.
template <class Id>
class round_robin {
public:
  void add(Id who) { x_all.push_back(std::move(who)); }

  /// Those that have ended and not had their turn since included.
  size_t size() const noexcept { return x_all.size(); }

  /// How many to look at in one of so many parts of a round.
  size_t share(size_t parts) const noexcept {
    return (x_all.size() + parts - 1) / parts;
  }

  /// The next one's turn. `look` gets its id, returns false if there is none
  /// by that name any more, and may add others.
  template <class F>
  void next(F&& look) {
    if (x_all.empty())
      return;
    if (x_next >= x_all.size())
      x_next = 0;
    const auto at = x_next++;
    if (look(Id{x_all[at]}))
      return;
    // Whoever comes in its place has its turn next.
    x_all[at] = std::move(x_all.back());
    x_all.pop_back();
    x_next = at;
  }

  void clear() noexcept {
    x_all.clear();
    x_next = 0;
  }

private:
  std::vector<Id> x_all;
  size_t x_next = 0;
};

} // namespace parley
