#include "actors/session/stream.hpp"

#include <algorithm>
#include <utility>

#include "protocol/defaults.hpp"
#include "protocol/defaults_memory.hpp"

namespace parley {

namespace {

/// Of a broadcast's list, wherever it lies until it is answered. What a router
/// makes of it counts there.
uint64_t bytes_of(const std::vector<std::string>& to) noexcept {
  uint64_t bytes = to.size() * sizeof(std::string);
  for (const auto& text : to)
    bytes += text.size();
  return bytes;
}

uint64_t bytes_of(const answer& x) {
  uint64_t bytes = 0;
  if (auto* b = std::get_if<broadcast_outcomes>(&x.what))
    for (const auto& r : b->outcomes)
      bytes += sizeof(r) + r.to.size();
  if (auto* c = std::get_if<contacts_changed>(&x.what))
    for (const auto& r : c->refused)
      bytes += sizeof(r) + r.address.size() + r.why.text.size();
  if (auto* l = std::get_if<contact_list>(&x.what)) {
    for (const auto& c : l->contacts) {
      bytes += sizeof(c) + c.name.size();
      for (const auto& g : c.groups)
        bytes += sizeof(g) + g.size();
    }
    bytes += sizeof(user_address) * l->removed.size();
  }
  if (auto* d = std::get_if<documents_found>(&x.what)) {
    for (const auto& one : d->what)
      bytes += sizeof(one) + one.id.size() + one.bytes.size();
    for (const auto& name : d->names)
      bytes += sizeof(name) + name.size();
  }
  if (auto* p = std::get_if<privacy>(&x.what))
    bytes += (p->allow.size() + p->block.size() + p->domains.size())
      * defaults::address_part_max;
  return bytes;
}

/// Takes the first `n` out, now or later, at a constant cost each.
template <class T>
void drop_front(std::vector<T>& xs, size_t& n) {
  constexpr size_t few = 16;
  if (n == xs.size()) {
    xs.clear();
    n = 0;
  } else if (n >= few && 2 * n >= xs.size()) {
    xs.erase(xs.begin(), xs.begin() + static_cast<long>(n));
    n = 0;
  }
}

} // namespace

sequence event_stream::push(im_order order, event what) {
  if (auto* a = std::get_if<answer>(&what)) {
    close(a->to);
    ++x_answers;
    x_answer_bytes += bytes_of(*a);
  } else if (std::holds_alternative<receipt>(what)) {
    ++x_receipts;
  } else if (auto* i = std::get_if<incoming_im>(&what)) {
    x_im_bytes += content_bytes(*i->message);
  }
  x_kept.push_back({order, std::move(what)});
  return last();
}

std::span<const event_stream::kept_event>
event_stream::unacknowledged() const noexcept {
  return std::span{x_kept}.subspan(x_head);
}

void event_stream::count_out(const event& what) noexcept {
  if (auto* a = std::get_if<answer>(&what)) {
    --x_answers;
    x_answer_bytes -= bytes_of(*a);
  } else if (std::holds_alternative<receipt>(what)) {
    --x_receipts;
  } else if (auto* i = std::get_if<incoming_im>(&what)) {
    x_im_bytes -= content_bytes(*i->message);
  }
}

void event_stream::skip_settled() noexcept {
  while (x_head < x_kept.size() && x_kept[x_head].settled) {
    ++x_acknowledged;
    ++x_head;
  }
  drop_front(x_kept, x_head);
}

void event_stream::settle(sequence number) {
  if (number.value <= x_acknowledged || number > last())
    return;
  auto& k = x_kept[x_head + (number.value - x_acknowledged - 1)];
  if (std::exchange(k.settled, true))
    return;
  count_out(k.what);
  k.what = event{};
  x_refused = 0;
  skip_settled();
}

bool event_stream::acknowledge(
  sequence upto, std::vector<acknowledged_im>& out) {
  if (upto > last())
    return false;
  for (; x_acknowledged < upto.value; ++x_acknowledged, ++x_head) {
    auto& k = x_kept[x_head];
    x_refused = 0;
    if (k.settled)
      continue;
    count_out(k.what);
    auto* i = std::get_if<incoming_im>(&k.what);
    if (i && k.order != im_order{})
      out.push_back({k.order, std::move(i->message)});
  }
  skip_settled();
  return true;
}

event_stream::verdict event_stream::admit(
  const numbered_request& x, const window& granted) {
  if (x.number <= x_last_request)
    return verdict::repeated;
  x_last_request = x.number;
  auto bytes = content_bytes(x.what);
  bool fits = under_way() < granted.messages
    && (x_open_bytes == 0 || x_open_bytes + bytes <= granted.bytes)
    && x_answer_bytes <= defaults::answers_bytes_max;
  if (!fits && !std::holds_alternative<sign_out>(x.what)) {
    ++x_refused;
    return verdict::beyond_window;
  }
  open_request open{x.number, bytes, bytes};
  if (auto* b = std::get_if<broadcast>(&x.what)) {
    open.texts = static_cast<uint32_t>(b->to.size());
    open.own = bytes_of(b->to);
  } else if (std::holds_alternative<send_im>(x.what)
    || std::holds_alternative<pass_on>(x.what)) {
    open.own = 0;
  }
  x_open.push_back(open);
  ++x_unanswered;
  x_open_bytes += bytes;
  x_own_open_bytes += open.own;
  x_open_texts += open.texts;
  return verdict::fresh;
}

size_t event_stream::find_open(request_number number) const noexcept {
  auto first = x_open.begin() + static_cast<long>(x_open_head);
  auto i = std::lower_bound(first, x_open.end(), number,
    [](const open_request& o, request_number n) { return o.number < n; });
  if (i == x_open.end() || i->number != number || i->answered)
    return x_open.size();
  return static_cast<size_t>(i - x_open.begin());
}

void event_stream::close(request_number number) noexcept {
  auto at = find_open(number);
  if (at == x_open.size())
    return;
  auto* i = &x_open[at];
  x_open_bytes -= i->bytes;
  x_own_open_bytes -= i->own;
  x_open_texts -= i->texts;
  --x_unanswered;
  i->answered = true;
  while (x_open_head < x_open.size() && x_open[x_open_head].answered)
    ++x_open_head;
  drop_front(x_open, x_open_head);
}

uint64_t event_stream::own_bytes() const noexcept {
  return unacknowledged().size() * defaults::kept_event_bytes + x_answer_bytes
    + (x_open.size() - x_open_head) * sizeof(open_request) + x_own_open_bytes;
}

uint64_t event_stream::untaken_bytes() const noexcept {
  return unacknowledged().size() * defaults::kept_event_bytes + x_answer_bytes
    + x_im_bytes;
}

void event_stream::shrink() {
  if (x_kept.empty())
    x_kept.shrink_to_fit();
  if (x_open.empty())
    x_open.shrink_to_fit();
}

} // namespace parley
