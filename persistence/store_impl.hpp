#pragma once

#include "persistence/commit_plan.hpp"
#include "persistence/database.hpp"
#include "persistence/keys.hpp"
#include "persistence/opening.hpp"
#include "persistence/records.hpp"
#include "persistence/store.hpp"

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

namespace parley {

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

  result<records::head_record> head(const user_address& user, const rocksdb::Snapshot* at);
  result<stored_im> complete(const user_address& recipient, im_order order,
    records::im_record record, const rocksdb::Snapshot* at);

  /// One look at all users for IMs that expired.
  struct sweep {
    size_t max = 0;
    const rocksdb::Snapshot* at = nullptr;
    std::vector<std::pair<user_address, im_order>> found;
    /// Of all that wait, found or not.
    im_order oldest = none_waits;
  };
  result<void> find_expired(im_order end, sweep& look);
  result<void> find_expired(const user_address& user, im_order floor,
    im_order end, sweep& look);

  result<uint64_t> forget_some(const std::string& end, bool& more);
  result<std::optional<std::string>> may_forget(const std::string& key);

  const options how;
  std::string secret;

  /// Guards `db`, not what is in it. Never held while waiting for another.
  std::shared_mutex access;
  /// Null while it cannot be opened again after a failed write.
  std::unique_ptr<database> db;

  /// One plan is made and written at a time: it reads what it changes.
  std::mutex writing;
  // Guarded by `writing`.
  uint64_t next_audit = 0;
  /// The last write failed: `db` takes no more.
  bool failed = false;
  /// No IM that waits is older, as far as a look at all has shown; commits
  /// lower it.
  im_order oldest;
  /// No id that may be forgotten has a lesser key; commits lower it.
  std::string forget_from = keys::forgettable_begin(wall_time::min());

  /// One look for expired IMs at a time. Taken before `writing`.
  std::mutex sweeping;
};

/// `what` was read and is not what was written.
inline failure undecodable(const std::string& what) {
  return failure{errc::store_corrupt, what + " cannot be decoded"};
}

} // namespace parley
