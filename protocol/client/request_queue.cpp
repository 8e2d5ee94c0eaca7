#include "protocol/client/request_queue.hpp"

#include <algorithm>
#include <utility>

#include "protocol/client/push_growing.hpp"

namespace parley {

void request_queue::push(pending_request x) {
  push_growing(x_queue, std::move(x));
  ++x_unanswered;
}

void request_queue::push_next(pending_request x) {
  insert(x_sent, std::move(x));
}

bool request_queue::has_room(const pending_request& x) const noexcept {
  // Who leaves needs no credit.
  if (x.what == pending_request::kind::sign_out)
    return true;
  if (x_used_messages >= x_window.messages)
    return false;
  return x_used_bytes == 0 || x_used_bytes + x.bytes <= x_window.bytes;
}

bool request_queue::is_stuck() const noexcept {
  return x_sent < x_queue.size() && !has_room(x_queue[x_sent])
    && x_unanswered == x_queue.size() - x_sent;
}

std::optional<request_queue::numbered> request_queue::next() {
  if (x_sent == x_queue.size() || !has_room(x_queue[x_sent]))
    return std::nullopt;
  auto& x = x_queue[x_sent];
  ++x_used_messages;
  x_used_bytes += x.bytes;
  x_back -= x_back > 0;
  return numbered{{x_base + x_sent++}, &x};
}

std::optional<pending_request> request_queue::settle(
  request_number number, sequence by) {
  auto i = number.value - x_base;
  if (number.value < x_base || i >= x_sent || x_queue[i].answered)
    return std::nullopt;
  auto x = std::exchange(x_queue[i], {});
  x_queue[i].answered = true;
  --x_unanswered;
  push_growing(x_answered, answered_bytes{by.value, x.bytes});
  pop_answered();
  return x;
}

void request_queue::give_back(pending_request x) {
  insert(x_sent + x_back++, std::move(x));
}

void request_queue::insert(size_t place, pending_request x) {
  if (x_queue.full())
    x_queue.set_capacity(x_queue.capacity() + 1);
  x_queue.insert(x_queue.begin() + static_cast<ptrdiff_t>(place), std::move(x));
  ++x_unanswered;
}

void request_queue::acknowledged(sequence upto) noexcept {
  while (!x_answered.empty() && x_answered.front().event <= upto.value) {
    --x_used_messages;
    x_used_bytes -= x_answered.front().bytes;
    x_answered.pop_front();
  }
}

void request_queue::pop_answered() noexcept {
  while (x_sent > 0 && x_queue.front().answered) {
    x_queue.pop_front();
    --x_sent;
    ++x_base;
  }
}

std::vector<request_tag> request_queue::start_session() {
  std::vector<request_tag> covered;
  boost::circular_buffer<pending_request> rest;
  for (auto& x : x_queue) {
    if (x.answered)
      continue;
    if (x.covered)
      covered.push_back(x.tag);
    else
      push_growing(rest, std::move(x));
  }
  x_queue = std::move(rest);
  x_unanswered = x_queue.size();
  x_sent = 0;
  x_back = 0;
  x_base = 1;
  x_used_messages = 0;
  x_used_bytes = 0;
  x_answered.clear();
  return covered;
}

void request_queue::cover_availability() noexcept {
  for (auto& x : x_queue)
    if (x.what == pending_request::kind::availability)
      x.covered = true;
}

bool request_queue::leaves_next() const noexcept {
  auto first = std::ranges::find(x_queue, false, &pending_request::answered);
  return first != x_queue.end()
    && first->what == pending_request::kind::sign_out;
}

size_t request_queue::memory() const noexcept {
  auto n = x_queue.capacity() * sizeof(pending_request)
    + x_answered.capacity() * sizeof(answered_bytes);
  for (auto& x : x_queue)
    n += x.encoded.capacity() + (x.other ? sizeof(request) : 0);
  return n;
}

} // namespace parley
