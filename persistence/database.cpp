#include "persistence/database.hpp"

namespace parley {

failure failure_of(const rocksdb::Status& status, errc otherwise) {
  auto code = status.IsCorruption() ? errc::store_corrupt : otherwise;
  return failure{code, status.ToString()};
}

database::~database() {
  for (auto* handle : x_handles)
    if (handle)
      x_db->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  // Nothing is lost if it fails: what was acknowledged is in the WAL.
  x_db->Close().PermitUncheckedError();
}

result<std::optional<std::string>> database::get(
  family where, std::string_view key, const rocksdb::Snapshot* snapshot) {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  std::string value;
  auto status = x_db->Get(options, handle(where), slice(key), &value);
  if (status.IsNotFound())
    return std::optional<std::string>();
  if (!status.ok())
    return tl::unexpected(failure_of(status, errc::store_unavailable));
  return std::optional(std::move(value));
}

result<void> database::scan(
  family where, const range& what, const visitor& each) {
  rocksdb::ReadOptions options;
  options.snapshot = what.snapshot;
  options.fill_cache = what.keep_in_cache;
  options.table_filter = what.tables;
  rocksdb::Slice end(what.end);
  if (!what.end.empty())
    options.iterate_upper_bound = &end;
  std::unique_ptr<rocksdb::Iterator> i(
    x_db->NewIterator(options, handle(where)));
  for (i->Seek(what.begin); i->Valid(); i->Next()) {
    auto more = each(view(i->key()), view(i->value()));
    if (!more)
      return tl::unexpected(std::move(more.error()));
    if (!*more)
      return {};
  }
  if (auto status = i->status(); !status.ok())
    return tl::unexpected(failure_of(status, errc::store_unavailable));
  return {};
}

result<void> database::scan_back(family where, const visitor& each) {
  std::unique_ptr<rocksdb::Iterator> i(
    x_db->NewIterator(rocksdb::ReadOptions(), handle(where)));
  for (i->SeekToLast(); i->Valid(); i->Prev()) {
    auto more = each(view(i->key()), view(i->value()));
    if (!more)
      return tl::unexpected(std::move(more.error()));
    if (!*more)
      return {};
  }
  if (auto status = i->status(); !status.ok())
    return tl::unexpected(failure_of(status, errc::store_unavailable));
  return {};
}

} // namespace parley
