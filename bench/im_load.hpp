#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/conversation.hpp"
#include "bench/corpus.hpp"
#include "bench/faults.hpp"
#include "bench/histogram.hpp"
#include "bench/schedule.hpp"
#include "bench/session_pool.hpp"

namespace parley::bench {

/// Who sends in a pair of users.
enum class traffic : uint8_t {
  /// One user sends, the other never does: its IMs fork to all endpoints of
  /// the other, always.
  one_way,
  /// Both send, independently, each from its first endpoint: once both have
  /// sent, each is the other's chosen one and nothing forks any more.
  both,
  /// One sends from its first endpoint, the other answers each IM from its
  /// last endpoint: the first IMs fork, then they collapse.
  ping_pong,
};

std::string_view to_string(traffic x) noexcept;

/// What the `im` scenario puts on a server.
struct im_parameters {
  traffic kind = traffic::both;
  uint32_t pairs = 50;
  /// Per user.
  uint32_t endpoints = 1;
  /// IMs without outcome per conversation; with a rate, what may be under way
  /// before sends have to wait.
  uint32_t window = 1;
  /// IMs a second in total; absent: closed loop.
  std::optional<double> rate;
};

/// What was counted between two moments.
struct im_counts {
  /// From the intended time of sending until an endpoint has it, each copy.
  histogram receive;
  /// From the intended time of sending until the sender knows the outcome.
  histogram outcome;
  /// Outcomes.
  uint64_t delivered = 0;
  uint64_t stored = 0;
  /// IMs that endpoints got.
  uint64_t copies = 0;
};

/// Pairs of users that send to each other through a server or the relay, each
/// IM checked.
class im_load final : session::owner {
public:
  im_load(event_loop& loop, const target& to, const im_parameters& parameters,
    const user_names& names, const corpus& bodies, const id_maker& ids,
    fault_log& faults);

  /// Signs all users in.
  bool open();
  /// Starts to send.
  void start();
  /// Goes on for so long; stops early when too much is wrong.
  void run(double seconds);
  /// Stops sending and waits until nothing is under way, then for a while for
  /// what should not come.
  void settle();
  /// To be called last: what is open now is a fault.
  void finish();
  bool sign_out();

  /// Counts from here on.
  void clear() { x_counts = {}; }
  const im_counts& counts() const noexcept { return x_counts; }
  size_t sessions() const noexcept { return x_pool.size(); }
  double seconds_to_open() const noexcept { return x_pool.seconds_to_open(); }
  /// What the server granted if that is less than `window`.
  uint32_t window() const noexcept { return x_window; }
  /// IMs sent since the first start.
  uint64_t sent() const noexcept;

private:
  /// One direction of a pair, by the number of its sending user.
  struct lane {
    conversation check;
    session* sender = nullptr;
    std::string to;
    /// IMs to send as soon as the window allows.
    uint64_t owed = 0;
    /// IMs that the schedule had sent.
    uint64_t turn = 0;
  };
  /// Whose a session is.
  struct seat {
    uint32_t user = 0;
    uint32_t endpoint = 0;
  };

  void add_user(uint32_t user, const user_names& names);
  lane& lane_of(size_t starter) noexcept;
  void advance_schedule(int64_t now);
  void pump(lane& l);
  void send(lane& l);
  bool settled() const noexcept;
  void refused(lane& l, uint64_t number, std::string_view why);

  void opened(session&) override {}
  void im_arrived(session& who, const im_view& im) override;
  void outcome_arrived(
    session& who, uint64_t request, const outcome_view& what) override;
  void im_refused(
    session& who, std::string_view id, std::string_view why) override;
  void read_done(session& who) override;
  void closed(session& who, const std::string& why) override;

  event_loop& x_loop;
  const target& x_target;
  im_parameters x_parameters;
  const corpus& x_bodies;
  const id_maker& x_ids;
  fault_log& x_faults;
  uint32_t x_window;
  session_pool x_pool;
  std::vector<seat> x_seats;
  std::vector<lane> x_lanes;
  /// Lanes that send by themselves and not only in reply.
  size_t x_starters;
  std::optional<open_loop_schedule> x_schedule;
  bool x_sending = false;
  bool x_over = false;
  im_counts x_counts;
  std::string x_id;
  std::string x_head;
};

} // namespace parley::bench
