#include "protocol/xmpp/ledger.hpp"

#include <algorithm>

namespace parley::xmpp {

void ledger::close(request_number what) noexcept {
  auto i = std::lower_bound(x_open.begin(), x_open.end(), what,
    [](const open_request& o, request_number n) { return o.number < n; });
  if (i != x_open.end() && i->number == what)
    x_open.erase(i);
}

uint32_t ledger::done() const noexcept {
  return static_cast<uint32_t>(
    x_open.empty() ? x_received : x_open.front().stanza - 1);
}

void ledger::sent(sequence what) {
  if (x_managed)
    ++x_sent;
  carries(what);
}

void ledger::carries(sequence what) {
  if (what.value > 0)
    x_out.push_back({what, x_managed ? x_sent : 0, x_managed});
}

void ledger::placed(uint64_t end_of_output) noexcept {
  for (auto i = x_out.end(); i != x_out.begin();) {
    --i;
    if (i->counted)
      continue;
    if (i->mark > 0)
      break;
    i->mark = end_of_output;
  }
}

sequence ledger::take(uint64_t stanzas, uint64_t bytes) {
  sequence last;
  while (!x_out.empty()) {
    const auto& o = x_out.front();
    if (o.mark == 0 || o.mark > (o.counted ? stanzas : bytes))
      break;
    last = o.event;
    x_out.pop_front();
  }
  return last;
}

sequence ledger::reached(uint64_t bytes) {
  return take(0, bytes);
}

std::optional<sequence> ledger::acknowledged(uint32_t h) {
  // The counters run over at 2^32.
  const auto more = h - static_cast<uint32_t>(x_acknowledged);
  if (more > x_sent - x_acknowledged)
    return std::nullopt;
  x_acknowledged += more;
  // The client's own word says more than that of its system.
  return take(x_acknowledged, more > 0 ? UINT64_MAX : 0);
}

void ledger::resume() noexcept {
  x_sent = x_acknowledged;
  x_out.clear();
}

} // namespace parley::xmpp
