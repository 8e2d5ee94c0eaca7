#include "bench/conversation.hpp"

#include <algorithm>
#include <bit>

namespace parley::bench {

conversation::conversation(std::string name, uint32_t endpoints,
  std::optional<uint32_t> chosen, size_t capacity, fault_log& faults)
  : x_name(std::move(name)),
    x_endpoints(endpoints),
    x_chosen(chosen),
    x_slots(std::bit_ceil(capacity)),
    x_last(endpoints),
    x_faults(faults) {}

uint64_t conversation::sent(int64_t intended) noexcept {
  const uint64_t number = x_next++;
  x_slots[number & (x_slots.size() - 1)] = slot{.intended = intended};
  ++x_unanswered;
  return number;
}

std::optional<int64_t> conversation::arrived(
  uint32_t endpoint, uint64_t number) {
  const auto at = "endpoint " + std::to_string(endpoint);
  if (number == 0 || number >= x_next) {
    fault(fault_kind::unknown, number, "came to " + at + " but was never sent");
    return std::nullopt;
  }
  slot* const s = live(number);
  const uint64_t bit = uint64_t{1} << endpoint;
  if (number <= x_last[endpoint]) {
    const bool late = s && !(s->copies & bit);
    fault(late ? fault_kind::reordered : fault_kind::duplicated, number,
      "came to " + at + " after " + std::to_string(x_last[endpoint]));
    if (late) {
      s->copies |= bit;
      if (x_by_arrival)
        answer(*s);
      retire(*s, number);
    }
    return std::nullopt;
  }
  x_last[endpoint] = number;
  if (x_chosen && !x_relaxed && number >= x_collapse_from
    && endpoint != *x_chosen) {
    fault(fault_kind::wrong_endpoint, number,
      "came to " + at + " though another is chosen");
    return std::nullopt;
  }
  if (!s)
    return std::nullopt;
  s->copies |= bit;
  if (x_by_arrival)
    answer(*s);
  const int64_t intended = s->intended;
  retire(*s, number);
  return intended;
}

std::optional<int64_t> conversation::outcome(uint64_t number, fate what) {
  slot* const s = live(number);
  if (number == 0 || number >= x_next) {
    fault(fault_kind::unknown, number, "has an outcome but was never sent");
    return std::nullopt;
  }
  if (!s || s->answered) {
    fault(fault_kind::second_outcome, number, "has a second outcome");
    return std::nullopt;
  }
  answer(*s);
  // A rejected IM reaches nobody; the caller says whether that is a fault.
  if (what == fate::rejected)
    s->done = true;
  const int64_t intended = s->intended;
  retire(*s, number);
  while (x_answered_upto + 1 < x_next) {
    slot* const next = live(x_answered_upto + 1);
    if (next && !next->answered)
      break;
    ++x_answered_upto;
  }
  if (what == fate::stored && !x_relaxed) {
    x_relaxed = true;
    review();
  }
  return intended;
}

void conversation::reply_sent() noexcept {
  if (x_replied)
    return;
  x_replied = true;
  x_fork_upto = x_answered_upto;
  review();
}

void conversation::reply_arrived() noexcept {
  if (x_reply_arrived)
    return;
  x_reply_arrived = true;
  x_collapse_from = x_next;
}

void conversation::finish() {
  for (uint64_t number = x_oldest; number < x_next; ++number) {
    slot* const s = live(number);
    if (!s)
      continue;
    if (!s->answered && !x_by_arrival)
      fault(fault_kind::no_outcome, number, "has no outcome");
    s->answered = true;
    if (!complete(*s, number))
      fault(fault_kind::lost, number,
        "reached " + std::to_string(std::popcount(s->copies)) + " of "
          + std::to_string(x_endpoints) + " endpoints");
    s->done = true;
  }
  x_oldest = x_next;
  x_unanswered = 0;
}

conversation::slot* conversation::live(uint64_t number) noexcept {
  if (number < x_oldest || number >= x_next)
    return nullptr;
  slot& s = x_slots[number & (x_slots.size() - 1)];
  return s.done ? nullptr : &s;
}

bool conversation::complete(const slot& s, uint64_t number) const noexcept {
  if (!s.answered)
    return false;
  if (x_relaxed)
    return s.copies != 0;
  const uint64_t all = ~uint64_t{0} >> (64 - x_endpoints);
  if (!x_chosen || number <= x_fork_upto)
    return s.copies == all;
  return s.copies & (uint64_t{1} << *x_chosen);
}

void conversation::answer(slot& s) noexcept {
  x_unanswered -= s.answered ? 0 : 1;
  s.answered = true;
}

void conversation::retire(slot& s, uint64_t number) noexcept {
  if (!s.done && !complete(s, number))
    return;
  s.done = true;
  while (x_oldest < x_next && x_slots[x_oldest & (x_slots.size() - 1)].done)
    ++x_oldest;
}

void conversation::review() noexcept {
  for (uint64_t number = x_oldest; number < x_next; ++number)
    if (slot* const s = live(number))
      retire(*s, number);
}

void conversation::fault(
  fault_kind kind, uint64_t number, const std::string& what) {
  x_faults.add(kind, x_name + ", IM " + std::to_string(number) + ": " + what);
}

} // namespace parley::bench
