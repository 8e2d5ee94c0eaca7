#include "actors/observation/commit_meter.hpp"

namespace parley {

void commit_meter::begins(time_point now) noexcept {
  x_began = now.time_since_epoch().count();
}

void commit_meter::ends(
  time_point now, size_t operations, const failure* refusal) {
  time_point began{time_point::duration{x_began.load()}};
  x_began = 0;
  x_seconds.add(std::chrono::duration<double>(now - began).count());
  x_operations.add(static_cast<double>(operations));
  if (refusal)
    ++x_refused;
  std::lock_guard lock(x_refusing);
  x_last_refusal = refusal ? std::optional(*refusal) : std::nullopt;
}

std::optional<failure> commit_meter::last_refusal() const {
  std::lock_guard lock(x_refusing);
  return x_last_refusal;
}

std::optional<commit_meter::time_point>
commit_meter::busy_since() const noexcept {
  auto began = x_began.load();
  if (began == 0)
    return std::nullopt;
  return time_point{time_point::duration{began}};
}

} // namespace parley
