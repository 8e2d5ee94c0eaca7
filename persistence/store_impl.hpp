#pragma once

#include "persistence/commit_plan.hpp"
#include "persistence/database.hpp"
#include "persistence/keys.hpp"
#include "persistence/opening.hpp"
#include "persistence/records.hpp"
#include "persistence/store.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace parley {

/// Lets two threads in by turns: who leaves and comes again does not overtake
/// the one that waits, as it would with a mutex of the standard library.
class fair_mutex {
public:
  void lock() {
    std::lock_guard turn(x_turn);
    x_inside.lock();
  }
  void unlock() { x_inside.unlock(); }

private:
  /// Held by the one whose turn comes next.
  std::mutex x_turn;
  std::mutex x_inside;
};

struct store::impl {
  static constexpr im_order none_waits{UINT64_MAX};

  explicit impl(options x) : how(std::move(x)) {}

  result<void> open();
  // With `writing` held.
  result<void> write(commit_plan& plan);
  result<void> write(rocksdb::WriteBatch& batch);
  /// To be called before anything that ends in a write.
  result<void> recover();

  /// Keeps `db` as it is; to be held by all that read. An error if there is
  /// none.
  result<std::shared_lock<std::shared_mutex>> reading();

  result<records::head_record> head(
    const user_address& user, const rocksdb::Snapshot* at);
  result<stored_im> complete(const user_address& recipient, im_order order,
    records::im_record record, const rocksdb::Snapshot* at);
  /// The IM under this key and value; `store_corrupt` concerns it alone.
  result<stored_im> read_im(
    std::string_view key, std::string_view value, const rocksdb::Snapshot* at);
  result<packed_roster> roster_rows(
    const user_address& user, const rocksdb::Snapshot* at);
  result<stored_roster> roster(
    const user_address& user, const rocksdb::Snapshot* at);
  result<privacy> privacy_of(
    const user_address& user, const rocksdb::Snapshot* at);
  /// As database::scan, `range` being within one user's IMs. A damaged block is
  /// passed over: what other tables have there, and what is behind it, comes
  /// next.
  result<void> scan_ims(const user_address& user, database::range range,
    const database::visitor& each);
  /// `range`, of IMs, without the tables that are damaged in it. What these say
  /// was removed may be there again.
  database::range without_damaged(database::range range);
  /// The key from which a user's IMs can be read again, `from` being damaged;
  /// the end of `range` if none behind it can be. Of two damaged places, the
  /// second at most twice as far from the first as that is wide, what lies
  /// between may be taken for damage as well.
  std::string behind_damage(
    const user_address& user, im_order from, database::range range);
  /// The record under this key is passed over.
  void pass_over(family where, std::string_view key, const failure& why);

  /// One step of a look at all users for IMs that expired.
  struct sweep {
    im_order end;
    size_t max = 0;
    /// Users and IMs gone over.
    size_t seen = 0;
    std::vector<std::pair<user_address, im_order>> found;
  };
  /// False: this step is over, and `look` says where to go on.
  result<bool> find_expired(const user_address& user, std::string_view head,
    sweep& step, expiry_look& look);
  result<bool> find_expired_of(
    const user_address& user, im_order from, sweep& step, expiry_look& look);

  result<std::optional<std::string>> may_forget(const std::string& key);
  result<bool> is_left(
    const user_address& recipient, im_order order, const rocksdb::Snapshot* at);

  const options how;
  std::string secret;

  /// Guards `db`, not what is in it. Never held while waiting for another.
  std::shared_mutex access;
  /// For reading alone while it cannot be opened again after a failed write;
  /// null if not even that.
  std::unique_ptr<database> db;

  /// One plan is made and written at a time: it reads what it changes.
  fair_mutex writing;
  // Guarded by `writing`.
  uint64_t next_audit = 0;
  /// The sequence number of the last write, if that failed: `db` takes no more,
  /// and what the WAL has from there on is none of the store's.
  std::optional<uint64_t> refused_from;
  /// Why the store cannot be opened again, and until when that is taken for
  /// granted, in the disk's microseconds.
  failure damage;
  uint64_t damaged_until = 0;
  /// No IM that waits is older, as far as a whole look has shown; commits lower
  /// it.
  im_order oldest;
  /// The looks begun, and the oldest IM put since the last of them began.
  uint64_t looks = 0;
  im_order oldest_since = none_waits;
  /// No id that may be forgotten has a lesser key; commits lower it.
  std::string forget_from = keys::forgettable_begin(wall_time::min());

  std::atomic<uint64_t> ids_put = 0;
  std::atomic<uint64_t> accounts_put = 0;

  std::mutex passing_over;
  // Guarded by `passing_over`.
  std::set<std::pair<family, std::string>> unreadable;
};

/// `what` was read and is not what was written.
inline failure undecodable(const std::string& what) {
  return failure{errc::store_corrupt, what + " cannot be decoded"};
}

} // namespace parley
