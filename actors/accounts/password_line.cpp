#include "actors/accounts/password_line.hpp"

namespace parley {

bool password_line::enter(uint64_t ticket) {
  const std::lock_guard guard{x_mutex};
  if (x_queued >= x_max)
    return false;
  ++x_queued;
  x_waiting.insert(ticket);
  return true;
}

void password_line::leave(uint64_t ticket) {
  const std::lock_guard guard{x_mutex};
  x_waiting.erase(ticket);
}

bool password_line::claim(uint64_t ticket) {
  const std::lock_guard guard{x_mutex};
  --x_queued;
  return x_waiting.erase(ticket) > 0;
}

size_t password_line::size() const {
  const std::lock_guard guard{x_mutex};
  return x_queued;
}

} // namespace parley
