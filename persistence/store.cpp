#include "persistence/store.hpp"

#include <algorithm>

#include "persistence/defaults.hpp"
#include "persistence/keys.hpp"
#include "persistence/store_impl.hpp"
#include "protocol/defaults.hpp"

// Opening and writing.
namespace parley {

// -- opening ------------------------------------------------------------------

store::store(std::unique_ptr<impl> x) : x_impl(std::move(x)) {}

store::~store() = default;

result<std::unique_ptr<store>> store::open(const options& how) {
  auto made = std::make_unique<impl>(how);
  if (auto done = made->open(); !done)
    return tl::unexpected(std::move(done.error()));
  return std::unique_ptr<store>(new store(std::move(made)));
}

result<void> store::impl::open() {
  auto opened = open_database(how, refused_from);
  if (!opened)
    return tl::unexpected(std::move(opened.error()));
  db = std::move(opened->db);
  secret = std::move(opened->secret);
  oldest = {};
  forget_from = keys::forgettable_begin(wall_time::min());
  next_audit = 0;
  return db->scan_back(family::audit,
    [this](std::string_view key, std::string_view) -> result<bool> {
      auto number = keys::parse_audit(key);
      if (!number)
        return tl::unexpected(undecodable("a key of the audit log"));
      next_audit = *number + 1;
      return false;
    });
}

result<std::shared_lock<std::shared_mutex>> store::impl::reading() {
  std::shared_lock lock(access);
  if (!db)
    return fail(errc::store_unavailable, "the store could not be opened again");
  return lock;
}

// -- writing ------------------------------------------------------------------

/// A RocksDB that failed to write is closed and opened anew, since 7.8 can use
/// its WAL file again and then ends the process. Not before the disk takes
/// writes: until then what is there can be read, and after it too if the disk
/// lets down again before the store is open.
result<void> store::impl::recover() {
  if (!refused_from)
    return {};
  auto* env = how.env ? how.env : rocksdb::Env::Default();
  if (env->NowMicros() < damaged_until)
    return tl::unexpected(damage);
  auto probe = how.path + "/probe.dbtmp";
  auto status = rocksdb::WriteStringToFile(
    env, std::string(defaults::disk_probe_bytes, 'p'), probe, true);
  auto removed = env->DeleteFile(probe);
  if (status.ok())
    status = removed;
  removed.PermitUncheckedError();
  if (!status.ok())
    return fail(errc::store_failed, status.ToString());
  std::lock_guard lock(access);
  db.reset();
  // Opening writes what is replayed into tables, and lets go of the old WAL:
  // what is left out of it now is gone for good.
  if (auto done = open(); !done) {
    db.reset();
    if (auto readable = open_for_reading(how, refused_from))
      db = std::move(*readable);
    // Not `store_corrupt`: that concerns single records.
    damage = failure{errc::store_failed, std::move(done.error().text)};
    if (done.error().code == errc::store_corrupt)
      damaged_until = env->NowMicros()
        + static_cast<uint64_t>(defaults::damage_retry.count());
    return tl::unexpected(damage);
  }
  damaged_until = 0;
  refused_from.reset();
  return {};
}

namespace {

/// Whether a batch is of one family alone: it looks no further than that.
class families_of : public rocksdb::WriteBatch::Handler {
public:
  /// Its number; nothing if there are several or none.
  std::optional<uint32_t> only() const noexcept {
    return x_many ? std::nullopt : x_first;
  }

  bool Continue() override { return !x_many; }
  rocksdb::Status PutCF(
    uint32_t family, const rocksdb::Slice&, const rocksdb::Slice&) override {
    return see(family);
  }
  rocksdb::Status DeleteCF(uint32_t family, const rocksdb::Slice&) override {
    return see(family);
  }
  rocksdb::Status DeleteRangeCF(
    uint32_t family, const rocksdb::Slice&, const rocksdb::Slice&) override {
    return see(family);
  }
  rocksdb::Status MergeCF(
    uint32_t family, const rocksdb::Slice&, const rocksdb::Slice&) override {
    return see(family);
  }

private:
  rocksdb::Status see(uint32_t family) {
    x_many |= x_first && *x_first != family;
    x_first = family;
    return rocksdb::Status::OK();
  }

  std::optional<uint32_t> x_first;
  bool x_many = false;
};

} // namespace

result<void> store::impl::write(rocksdb::WriteBatch& batch) {
  // RocksDB writes the flush of a single family as two entries of the MANIFEST
  // that are no group, so that a torn one could not be told from damage:
  // another one is told to forget what it does not have.
  families_of seen;
  auto looked = batch.Iterate(&seen);
  if (const auto only = seen.only(); looked.ok() && only) {
    auto* other = db->handle(family::meta);
    if (other->GetID() == *only)
      other = db->handle(family::heads);
    looked = batch.Delete(other, slice(keys::nothing));
  }
  if (!looked.ok())
    return tl::unexpected(failure_of(looked, errc::store_failed));
  rocksdb::WriteOptions options;
  options.sync = how.sync;
  auto sequence = db->rocks().GetLatestSequenceNumber() + 1;
  auto status = db->rocks().Write(options, &batch);
  if (status.ok())
    return {};
  refused_from = sequence;
  return fail(errc::store_failed, status.ToString());
}

result<void> store::impl::write(commit_plan& plan) {
  if (auto done = plan.finish(); !done)
    return done;
  if (auto done = write(*plan.batch()); !done)
    return done;
  next_audit = plan.next_audit();
  if (auto order = plan.first_put()) {
    oldest = std::min(oldest, *order);
    oldest_since = std::min(oldest_since, *order);
  }
  if (auto& key = plan.first_forgettable(); !key.empty())
    forget_from = std::min(forget_from, key);
  ids_put += plan.ids_put();
  accounts_put += plan.accounts_put();
  return {};
}

namespace {

using batch_parts = std::span<const std::vector<store_operation>* const>;

commit_plan::sight sight_of(batch_parts parts) {
  commit_plan::sight x{false, false, false};
  for (const auto* part : parts)
    for (const auto& what : *part) {
      x.ims |= std::holds_alternative<remove_im>(what);
      x.notes |= std::holds_alternative<remove_note>(what);
      x.accounts |= std::holds_alternative<remove_account>(what);
    }
  return x;
}

result<void> add_all(commit_plan& plan, batch_parts parts) {
  for (const auto* part : parts)
    for (const auto& what : *part)
      if (auto done = plan.add(what); !done)
        return done;
  return {};
}

} // namespace

result<commit_report> store::commit(const std::vector<store_operation>& batch) {
  const auto* part = &batch;
  return commit(std::span{&part, 1});
}

result<commit_report> store::commit(batch_parts parts) {
  if (std::all_of(parts.begin(), parts.end(),
        [](const auto* part) { return part->empty(); }))
    return commit_report{};
  std::lock_guard lock(x_impl->writing);
  if (auto done = x_impl->recover(); !done)
    return tl::unexpected(std::move(done.error()));
  std::optional<commit_plan> plan;
  auto sight = sight_of(parts);
  plan.emplace(*x_impl->db, x_impl->next_audit, sight);
  auto done = add_all(*plan, parts);
  if (!done && plan->is_blind()) {
    sight.ims = true;
    plan.emplace(*x_impl->db, x_impl->next_audit, sight);
    done = add_all(*plan, parts);
  }
  if (!done)
    return tl::unexpected(std::move(done.error()));
  return x_impl->write(*plan).map([&plan] {
    return commit_report{plan->deleted(), plan->take_documents()};
  });
}

} // namespace parley
