#include "protocol/client/event_position.hpp"

#include <algorithm>

#include "protocol/client/push_growing.hpp"

namespace parley {

event_position::verdict event_position::look(sequence number) const noexcept {
  if (number.value <= x_received)
    return verdict::known;
  return number.value == x_received + 1 ? verdict::fresh : verdict::gap;
}

void event_position::hold(
  sequence number, delivery_ticket ticket, uint64_t fingerprint) {
  push_growing(x_held, held{number.value, ticket, fingerprint, false});
}

void event_position::hold_again(sequence number, uint64_t fingerprint) {
  auto same = [&](const held& x) { return x.fingerprint == fingerprint; };
  auto i = std::find_if(x_held.begin(), x_held.end(), same);
  if (i != x_held.end() && !i->done)
    hold(number, i->ticket, fingerprint);
}

void event_position::acknowledge(delivery_ticket ticket) noexcept {
  for (auto& x : x_held)
    if (x.ticket == ticket)
      x.done = true;
  while (!x_held.empty() && x_held.front().done)
    x_held.pop_front();
}

sequence event_position::safe() const noexcept {
  for (auto& x : x_held)
    if (!x.done && x.number > 0)
      return {x.number - 1};
  return {x_received};
}

void event_position::start_session() noexcept {
  x_received = 0;
  for (auto& x : x_held)
    x.number = 0;
}

size_t event_position::memory() const noexcept {
  return x_held.capacity() * sizeof(held);
}

} // namespace parley
