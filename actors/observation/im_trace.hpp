#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <tuple>
#include <vector>

#include "actors/router/ids.hpp"
#include "persistence/store.hpp"
#include "protocol/vocabulary.hpp"

namespace parley {

/// What may become of an IM, in the order in which it does.
enum class trace_kind : uint8_t {
  /// A session sent it, for the first time or again.
  submitted,
  /// The recipient's shard took it.
  accepted,
  /// Its sender's endpoint was chosen by it.
  chosen,
  /// A copy went to an endpoint.
  handed_out,
  /// An endpoint has it safe.
  acknowledged,
  /// Nobody had acknowledged it in time.
  grace_passed,
  /// It is on disk.
  written,
  /// The disk refused it.
  write_failed,
  /// The sender's outcomes.
  delivered,
  stored,
  rejected,
  /// A retry; answered as the first time.
  answered_again,
  /// Its time to live was over.
  expired,
};

std::string_view to_string(trace_kind x) noexcept;

/// An IM that somebody asks about, as the shard of its sender or, taken from
/// the disk, its recipient knows it.
struct traced_im {
  user_address sender;
  /// Empty: the request named nobody.
  user_address recipient;
  /// Names it among all.
  uint64_t hash = 0;
  /// Under which the recipient's shard has heard of it: the ticket of its
  /// origin, or the place on disk.
  uint64_t link = 0;
  auto fields() { return std::tie(sender, recipient, hash, link); }
};

/// One thing that became of it.
struct traced_event {
  uint64_t hash = 0;
  /// Microseconds since 1970.
  uint64_t at_us = 0;
  trace_kind what = trace_kind::submitted;
  /// Of what was refused.
  errc why = errc::none;
  /// Where; empty if it concerns none, or nobody remembers the session.
  address endpoint;
  auto fields() { return std::tie(hash, at_us, what, why, endpoint); }
};

/// What one shard knows of an IM.
struct trace_found {
  std::vector<traced_im> ims;
  std::vector<traced_event> events;
  auto fields() { return std::tie(ims, events); }
};

/// What became of the latest IMs of one shard. It is told of every event on the
/// way of an IM: entries have a fixed size, nothing is allocated for one and no
/// text is copied. Ids are known by their hashes, sessions by their numbers.
class im_trace {
public:
  /// Keeps so many IMs; 0: nothing.
  explicit im_trace(size_t ims = 0);
  ~im_trace();

  // -- the way of an IM

  /// The time of what is told next, in microseconds since 1970.
  void set_time(uint64_t now_us) noexcept { x_now = now_us; }
  /// `hash`: its retry hash; `ticket`: of its origin.
  void submitted(const im& what, uint64_t hash, uint64_t ticket, session_id by,
    const user_address& from, const user_address& to) {
    if (x_max > 0)
      add(what.id, hash, ticket, by, from, to);
  }
  /// A copy of what was on disk goes out.
  void loaded(const im& what, const user_address& to, im_order order);
  /// At its sender's shard.
  void outcome_of(uint64_t hash, const outcome& what);
  void answered_again(uint64_t hash) {
    note(trace_kind::answered_again, hash, 0);
  }
  void accepted(const user_address& by, im_order order, uint64_t ticket) {
    ++x_taken;
    note(trace_kind::accepted, key_of(by, order), ticket);
  }
  /// Anything else, at its recipient's shard.
  void happened(trace_kind what, const user_address& to, im_order order,
    session_id where = {}, errc why = errc::none) {
    note(what, key_of(to, order), where.value, why);
  }
  /// The session ends: its name is remembered for a while.
  void session_ended(session_id which, address name);

  // -- who asks

  /// Finds the address of a session that is alive; empty if it does not.
  using namer = std::function<address(session_id)>;

  /// The IMs under this id, of this sender or, empty, of all, and when they
  /// were submitted.
  trace_found find(const message_id& id, const user_address& sender,
    const namer& name_of) const;
  /// What became of these, in order of time.
  std::vector<traced_event> events_of(
    std::span<const traced_im> ims, const namer& name_of) const;
  /// Bytes that it holds.
  size_t bytes() const noexcept;

private:
  struct entry {
    uint64_t id_hash;
    uint64_t hash;
    uint64_t link;
    uint64_t at_us;
    session_id by;
    user_address sender;
    user_address recipient;
  };
  struct event {
    /// The retry hash at the sender's shard, else of user and order.
    uint64_t key;
    /// A session, or the ticket of what was accepted.
    uint64_t detail;
    /// Since the trace began.
    uint64_t at_us : 48;
    uint64_t what : 8;
    uint64_t why : 8;
  };
  struct chunk;

  static uint64_t key_of(const user_address& user, im_order order) noexcept {
    // Odd: every order of a user has another key.
    return user.hash() ^ order.value * 0x9e3779b97f4a7c15;
  }
  void add(const message_id& id, uint64_t hash, uint64_t link, session_id by,
    const user_address& from, const user_address& to);
  void note(
    trace_kind what, uint64_t key, uint64_t detail, errc why = errc::none) {
    if (x_next == x_end && !make_room())
      return;
    *x_next++ = {key, detail, x_now - x_start, static_cast<uint64_t>(what),
      static_cast<uint64_t>(why)};
  }
  /// False if nothing is kept.
  bool make_room();
  address name_of(uint64_t session, const namer& alive) const;
  template <class F>
  void each_event(F&& f) const;

  size_t x_max;
  uint64_t x_start = 0;
  uint64_t x_now = 0;
  /// A ring once it is full.
  std::vector<entry> x_ims;
  size_t x_oldest = 0;
  /// IMs sent from or taken by this shard since it started; both counts for
  /// one that stays in it.
  uint64_t x_taken = 0;
  std::deque<std::unique_ptr<chunk>> x_chunks;
  /// Room in the last chunk.
  event* x_next = nullptr;
  event* x_end = nullptr;
  std::deque<std::pair<session_id, address>> x_sessions;
};

} // namespace parley
