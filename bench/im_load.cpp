#include "bench/im_load.hpp"

#include <algorithm>

#include "bench/limits.hpp"
#include "protocol/parley.pb.h"

namespace parley::bench {

using namespace std::chrono_literals;

namespace {

/// More than this, and going on shows nothing new.
constexpr uint64_t faults_max = 1'000;

std::string reason_of(const outcome_view& what) {
  wire::Error error;
  if (!error.ParseFromArray(
        what.error.data(), static_cast<int>(what.error.size())))
    return "no reason";
  return error.reason() + " " + error.text();
}

} // namespace

std::string_view to_string(traffic x) noexcept {
  switch (x) {
  case traffic::one_way:
    return "one-way";
  case traffic::both:
    return "both";
  case traffic::ping_pong:
    return "ping-pong";
  }
  return "both";
}

im_load::im_load(event_loop& loop, const target& to,
  const im_parameters& parameters, const user_names& names,
  const corpus& bodies, const id_maker& ids, fault_log& faults)
  : x_loop(loop),
    x_target(to),
    x_parameters(parameters),
    x_bodies(bodies),
    x_ids(ids),
    x_faults(faults),
    x_window(parameters.window),
    x_pool(loop, to.protocol),
    x_starters(parameters.kind == traffic::both ? 2 * size_t{parameters.pairs}
                                                : parameters.pairs) {
  const uint32_t users = 2 * parameters.pairs;
  x_lanes.reserve(users);
  for (uint32_t user = 0; user < users; ++user)
    add_user(user, names);
}

void im_load::add_user(uint32_t user, const user_names& names) {
  const bool first = user % 2 == 0;
  // A user's own endpoints, those of its peer, and from which each sends.
  uint32_t own = x_parameters.endpoints;
  uint32_t peers = x_parameters.endpoints;
  uint32_t own_voice = 0;
  std::optional<uint32_t> peers_voice = 0;
  switch (x_parameters.kind) {
  case traffic::one_way:
    (first ? own : peers) = 1;
    if (first)
      peers_voice.reset();
    break;
  case traffic::both:
    break;
  case traffic::ping_pong:
    (first ? *peers_voice : own_voice) = x_parameters.endpoints - 1;
    break;
  }
  // Behind the relay those alone take part that do in the long run.
  if (x_target.relay && x_parameters.kind != traffic::one_way) {
    own = peers = 1;
    own_voice = 0;
  }
  if (x_target.relay)
    peers_voice.reset();
  x_lanes.push_back(lane{
    .check = conversation{names.user(user) + " to " + names.user(user ^ 1),
      peers, peers_voice, 4 * size_t{x_parameters.window} + 64, x_faults},
    .to = names.user(user ^ 1),
  });
  if (x_target.protocol == client_protocol::xmpp)
    x_lanes.back().check.outcomes_are_arrivals();
  for (uint32_t e = 0; e < own; ++e) {
    auto& s =
      x_pool.add(*this, names.user(user), "endpoint" + std::to_string(e));
    x_seats.push_back({.user = user, .endpoint = e});
    // One answer an IM, as from the server.
    s.set_answering(e == 0);
    if (e == own_voice)
      x_lanes.back().sender = &s;
  }
}

bool im_load::open() {
  if (!x_pool.open(x_target))
    return false;
  for (const auto& l : x_lanes) {
    const uint64_t bytes = l.sender->bytes_granted() / x_bodies.longest();
    const uint64_t granted =
      std::min<uint64_t>(l.sender->requests_granted(), bytes);
    x_window =
      static_cast<uint32_t>(std::clamp<uint64_t>(granted, 1, x_window));
  }
  return true;
}

void im_load::start() {
  x_sending = true;
  if (x_parameters.rate) {
    x_schedule.emplace(*x_parameters.rate, x_starters, now_ns());
    for (auto& l : x_lanes)
      l.turn = 0;
    return;
  }
  for (size_t i = 0; i < x_starters; ++i) {
    auto& l = lane_of(i);
    l.owed = x_window;
    pump(l);
  }
}

void im_load::run(double seconds) {
  const int64_t end = now_ns() + seconds_to_ns(seconds);
  while (!x_over && x_faults.total() < faults_max) {
    const int64_t now = now_ns();
    if (now >= end)
      return;
    x_pool.tick(now);
    int64_t wake = std::min(end, now + to_ns(1s));
    if (x_schedule && x_sending) {
      advance_schedule(now);
      wake = std::min(wake, x_schedule->next_due());
    }
    x_loop.turn(wake);
  }
}

void im_load::settle() {
  x_sending = false;
  for (auto& l : x_lanes)
    l.owed = 0;
  const int64_t deadline = now_ns() + to_ns(limits::settle_deadline);
  while (!x_over && !settled() && now_ns() < deadline) {
    x_pool.tick(now_ns());
    x_loop.turn(now_ns() + to_ns(10ms));
  }
  run(ns_to_seconds(to_ns(limits::linger)));
}

void im_load::finish() {
  for (auto& l : x_lanes)
    l.check.finish();
}

bool im_load::sign_out() {
  x_over = true;
  return x_pool.sign_out();
}

uint64_t im_load::sent() const noexcept {
  uint64_t sum = 0;
  for (const auto& l : x_lanes)
    sum += l.check.sent_count();
  return sum;
}

im_load::lane& im_load::lane_of(size_t starter) noexcept {
  return x_lanes[x_parameters.kind == traffic::both ? starter : 2 * starter];
}

void im_load::advance_schedule(int64_t now) {
  x_schedule->advance(now, [this](size_t starter) {
    auto& l = lane_of(starter);
    ++l.owed;
    pump(l);
  });
}

void im_load::pump(lane& l) {
  if (l.owed == 0 || !x_sending)
    return;
  bool some = false;
  while (l.owed > 0 && l.check.has_room() && l.check.unanswered() < x_window
    && l.sender->is_open()) {
    send(l);
    some = true;
  }
  if (some)
    l.sender->flush();
}

void im_load::send(lane& l) {
  const auto number = static_cast<uint32_t>(&l - x_lanes.data());
  const int64_t now = now_ns();
  int64_t intended = now;
  const bool starts = x_parameters.kind == traffic::both || number % 2 == 0;
  if (x_schedule && starts) {
    const size_t starter =
      x_parameters.kind == traffic::both ? number : number / 2;
    intended = x_schedule->intended(starter, l.turn++);
  }
  --l.owed;
  const im_name name{number, l.check.sent(intended)};
  x_ids.write(name, x_id);
  corpus::head(name, x_head);
  l.sender->send({x_id, l.to, x_head, x_bodies.text(name)}, now / 1'000'000);
  x_lanes[number ^ 1].check.reply_sent();
}

bool im_load::settled() const noexcept {
  return std::all_of(x_lanes.begin(), x_lanes.end(),
    [](const auto& l) { return l.check.settled(); });
}

void im_load::im_arrived(session& who, const im_view& im) {
  const auto [user, endpoint] = x_seats[who.number()];
  auto& l = x_lanes[user ^ 1];
  const auto name = x_ids.read(im.id);
  if (!name || name->conversation != (user ^ 1)) {
    x_faults.add(fault_kind::unknown,
      who.address() + " got an IM with the id " + std::string{im.id});
    return;
  }
  if (x_bodies.check(im.body) != name || im.from != l.sender->address()
    || im.to != l.to) {
    x_faults.add(fault_kind::altered,
      who.address() + " got IM " + std::to_string(name->number) + " from "
        + std::string{im.from} + " with another body, sender or recipient");
    return;
  }
  x_lanes[user].check.reply_arrived();
  const auto intended = l.check.arrived(endpoint, name->number);
  ++x_counts.copies;
  if (intended)
    x_counts.receive.record(
      static_cast<uint64_t>(std::max<int64_t>(now_ns() - *intended, 0)));
  if (intended && x_target.protocol == client_protocol::xmpp) {
    ++x_counts.delivered;
    if (x_parameters.kind != traffic::ping_pong && !x_schedule)
      ++l.owed;
  }
  const bool voice = x_lanes[user].sender == &who;
  // The first of a ping-pong closes its loop by the answers.
  if (x_parameters.kind == traffic::ping_pong && voice
    && (user % 2 == 1 || !x_schedule))
    ++x_lanes[user].owed;
}

void im_load::outcome_arrived(
  session& who, uint64_t request, const outcome_view& what) {
  const auto user = x_seats[who.number()].user;
  auto& l = x_lanes[user];
  if (&who != l.sender) {
    x_faults.add(
      fault_kind::unknown, who.address() + " got an answer without a question");
    return;
  }
  const fate became = what.kind == wire::Outcome::DELIVERED ? fate::delivered
    : what.kind == wire::Outcome::STORED                    ? fate::stored
                                                            : fate::rejected;
  // A session sends in one conversation, so requests are numbered as its IMs.
  const auto intended = l.check.outcome(request, became);
  if (intended)
    x_counts.outcome.record(
      static_cast<uint64_t>(std::max<int64_t>(now_ns() - *intended, 0)));
  if (became == fate::rejected)
    refused(l, request, reason_of(what));
  x_counts.delivered += became == fate::delivered ? 1 : 0;
  x_counts.stored += became == fate::stored ? 1 : 0;
  if (x_parameters.kind != traffic::ping_pong && !x_schedule)
    ++l.owed;
}

void im_load::im_refused(
  session& who, std::string_view id, std::string_view why) {
  auto& l = x_lanes[x_seats[who.number()].user];
  const auto name = x_ids.read(id);
  if (!name || &who != l.sender)
    return x_faults.add(fault_kind::unknown,
      who.address() + " got an error for " + std::string{id});
  l.check.outcome(name->number, fate::rejected);
  refused(l, name->number, why);
}

void im_load::refused(lane& l, uint64_t number, std::string_view why) {
  x_faults.add(fault_kind::rejected,
    l.sender->address() + ", IM " + std::to_string(number) + ": "
      + std::string{why});
}

void im_load::read_done(session& who) {
  const auto user = x_seats[who.number()].user;
  pump(x_lanes[user]);
  // A copy may have made room for its sender.
  pump(x_lanes[user ^ 1]);
}

void im_load::closed(session& who, const std::string& why) {
  if (x_over)
    return;
  x_over = true;
  x_faults.add(fault_kind::connection, who.address() + ": " + why);
}

} // namespace parley::bench
