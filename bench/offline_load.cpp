#include "bench/offline_load.hpp"

#include <algorithm>

#include "bench/limits.hpp"
#include "protocol/parley.pb.h"

namespace parley::bench {

offline_load::offline_load(event_loop& loop, const target& to,
  const offline_parameters& parameters, const user_names& names,
  const corpus& bodies, const id_maker& ids, fault_log& faults)
  : x_loop(loop),
    x_target(to),
    x_parameters(parameters),
    x_names(names),
    x_bodies(bodies),
    x_ids(ids),
    x_faults(faults),
    x_window(parameters.window),
    x_senders(loop),
    x_lanes(parameters.senders) {
  for (uint32_t s = 0; s < parameters.senders; ++s) {
    x_lanes[s].who = &x_senders.add(*this, names.user(s), "sender");
    x_lanes[s].recipients =
      (parameters.recipients - s - 1) / parameters.senders + 1;
  }
  for (uint32_t r = 0; r < parameters.recipients; ++r) {
    x_addresses.push_back(names.user(parameters.senders + r));
    x_checks.emplace_back(
      names.user(r % parameters.senders) + " to " + x_addresses.back(), 1, 0,
      parameters.each, faults);
  }
}

bool offline_load::open() {
  if (!x_senders.open(x_target))
    return false;
  for (const auto& l : x_lanes) {
    const uint64_t bytes = l.who->bytes_granted() / x_bodies.longest();
    x_window = static_cast<uint32_t>(std::clamp<uint64_t>(
      std::min<uint64_t>(l.who->requests_granted(), bytes), 1, x_window));
  }
  return true;
}

bool offline_load::store() {
  const int64_t start = now_ns();
  for (uint32_t s = 0; s < x_lanes.size(); ++s) {
    auto& l = x_lanes[s];
    l.goal += uint64_t{l.recipients} * x_parameters.each;
    x_open_outcomes += l.goal - l.answered;
    pump(s);
  }
  const int64_t deadline = start + seconds_to_ns(limits::seconds_max);
  while (x_open_outcomes > 0 && !x_broken && now_ns() < deadline) {
    x_senders.tick(now_ns());
    x_loop.turn(now_ns() + seconds_to_ns(1));
  }
  x_seconds_to_store = ns_to_seconds(now_ns() - start);
  return x_open_outcomes == 0 && !x_broken;
}

bool offline_load::drain() {
  x_missing = ims_per_round();
  const bool left = visit(seconds_to_ns(limits::seconds_max));
  x_seconds_to_drain = x_seconds_of_visit;
  if (!left || x_missing > 0)
    return false;
  // Drained is drained: nothing may come a second time.
  x_missing = UINT64_MAX;
  return visit(to_ns(limits::nothing_more));
}

bool offline_load::visit(int64_t at_most) {
  const int64_t start = now_ns();
  x_recipients = std::make_unique<session_pool>(x_loop);
  for (const auto& user : x_addresses)
    x_recipients->add(*this, user, "recipient");
  if (!x_recipients->open(x_target))
    return false;
  int64_t now = x_progress = now_ns();
  for (; x_missing > 0 && !x_broken && !stuck() && now - start < at_most;
       now = now_ns()) {
    x_senders.tick(now);
    x_recipients->tick(now);
    x_loop.turn(now + std::min(at_most, seconds_to_ns(1)));
  }
  x_seconds_of_visit = ns_to_seconds(now - start);
  x_leaving = true;
  const bool left = x_recipients->sign_out();
  x_leaving = false;
  return left && !x_broken;
}

void offline_load::finish() {
  for (auto& check : x_checks)
    check.finish();
}

bool offline_load::sign_out() {
  x_leaving = true;
  return x_senders.sign_out();
}

bool offline_load::stuck() const noexcept {
  return now_ns() - x_progress > to_ns(limits::settle_deadline);
}

uint32_t offline_load::recipient_of(uint32_t s, uint64_t turn) const noexcept {
  return s
    + static_cast<uint32_t>(turn % x_lanes[s].recipients)
    * x_parameters.senders;
}

void offline_load::pump(uint32_t s) {
  auto& l = x_lanes[s];
  const int64_t now = now_ns();
  while (
    l.sent < l.goal && l.sent - l.answered < x_window && l.who->is_open()) {
    const uint32_t r = recipient_of(s, l.sent++);
    const im_name name{r, x_checks[r].sent(now)};
    x_ids.write(name, x_id);
    corpus::head(name, x_head);
    l.who->send(
      {x_id, x_addresses[r], x_head, x_bodies.text(name)}, now / 1'000'000);
  }
  l.who->flush();
}

void offline_load::im_arrived(session& who, const im_view& im) {
  const uint32_t r = who.number();
  const auto name = x_ids.read(im.id);
  if (who.user() != x_addresses[r % x_addresses.size()] || !name
    || name->conversation != r) {
    x_faults.add(fault_kind::unknown,
      who.address() + " got an IM with the id " + std::string{im.id});
    return;
  }
  const auto& from = x_lanes[r % x_parameters.senders].who->address();
  if (x_bodies.check(im.body) != name || im.from != from
    || im.to != x_addresses[r] || !im.offline) {
    x_faults.add(fault_kind::altered,
      who.address() + " got IM " + std::to_string(name->number) + " from "
        + std::string{im.from}
        + " with another body, sender or recipient, or not as offline");
    return;
  }
  x_progress = now_ns();
  x_checks[r].arrived(0, name->number);
  // Faults are counted there; here, what came.
  if (x_missing > 0)
    --x_missing;
}

void offline_load::outcome_arrived(
  session& who, uint64_t request, const outcome_view& what) {
  const uint32_t s = who.number();
  auto& l = x_lanes[s % x_lanes.size()];
  if (&who != l.who || request == 0 || request > l.sent) {
    x_faults.add(
      fault_kind::unknown, who.address() + " got an answer without a question");
    return;
  }
  // Requests take the recipients in turn, so their number says whose it was.
  const uint32_t r = recipient_of(s, request - 1);
  const uint64_t number = (request - 1) / l.recipients + 1;
  const bool stored = what.kind == wire::Outcome::STORED;
  const auto intended =
    x_checks[r].outcome(number, stored ? fate::stored : fate::rejected);
  if (!intended)
    return;
  x_progress = now_ns();
  x_outcomes.record(
    static_cast<uint64_t>(std::max<int64_t>(x_progress - *intended, 0)));
  ++l.answered;
  --x_open_outcomes;
  if (!stored)
    x_faults.add(fault_kind::rejected,
      who.address() + ", IM " + std::to_string(number) + " to " + x_addresses[r]
        + " was not stored");
}

void offline_load::read_done(session& who) {
  const uint32_t s = who.number();
  if (s < x_lanes.size() && x_lanes[s].who == &who)
    pump(s);
}

void offline_load::closed(session& who, const std::string& why) {
  if (x_leaving)
    return;
  x_broken = true;
  x_faults.add(fault_kind::connection, who.address() + ": " + why);
}

} // namespace parley::bench
