#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace parley {

/// How many connections there may be, of all listeners together: descriptors
/// are left for the store and its log. Thread-safe.
class connection_places {
public:
  /// One connection's; given back when it is destroyed.
  class place {
  public:
    place() = default;
    place(place&& x) noexcept
      : x_of(std::move(x.x_of)), x_is_over(x.x_is_over) {}
    place& operator=(place&& x) noexcept {
      std::swap(x_of, x.x_of);
      std::swap(x_is_over, x.x_is_over);
      return *this;
    }
    ~place();

    /// There is no room: it is only to be told so.
    bool is_over() const noexcept { return x_is_over; }

  private:
    friend class connection_places;
    place(std::shared_ptr<connection_places> of, bool is_over) noexcept
      : x_of(std::move(of)), x_is_over(is_over) {}

    std::shared_ptr<connection_places> x_of;
    bool x_is_over = false;
  };

  /// `max` that are served, and so many more that are told that there is no
  /// room.
  connection_places(size_t max, size_t turned_away_max) noexcept
    : x_max(max), x_over_max(turned_away_max) {}

  /// As many as this process may open descriptors for, save for a reserve, of
  /// which a quarter at most serves to turn others away.
  static std::shared_ptr<connection_places> by_descriptors();

  /// Nothing if there is room neither for the connection nor for a word.
  static std::optional<place> take(const std::shared_ptr<connection_places>& x);

  size_t max() const noexcept { return x_max; }
  /// Those that are served.
  size_t taken() const noexcept { return x_taken; }
  /// Those for which there was no room, since the start.
  uint64_t refused() const noexcept { return x_refused; }

private:
  static bool count_up(std::atomic<size_t>& x, size_t max) noexcept;

  const size_t x_max;
  const size_t x_over_max;
  std::atomic<size_t> x_taken{0};
  std::atomic<size_t> x_over{0};
  std::atomic<uint64_t> x_refused{0};
};

} // namespace parley
