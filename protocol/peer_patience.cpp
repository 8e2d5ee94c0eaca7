#include "protocol/peer_patience.hpp"

#include <utility>

#include "protocol/defaults.hpp"

namespace parley {

peer_patience::peer_patience(steady_time now) noexcept
  : x_now(now),
    x_last_heard(now),
    x_deadline(now + defaults::sign_in_timeout) {}

void peer_patience::heard() noexcept {
  x_last_heard = x_now;
  x_probing = false;
}

void peer_patience::reading(bool goes_on) noexcept {
  if (goes_on && !x_reading)
    heard();
  x_reading = goes_on;
}

void peer_patience::begin_session(
  std::chrono::milliseconds heartbeat) noexcept {
  x_in_session = true;
  x_heartbeat = heartbeat;
  x_last_heard = x_now;
}

bool peer_patience::begin_probe(std::chrono::milliseconds timeout) noexcept {
  if (std::exchange(x_probing, true))
    return false;
  x_deadline = x_now + timeout;
  return true;
}

const char* peer_patience::what_did_not_come() const noexcept {
  if (!x_reading)
    return nullptr;
  if (!x_in_session)
    return x_now >= x_deadline ? "the sign-in took too long" : nullptr;
  if (x_probing && x_now >= x_deadline)
    return "a heartbeat was not answered";
  const auto patience =
    x_heartbeat * defaults::heartbeats_until_dead_tenths / 10;
  return x_heartbeat.count() > 0 && x_now - x_last_heard >= patience
    ? "nothing came for 2.5 heartbeats"
    : nullptr;
}

failure peer_patience::overdue(bool reads) const {
  const auto* what = what_did_not_come();
  if (!what)
    return {};
  if (!reads)
    return failure{
      errc::slow_consumer, "the peer has read nothing for too long"};
  return failure{errc::timed_out, what};
}

} // namespace parley
