#include <algorithm>
#include <string_view>
#include <tuple>

#include "persistence/commit_plan.hpp"
#include "persistence/stored_contacts.hpp"

// What becomes of a plan once all operations are in it.
namespace parley {

/// In the order of keys: RocksDB finds the place of one beside that of the one
/// before, most of what a put costs it. Changes of one contact list have one
/// key, under which RocksDB sorts the newest first, so that this would not
/// help: they are joined.
void commit_plan::write_late() {
  std::vector<const late_write*> all;
  all.reserve(x_late.size());
  for (const auto& x : x_late)
    all.push_back(&x);
  std::stable_sort(all.begin(), all.end(), [](const auto* a, const auto* b) {
    return std::tie(a->where, a->key) < std::tie(b->where, b->key);
  });
  auto& batch = *x_batch.GetWriteBatch();
  std::vector<std::string_view> changes;
  for (auto i = all.begin(); i != all.end() && x_status.ok(); ++i) {
    const auto& x = **i;
    auto* handle = x_db.handle(x.where);
    switch (x.what) {
    case late_write::kind::put:
      x_status = batch.Put(handle, x.key, x.value);
      break;
    case late_write::kind::remove:
      x_status = batch.Delete(handle, x.key);
      break;
    case late_write::kind::merge:
      changes.push_back(x.value);
      if (i + 1 != all.end() && (*(i + 1))->what == late_write::kind::merge
        && (*(i + 1))->where == x.where && (*(i + 1))->key == x.key)
        break;
      x_status = batch.Merge(handle, x.key,
        changes.size() == 1 ? x.value : stored_contacts::join(changes));
      changes.clear();
      break;
    }
  }
}

result<void> commit_plan::raise_floor(
  const user_address& user, user_plan& plan) {
  auto& head = plan.head;
  if (plan.in_doubt) {
    auto left = keys_between(
      family::ims, keys::im(user, head.floor), keys::im_end(user), SIZE_MAX);
    if (!left && left.error().code != errc::store_corrupt)
      return tl::unexpected(std::move(left.error()));
    // Rather one too many than one that nobody looks for.
    head.stored = left ? left->size() : std::max<uint64_t>(head.stored, 1);
  }
  if (head.stored == 0) {
    head.floor = im_order{head.last.value + 1};
    return {};
  }
  auto found = keys_between(
    family::ims, keys::im(user, head.floor), keys::im_end(user), 1);
  // It may be too low. What is to be removed is not to wait for its neighbour.
  if (!found && found.error().code == errc::store_corrupt)
    return {};
  if (!found)
    return tl::unexpected(std::move(found.error()));
  if (!found->empty()) {
    if (auto first = keys::parse_im(found->front()))
      head.floor = first->second;
  }
  return {};
}

result<void> commit_plan::finish() {
  for (auto& [user, plan] : x_users) {
    if (plan.removed) {
      if (auto done = raise_floor(user, plan); !done)
        return done;
    }
    auto& head = plan.head;
    if (head.is_empty())
      remove_key(family::heads, keys::user(user));
    else
      put(family::heads, keys::user(user), records::encode_head(head));
  }
  write_late();
  if (!x_status.ok())
    return tl::unexpected(failure_of(x_status, errc::store_failed));
  return {};
}

} // namespace parley
