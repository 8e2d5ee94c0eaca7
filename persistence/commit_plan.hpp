#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <rocksdb/utilities/write_batch_with_index.h>

#include "persistence/database.hpp"
#include "persistence/keys.hpp"
#include "persistence/records.hpp"
#include "persistence/store.hpp"

namespace parley {

/// Turns operations into one write batch. Each sees what those before it have
/// planned. Used by one thread, and nothing else writes until it is written.
class commit_plan {
public:
  /// What of a plan is looked up again while it is made: the rest needs no
  /// index, which costs half of planning, and goes into the batch in the order
  /// of keys.
  struct sight {
    /// IMs are removed.
    bool ims;
    /// Notes are.
    bool notes;
    /// Accounts are, and all that is theirs.
    bool accounts;
  };

  /// `next_audit`: the number of the next line of the audit log.
  commit_plan(database& db, uint64_t next_audit, sight of);
  /// One that sees everything.
  commit_plan(database& db, uint64_t next_audit)
    : commit_plan(db, next_audit, {true, true, true}) {}

  /// An error is one of reading: nothing of the plan may then be written.
  result<void> add(const store_operation& what);

  /// Takes out IMs that a removed account has left, up to an order, at most
  /// `max`; true if there may be more. When there are none it is forgotten that
  /// there were.
  result<bool> remove_left(const user_address& user, im_order upto, size_t max);

  /// After an error: it is none, but the plan has to see all IMs.
  bool is_blind() const noexcept { return x_is_blind; }

  /// To be called once, after the last operation; then write `batch`.
  result<void> finish();
  rocksdb::WriteBatch* batch() { return x_batch.GetWriteBatch(); }

  // What changes beside the database, once the batch is written.

  uint64_t next_audit() const noexcept { return x_next_audit; }
  /// The smallest order that was put.
  std::optional<im_order> first_put() const noexcept { return x_first_put; }
  /// The first key that was added to the ids that may be forgotten.
  const std::string& first_forgettable() const noexcept {
    return x_first_forgettable;
  }
  /// Ids that were put.
  uint64_t ids_put() const noexcept { return x_ids_put; }
  uint64_t accounts_put() const noexcept { return x_accounts_put; }
  /// As commit_report::deleted.
  const std::vector<uint64_t>& deleted() const noexcept { return x_deleted; }
  /// As commit_report::documents.
  std::vector<document_verdict> take_documents() noexcept {
    return std::move(x_documents);
  }

private:
  struct user_plan {
    records::head_record head;
    /// IMs were removed: the floor may rise.
    bool removed = false;
    /// So was one that cannot be read, and may have been removed before: the
    /// count may be too low.
    bool in_doubt = false;
  };

  result<void> apply(const put_im& x);
  result<void> apply(const remove_im& x);
  result<void> apply(const put_account& x);
  result<void> apply(const remove_account& x);
  result<void> apply(const put_setting& x);
  result<void> apply(const audit_entry& x);
  result<void> apply(const put_roster& x);
  result<void> apply(const put_contact& x);
  result<void> apply(const remove_contact& x);
  result<void> apply(const put_note& x);
  result<void> apply(const remove_note& x);
  result<void> apply(const change_documents& x);

  /// An empty entry removes the contact.
  void change_contact(const user_address& user, const user_address& contact,
    std::string_view entry);

  /// One change of what a user keeps, while it is judged
  /// (commit_plan_documents.cpp).
  struct keeping;
  result<void> carry_out(keeping& k, const write_document& x);
  result<void> carry_out(keeping& k, const remove_document& x);
  result<void> carry_out(keeping& k, const make_collection& x);
  result<void> carry_out(keeping& k, const change_collection& x);
  result<void> carry_out(keeping& k, const remove_collection& x);
  result<void> load(keeping& k, const change_documents& x);
  result<void> count_anew(keeping& k);
  /// The oldest of a collection that has too many go, `but` that which is being
  /// written.
  result<void> thin_out(keeping& k, const std::string& but);
  void write(keeping& k);
  /// Takes a document out of the counts, to be removed; false: there is none.
  result<bool> take_out(keeping& k, const std::string& key);

  result<user_plan*> plan_of(const user_address& user);
  result<bool> has_account(const user_address& user);
  result<void> remember_domain(const user_address& of);
  /// Whether an IM goes with its recipient's account. If so its id goes as
  /// well: whoever has that name next never got it.
  enum class departure : uint8_t { alone, with_account };
  /// Takes out the IM under `key`; false if there is none.
  result<bool> remove(
    const user_address& recipient, im_order order, departure how);
  /// What an IM that is taken out refers to.
  result<void> let_go(const user_address& recipient, im_order order,
    const result<std::optional<std::string>>& value, departure how);
  /// What is remembered of an id, if it is of the IM with this order.
  result<void> forget_id(const retry_key& key, im_order order);
  /// All that wait for a user, returns how many. Where they are many, a note
  /// that they are to be taken out: from now on they lie below its floor, where
  /// nobody looks.
  result<uint64_t> remove_ims(const user_address& recipient);
  /// All but what outlives an account.
  static void forget_user(user_plan& x);
  /// Keys of a family from `begin` to before `end`; only of families whose keys
  /// nothing else in the plan reads. True: as a range, unseen by its index.
  result<bool> remove_range(
    family where, const std::string& begin, const std::string& end);
  result<void> forget_reference(const keys::body_key& key);
  /// Whether the body is, or now will be, in the family bodies.
  result<bool> refer_to_body(const keys::body_key& key, const im& message);
  result<uint64_t> references(const keys::body_key& key);
  result<void> raise_floor(const user_address& user, user_plan& plan);

  /// Nothing if it is not there; damage is `store_corrupt`.
  result<std::optional<std::string>> get(family where, const std::string& key);
  void put(family where, std::string key, std::string value);
  bool is_read(family where) const noexcept;
  void write_late();
  /// As `put`, for what is not read within the plan: costs less.
  void put_unread(family where, const std::string& key, std::string_view value);
  void remove_key(family where, std::string key);
  /// Keys of a family from `begin` to before `end`, as planned.
  result<std::vector<std::string>> keys_between(
    family where, const std::string& begin, const std::string& end, size_t max);

  /// What is written once all else is planned.
  struct late_write {
    enum class kind : uint8_t { put, merge, remove };
    family where;
    std::string key;
    std::string value;
    kind what = kind::put;
  };

  database& x_db;
  const sight x_sees;
  bool x_is_blind = false;
  std::vector<late_write> x_late;
  rocksdb::WriteBatchWithIndex x_batch;
  rocksdb::Status x_status;
  std::unordered_map<user_address, user_plan> x_users;
  /// Whether they have an account, as far as anybody asked.
  std::unordered_map<user_address, bool> x_accounts;
  /// Domains of accounts that were put.
  std::unordered_set<std::string> x_domains;
  uint64_t x_next_audit;
  std::optional<im_order> x_first_put;
  std::string x_first_forgettable;
  uint64_t x_ids_put = 0;
  uint64_t x_accounts_put = 0;
  std::vector<uint64_t> x_deleted;
  std::vector<document_verdict> x_documents;
  /// Whose documents this plan removes as a range: nothing is kept for them
  /// within it.
  std::unordered_set<user_address> x_emptied;
  /// Of the last broadcast: it need not be looked at for each recipient. Held:
  /// it was found to be the one in the family bodies.
  const im* x_last_message = nullptr;
  uint64_t x_last_hash = 0;
  bool x_last_is_held = false;
};

} // namespace parley
