#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "actors/interfaces.hpp"
#include "actors/roster/change_rate.hpp"
#include "actors/roster/mostly_empty.hpp"
#include "actors/roster/presentity.hpp"
#include "actors/roster/roster_rules.hpp"
#include "actors/roster/roster_weight.hpp"
#include "actors/roster/subscription.hpp"
#include "actors/router/directory.hpp"
#include "actors/router/surroundings.hpp"
#include "actors/runtime/pinned.hpp"

namespace parley {

/// Users of a router that others watch ad hoc, with how many watch them in all.
using watched_adhoc = std::unordered_map<user_address, uint64_t>;

/// What all rosters of a router share.
struct roster_config {
  shared<policy> rules;
  directory_ptr others;
  store_writer_actor writer;
  std::vector<store_reader_actor> readers;
  std::shared_ptr<surroundings> world;
  std::shared_ptr<presence_counters> counters;
  /// As in `router_config`.
  double presence_rate = 0;
  /// Kept by the rosters.
  std::shared_ptr<watched_adhoc> adhoc;
  std::shared_ptr<roster_weights> weights;
  /// What requests of one user may hold until the disk has them, in bytes.
  uint64_t waiting_max = UINT64_MAX;
};

/// See `roster_actor`. What its rules ask for beside writes is held back until
/// these are on disk; one batch is under way at a time. If the disk refuses it,
/// whoever waits for an answer is told so, and the roster is read again.
class roster_state : private roster_rules::effects {
public:
  explicit roster_state(pinned_pointer<roster_actor, roster_state> parent)
    : self(parent) {}
  ~roster_state() override;

  static inline const char* name = "roster";

  void init(user_address user, uint64_t removed_at,
    std::shared_ptr<const roster_config> shared, router_actor parent);

  // -- the shell (roster.cpp)
  void found(roster_found& x);
  void requests(roster_requests& x);
  void set_policy(const shared<policy>& x);
  void checked(const contacts_checked& x);
  /// Whether this user may be a contact.
  void check_for(const contact_check& x);
  void answer_check(const contact_check& x, const failure& why);
  void receive(const subscription_note& x);
  void review();
  void import(
    contacts_import x, caf::typed_response_promise<contacts_imported> promise);
  void report(
    user_address viewer, caf::typed_response_promise<roster_report> promise);
  void dissolve(caf::typed_response_promise<write_result> promise);
  /// Ends each handler: writes what was asked for.
  void flush();
  // -- what needs the list (roster_loading.cpp): carried out when that is
  // loaded, mostly at once
  void take(const endpoint_joined& x);
  void take(const endpoint_changed& x);
  void take(const endpoint_left& x);
  void take(const endpoint_resumed& x);
  void take(const presence_call& x);
  void take(const attach_watcher& x);
  void take(const detach_watcher& x);
  void take(const contact_check& x);
  void take(const watch_request& x);
  void take(const tell_watchers& x);

  // -- the user's own presence and sessions (roster_presence.cpp)
  void joined(const endpoint_joined& x);
  void changed(const endpoint_changed& x);
  void left(const endpoint_left& x);
  void resumed(const endpoint_resumed& x);
  void attach(const attach_watcher& x);
  void detach(const detach_watcher& x);
  void decide_watch(const watch_request& x);

  // -- whom it watches (roster_watching.cpp)
  void called(const presence_call& x);
  void absent(const absent_users& x);
  void decided(const watch_decided& x);
  void revoked(const watch_revoked& x);
  void presentity_gone(const presentity_left& x);
  void taken_back(const subscription_ended& x);
  void sweep();

  // -- what the user keeps (roster_documents.cpp)
  void tell_of_document(const tell_watchers& x);

  /// Of messages from its router.
  uint64_t handled = 0;

private:
  using clock = std::chrono::steady_clock;

  struct endpoint {
    session_id session;
    endpoint_name name;
    availability what;
    session_actor handle;
    /// It has asked for the list.
    bool follows = false;
    change_rate rate;
    /// Its last change has yet to be told.
    bool waits = false;
    /// Its ad-hoc watches that are over, oldest first, for it shows these users
    /// as unknown; and a suspended session is told nothing.
    std::vector<std::pair<user_address, clock::time_point>> ended;
  };

  struct early_endpoint {
    endpoint_joined what;
    bool resumed = false;
  };

  /// What one who may see this user is shown.
  enum class view : uint8_t { nothing, truth, unknown };

  struct watcher {
    subscription_actor subscription;
    roster_actor roster;
    bool subscribed = false;
    bool adhoc = false;
    view shown = view::nothing;
  };

  struct adhoc_watch {
    session_id session;
    clock::time_point until;
  };

  struct watched {
    /// Null until there is something to tell.
    subscription_actor subscription;
    /// The presentity's.
    roster_actor roster;
    uint64_t version = 0;
    /// Whom the subscription tells, if it is not every session.
    std::shared_ptr<told_sessions> to;
    mostly_empty<adhoc_watch> adhoc;
  };

  struct asked_watch {
    user_address whom;
    session_id session;
    request_number number;
    uint64_t seconds = 0;
  };

  /// What waits until the roster is read, or a batch is on disk.
  struct held {
    std::function<void()> act;
    /// Instead, if the disk refuses; may be empty.
    std::function<void(const failure&)> fails;
  };

  struct open_check {
    std::vector<contact_verdict> about;
    size_t left = 0;
  };

  /// There may be room for watchers that only wait for that.
  void decide_waiting();

  // roster_rules::effects
  void write(store_operation what) override;
  void reply(session_id to, request_number number,
    roster_rules::answer_content what) override;
  void push(contact_list what) override;
  void tell_privacy(session_id by, privacy what) override;
  void check(
    uint64_t ticket, std::vector<user_address> whom, bool watched) override;
  void send(subscription_note what) override;
  void confirm(subscription_note what) override;
  void watch(const user_address& whom, bool on) override;
  void view_changed(const user_address& whom) override;
  void views_changed() override;
  void head_changed() override;
  uint64_t adhoc_watchers_beside(const user_address& whom) const override;

  // the shell
  /// At once, if it is loaded: mostly, and nothing is allocated then.
  template <class Then>
  void when_loaded(Then then) {
    if (x_loaded)
      then();
    else
      wait_for_load({std::move(then), {}});
  }
  template <class Then, class Fails>
  void when_loaded(Then then, Fails fails) {
    if (x_loaded)
      then();
    else
      wait_for_load({std::move(then), std::move(fails)});
  }
  void wait_for_load(held x);
  /// With all that waited for the list.
  void carry_on();
  bool waits_for_disk() const noexcept {
    return x_committing || !x_writes.empty() || !x_held.empty();
  }
  void read();
  void after(
    std::function<void()> act, std::function<void(const failure&)> fails = {});
  /// On what waits for nothing on its way to the disk.
  void act();
  void commit();
  void committed(const failure& why);
  void request(session_id from, numbered_request& x);
  /// At once.
  void answer(
    session_id to, request_number number, roster_rules::answer_content what);
  void answer_operator(uint64_t number, roster_rules::answer_content what);
  void tell_if_idle();
  void count_list();
  /// Brings the share in `config->weights` up to date.
  void weigh();
  /// Its account has ended: it lets go of all, and is idle when everybody has
  /// answered that it asked.
  void leave_all();
  uint64_t now_us() const { return config->world->wall_clock_us(); }
  const router_actor& router_of(const user_address& x) const;
  endpoint* find(session_id session);
  early_endpoint* find_early(session_id session);
  /// Null if it is not here, nor about to be.
  const session_actor* handle_of(session_id session);
  void tell(const session_actor& to, event what);

  // presence
  uint64_t next_version();
  bool is_online() const noexcept { return !x_truth->endpoints.empty(); }
  view view_of(const user_address& watcher) const;
  /// Of one that is not blocked.
  view view_of(const contact_standing& watcher, bool adhoc) const;
  /// Later than all that was shown instead of it, or, unless it is the truth,
  /// with a version of its own.
  shared<presentity> state_of(view x);
  void publish();
  /// The same, and calls those that see the user come.
  void publish_change();
  /// Those changes whose time has come; when the next one's will.
  clock::time_point publish_waiting();
  void tell_own_sessions(const presentity& before);
  /// Tells a watcher what it sees from now on; false: it need not be kept.
  bool show_to(const user_address& who, watcher& w);
  /// Tells one that watches ad hoc if it may not any more; true: it is to go.
  bool revokes(const user_address& who, const watcher& w);
  void revoke_refused();
  void show_to_all();
  /// Whether it need be kept, as it sees the user now.
  bool is_kept(const watcher& w) const noexcept;
  /// The truth, to those that see it: nothing else has changed.
  void show_truth();
  void share_or_not();
  /// Soon after the roster was read again: what the disk has refused was
  /// carried out by some, and what else waited for it was not.
  void reconcile();
  /// Calls those that this user is shown to, and those that it wants to see;
  /// all watchers if its own word on sharing is another.
  void call(bool shows, bool asks, bool switched = false);
  presence_call make_call() const;
  void call_one(const user_address& whom, bool shows, bool asks);
  void forget_grant(const user_address& watcher);
  /// Brings the share in `config->adhoc` up to date.
  void count_adhoc_watchers();

  // watching
  /// As it was carried out: what has yet to reach the disk does not count.
  bool is_subscribed(const user_address& whom) const;
  /// No change of whether it is subscribed to `whom` has yet to reach the disk.
  bool is_settled(const user_address& whom) const;
  static bool watches_adhoc(const watched& w, session_id session);
  /// Somebody shows itself to this user, or a word of its own.
  void look_at(const presence_call& x);
  void shown(const presence_call& x);
  void apply_policy(const shared<policy>& before, const shared<policy>& now);
  /// Tells one of the user's sessions all that it may see.
  void greet(const endpoint& e);
  void greet_anew(const endpoint& e);
  void spawn_subscription(
    watched& w, const user_address& whom, const shared<presentity>& first);
  void attach_to(const user_address& whom, watched& w);
  enum class farewell : uint8_t {
    none,
    /// What was shown is taken back.
    told,
    /// `taken_back` is called when that is done, whatever it was.
    answered,
  };
  /// By value: the entry goes, and its address may be the last that there is.
  void stop_watching(user_address whom, farewell how);
  void stop_watching_all();
  /// Whom the subscription tells has changed.
  void retarget(const user_address& whom, watched& w);
  /// If it is not here and unknown for that.
  void tell_unknown(const user_address& whom);
  /// *unavailable*, or *unknown*: what a contact is shown as that is not here.
  show view_of_absent(const user_address& whom, const policy& rules) const;
  bool is_unknown_when_absent(const user_address& whom) const {
    return view_of_absent(whom, *x_policy) == show::unknown;
  }
  /// A contact's own word on sharing.
  void learn(const user_address& whom, sharing own);
  /// To one of its sessions, after all that it has told it.
  void say_through(
    const watched& w, const session_actor& who, std::vector<event> what);
  void begin_watching(const user_address& whom);
  void cease_watching(const user_address& whom);
  void request_watch(
    session_id from, request_number number, const parley::watch& what);
  /// Ends ad-hoc watches that `ends` holds for; tells their sessions.
  void end_adhoc(
    const std::function<bool(const user_address&, const adhoc_watch&)>& ends);
  uint64_t adhoc_watches() const;
  /// After the longest time that is allowed became shorter.
  void shorten_adhoc(const policy& rules);
  void remember_end(endpoint& e, const user_address& whom);
  /// It was told *unknown* when a watch ended.
  static bool lost_sight_of(const endpoint& e, const user_address& whom);
  /// Again, to one that may not have heard of it.
  void tell_ends(const endpoint& e);
  void arm(clock::time_point at);
  /// Those who are not here and are shown otherwise than by `before`.
  void tell_absent(const policy& before);
  /// Contacts that the user is subscribed to and that are not here, sorted.
  std::vector<user_address> absent_contacts() const;
  /// To one that has been told nothing yet.
  void tell_unknown_ones(const endpoint& e);

  pinned_pointer<roster_actor, roster_state> self;
  std::shared_ptr<const roster_config> config;
  shared<policy> x_policy;
  router_actor x_router;
  std::unique_ptr<roster_rules> x_rules;

  bool x_loaded = false;
  bool x_was_loaded = false;
  bool x_reconciles = false;
  bool x_reading = false;
  /// Its account is being removed.
  bool x_dissolving = false;
  std::vector<held> x_waiting;
  operations x_writes;
  std::vector<held> x_held;
  bool x_committing = false;
  roster_weight x_weight;
  /// As it was told last.
  uint64_t x_weighed = 0;
  /// Those that it blocks, as its router was told last.
  shared<privacy> x_told_blocks;
  /// Its account has ended: nothing more is written.
  bool x_dissolved = false;
  std::vector<held> x_under_way;
  std::unordered_map<uint64_t, open_check> x_checks;
  uint64_t x_next_promise = 1;
  std::map<uint64_t, caf::typed_response_promise<contacts_imported>> x_imports;

  std::vector<endpoint> x_endpoints;
  // While nothing is loaded: who has joined, and resumed, and of others the
  // last that came.
  std::vector<early_endpoint> x_early;
  std::set<session_id> x_resumed;
  std::map<user_address, presence_call> x_called;
  std::map<user_address, attach_watcher> x_attaching;
  /// Their handles, for subscriptions.
  std::shared_ptr<told_sessions> x_sessions = std::make_shared<told_sessions>();
  shared<presentity> x_truth;
  uint64_t x_version = 0;
  /// Of the last that was shown to anybody instead of the truth.
  uint64_t x_masked_version = 0;
  bool x_shares = true;
  /// As watchers know it.
  sharing x_own_sharing = sharing::by_default;
  std::unordered_map<user_address, watcher> x_watchers;
  /// Ad-hoc watches that are allowed and have yet to begin.
  std::map<user_address, size_t> x_granted;
  /// There may be others, or more, so that it has to be counted.
  bool x_adhoc_changed = false;
  /// As it was counted last.
  uint64_t x_adhoc_watchers = 0;

  std::unordered_map<user_address, watched> x_watched;
  /// Of whom it begins or ceases to see by what has yet to reach the disk: how
  /// often that changes.
  std::map<user_address, unsigned> x_unsettled;
  /// Of contacts: those that have a word of their own on sharing.
  std::map<user_address, sharing> x_sharing_of;
  std::map<uint64_t, asked_watch> x_asked;
  uint64_t x_next_ticket = 1;
  /// Watches whose end has yet to be told, with what was decided since.
  std::map<user_address, std::vector<watch_decided>> x_ending;
  /// When a tick comes. The clock keeps each until then: one that is there
  /// already is not asked for again.
  std::set<clock::time_point> x_ticks;
  uint64_t x_told_idle = UINT64_MAX;

  friend roster_actor::behavior_type roster(
    pinned_pointer<roster_actor, roster_state> self, user_address user,
    uint64_t removed_at, std::shared_ptr<const roster_config> config,
    router_actor parent);
};

/// `removed_at`: of an earlier account of the name, as in user_head.
roster_actor::behavior_type roster(
  pinned_pointer<roster_actor, roster_state> self, user_address user,
  uint64_t removed_at, std::shared_ptr<const roster_config> config,
  router_actor parent);

} // namespace parley
