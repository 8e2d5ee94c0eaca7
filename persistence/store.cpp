#include "persistence/store.hpp"

#include <algorithm>

#include "persistence/keys.hpp"
#include "persistence/store_impl.hpp"
#include "protocol/defaults.hpp"

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
  auto opened = open_database(how);
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
/// writes: until then what is there can be read.
result<void> store::impl::recover() {
  if (!failed)
    return {};
  auto* env = how.env ? how.env : rocksdb::Env::Default();
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
  if (auto done = open(); !done) {
    db.reset();
    return fail(errc::store_failed, done.error().text);
  }
  failed = false;
  return {};
}

result<void> store::impl::write(rocksdb::WriteBatch& batch) {
  rocksdb::WriteOptions options;
  options.sync = how.sync;
  auto status = db->rocks().Write(options, &batch);
  if (status.ok())
    return {};
  failed = true;
  return fail(errc::store_failed, status.ToString());
}

result<void> store::impl::write(commit_plan& plan) {
  if (auto done = plan.finish(); !done)
    return done;
  if (auto done = write(*plan.batch()); !done)
    return done;
  next_audit = plan.next_audit();
  if (auto order = plan.first_put())
    oldest = std::min(oldest, *order);
  if (auto& key = plan.first_forgettable(); !key.empty())
    forget_from = std::min(forget_from, key);
  return {};
}

result<void> store::commit(const std::vector<store_operation>& batch) {
  if (batch.empty())
    return {};
  std::lock_guard lock(x_impl->writing);
  if (auto done = x_impl->recover(); !done)
    return done;
  commit_plan plan(*x_impl->db, x_impl->next_audit);
  for (auto& what : batch)
    if (auto done = plan.add(what); !done)
      return done;
  return x_impl->write(plan);
}

// -- forgetting ----------------------------------------------------------------

/// One write's worth, with the mutex held.
result<uint64_t> store::impl::forget_some(const std::string& end, bool& more) {
  std::vector<std::string> found;
  database::range range;
  range.begin = forget_from;
  range.end = end;
  auto done = db->scan(family::ids, range,
    [&](std::string_view key, std::string_view) -> result<bool> {
      found.emplace_back(key);
      return found.size() < defaults::forget_max;
    });
  if (!done)
    return tl::unexpected(std::move(done.error()));
  more = found.size() == defaults::forget_max;
  if (found.empty())
    return 0;

  uint64_t forgotten = 0;
  rocksdb::WriteBatch batch;
  rocksdb::Status status;
  auto* ids = db->handle(family::ids);
  for (auto& key : found) {
    if (status.ok())
      status = batch.Delete(ids, key);
    auto may = may_forget(key);
    if (!may)
      return tl::unexpected(std::move(may.error()));
    if (!may->has_value())
      continue;
    if (status.ok())
      status = batch.Delete(ids, **may);
    ++forgotten;
  }
  if (!status.ok())
    return tl::unexpected(failure_of(status, errc::store_failed));
  if (auto written = write(batch); !written)
    return tl::unexpected(std::move(written.error()));
  forget_from = found.back();
  return forgotten;
}

/// The key of the id that `key` says may be forgotten, unless it was put again
/// since: then its next removal says so anew.
result<std::optional<std::string>> store::impl::may_forget(
  const std::string& key) {
  auto parsed = keys::parse_forgettable(key);
  if (!parsed)
    return std::nullopt;
  auto id = keys::id(parsed->key);
  auto value = db->get(family::ids, id);
  if (!value)
    return value;
  auto record = *value ? records::decode_id(**value) : std::nullopt;
  if (!record || record->order != parsed->order
    || record->stored_at != parsed->stored_at)
    return std::nullopt;
  auto place
    = db->get(family::ims, keys::im(parsed->key.recipient, record->order));
  if (!place)
    return place;
  auto im = *place ? records::decode_im(**place) : std::nullopt;
  if (im && im->id == parsed->key.id && im->from.user == parsed->key.sender)
    return std::nullopt;
  return std::optional(std::move(id));
}

result<uint64_t> store::forget_ids(wall_time before) {
  auto end = keys::forgettable_begin(before);
  uint64_t forgotten = 0;
  for (bool more = true; more;) {
    std::lock_guard lock(x_impl->writing);
    if (auto done = x_impl->recover(); !done)
      return tl::unexpected(std::move(done.error()));
    auto some = x_impl->forget_some(end, more);
    if (!some)
      return some;
    forgotten += *some;
  }
  return forgotten;
}

} // namespace parley
