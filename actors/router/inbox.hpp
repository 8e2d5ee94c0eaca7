#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/router/ids.hpp"
#include "actors/router/waiting.hpp"
#include "actors/settings/policy.hpp"
#include "persistence/store.hpp"
#include "protocol/content_bytes.hpp"
#include "protocol/vocabulary.hpp"

namespace parley {

/// When something happens: the steady clock decides what has lapsed, the wall
/// clock in microseconds since 1970 what is written down.
struct moment {
  std::chrono::steady_clock::time_point steady;
  uint64_t wall_us = 0;
};

/// An IM on its way to a session. `order` names it when it is acknowledged.
struct delivery {
  im_order order;
  incoming_im what;
  auto fields() { return std::tie(order, what); }
};

/// An IM that an endpoint has safe.
struct acknowledged_im {
  im_order order;
  shared<im> message;
  auto fields() { return std::tie(order, message); }
};

/// One user as a recipient: its endpoints, the chosen endpoint of each of its
/// conversations, and the IMs that nobody has acknowledged. These are the
/// rules of fork, collapse, release, grace, store and drain (requirements,
/// section 2); no actor, no clock and no disk is in them.
///
/// Invariants, between calls:
/// - A target with room was handed everything that waits for it, but for what
///   a page that it awaits will bring.
/// - An IM is in memory unless it is on disk and no session holds it.
/// - Per endpoint and conversation, IMs to the bare address are handed out in
///   rising order; what waits when an endpoint becomes a target comes first.
/// - No IM is handed to one session twice.
class inbox {
public:
  /// What the rules ask for. Called in the middle of their work: must not call
  /// back into this inbox.
  class effects {
  public:
    virtual ~effects() = default;
    /// `accept` took the IM; it is handed out after this. The moment for the
    /// choice at the sender's inbox.
    virtual void accepted(const origin& from) = 0;
    virtual void hand_out(session_id to, delivery what) = 0;
    /// The outcome of an accepted IM; exactly once each.
    virtual void settle(const origin& to, const outcome& what) = 0;
    /// Answered by `committed`.
    virtual void put(put_im what) = 0;
    /// Answered by `removed`.
    virtual void remove(remove_im what) = 0;
    /// Answered by `page_read` with the same session.
    virtual void read_page(const user_address& of, session_id for_whom,
      im_order from, size_t max) = 0;
    /// Call `grace_passed` with this when `im.grace` has passed. No holder:
    /// of an IM just accepted.
    virtual void watch_grace(
      const user_address& of, im_order order, session_id holder) = 0;
    /// A heartbeat at once; suspended if it is not answered.
    virtual void probe(session_id whom) = 0;
    /// For the sender of `about`, of which id and sender are sure to be there,
    /// the content is not.
    virtual void send_receipt(
      const im& about, const address& endpoint, receipt::kind what) = 0;
    /// A choice was made, moved to another endpoint, or has ended; for who
    /// counts.
    enum class choice_change : uint8_t { made, moved, released };
    virtual void choice_changed(choice_change) {}
  };

  inbox(user_address user, effects& fx) : x_user(std::move(user)), x_fx(fx) {}

  const user_address& user() const noexcept { return x_user; }

  /// What the store knows; to be called once, before anything else.
  void load(const user_head& head);

  // -- endpoints

  struct endpoint {
    session_id session;
    endpoint_name name;
    availability what;
    bool connected = true;
    window granted;
    uint32_t held_messages = 0;
    uint64_t held_bytes = 0;
    /// Everything below was handed to it, or is not for it.
    im_order cursor;
    /// Awaits a page from the store.
    bool reading = false;
    /// The IM at the cursor is for it, has `needs` bytes and found no room.
    bool blocked = false;
    uint64_t needs = 0;
    /// IMs to its full address up to this one are for others too: it let the
    /// grace time pass.
    im_order open_upto;
    /// Those to its full address that were stored before they were handed out
    /// here: they may be out of memory when their grace time has passed.
    std::vector<im_order> left_out;
    /// How often its choices have ended by what it said itself.
    uint32_t releases = 0;
    /// It wants copies of what others get.
    bool copies = false;

    /// RFC 6121: gets what is addressed to the bare address.
    bool eligible() const noexcept {
      return what.show != show::unavailable && what.priority >= 0;
    }
    bool has_room(uint64_t bytes) const noexcept {
      return held_messages < granted.messages
        && (held_messages == 0 || held_bytes + bytes <= granted.bytes);
    }
  };

  std::span<const endpoint> endpoints() const noexcept { return x_endpoints; }
  const endpoint* find(const endpoint_name& name) const noexcept;
  const endpoint* find(session_id session) const noexcept;

  void join(session_id session, endpoint_name name, availability what,
    window granted, moment now, const policy& rules);
  /// The session is over.
  void leave(session_id session, moment now, const policy& rules);
  /// The connection is lost; the session may come back.
  void suspend(session_id session, moment now, const policy& rules);
  void resume(
    session_id session, window granted, moment now, const policy& rules);
  void set_availability(
    session_id session, availability what, moment now, const policy& rules);
  void set_window(
    session_id session, window granted, moment now, const policy& rules);
  /// From now on it wants copies, or none.
  void set_copies(session_id session, bool wanted) noexcept;

  // -- conversations

  /// An IM from this user's `session` to `peer` was accepted: it is chosen, if
  /// it can be, and if its choices have not ended since: `releases` is the
  /// endpoint's from when the IM was sent.
  void choose(session_id session, uint32_t releases, const user_address& peer,
    moment now, const policy& rules);
  /// The choice in force; 0 if there is none.
  session_id chosen(
    const user_address& peer, moment now, const policy& rules) const noexcept;
  /// Whether `choose` would change anything.
  bool would_choose(session_id session, const user_address& peer, moment now,
    const policy& rules) const noexcept;
  /// The conversation goes on; a choice that has lapsed does not come back.
  void touch(const user_address& peer, moment now) noexcept;

  // -- IMs

  /// Judges offline policy and quota, and takes the IM unless it fails them:
  /// hands it out, or stores it. Exactly one `settle` follows if it is taken.
  /// Where it is handed out, available endpoints that want copies get one if
  /// they are no targets, have room, and were handed all of this conversation
  /// that waits. To have a copy safe is to have the IM safe; nobody is offered
  /// one later.
  std::optional<failure> accept(shared<im> message, address to, origin from,
    bool of_broadcast, moment now, const policy& rules, bool copies = true);
  void acknowledge(session_id session, std::span<const acknowledged_im> what,
    moment now, const policy& rules);
  /// False if it waits no longer.
  bool grace_passed(
    im_order order, session_id holder, moment now, const policy& rules);
  /// `why.code` is none if it is safe on disk.
  void committed(
    im_order order, const failure& why, moment now, const policy& rules);
  void removed(im_order order, moment now, const policy& rules);
  /// What the store has from `from` on; `complete` if it has no more. On a
  /// read error: an empty page that is not complete; it is asked for again
  /// when something happens at this user.
  void page_read(session_id for_whom, im_order from,
    std::vector<stored_im> page, bool complete, moment now,
    const policy& rules);
  /// Its time to live is over. True if it was there; one that is on disk alone
  /// is taken to be there.
  bool expire(im_order order, moment now, const policy& rules);
  /// Where a typing notice goes: what an IM would be handed to, as long as it
  /// is connected.
  std::vector<session_id> targets(const address& from, const address& to,
    moment now, const policy& rules) const;

  /// The account is removed: everything is rejected and forgotten. Sessions
  /// are to be ended by the caller, who also writes `remove_account`.
  void clear();
  /// Orderly stop: everything that has no outcome goes to the disk.
  void store_all();

  /// Of the IM accepted last.
  im_order last() const noexcept { return x_last; }
  /// IMs waiting, on disk or not: what `im.offline_max` bounds.
  uint64_t waiting() const noexcept { return x_log.size() + x_disk_only; }
  /// Nothing is lost by forgetting this object: the store knows it all.
  bool is_idle() const noexcept;
  /// Ends what was idle for `im.idle_release`, and asks again for pages that
  /// could not be read.
  void sweep(moment now, const policy& rules);
  /// IMs held in memory; the others are on disk alone.
  size_t in_memory() const noexcept { return x_log.size(); }
  /// About what conversations take.
  uint64_t conversation_bytes() const noexcept;

private:
  struct conversation {
    session_id chosen;
    std::chrono::steady_clock::time_point last_activity;
    /// Id and sender of the last IM from the peer that wants receipts; for
    /// *chosen*.
    shared<im> wants_receipt;
  };
  using conversations = std::unordered_map<user_address, conversation>;

  struct departed {
    im_order order;
    bool confirmed = false;
  };

  /// To whom an IM goes: found once, asked for each endpoint.
  struct route {
    /// Gets it whatever its priority.
    const endpoint* addressed = nullptr;
    /// Others than `addressed` may have it.
    bool open = true;
    /// Its sender is this user, and others may have it: not this endpoint.
    const endpoint_name* spared = nullptr;
    /// 0: none in force.
    session_id choice;

    bool reaches(const endpoint& e) const noexcept;
  };

  /// Spares looking up the same choice for one IM after another.
  struct last_choice {
    const user_address* peer = nullptr;
    session_id choice;
  };

  endpoint* find_endpoint(session_id session) noexcept;
  conversation* find_conversation(const user_address& peer) noexcept;
  conversation& make_conversation(
    const user_address& peer, moment now, const policy& rules);
  /// Makes room for one more conversation if there are too many.
  void let_one_go(const user_address& coming);
  static bool has_lapsed(
    const conversation& c, moment now, uint64_t idle_ms) noexcept;
  /// Whom IMs of this conversation go to alone, until its end is noticed.
  session_id choice_of(const conversation* c) const noexcept;
  session_id choice_of(const user_address& peer) const noexcept;
  route route_of(const address& from, const endpoint_name& to, im_order order,
    session_id choice) const noexcept;
  route route_of(const waiting_im& w, last_choice& known) const noexcept;
  /// Ends the choices of a session; true if there were any.
  bool release(session_id session) noexcept;

  /// Hands out to it whatever it may have and has room for.
  void pump(endpoint& e);
  /// Hands it out if it is for this endpoint; false if there is no room.
  bool pass(endpoint& e, waiting_im& w, const route& r);
  void hand_out(endpoint& e, waiting_im& w,
    incoming_im::copy copied = incoming_im::copy::none);
  /// Copies of what was just accepted, to whom it does not reach.
  void hand_out_copies(waiting_im& w, const route& r);
  /// It was handed whatever waits that came before this one to the same bare
  /// address from the same user.
  bool has_all_before(const endpoint& e, const waiting_im& w) noexcept;
  /// Hands out from memory from its cursor up to `last`; false when room ran
  /// out.
  bool hand_out_upto(endpoint& e, im_order last);
  /// Endpoints may have become targets: each is offered what it has not got.
  void offer_again();
  /// One that was stored before its endpoint had it is for others too.
  bool open_left_out(im_order order);
  /// Endpoints may have ceased to be targets of what they have no room for.
  void look_again();
  /// Stores what no connected target can take now.
  void store_unreachable();
  /// Something at or above `from` may be on disk alone.
  bool disk_holds(im_order from) const noexcept;

  void commit(waiting_im& w);
  void settle(waiting_im& w, outcome::kind what, const failure& why = {});
  /// It waits no longer; to be followed by `close_gaps`.
  void take_out(waiting_im& w);
  void close_gaps();
  /// Takes out what is on disk alone, if it is there.
  bool take_off_disk(im_order order);
  bool has_departed(im_order order) const noexcept;
  /// Lets go of what is on disk and held by nobody, unless a page is under way:
  /// it may have been read before the IM was written.
  void trim();
  void evict(waiting_im& w);

  user_address x_user;
  effects& x_fx;
  std::vector<endpoint> x_endpoints;
  conversations x_conversations;
  /// `im.idle_release` when it was last heard of.
  uint64_t x_idle_ms = unlimited;
  waiting_log x_log;
  im_order x_last;
  /// The IM that `accept` is about: its grace is watched as a whole.
  im_order x_accepting;
  /// IMs that are on disk alone, and the highest order among them or above.
  uint64_t x_disk_only = 0;
  im_order x_disk_last;
  /// The count may be too low: something was taken off that may not have been
  /// there.
  bool x_disk_doubt = false;
  /// Pages asked for.
  uint32_t x_reads = 0;
  /// A page could not be read.
  bool x_read_failed = false;
  /// Somebody's `blocked` IM went.
  bool x_unblocked = false;
  /// Taken out, but a page may still bring them.
  std::vector<departed> x_departed;
  /// Everything up to here went with an account that was removed.
  im_order x_cleared;
};

} // namespace parley
