#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

#include "actors/router/routing.hpp"
#include "protocol/defaults.hpp"
#include "protocol/lean_queue.hpp"

// What a shard keeps; for the sources of `routing` alone.
namespace parley {

struct routing::user {
  enum class knowledge : uint8_t { none, asked, known };

  /// An IM that another shard judges: its session will be chosen.
  struct choosing {
    uint64_t ticket;
    session_id session;
    user_address peer;
  };

  user(user_address name, uint64_t salt, inbox::effects& fx)
    : in(std::move(name), fx), salt(salt) {}

  inbox in;
  knowledge head = knowledge::none;
  bool exists = false;
  bool domain_known = false;
  /// As in user_head.
  uint64_t removed_at = 0;
  roster_summary roster;
  /// Its roster has told of itself, later than the disk.
  bool roster_told = false;
  /// Wait for the head, in order.
  std::vector<routed_im> queue;
  std::vector<std::function<void(result<bool>)>> askers;
  // As a sender:
  /// Tickets are its retry hashes with this.
  const uint64_t salt;
  retry_memory sent;
  std::vector<choosing> choices;
  uint32_t pending = 0;
  /// Tickets that wait for the look-up of an id, their own or an earlier one's.
  lean_queue<uint64_t> line;
  /// It is in x_lines.
  bool line_goes_on = false;
  /// Of the account, asked of the store and not written yet.
  uint32_t removals = 0;
  /// Entries of x_graces that point here.
  uint32_t graces = 0;
  double tokens = 0;
  std::chrono::steady_clock::time_point tokens_at{};

  bool is_idle() const noexcept {
    return in.is_idle() && queue.empty() && askers.empty() && pending == 0
      && line.empty() && !line_goes_on && sent.size() == 0 && graces == 0
      && removals == 0 && head != knowledge::asked;
  }
};

struct routing::broadcast_state {
  session_id session;
  request_number number;
  std::vector<recipient_outcome> outcomes;
  size_t open = 0;
  byte_claim held;
};

struct routing::begun_broadcast {
  struct recipient {
    address to;
    uint32_t index;
  };
  request_number number;
  shared<im> message;
  bool copies = true;
  /// As the setting was when it began. No more are kept, nor looked for.
  size_t most = 0;
  bool too_many = false;
  /// As the client wrote them; looked at up to `looked_at`.
  std::vector<std::string> texts;
  size_t looked_at = 0;
  std::unordered_set<std::string> seen;
  std::vector<recipient> recipients;
  std::vector<recipient_outcome> outcomes;
  /// Judged up to here, under this number once all were looked at.
  size_t judged = 0;
  uint64_t id = 0;
  /// What lasts until it is answered, and what goes once all are judged.
  byte_claim held;
  byte_claim held_to_judge;
};

struct routing::grace {
  std::chrono::steady_clock::time_point since;
  user* whose;
  im_order order;
  session_id holder;
};

/// Of an IM that the server has not taken, and will not.
inline outcome refused_by_stop() {
  failure f{errc::server_stopping};
  f.retry_after = defaults::come_back_min;
  return {outcome::kind::rejected, std::move(f)};
}

template <class T>
event answer_event(request_number number, T what) {
  return event{parley::answer{number, std::move(what)}};
}

} // namespace parley
