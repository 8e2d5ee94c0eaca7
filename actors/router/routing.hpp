#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/container/small_vector.hpp>

#include "actors/observation/im_trace.hpp"
#include "actors/router/failed_removals.hpp"
#include "actors/router/ids.hpp"
#include "actors/router/inbox.hpp"
#include "actors/router/known_ids.hpp"
#include "actors/router/retry_memory.hpp"
#include "actors/settings/policy.hpp"
#include "persistence/store.hpp"
#include "protocol/held_bytes.hpp"
#include "protocol/vocabulary.hpp"

namespace parley {

/// The slot that a user belongs to, 0 to `directory_slots` - 1: the same on
/// every machine and in every version.
uint32_t slot_of(const user_address& user) noexcept;
/// Of a user with this hash.
uint32_t slot_of_hash(uint64_t hash) noexcept;

// -- what shards tell each other

/// An IM that the sender's shard has passed on to the recipient's.
struct routed_im {
  origin from;
  shared<im> message;
  address to;
  /// The sender's session, to be chosen if the IM is accepted; 0: it is not,
  /// or it is chosen already.
  session_id chooses;
  /// How often that session's choices had ended by then.
  uint32_t releases = 0;
  bool of_broadcast = false;
  /// The sender is over `im.rate`: reject it, unless an earlier check does.
  std::optional<std::chrono::milliseconds> over_rate;
  /// To that endpoint or to none.
  bool strict = false;
  /// Endpoints of the recipient that want copies may have some; so do some of
  /// the sender's: its shard is told when the IM is accepted.
  bool copies = true;
  bool sender_copies = false;
  auto fields() {
    return std::tie(from, message, to, chooses, releases, of_broadcast,
      over_rate, strict, copies, sender_copies);
  }
};

/// What became of it.
struct routed_outcome {
  uint32_t slot = 0;
  uint64_t ticket = 0;
  outcome what;
  auto fields() { return std::tie(slot, ticket, what); }
};

/// An IM of `session` to `peer` was accepted. Sent before the IM is handed out,
/// so that no answer can overtake it.
struct routed_choice {
  user_address user;
  /// 0: it is not chosen.
  session_id session;
  uint32_t releases = 0;
  user_address peer;
  uint64_t ticket = 0;
  /// Other endpoints of the user want copies of it.
  bool copies = false;
  auto fields() {
    return std::tie(user, session, releases, peer, ticket, copies);
  }
};

/// For the endpoint that sent the IM.
struct routed_receipt {
  address to;
  receipt what;
  auto fields() { return std::tie(to, what); }
};

struct routed_typing {
  address from;
  address to;
  auto fields() { return std::tie(from, to); }
};

/// Something that is passed on, or comes back to its sender.
struct routed_pass {
  pass_on what;
  bool returned = false;
  auto fields() { return std::tie(what, returned); }
};

/// What a shard knows of a user's roster without asking it.
struct roster_summary {
  /// It has one on disk.
  bool there = false;
  uint64_t contacts = 0;
  uint64_t watchers = 0;
  uint64_t requests = 0;
  /// Null: it blocks nobody.
  shared<privacy> blocks;
};

/// What the shard counts since it started.
struct routing_counters {
  /// IMs that its inboxes took, and those of them that went to several
  /// endpoints at once.
  uint64_t accepted = 0;
  uint64_t forked = 0;
  /// Outcomes of IMs that its users sent.
  uint64_t delivered = 0;
  uint64_t stored = 0;
  uint64_t rejected = 0;
  /// Of these, by errc; only as long as need be.
  std::vector<uint64_t> rejected_by;
  uint64_t copies = 0;
  uint64_t retries = 0;
  /// IMs that nobody acknowledged in time; copies that were late.
  uint64_t graces_passed = 0;
  uint64_t choices_made = 0;
  uint64_t choices_moved = 0;
  uint64_t choices_released = 0;
  /// What went to disk, was taken from there by an endpoint, and expired.
  uint64_t offline_stored = 0;
  uint64_t offline_delivered = 0;
  uint64_t expired = 0;
  uint64_t ids_forgotten = 0;
  uint64_t removed_with_account = 0;
  /// Broadcasts refused since they had more recipients than allowed.
  uint64_t too_many_recipients = 0;
  auto fields() {
    return std::tie(accepted, forked, delivered, stored, rejected, rejected_by,
      copies, retries, graces_passed, choices_made, choices_moved,
      choices_released, offline_stored, offline_delivered, expired,
      ids_forgotten, removed_with_account, too_many_recipients);
  }

  void count_rejected(errc why);
  /// Of several shards.
  routing_counters& operator+=(const routing_counters& x);
};

/// One shard's users, as senders and as recipients: judges what they send,
/// knows retries again, chooses, and leads IMs to the recipients' inboxes.
/// Rules only: whatever is asynchronous is asked of `effects` and comes back by
/// a call.
class routing final : private inbox::effects {
public:
  class effects {
  public:
    virtual ~effects() = default;

    // To sessions of this shard.
    virtual void hand_out(session_id to, delivery what) = 0;
    virtual void tell(session_id to, event what) = 0;
    virtual void probe(session_id whom) = 0;

    // To other shards; never for a slot of this one.
    virtual void forward(uint32_t slot, routed_im what) = 0;
    virtual void forward(uint32_t slot, routed_outcome what) = 0;
    virtual void forward(uint32_t slot, routed_choice what) = 0;
    virtual void forward(uint32_t slot, routed_receipt what) = 0;
    virtual void forward(uint32_t slot, routed_typing what) = 0;
    virtual void forward(uint32_t slot, routed_pass what) = 0;

    // To the store.
    virtual void write(store_operation what) = 0;
    /// Answered by `head_found`.
    virtual void find_head(const user_address& of) = 0;
    /// Answered by `page_found`.
    virtual void read_page(const user_address& of, session_id for_whom,
      im_order from, size_t max) = 0;
    /// Answered by `id_found`.
    virtual void find_id(const retry_key& key, uint64_t ticket) = 0;
  };

  /// `owns` says of a slot whether it is this shard's; of so many IMs it is
  /// known what became of them.
  routing(
    effects& fx, std::function<bool(uint32_t)> owns, size_t traced_ims = 0);
  ~routing() override;

  void set_policy(const policy& x) { x_rules = x; }
  const policy& rules() const noexcept { return x_rules; }
  /// Ids of delivered IMs that are remembered at most; when they come near,
  /// who has most of them forgets the oldest.
  void set_remembered_max(size_t ids) noexcept { x_remembered_max = ids; }
  /// Which ids may be on disk.
  known_ids& ids_on_disk() noexcept { return x_ids_on_disk; }

  // -- sessions

  /// Calls `then` with whether the account exists, at once or when the store
  /// has answered. For sign-ins.
  void with_user(
    const user_address& user, std::function<void(result<bool> exists)> then);
  /// Null unless the user is loaded (`with_user`) and has an account.
  const roster_summary* roster_of(const user_address& user) const;
  /// The user is loaded, and there is or was an account of its domain.
  bool knows_domain_of(const user_address& user) const noexcept;
  /// When the last account of this name was removed, as in user_head. The user
  /// is loaded (`with_user`).
  uint64_t removed_at(const user_address& user) const noexcept;
  /// What is on disk from now on.
  void set_roster(const user_address& user, roster_summary what);
  /// The user must be loaded (`with_user`).
  void join(const user_address& user, session_id session, endpoint_name name,
    availability what, window granted, moment now);
  void leave(session_id session, moment now);
  void suspend(session_id session, moment now);
  void resume(session_id session, window granted, moment now);
  void set_availability(session_id session, availability what, moment now);
  void set_window(session_id session, window granted, moment now);
  /// It wants copies of what other endpoints of its user send and get.
  void set_copies(session_id session, bool wanted);
  /// Empty if nobody of this user is signed in.
  std::span<const inbox::endpoint> endpoints(const user_address& user) const;
  /// Null if it is not signed in.
  const inbox::endpoint* find_endpoint(const address& whom) const;

  // -- IMs

  /// This will be submitted soon: lets its sender's memory come nearer.
  void expect(session_id session, const send_im& what) const noexcept;
  /// Answered by `tell` with an answer of an outcome; exactly one, however
  /// often the same is submitted.
  void submit(
    session_id session, request_number number, send_im what, moment now);
  /// Answered by one answer of broadcast_outcomes, or a failure. Judges as
  /// many recipients as there is `room` for, which it takes away; false if some
  /// are left: then `go_on` is to be called before the session's next request.
  bool submit(session_id session, request_number number, broadcast what,
    size_t& room, moment now);
  /// The same for what is left of it.
  bool go_on(session_id session, size_t& room, moment now);
  /// What a broadcast brought and stood in line for the look-up of an id, which
  /// is over; as `go_on`, of each sender in turn.
  void pass_lines(size_t& room, moment now);
  bool has_lines() const noexcept { return !x_lines.empty(); }
  void type(session_id session, const address& to, moment now);
  void pass(session_id session, parley::pass_on what, moment now);
  /// The same, of a session that is over, by what it leaves. Nothing of it
  /// comes back.
  void pass_last(parley::pass_on what, moment now);
  /// `of`: whose session it is or was. What came too late for its end counts.
  void acknowledge(session_id session, const user_address& of,
    std::span<const acknowledged_im> what, moment now);

  // -- from other shards

  void receive(routed_im what, moment now);
  void receive(const routed_outcome& what, moment now);
  void receive(const routed_choice& what, moment now);
  void receive(const routed_receipt& what);
  void receive(const routed_typing& what, moment now);
  void receive(const routed_pass& what, moment now);

  // -- from the store

  void head_found(
    const user_address& of, const result<user_head>& head, moment now);
  void page_found(const user_address& of, session_id for_whom, im_order from,
    result<std::vector<stored_im>> page, bool complete, moment now);
  void id_found(
    uint64_t ticket, const result<std::optional<stored_id>>& found, moment now);
  /// A write is safe, or failed.
  void written(const store_operation& what, const failure& why, moment now);

  // -- operators and time

  void account_added(const user_address& user);
  /// Returns the sessions to be ended; writes `remove_account` with this line.
  std::vector<session_id> remove_account(
    const user_address& user, audit_entry line, moment now);
  /// So many stored IMs went with an account.
  void count_removed(uint64_t ims) { x_counters.removed_with_account += ims; }
  /// IMs whose time to live is over.
  void expire(
    std::span<const std::pair<user_address, im_order>> what, moment now);
  /// Grace times, idle users, old ids. Every `sweep_interval` or so. False:
  /// more grace times are over than `graces`; `pass_graces` goes on with them.
  bool sweep(moment now, size_t graces = SIZE_MAX);
  bool pass_graces(moment now, size_t max);
  /// Orderly stop: everything without an outcome goes to the disk; IMs that
  /// come from now on are refused as `server_stopping`.
  void stop(moment now);
  /// Nothing is without outcome, and nothing unwritten.
  bool is_settled() const noexcept;
  /// No inbox takes an IM any more: `server_stopping` is the outcome of those
  /// that none has taken. What became of the others the disk may yet decide, so
  /// that they get none. Returns how many of its senders' had no outcome.
  size_t give_up();

  const routing_counters& counters() const noexcept { return x_counters; }
  /// Bytes of bodies that this shard's senders have without an outcome.
  uint64_t pending_bytes() const noexcept { return x_pending_bytes; }
  /// IMs of this shard's senders without an outcome.
  uint64_t pending_ims() const noexcept { return x_pending.size(); }
  /// Ids that are remembered.
  uint64_t remembered() const noexcept { return x_remembered; }
  /// About what it holds in bytes, contents of IMs and ids apart.
  uint64_t held_bytes() const noexcept;
  /// Operations that the store was asked for and has not done.
  uint64_t unwritten() const noexcept { return x_unwritten; }
  /// Users that something is known of.
  size_t users() const noexcept { return x_users.size(); }
  /// IMs that wait for a user who is loaded (`with_user`), on disk or not.
  uint64_t waiting_of(const user_address& user) const;
  /// Users with so many IMs waiting, or more, that the store alone does not
  /// know of.
  std::vector<user_address> with_waiting(uint64_t ims) const;

  /// The users who have so many endpoints or more, suspended ones included.
  std::vector<user_address> with_endpoints(uint64_t n) const;

  /// The IMs that a shard saw under this id, of this sender or, empty, of all.
  trace_found find_traced(
    const message_id& id, const user_address& sender) const;
  std::vector<traced_event> traced_events(std::span<const traced_im> of) const;

private:
  struct user;
  /// Who waits for an outcome: a request, or a place in a broadcast's answer.
  struct waiter {
    session_id session;
    request_number number;
    uint64_t broadcast = 0;
    uint32_t index = 0;
    bool operator==(const waiter&) const = default;
  };

  /// An IM without outcome, at its sender.
  struct pending {
    user* sender = nullptr;
    shared<im> message;
    address to;
    uint64_t content = 0;
    bool of_broadcast = false;
    /// Its sender's account was removed: its id is not remembered.
    bool forget = false;
    /// The store is being asked for its id.
    bool asking = false;
    /// Not judged yet: its turn comes after an earlier one's look-up.
    bool in_line = false;
    /// It chooses its sender's session, as soon as another shard has taken it.
    bool chooses = false;
    bool strict = false;
    bool copies = true;
    boost::container::small_vector<waiter, 1> waiters;
  };
  struct broadcast_state;
  struct begun_broadcast;
  struct grace;

  // inbox::effects
  void accepted(const origin& from) override;
  void hand_out(session_id to, delivery what) override;
  void settle(const origin& to, const outcome& what) override;
  void put(put_im what) override;
  void remove(remove_im what) override;
  void read_page(const user_address& of, session_id for_whom, im_order from,
    size_t max) override;
  void watch_grace(
    const user_address& of, im_order order, session_id holder) override;
  void probe(session_id whom) override;
  void send_receipt(
    const im& about, const address& endpoint, receipt::kind what) override;
  void choice_changed(choice_change what) override;

  /// The removals that failed and are due by then.
  void remove_again(std::chrono::steady_clock::time_point due);
  /// What is done now; the trace has its time from it.
  void begin(moment now) noexcept {
    x_now = now;
    x_trace.set_time(now.wall_us);
  }
  /// Of a session that is here.
  address name_of(session_id session) const;
  user& at(const user_address& name);
  user* find(const user_address& name) const;
  user* of_session(session_id session) const;
  void remember(user& sender, uint64_t hash, uint64_t content,
    outcome::kind what, moment now);
  static void look_at(begun_broadcast& b);
  bool begin_broadcast(session_id session, begun_broadcast& b);
  /// Judges all that the sender's shard can, then passes the IM on.
  struct manner {
    bool of_broadcast = false;
    bool strict = false;
    bool copies = true;
  };
  void submit_one(user& sender, session_id session, const shared<im>& message,
    const address& to, waiter who, manner how, moment now);
  std::optional<failure> refusal_of(const im& message) const;
  /// Judges those in line whose turn it is.
  void advance(user& sender, size_t& room, moment now);
  /// After the checks of remembered ids.
  void judge(session_id session, uint64_t ticket, pending& p, moment now);
  void pass_on(session_id session, uint64_t ticket, pending& p, moment now);
  void route(user& recipient, routed_im what, moment now);
  void finish(uint64_t ticket, const outcome& what, moment now);
  void answer(const waiter& who, const outcome& what);
  /// At once; `hash` is that of its retries.
  void reject(const waiter& who, uint64_t hash, failure why);
  std::optional<std::chrono::milliseconds> over_rate(user& sender, moment now);
  /// To others of this user than the one that has sent it, if they want copies.
  void copy_to_others(const user& sender, uint64_t ticket);
  void lead(parley::pass_on what, moment now);
  std::vector<session_id> reached_by(
    const parley::pass_on& what, moment now) const;
  void load(user& u);
  void forget_if_idle(user& u);

  effects& x_fx;
  std::function<bool(uint32_t)> x_owns;
  policy x_rules;
  known_ids x_ids_on_disk;
  std::unordered_map<user_address, std::unique_ptr<user>> x_users;
  std::unordered_map<session_id, user*> x_sessions;
  /// Entries come and go with each IM: their memory is kept.
  std::pmr::unsynchronized_pool_resource x_pool;
  std::pmr::unordered_map<uint64_t, pending> x_pending{&x_pool};
  uint64_t x_pending_bytes = 0;
  uint64_t x_remembered = 0;
  size_t x_remembered_max = SIZE_MAX;
  /// Bytes of what its inboxes keep beside IMs, at the last cleaning.
  uint64_t x_conversation_bytes = 0;
  uint64_t x_next_salt = 0;
  /// Addresses of broadcasts under way.
  byte_count x_broadcast_bytes;
  std::unordered_map<uint64_t, broadcast_state> x_broadcasts;
  uint64_t x_next_broadcast = 1;
  /// Of which some recipients are not judged yet; one a session.
  std::unordered_map<session_id, begun_broadcast> x_begun;
  std::deque<grace> x_graces;
  /// Senders, each once, that `pass_lines` goes on with.
  std::deque<user*> x_lines;
  moment x_now;
  /// Of the IM that an inbox is judging.
  routed_choice x_choice;
  failed_removals x_failed_removals;
  uint64_t x_unwritten = 0;
  bool x_stopping = false;
  bool x_has_given_up = false;
  std::chrono::steady_clock::time_point x_next_cleaning;
  routing_counters x_counters;
  /// Removals asked for.
  uint64_t x_removals = 0;
  im_trace x_trace;
};

} // namespace parley
