#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "actors/interfaces.hpp"
#include "actors/memory/memory_budget.hpp"
#include "actors/roster/roster.hpp"
#include "actors/router/changed_documents.hpp"
#include "actors/router/directory.hpp"
#include "actors/router/ended_sessions.hpp"
#include "actors/router/routing.hpp"
#include "actors/router/surroundings.hpp"
#include "actors/runtime/pinned.hpp"
#include "actors/runtime/round_robin.hpp"
#include "actors/session/session.hpp"
#include "protocol/defaults_memory.hpp"

namespace parley {

/// A client of this process wants in, on this worker.
struct local_sign_in {
  sign_in what;
  link_ptr link;
};

/// `token` names a session of this router.
struct local_resume {
  resume what;
  link_ptr link;
};

using local_router_actor = router_actor::extend<caf::reacts_to<local_sign_in>,
  caf::reacts_to<local_resume>,
  /// Once, before anything else.
  caf::reacts_to<directory_ptr>,
  /// From itself: goes on with broadcasts.
  caf::reacts_to<step_atom>>;

/// A resume token: which session, and the proof. The session's id says which
/// router of this process has it.
struct resume_token {
  session_id session;
  std::string proof;

  std::string str() const;
  /// An id of 0 for anything that is no token.
  static resume_token parse(std::string_view octets) noexcept;
};

/// The index of the router that made this session.
size_t router_of(session_id x) noexcept;

/// Users that have a word of their own on the sharing of their presence.
using sharing_users = std::vector<std::pair<user_address, sharing>>;

struct router_config {
  /// Among the routers of this process.
  size_t index = 0;
  size_t routers = 1;
  shared<policy> rules;
  /// Retry ids on disk at the start; all routers share it.
  shared<id_filter> known_ids;
  store_writer_actor writer;
  std::vector<store_reader_actor> readers;
  store_sweeper_actor sweeper;
  std::shared_ptr<surroundings> world;
  /// The server's own: who is of it and has no account is nobody.
  std::string domain;
  /// Told the bytes of IMs without outcome here. May be null.
  std::shared_ptr<uint64_t> pending_bytes = nullptr;
  /// For all that clients make the server hold. May be null.
  std::shared_ptr<memory_budget> budget = nullptr;
  /// IMs of which it is known what became of them.
  size_t traced_ims = 0;
  /// Of any router, on disk at the start. May be null.
  std::shared_ptr<const sharing_users> sharing_of = nullptr;
  /// Changes of an endpoint's presence a second that its watchers are told of;
  /// 0: all.
  double presence_rate = defaults::presence_changes_per_second;
};

class router_state : public routing::effects {
public:
  explicit router_state(
    pinned_pointer<local_router_actor, router_state> parent);
  ~router_state() override;

  static inline const char* name = "router";

  void init(router_config x);
  moment now();

  // -- sessions -------------------------------------------------------------
  void sign_in(local_sign_in x);
  void resume(const local_resume& x);
  void requests(session_requests& x);
  /// Goes on with what was put off: so much a drain of its worker.
  void step();
  /// Somebody may go on with it who waited for something else than its turn.
  void want_turns();
  void suspended(const session_suspended& x);
  void over(session_over& x);
  void end(session_id id, const failure& why);
  void session_down(const caf::actor_addr& who);
  uint64_t kick(const address& whom);
  /// Suspended sessions of this user end; connected ones get no second chance.
  void drop_tokens(const user_address& whom);
  router_report report();
  router_counts counts() const;

  void remove_account(const user_address& whom, const audit_entry& line,
    caf::typed_response_promise<account_removed> promise);

  // -- rosters (router_rosters.cpp) -------------------------------------------
  void check(const contact_check& x);
  void receive(const subscription_note& x);
  void confirmed(const note_confirmed& x);
  /// All that are confirmed, one write at a time: CAF moves all requests that
  /// wait for their answers whenever one comes.
  void forget_notes();
  void call(const presence_calls& x);
  /// To the roster of a user if it is active.
  template <class Message>
  bool tell_roster(const user_address& whom, Message what);
  void attach(const attach_watcher& x);
  void request_watch(const watch_request& x);
  void review(const review_requests& x);
  void roster_is_idle(const roster_idle& x);
  void roster_changed(const roster_head_changed& x);
  void report_roster(const user_address& whom, const user_address& viewer,
    caf::typed_response_promise<roster_report> promise);
  /// Its users at a limit, by what is in memory alone.
  limits_found at_limits(const limits_wanted& x) const;
  void import_contacts(const user_address& whom, contacts_import what,
    caf::typed_response_promise<contacts_imported> promise);

  // -- what users keep (router_documents.cpp) ---------------------------------
  void read_documents(documents_wanted& x);
  void pass_documents(documents_ready& x);
  void find_followed(documents_followed& x);
  void tell_documents(document_notices& x);

  // -- store ----------------------------------------------------------------
  /// IMs that were read are held as those that came from clients.
  void count(std::vector<stored_im>& page);
  void written(const parley::written& x);

  // -- time -----------------------------------------------------------------
  void sweep();
  void set_policy(const shared<policy>& x);
  void stop(caf::typed_response_promise<stop_report> promise);

  /// Sends what a handler has gathered: one message a session, one a router,
  /// one to the writer. Called at the end of each handler.
  void flush();

  // -- routing::effects -------------------------------------------------------
  void hand_out(session_id to, delivery what) override;
  void tell(session_id to, event what) override;
  void probe(session_id whom) override;
  void forward(uint32_t slot, routed_im what) override;
  void forward(uint32_t slot, routed_outcome what) override;
  void forward(uint32_t slot, routed_choice what) override;
  void forward(uint32_t slot, routed_receipt what) override;
  void forward(uint32_t slot, routed_typing what) override;
  void forward(uint32_t slot, routed_pass what) override;
  void write(store_operation what) override;
  void find_head(const user_address& of) override;
  void read_page(const user_address& of, session_id for_whom, im_order from,
    size_t max) override;
  void find_id(const retry_key& key, uint64_t ticket) override;

  pinned_pointer<local_router_actor, router_state> self;
  router_config config;
  directory_ptr others;
  std::unique_ptr<routing> rules;

private:
  struct entry {
    local_session_actor handle;
    address self;
    std::string proof;
    wire_protocol protocol = wire_protocol::native;
    /// Counts its connections.
    uint64_t attachment = 1;
    bool connected = true;
    std::chrono::steady_clock::time_point suspended_at{};
    /// Its place among the suspended, if it is one.
    std::optional<std::list<session_id>::iterator> waits;
    session_info info;
    /// Gathered in this handler.
    session_output output;
    /// Bytes that its client leaves untaken, as the session tells.
    std::shared_ptr<uint64_t> untaken;
    /// Grows when it takes some of them.
    std::shared_ptr<uint64_t> taken;
    /// While memory is tight: that at the last look, and since when it leaves
    /// much and takes nothing.
    uint64_t taken_seen = 0;
    std::chrono::steady_clock::time_point untaken_since{};
    /// When it was told to give back memory.
    std::chrono::steady_clock::time_point shrunk_at{};
  };

  /// Bytes, and the session that holds them.
  using holders = std::vector<std::pair<uint64_t, session_id>>;

  void make_session(local_sign_in& x);
  /// Null if there is room, or a suspended session has given way.
  std::optional<failure> make_room(
    const user_address& user, const endpoint_name& name);
  entry* find(session_id id);
  entry& gather(session_id id, entry& e);
  const store_reader_actor& reader_for(const user_address& of) const;
  void finish_stop();

  /// At the end of a drain it has a step made in the next one.
  class next_drain final : public drained_hook {
  public:
    explicit next_drain(router_state& x) : x_router(x) {}
    void drained() override;

  private:
    router_state& x_router;
  };

  /// Its roster gets them before what follows.
  void ask_before(session_id from, roster_requests& contacts);
  /// False: it is a broadcast with recipients left.
  bool carry_out(
    session_id from, numbered_request& r, roster_requests& contacts, moment at);
  /// Carries out what there is room for now, in order.
  void carry_out(session_id from, std::deque<numbered_request>& what);
  void want_step();
  /// Whether what the last slice of a broadcast brought is still to be written;
  /// not for long, since other things go out like that, too.
  bool must_wait_to_write();
  /// Without bounds.
  void finish_put_off();
  /// The session is over: nothing but directed presence is still taken back.
  void drop_put_off(session_id id);
  /// Nothing is left of the budget: ends sessions whose clients leave most
  /// untaken. While memory is tight, of those alone that take nothing.
  /// So many of them at most. False: others are due.
  bool end_suspended(std::chrono::steady_clock::time_point now, size_t max);
  void waits_no_more(entry& e);
  /// At some of them, so that each has its turn within an interval.
  void look_at_sessions(std::chrono::steady_clock::time_point now);
  void watch_untaken(session_id id, entry& e,
    std::chrono::steady_clock::time_point now, bool is_exceeded);
  /// Of those found in a round, the largest last.
  void choose_largest(size_t max);
  void relieve(std::chrono::steady_clock::time_point now, bool is_exceeded);

  void take_documents(
    session_id from, request_number number, document_request& x);
  void change_document(session_id from, request_number number,
    const user_address& owner, document_change what);
  void document_changed(session_id from, request_number number,
    const user_address& owner, const std::optional<document_notice>& notice,
    const write_result& x);
  void tell_of_document(const document_notice& x, readers who);
  void tell_endpoints(
    const user_address& whom, const shared<document_notice>& what);
  void follow(session_id from, follow_documents& x);
  /// Has read again what may have changed since it was.
  void judge_greetings(document_notices& x);

  /// Changes of one user that are on their way to the disk, which they reach in
  /// order, and what it wants to read after so many of them.
  struct changing {
    uint64_t begun = 0;
    uint64_t done = 0;
    std::deque<std::pair<uint64_t, documents_wanted>> readings;
  };

  /// An active roster, and how many messages it got from here.
  struct active_roster {
    roster_actor handle;
    uint64_t sent = 0;
  };

  active_roster* find_roster(const user_address& whom);
  /// Of a user that is loaded (`with_user`).
  active_roster& make_roster(const user_address& whom);
  /// To the roster of a user that has an account; false, at once or later, to
  /// `then` if it has none, or an error.
  template <class Message>
  void load_roster(const user_address& whom, Message what,
    std::function<void(const result<bool>&)> otherwise);
  /// A session begins: its roster has to know if there is one, or more than one
  /// session.
  void join_roster(session_id id, const entry& e);
  /// Asks the roster of a removed account to tell the others, then goes on.
  void dissolve_roster(
    const user_address& whom, std::function<void(const failure&)> then);
  void ask_roster(roster_requests what);
  std::shared_ptr<const roster_config> roster_surroundings();

  void take_sharing();
  /// Remembers the word of a user.
  void set_sharing(const user_address& whom, sharing own);

  /// The map keeps what may throw beside the entries: who looks for one that is
  /// not there, as most do, need not follow a pointer for each that is.
  struct kept_hash {
    using is_transparent = void;
    size_t operator()(const user_address& x) const { return x.hash(); }
    size_t operator()(const address_ref& x) const { return x.hash; }
  };
  template <class T>
  using by_user =
    std::unordered_map<user_address, T, kept_hash, std::equal_to<>>;
  by_user<active_roster> x_rosters;
  /// Of accounts that have ended.
  std::vector<active_roster> x_leaving;
  /// Its users that have a word of their own on sharing: what others see of
  /// them while they are not here, without reading their rosters.
  by_user<sharing> x_sharing_of;
  /// Notes to be forgotten, and whether some are being.
  operations x_confirmed;
  bool x_forgetting = false;
  std::shared_ptr<const roster_config> x_roster_config;
  std::shared_ptr<presence_counters> x_presence =
    std::make_shared<presence_counters>();
  std::shared_ptr<watched_adhoc> x_watched_adhoc =
    std::make_shared<watched_adhoc>();
  std::shared_ptr<roster_weights> x_roster_weights =
    std::make_shared<roster_weights>();
  std::unordered_map<user_address, changing> x_changing;
  changed_documents x_changed_documents;
  document_counters x_documents;
  std::shared_ptr<session_limits> x_limits = std::make_shared<session_limits>();
  std::unordered_map<session_id, entry> x_entries;
  round_robin<session_id> x_round;
  /// Who has waited longest first.
  std::list<session_id> x_suspended;
  bool x_ends_due = false;
  ended_sessions x_ended{defaults::ended_sessions_max};
  std::unordered_map<caf::actor_addr, session_id> x_by_address;
  uint64_t x_next_session = 1;
  std::vector<session_id> x_dirty;
  /// Requests that wait behind a broadcast of their session, which is the first
  /// of them; and whose turn it is.
  std::unordered_map<session_id, std::deque<numbered_request>> x_put_off;
  std::deque<session_id> x_turns;
  /// Recipients that may still be judged in this drain.
  size_t x_room = defaults::broadcast_slice;
  /// When the next of these may be judged though what the last brought is not
  /// written yet.
  std::chrono::steady_clock::time_point x_next_slice{};
  bool x_graces_due = false;
  bool x_step_wanted = false;
  /// There was a sweep since the last step.
  bool x_swept = false;
  next_drain x_next_drain{*this};
  budget_view x_memory;
  /// Since when it is, if it is.
  std::optional<std::chrono::steady_clock::time_point> x_tight_since;
  /// Found in this round of so many looks, and in the last one.
  holders x_largest;
  holders x_chosen;
  size_t x_looks = 0;
  operations x_writes;
  uint64_t x_sweep_generation = 0;
  std::chrono::steady_clock::time_point x_next_expiry{};
  /// Operators who wait for the removal of an account.
  std::multimap<user_address, caf::typed_response_promise<account_removed>>
    x_removals;
  caf::typed_response_promise<stop_report> x_stop_promise;
  std::chrono::steady_clock::time_point x_stop_deadline{};
  /// Not before it do sessions end: clients have to hear of it.
  std::chrono::steady_clock::time_point x_stop_earliest{};
  bool x_stopping = false;
  stop_report x_stop_report;
};

template <class Message>
bool router_state::tell_roster(const user_address& whom, Message what) {
  auto* r = find_roster(whom);
  if (!r)
    return false;
  ++r->sent;
  self->send(r->handle, std::move(what));
  return true;
}

template <class Message>
void router_state::load_roster(const user_address& whom, Message what,
  std::function<void(const result<bool>&)> otherwise) {
  if (find_roster(whom)) {
    tell_roster(whom, std::move(what));
    return;
  }
  rules->with_user(whom,
    [this, whom, what = std::move(what), otherwise = std::move(otherwise)](
      const result<bool>& exists) mutable {
      if (exists && *exists) {
        make_roster(whom);
        tell_roster(whom, std::move(what));
      } else {
        otherwise(exists);
      }
    });
}

local_router_actor::behavior_type router(
  pinned_pointer<local_router_actor, router_state> self, router_config config);

} // namespace parley

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(parley::local_sign_in)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(parley::local_resume)
