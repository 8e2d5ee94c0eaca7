#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/conversation.hpp"
#include "bench/corpus.hpp"
#include "bench/faults.hpp"
#include "bench/histogram.hpp"
#include "bench/session_pool.hpp"

namespace parley::bench {

/// What the `offline` scenario puts on a server.
struct offline_parameters {
  uint32_t senders = 16;
  uint32_t recipients = 100;
  /// IMs to each recipient and round.
  uint32_t each = 500;
  /// IMs without outcome per sender.
  uint32_t window = 64;
};

/// Users that send to absent ones, who then sign in and get it all. Each
/// recipient has one sender, who takes its recipients in turn.
class offline_load final : session::owner {
public:
  offline_load(event_loop& loop, const target& to,
    const offline_parameters& parameters, const user_names& names,
    const corpus& bodies, const id_maker& ids, fault_log& faults);

  bool open();
  /// Sends a round of IMs; true once each has its outcome.
  bool store();
  /// Signs the recipients in and waits until each has all of its IMs, signs
  /// them out; then in once more, when nothing may come.
  bool drain();
  void finish();
  bool sign_out();

  uint64_t ims_per_round() const noexcept {
    return uint64_t{x_parameters.recipients} * x_parameters.each;
  }
  double seconds_to_store() const noexcept { return x_seconds_to_store; }
  double seconds_to_drain() const noexcept { return x_seconds_to_drain; }
  /// From the sending to the sender's knowing that it is stored.
  const histogram& outcomes() const noexcept { return x_outcomes; }
  void clear() { x_outcomes.clear(); }
  uint32_t window() const noexcept { return x_window; }

private:
  struct sender {
    session* who = nullptr;
    /// Its recipients are own, own + senders, own + 2 × senders, …
    uint32_t recipients = 0;
    /// IMs of all rounds so far, and what the present round ends at.
    uint64_t sent = 0;
    uint64_t goal = 0;
    uint64_t answered = 0;
  };

  /// The IM that was the `turn`th (0, 1, …) of sender `s`.
  uint32_t recipient_of(uint32_t s, uint64_t turn) const noexcept;
  void pump(uint32_t s);
  /// Nothing has come for so long that nothing will.
  bool stuck() const noexcept;
  /// Signs all recipients in, waits until nothing is missing or for so many
  /// nanoseconds, signs them out.
  bool visit(int64_t at_most);

  void opened(session&) override {}
  void im_arrived(session& who, const im_view& im) override;
  void outcome_arrived(
    session& who, uint64_t request, const outcome_view& what) override;
  void read_done(session& who) override;
  void closed(session& who, const std::string& why) override;

  event_loop& x_loop;
  const target& x_target;
  offline_parameters x_parameters;
  user_names x_names;
  const corpus& x_bodies;
  const id_maker& x_ids;
  fault_log& x_faults;
  uint32_t x_window;
  session_pool x_senders;
  /// Of the present visit.
  std::unique_ptr<session_pool> x_recipients;
  std::vector<sender> x_lanes;
  /// By recipient.
  std::vector<conversation> x_checks;
  /// By recipient: user@domain.
  std::vector<std::string> x_addresses;
  uint64_t x_open_outcomes = 0;
  uint64_t x_missing = 0;
  /// When the last outcome or IM came.
  int64_t x_progress = 0;
  bool x_leaving = false;
  bool x_broken = false;
  double x_seconds_of_visit = 0;
  double x_seconds_to_store = 0;
  double x_seconds_to_drain = 0;
  histogram x_outcomes;
  std::string x_id;
  std::string x_head;
};

} // namespace parley::bench
