#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "actors/roster/contact_table.hpp"
#include "actors/roster/contact_verdict.hpp"
#include "actors/router/ids.hpp"
#include "actors/settings/policy.hpp"
#include "persistence/store.hpp"
#include "protocol/contacts.hpp"
#include "protocol/vocabulary.hpp"

namespace parley {

/// One user's contact list, its halves of subscriptions, and its privacy: the
/// rules of requirements, section 3, and of subscribing in section 4. No actor,
/// no clock and no disk is in them.
///
/// Each call is one change: what it has to write is asked for first, then what
/// follows from it, which the caller holds back until that is on disk.
///
/// The two halves of a subscription lie in two rosters. Each tells the other by
/// a note, which is written together with what it tells of and forgotten when
/// the other half has confirmed it; until then it is sent again after a start.
/// A user numbers its wishes, and a verdict names the wish that it is about, so
/// that what comes twice or late does no harm.
class roster_rules {
public:
  /// What a request led to.
  using answer_content = decltype(answer::what);

  class effects {
  public:
    virtual ~effects() = default;
    virtual void write(store_operation what) = 0;
    virtual void reply(
      session_id to, request_number number, answer_content what) = 0;
    /// For the sessions that follow the list.
    virtual void push(contact_list what) = 0;
    /// For all sessions but `by`.
    virtual void tell_privacy(session_id by, privacy what) = 0;
    /// Asks of each whether it may be a contact, and be watched if `watched`.
    /// Answered by `checked`.
    virtual void check(
      uint64_t ticket, std::vector<user_address> whom, bool watched) = 0;
    virtual void send(subscription_note what) = 0;
    /// Tells its sender that `what` is on disk here.
    virtual void confirm(subscription_note what) = 0;
    /// This user sees `whom` from now on, or no longer.
    virtual void watch(const user_address& whom, bool on) = 0;
    /// What `whom` may see of this user may have changed.
    virtual void view_changed(const user_address& whom) = 0;
    /// The same, for everybody.
    virtual void views_changed() = 0;
    /// Counts or blocks are different now.
    virtual void head_changed() = 0;
    /// Who watches ad hoc and is not subscribed, `whom` left out.
    virtual uint64_t adhoc_watchers_beside(const user_address& whom) const = 0;
  };

  /// `removed_at`: of an earlier account of the name, as in user_head.
  roster_rules(user_address user, uint64_t removed_at, effects& fx)
    : x_user(std::move(user)), x_removed_at(removed_at), x_fx(fx) {}

  const user_address& user() const noexcept { return x_user; }

  /// What is on disk. Also after a write failed: what was asked for since the
  /// last one that succeeded is forgotten. The versions of a list that had no
  /// change yet begin behind `before_first`: an earlier account of the name may
  /// have had one, whose clients still know its versions.
  void load(packed_roster x, roster_version before_first = {});
  const roster_head& head() const noexcept { return x_head; }
  const contact_table& items() const noexcept { return x_items; }
  /// Has the entry of `whom` hold the address that the caller holds: otherwise
  /// there are two of them as long as both are here.
  void share_address(const user_address& whom);

  // -- requests of the user's sessions; `now_us` as in `moment`

  /// `subscribes`: to all of them at once, as an import may.
  void add(session_id from, request_number number,
    std::vector<wanted_contact> what, bool subscribes, const policy& rules,
    uint64_t now_us);
  void remove(session_id from, request_number number,
    const std::vector<std::string>& whom, uint64_t now_us);
  void list(session_id from, request_number number, roster_version known);
  void subscribe(session_id from, request_number number, const user_address& to,
    const policy& rules, uint64_t now_us);
  void unsubscribe(session_id from, request_number number,
    const user_address& to, uint64_t now_us);
  void approve(session_id from, request_number number, const user_address& whom,
    const policy& rules, uint64_t now_us);
  void deny(session_id from, request_number number, const user_address& whom);
  void set_privacy(session_id from, request_number number,
    parley::set_privacy what, const policy& rules);

  /// The answer to `check`, for each in order.
  void checked(uint64_t ticket, const std::vector<contact_verdict>& about,
    const policy& rules, uint64_t now_us);
  /// It will not be looked at: whoever waits for it is told.
  void check_failed(uint64_t ticket, const failure& why);

  // -- from the other half

  void receive(
    const subscription_note& what, const policy& rules, uint64_t now_us);
  /// `watcher` wants to see this user as one that is subscribed, by its wish of
  /// this number. False: it is not; it is told so.
  bool admit(const user_address& watcher, uint64_t number);
  /// `whom` shows itself to this user as to one that is subscribed. False: this
  /// user is not; it is told so.
  bool expects(const user_address& whom, uint64_t now_us);

  // -- who would watch this user

  /// It is subscribed, or was told so.
  bool lets_in(const user_address& watcher) const noexcept;
  /// Why this user cannot be its contact, and be watched if `watched`; code
  /// none: it can.
  failure refuses_contact(
    const user_address& by, bool watched, const policy& rules) const;
  /// Why `watcher` may not watch ad hoc; one that does already needs no room.
  std::optional<failure> refuses_watch(
    const user_address& watcher, bool renews, const policy& rules) const;

  // -- policy and operators

  /// Decides requests that wait and need not any more.
  void review(const policy& rules);
  /// The account is removed: tells everybody.
  void dissolve();

private:
  /// What is to be done once others have been asked.
  enum class purpose : uint8_t { add, import, subscribe, approve };

  struct open_check {
    session_id session;
    request_number number;
    purpose what = purpose::add;
    /// It may be about accounts that go while others are asked.
    uint64_t asked_at = 0;
    std::vector<wanted_contact> wanted;
    /// Parallel to `wanted`; empty where the client wrote no address.
    std::vector<user_address> whom;
    /// Of `whom`, by place: those that others were asked about, in order.
    std::vector<size_t> asked;
    /// By place in `wanted`: what is wrong with it itself.
    std::map<size_t, failure> wrong;
  };

  /// A change that is being made.
  class change;

  void ask(open_check x, const policy& rules, uint64_t now_us);
  /// Lists `whom` if there is room. False: `why` says why not.
  bool enlist(change& c, const wanted_contact& wanted, const user_address& whom,
    const policy& rules, refused_contact& why);
  /// Decides the request of `x`, or its next one. What stands against that.
  std::optional<failure> let_in(
    change& c, roster_item& x, const policy& rules, uint64_t now_us);
  void wish(
    change& c, roster_item& x, subscription_note::kind what, uint64_t now_us);
  uint64_t next_wish(uint64_t now_us);
  void decide(change& c, roster_item& x, subscription_note::kind what);
  /// Takes a wish that nobody has decided.
  void judge(change& c, roster_item& x, const policy& rules);
  void review(change& c, const policy& rules);
  uint64_t watchers_with(const user_address& watcher) const;
  bool has_room_for_watcher(
    const user_address& watcher, const policy& rules) const;
  contact_list listing(roster_version known) const;

  user_address x_user;
  uint64_t x_removed_at;
  effects& x_fx;
  roster_head x_head;
  contact_table x_items;
  /// The greatest number of a wish so far.
  uint64_t x_wishes = 0;
  roster_version x_before_first;
  std::unordered_map<uint64_t, open_check> x_checks;
  uint64_t x_next_check = 1;
};

/// Why somebody with so many contacts, who would be watched by so many with one
/// more, cannot be a contact; code none: it can.
failure refuse_contact(
  uint64_t contacts, uint64_t watchers_then, bool watched, const policy& rules);

} // namespace parley
