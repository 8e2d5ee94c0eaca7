#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/contacts.hpp"
#include "protocol/documents.hpp"
#include "protocol/errors.hpp"
#include "protocol/scram_keys.hpp"
#include "protocol/vocabulary.hpp"

namespace rocksdb {
class Env;
}

namespace parley {

/// The place of an IM in its recipient's order of acceptance: greater is
/// later. Microseconds since 1970 when it was accepted, or one more than the
/// one before.
struct im_order {
  uint64_t value = 0;
  auto operator<=>(const im_order&) const = default;
  auto fields() { return std::tie(value); }
};

/// An IM on disk.
struct stored_im {
  user_address recipient;
  im_order order;
  /// As it was addressed; its user is the recipient.
  address to;
  shared<im> message;
  auto fields() { return std::tie(recipient, order, to, message); }
};

/// Under which a retry is known again.
struct retry_key {
  user_address sender;
  message_id id;
  user_address recipient;
  auto operator<=>(const retry_key&) const = default;
  auto fields() { return std::tie(sender, id, recipient); }
};

// -- what can be written; one batch is written whole or not at all ------------

/// Keeps an IM, and remembers its id if its sender has an account: what an
/// account has sent is forgotten with it. The same broadcast (`message` is the
/// same object, or equal sender and id) is held once on disk.
struct put_im {
  stored_im what;
  /// Of the content, for `id_conflict`.
  uint64_t content_hash = 0;
  /// More recipients may come: hold the body apart.
  bool of_broadcast = false;
  auto fields() { return std::tie(what, content_hash, of_broadcast); }
};

/// An endpoint has acknowledged it, or it expired. No error if it is not there.
struct remove_im {
  user_address recipient;
  im_order order;
  auto fields() { return std::tie(recipient, order); }
};

/// Makes or replaces an account.
struct put_account {
  user_address user;
  scram_keys keys;
  /// Nothing of the commit is done, which fails with `exists`, if there is one.
  bool has_to_be_new = false;
  auto fields() { return std::tie(user, keys, has_to_be_new); }
};

/// One line of the audit log.
struct audit_entry {
  wall_time when{};
  std::string who;
  std::string what;
  std::string from;
  std::string to;
  auto fields() { return std::tie(when, who, what, from, to); }
};

/// One entry of a user's contact list, as it is kept. It is there as long as it
/// says anything.
struct roster_item {
  contact what;
  /// Its watch was approved for show: the contact is blocked.
  bool pretended = false;
  /// Of the roster when this was changed last.
  roster_version version;
  /// The number of this user's latest wish to the contact (`subscribe`,
  /// `unsubscribe`), and of the latest that came from the contact; 0: none.
  uint64_t asked = 0;
  uint64_t heard = 0;
  /// When it was approved beforehand, in microseconds since 1970. 0: it is not,
  /// or was before this was noted.
  uint64_t approved_at = 0;
  bool operator==(const roster_item&) const = default;
  auto fields() {
    return std::tie(what, pretended, version, asked, heard, approved_at);
  }
};

/// What one user's roster has beside its entries.
struct roster_head {
  roster_version version;
  /// Clients that know an older version get the whole list.
  roster_version since;
  /// Removed entries, with the version that removed them, oldest first.
  std::vector<std::pair<roster_version, user_address>> removals;
  parley::privacy privacy;
  /// Entries that are listed; that watch or are pretended to; that ask.
  uint64_t contacts = 0;
  uint64_t watchers = 0;
  uint64_t requests = 0;
  bool operator==(const roster_head&) const = default;
  auto fields() {
    return std::tie(
      version, since, removals, privacy, contacts, watchers, requests);
  }
};

/// What one half of a subscription tells the other (RFC 6121, 3).
struct subscription_note {
  enum class kind : uint8_t {
    // Wishes: of who watches.
    subscribe = 0,
    unsubscribe = 1,
    // Verdicts: of the presentity.
    subscribed = 2,
    unsubscribed = 3,
    /// What was approved is open again: the watcher has to wish anew.
    ask_again = 4,
    /// A wish as `subscribe`, to one who had no account when it was made: it
    /// waits for that.
    subscribe_ahead = 5,
  };
  user_address from;
  user_address to;
  subscription_note::kind what = kind::subscribe;
  /// Of the wish, or of the wish that the verdict is about. A later wish of the
  /// same user has a greater one, whatever was forgotten between.
  uint64_t number = 0;
  /// Of `subscribe` and `subscribe_ahead`: when an account of the name `from`
  /// was last removed, in microseconds since 1970; 0: never. What was said of
  /// that name before is not about who wishes.
  uint64_t since = 0;

  bool is_wish() const noexcept {
    return what <= kind::unsubscribe || what == kind::subscribe_ahead;
  }
  bool wants() const noexcept {
    return what == kind::subscribe || what == kind::subscribe_ahead;
  }
  bool operator==(const subscription_note&) const = default;
  auto fields() { return std::tie(from, to, what, number, since); }
};

/// Makes or replaces what a roster has beside its entries. The user's head has
/// the counts from then on.
struct put_roster {
  user_address user;
  roster_head what;
  auto fields() { return std::tie(user, what); }
};

/// Makes or replaces an entry.
struct put_contact {
  user_address user;
  roster_item what;
  auto fields() { return std::tie(user, what); }
};

/// No error if it is not there.
struct remove_contact {
  user_address user;
  user_address contact;
  auto fields() { return std::tie(user, contact); }
};

/// Keeps what the other half has not confirmed: at most one wish and one
/// verdict between two users, the latest.
struct put_note {
  subscription_note what;
  auto fields() { return std::tie(what); }
};

/// The other half has it: forgets the note, unless another took its place.
struct remove_note {
  subscription_note what;
  auto fields() { return std::tie(what); }
};

/// Removes the account, its roster, its documents, its stored IMs with their
/// retry ids, and the retry ids of what it sent. What its roster owes to others
/// stays, and what is put with it. Of its name remains when that was.
struct remove_account {
  user_address user;
  /// Goes into the audit log if there was such an account and `what` is not
  /// empty; `from` then says how many stored IMs went with it.
  audit_entry line;
  /// The time, in microseconds since 1970; 0: it is not kept.
  uint64_t at_us = 0;
  auto fields() { return std::tie(user, line, at_us); }
};

/// Sets a policy setting; an empty value goes back to the default.
struct put_setting {
  std::string name;
  std::string value;
  auto fields() { return std::tie(name, value); }
};

/// What one user keeps: documents, and collections of them.
struct document_totals {
  /// Documents and collections.
  uint64_t count = 0;
  /// Of their names and contents.
  uint64_t bytes = 0;
  bool operator==(const document_totals&) const = default;
  auto fields() { return std::tie(count, bytes); }
};

/// Changes what a user keeps, if that has an account, and by the rules of
/// documents.hpp; what they refuse is no failure of the commit.
struct change_documents {
  user_address owner;
  document_change what;
  /// No change may lead beyond these: `quota_exceeded`.
  document_totals max{any_number, any_number};
  wall_time at{};
  auto fields() { return std::tie(owner, what, max, at); }
};

/// What became of a change_documents.
struct document_verdict {
  /// Code none: it was carried out.
  failure why;
  /// Of its collection, as they are then, or were when it was removed.
  collection_rules rules;
  auto fields() { return std::tie(why, rules); }
};

using store_operation = std::variant<put_im, remove_im, put_account,
  remove_account, put_setting, audit_entry, put_roster, put_contact,
  remove_contact, put_note, remove_note, change_documents>;

/// What a commit found out.
struct commit_report {
  /// Stored IMs that were deleted: a number for each remove_account, in order.
  std::vector<uint64_t> deleted;
  /// One for each change_documents, in order.
  std::vector<document_verdict> documents;
};

// -- what can be read ---------------------------------------------------------

/// What a router needs to know of a user that nobody asked about before.
struct user_head {
  bool exists = false;
  /// There is, or was, an account of its domain.
  bool domain_known = false;
  /// IMs that wait for it.
  uint64_t stored = 0;
  /// The greatest that an IM of this account ever had, whether it still waits
  /// or not; 0 if there was none. The next has to be greater.
  im_order last;
  /// As in its `roster_head`; `roster`: it has one.
  bool roster = false;
  uint64_t contacts = 0;
  uint64_t watchers = 0;
  uint64_t requests = 0;
  /// Its privacy, if that blocks anybody: by its list or by a domain's rule.
  /// Otherwise null.
  shared<privacy> blocks = {};
  /// When an account of this name was last removed, in microseconds since 1970;
  /// 0: never, or before this was noted.
  uint64_t removed_at = 0;
  auto fields() {
    return std::tie(exists, domain_known, stored, last, roster, contacts,
      watchers, requests, blocks, removed_at);
  }
};

struct packed_roster;

/// A whole roster; empty for a user that has none.
struct stored_roster {
  roster_head head;
  /// In order of address.
  std::vector<roster_item> items;
  auto fields() { return std::tie(head, items); }
};

/// What is to be had of one user's roster without reading it.
struct roster_counts {
  user_address user;
  uint64_t contacts = 0;
  uint64_t watchers = 0;
  uint64_t requests = 0;
  /// Of its privacy.
  parley::sharing sharing = parley::sharing::by_default;
  auto fields() {
    return std::tie(user, contacts, watchers, requests, sharing);
  }
};

/// What is remembered of an id whose IM was stored.
struct stored_id {
  uint64_t content_hash = 0;
  /// The IM's `sent_at`.
  wall_time stored_at{};
  auto fields() { return std::tie(content_hash, stored_at); }
};

/// Documents of one collection.
struct stored_documents {
  /// Nothing: there is no such collection.
  std::optional<collection_rules> rules;
  std::vector<document> what;
  auto fields() { return std::tie(rules, what); }
};

/// What the owner of documents has with somebody who asks for them.
struct acquaintance {
  /// Subscribed to the owner's presence.
  bool watches = false;
  /// The owner's.
  parley::privacy privacy;
};

struct account {
  user_address user;
  scram_keys keys;
  auto fields() { return std::tie(user, keys); }
};

/// Everything that survives the process: typed operations over RocksDB column
/// families; README.md has the key layout and what is durable when.
/// Thread-safe; every function may block on the disk, so none is called on an
/// I/O thread. Errors: `store_failed` for a write, `store_unavailable` for a
/// read, `store_corrupt` for a record that cannot be decoded.
class store {
public:
  struct options {
    std::string path;
    /// Null: the real disk. For tests.
    rocksdb::Env* env = nullptr;
    /// Sync each commit. Off only to measure what it costs.
    bool sync = true;
    /// Told once of each record that is passed over since it cannot be read, up
    /// to `unreadable_max` of them. From any thread; not to call back.
    std::function<void(const failure& what)> report = {};
  };

  /// Opens, or makes, a data folder's store. `store_locked`, `schema_too_new`,
  /// `store_corrupt`, `store_unavailable`. After an error all is as it was, or
  /// to make or to migrate the store has begun: the next opening goes on.
  static result<std::unique_ptr<store>> open(const options& how);
  ~store();
  store(const store&) = delete;
  store& operator=(const store&) = delete;

  /// Writes all operations and syncs: after this they survive a power cut.
  /// After a failure none of them is there, nor comes back; README.md,
  /// "Failing disks", has the one exception.
  result<commit_report> commit(const std::vector<store_operation>& batch);
  /// The same of several, one after the other, as one batch.
  result<commit_report> commit(
    std::span<const std::vector<store_operation>* const> batch);

  result<user_head> head(const user_address& user);
  /// Stored IMs of a user from `from` on, in order, at most `max`; fewer only
  /// if there are no more. Those that cannot be read are passed over.
  result<std::vector<stored_im>> ims(
    const user_address& user, im_order from, size_t max);
  /// In one reading of neighbours.
  result<stored_roster> roster(const user_address& user);
  /// The same, of which nothing is decoded yet that can wait.
  result<packed_roster> roster_rows(const user_address& user);
  /// In two look-ups; of the contacts only this one is looked at.
  result<acquaintance> acquainted(
    const user_address& owner, const user_address& with);
  /// `which` of a collection, newest first: those that are there, so many that
  /// they have at most `bytes_max` in all, or one.
  result<stored_documents> documents(
    const user_address& owner, const read_documents& which, uint64_t bytes_max);
  /// Names of collections that begin with `prefix`.
  result<std::vector<std::string>> collections(
    const user_address& owner, std::string_view prefix);
  result<document_totals> documents_of(const user_address& owner);
  result<std::optional<stored_id>> find_id(const retry_key& key);
  result<std::optional<account>> find_account(const user_address& user);
  /// In order of user; what cannot be read is passed over.
  result<void> each_account(const std::function<void(const account&)>& each);
  /// Those after `last` that have an account, in order, at most `max`; fewer
  /// only if there are no more.
  result<std::vector<user_address>> accounts(
    const user_address& last, size_t max);
  result<std::vector<std::pair<std::string, std::string>>> settings();
  /// The latest `max`, newest first.
  result<std::vector<audit_entry>> audit(size_t max);

  // For the sweeper, in steps that are bounded by `max`.

  /// Calls `each` with a 64-bit hash (`retry_hash`) and the time of remembered
  /// ids, for the filter over them. `from` is empty at first, then what the
  /// last call returned; empty is the end. Of ids that come and go meanwhile
  /// each may be met or not.
  result<std::string> each_id(const std::string& from, size_t max,
    const std::function<void(uint64_t hash, wall_time stored_at)>& each);
  /// Times that an id was put since the store was opened; several for one that
  /// was put again.
  uint64_t ids_put() const noexcept;
  /// Times that an account was put since the store was opened.
  uint64_t accounts_put() const noexcept;

  /// A look at all users for IMs that expired. One that is given up harms
  /// nothing.
  struct expiry_look {
    /// Nothing before these is left to be looked at.
    user_address user;
    im_order order;
    /// The oldest IM met.
    im_order oldest{UINT64_MAX};
    /// Tells looks apart; 0 before the first step.
    uint64_t number = 0;
    /// There is nothing left.
    bool done = false;
  };
  /// The next step of a look for IMs accepted before `before`: goes over at
  /// most `max` users and IMs, and returns those found.
  result<std::vector<std::pair<user_address, im_order>>> ims_before(
    wall_time before, expiry_look& look, size_t max);

  /// Notes after `from`, in the order of their keys, at most `max`. `from` is
  /// empty at first, then what the last call returned; empty is the end.
  result<std::string> each_note(const std::string& from, size_t max,
    const std::function<void(const subscription_note&)>& each);
  /// Users after `last` that have a roster, in order, among at most `max`
  /// users; `last` then is the last of these, empty at the end.
  result<std::vector<roster_counts>> rosters(user_address& last, size_t max);

  struct forgotten {
    uint64_t ids = 0;
    /// There may be more to forget.
    bool more = false;
  };
  /// Forgets ids stored before `before` whose IM no longer waits: one write's
  /// worth, `forget_max`.
  result<forgotten> forget_ids(wall_time before);

  /// Takes out IMs that removed accounts have left: one write's worth,
  /// `forget_max`. True if there may be more.
  result<bool> remove_left();

  /// Records that were passed over since they cannot be read, each counted
  /// once, up to `unreadable_max`.
  uint64_t unreadable() const noexcept;
  /// A secret of this data folder, 32 random octets made with it.
  const std::string& secret() const noexcept;

private:
  struct impl;
  std::unique_ptr<impl> x_impl;
  explicit store(std::unique_ptr<impl> x);
};

/// Of a retry key; the same on every machine and in every version.
uint64_t retry_hash(const retry_key& key) noexcept;
uint64_t retry_hash(const user_address& sender, const message_id& id,
  const user_address& recipient) noexcept;

/// Of what must not change between retries: body, payloads, receipts wanted.
uint64_t content_hash(const im& message) noexcept;

} // namespace parley
