#include "bench/broadcast_load.hpp"

#include <algorithm>
#include <stdexcept>

#include "bench/limits.hpp"
#include "protocol/defaults.hpp"
#include "protocol/parley.pb.h"

namespace parley::bench {

namespace {

/// All IMs of a run belong to this one, which the bodies name.
constexpr uint32_t the_conversation = 0;

/// Bytes around a recipient's address, and around all of them.
constexpr size_t around_recipient = 4;
constexpr size_t around_request = 100;

uint64_t since(int64_t start) noexcept {
  return static_cast<uint64_t>(std::max<int64_t>(now_ns() - start, 0));
}

} // namespace

broadcast_load::broadcast_load(event_loop& loop, const target& to,
  uint32_t recipients, uint32_t window, const user_names& names,
  const corpus& bodies, const id_maker& ids, fault_log& faults)
  : x_loop(loop),
    x_target(to),
    x_window(window),
    x_bodies(bodies),
    x_ids(ids),
    x_faults(faults),
    x_pool(loop),
    x_slots(window) {
  x_sender = &x_pool.add(*this, names.user(0), "sender");
  size_t bytes = around_request + bodies.longest();
  for (uint32_t r = 0; r < recipients; ++r) {
    x_to.push_back(names.user(r + 1));
    bytes += x_to.back().size() + around_recipient;
    x_checks.emplace_back(
      names.user(0) + " to " + x_to.back(), 1, 0, window, faults);
    // Behind the relay one answers for all.
    x_pool.add(*this, x_to.back(), "recipient").set_answering(r == 0);
  }
  if (bytes > defaults::frame_max)
    throw std::invalid_argument{
      "so many recipients and such a body do not fit into one frame"};
  for (uint32_t r = 0; r < recipients; ++r)
    x_recipients.emplace(x_to[r], r);
}

void broadcast_load::start() {
  x_sending = true;
  pump();
}

void broadcast_load::run(double seconds) {
  const int64_t end = now_ns() + seconds_to_ns(seconds);
  for (int64_t now = now_ns(); now < end && !x_over; now = now_ns()) {
    x_pool.tick(now);
    x_loop.turn(std::min(end, now + seconds_to_ns(1)));
  }
}

void broadcast_load::settle() {
  x_sending = false;
  const int64_t deadline = now_ns() + to_ns(limits::settle_deadline);
  while (!x_over && x_under_way > 0 && now_ns() < deadline)
    run(0.01);
  run(ns_to_seconds(to_ns(limits::linger)));
}

void broadcast_load::finish() {
  for (auto& check : x_checks)
    check.finish();
}

bool broadcast_load::sign_out() {
  x_over = true;
  return x_pool.sign_out();
}

void broadcast_load::pump() {
  if (!x_sending || !x_sender->is_open())
    return;
  const uint32_t window =
    std::clamp<uint32_t>(x_sender->requests_granted(), 1, x_window);
  while (x_under_way < window && slot_of(x_sent + 1).copies_missing == 0
    && slot_of(x_sent + 1).outcomes_missing == 0) {
    const im_name name{the_conversation, ++x_sent};
    const int64_t now = now_ns();
    const auto all = static_cast<uint32_t>(x_to.size());
    slot_of(x_sent) = {now, all, all};
    ++x_under_way;
    for (auto& check : x_checks)
      check.sent(now);
    x_ids.write(name, x_id);
    corpus::head(name, x_head);
    if (x_target.relay) {
      x_sender->send(
        {x_id, x_to[0], x_head, x_bodies.text(name)}, now / 1'000'000);
    } else {
      x_body = x_head;
      x_body += x_bodies.text(name);
      x_sender->broadcast(x_id, x_to, x_body);
    }
    x_sender->flush();
  }
}

void broadcast_load::recipient_outcome(
  uint32_t recipient, uint64_t number, fate what) {
  if (!x_checks[recipient].outcome(number, what))
    return;
  x_counts.delivered += what == fate::delivered ? 1 : 0;
  x_counts.stored += what == fate::stored ? 1 : 0;
  if (what == fate::rejected) {
    x_faults.add(fault_kind::rejected,
      "broadcast " + std::to_string(number) + " to " + x_to[recipient]);
    // Nobody will get it.
    --slot_of(number).copies_missing;
  }
  if (--slot_of(number).outcomes_missing == 0)
    x_counts.outcome.record(since(slot_of(number).sent));
  settled(number);
}

void broadcast_load::settled(uint64_t number) {
  const auto& s = slot_of(number);
  if (s.copies_missing == 0 && s.outcomes_missing == 0)
    --x_under_way;
}

void broadcast_load::im_arrived(session& who, const im_view& im) {
  const auto name = x_ids.read(im.id);
  if (who.number() == 0 || !name || name->conversation != the_conversation) {
    x_faults.add(fault_kind::unknown,
      who.address() + " got an IM with the id " + std::string{im.id});
    return;
  }
  const uint32_t r = who.number() - 1;
  if (x_bodies.check(im.body) != name || im.from != x_sender->address()
    || (im.to != x_to[r] && !x_target.relay)) {
    x_faults.add(fault_kind::altered,
      who.address() + " got broadcast " + std::to_string(name->number)
        + " with another body, sender or recipient");
    return;
  }
  const auto sent = x_checks[r].arrived(0, name->number);
  if (!sent)
    return;
  ++x_counts.copies;
  x_counts.receive.record(since(*sent));
  --slot_of(name->number).copies_missing;
  settled(name->number);
}

void broadcast_load::outcome_arrived(
  session& who, uint64_t request, const outcome_view& what) {
  if (&who != x_sender || request == 0 || request > x_sent) {
    x_faults.add(
      fault_kind::unknown, who.address() + " got an answer without a question");
    return;
  }
  // An answer for all of them: the relay's, or a refusal of the request.
  const bool good = x_target.relay && what.kind == wire::Outcome::DELIVERED;
  for (uint32_t r = 0; r < x_to.size(); ++r)
    recipient_outcome(r, request, good ? fate::delivered : fate::rejected);
}

void broadcast_load::broadcast_arrived(
  session& who, const wire::ServerFrame& part) {
  if (&who != x_sender || part.request() == 0 || part.request() > x_sent) {
    x_faults.add(
      fault_kind::unknown, who.address() + " got an answer without a question");
    return;
  }
  for (const auto& one : part.broadcast().outcomes()) {
    const auto found = x_recipients.find(one.to());
    if (found == x_recipients.end()) {
      x_faults.add(
        fault_kind::unknown, "an outcome of " + one.to() + ", no recipient");
      continue;
    }
    const auto kind = one.outcome().kind();
    recipient_outcome(found->second, part.request(),
      kind == wire::Outcome::DELIVERED  ? fate::delivered
        : kind == wire::Outcome::STORED ? fate::stored
                                        : fate::rejected);
  }
}

void broadcast_load::closed(session& who, const std::string& why) {
  if (x_over)
    return;
  x_over = true;
  x_faults.add(fault_kind::connection, who.address() + ": " + why);
}

} // namespace parley::bench
