#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace parley {

/// How many connections there may be, of all listeners together: descriptors
/// are left for the store and its log, and places for others where strangers
/// of one source have taken many. Thread-safe.
class connection_places {
public:
  /// One connection's; given back when it is destroyed.
  class place {
  public:
    place() = default;
    place(place&& x) noexcept
      : x_of(std::move(x.x_of)),
        x_stranger_from(std::move(x.x_stranger_from)),
        x_is_over(x.x_is_over) {}
    place& operator=(place&& x) noexcept {
      std::swap(x_of, x.x_of);
      std::swap(x_stranger_from, x.x_stranger_from);
      std::swap(x_is_over, x.x_is_over);
      return *this;
    }
    ~place();

    /// There is no room: it is only to be told so.
    bool is_over() const noexcept { return x_is_over; }
    /// Its client is in a session: no stranger any more.
    void signed_in() noexcept;

  private:
    friend class connection_places;
    place(std::shared_ptr<connection_places> of, std::string stranger_from,
      bool is_over) noexcept
      : x_of(std::move(of)),
        x_stranger_from(std::move(stranger_from)),
        x_is_over(is_over) {}

    std::shared_ptr<connection_places> x_of;
    /// Its source, as long as it counts as a stranger's.
    std::string x_stranger_from;
    bool x_is_over = false;
  };

  /// `max` that are served, and so many more that are told that there is no
  /// room.
  connection_places(size_t max, size_t turned_away_max) noexcept
    : x_max(max), x_over_max(turned_away_max) {}

  /// As many as this process may open descriptors for, save for a reserve, of
  /// which a quarter at most serves to turn others away.
  static std::shared_ptr<connection_places> by_descriptors();

  /// For a stranger of this source (`source_of`). Nothing if there is room
  /// neither for the connection nor for a word.
  static std::optional<place> take(
    const std::shared_ptr<connection_places>& x, const std::string& source);

  size_t max() const noexcept { return x_max; }
  /// Strangers that one source may have once few places are left, which is when
  /// three quarters are taken.
  size_t strangers_max() const noexcept;
  /// Those that are served.
  size_t taken() const noexcept { return x_taken; }
  /// Those for which there was no room, since the start.
  uint64_t refused() const noexcept { return x_refused; }

private:
  bool take_one(const std::string& source);
  void give_back(const std::string& stranger_from) noexcept;
  static bool count_up(std::atomic<size_t>& x, size_t max) noexcept;

  const size_t x_max;
  const size_t x_over_max;
  std::atomic<size_t> x_taken{0};
  std::atomic<size_t> x_over{0};
  std::atomic<uint64_t> x_refused{0};
  std::mutex x_mutex;
  /// Of each source that has any.
  std::map<std::string, size_t> x_strangers;
};

} // namespace parley
