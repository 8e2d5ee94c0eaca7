#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bench/conversation.hpp"
#include "bench/corpus.hpp"
#include "bench/faults.hpp"
#include "bench/im_load.hpp"
#include "bench/session_pool.hpp"

namespace parley::bench {

/// One user that sends each IM to all of the others at once. Counts as
/// im_load does: `delivered` and `stored` are outcomes of single recipients,
/// `outcome` is the time until a sender knows all of an IM's.
class broadcast_load final : session::owner {
public:
  /// `window`: broadcasts whose outcomes or copies are not all there. Throws
  /// std::invalid_argument if the request does not fit into a frame.
  broadcast_load(event_loop& loop, const target& to, uint32_t recipients,
    uint32_t window, const user_names& names, const corpus& bodies,
    const id_maker& ids, fault_log& faults);

  bool open() { return x_pool.open(x_target); }
  void start();
  void run(double seconds);
  void settle();
  void finish();
  bool sign_out();

  void clear() { x_counts = {}; }
  const im_counts& counts() const noexcept { return x_counts; }
  size_t sessions() const noexcept { return x_pool.size(); }

private:
  struct slot {
    int64_t sent = 0;
    uint32_t copies_missing = 0;
    uint32_t outcomes_missing = 0;
  };

  slot& slot_of(uint64_t number) noexcept {
    return x_slots[number % x_slots.size()];
  }
  void pump();
  void recipient_outcome(uint32_t recipient, uint64_t number, fate what);
  void settled(uint64_t number);

  void opened(session&) override {}
  void im_arrived(session& who, const im_view& im) override;
  void outcome_arrived(
    session& who, uint64_t request, const outcome_view& what) override;
  void broadcast_arrived(session& who, const wire::ServerFrame& part) override;
  void read_done(session&) override { pump(); }
  void closed(session& who, const std::string& why) override;

  event_loop& x_loop;
  const target& x_target;
  uint32_t x_window;
  const corpus& x_bodies;
  const id_maker& x_ids;
  fault_log& x_faults;
  session_pool x_pool;
  session* x_sender = nullptr;
  std::vector<std::string> x_to;
  std::unordered_map<std::string_view, uint32_t> x_recipients;
  /// By recipient; all count the same broadcasts.
  std::vector<conversation> x_checks;
  std::vector<slot> x_slots;
  uint64_t x_sent = 0;
  uint32_t x_under_way = 0;
  bool x_sending = false;
  bool x_over = false;
  im_counts x_counts;
  std::string x_id;
  std::string x_head;
  std::string x_body;
};

} // namespace parley::bench
