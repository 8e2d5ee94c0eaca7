#include <algorithm>

#include "persistence/keys.hpp"
#include "persistence/store.hpp"
#include "persistence/store_impl.hpp"
#include "protocol/defaults.hpp"

// What the sweeper asks for: IMs that expired, ids to be forgotten, and all ids
// for the filter. Each call is a bounded step.
namespace parley {

namespace {

/// `im_order` counts microseconds.
im_order order_of(wall_time t) {
  auto millis = t.time_since_epoch().count();
  return im_order{millis < 0 ? 0 : static_cast<uint64_t>(millis) * 1000};
}

} // namespace

// -- IMs that expired ---------------------------------------------------------

result<bool> store::impl::find_expired_of(
  const user_address& user, im_order from, sweep& step, expiry_look& look) {
  database::range range;
  range.begin = keys::im(user, from);
  range.end = keys::im_end(user);
  range.keep_in_cache = false;
  bool goes_on = true;
  auto done = scan_ims(
    user, range, [&](std::string_view key, std::string_view) -> result<bool> {
      auto place = keys::parse_im(key);
      if (!place) {
        pass_over(family::ims, key, undecodable("the place of an IM"));
        return true;
      }
      auto order = place->second;
      look.oldest = std::min(look.oldest, order);
      if (order >= step.end)
        return false;
      // Its user counts too: at least one IM is gone over.
      if (step.seen > step.max) {
        look.user = user;
        look.order = order;
        return goes_on = false;
      }
      ++step.seen;
      step.found.push_back(std::move(*place));
      return true;
    });
  return done.map([goes_on] { return goes_on; });
}

result<bool> store::impl::find_expired(const user_address& user,
  std::string_view head, sweep& step, expiry_look& look) {
  auto record = records::decode_head(head);
  // Its IMs are looked at all the same: from the first on.
  if (!record)
    pass_over(
      family::heads, user.str(), undecodable("the head of " + user.str()));
  else if (record->stored == 0)
    return true;
  else if (record->floor >= step.end) {
    look.oldest = std::min(look.oldest, record->floor);
    return true;
  }
  auto from = record ? record->floor : im_order{};
  if (look.user == user)
    from = std::max(from, look.order);
  return find_expired_of(user, from, step, look);
}

result<std::vector<std::pair<user_address, im_order>>> store::ims_before(
  wall_time before, expiry_look& look, size_t max) {
  auto& x = *x_impl;
  impl::sweep step{order_of(before), max, 0, {}};
  if (max == 0 || look.done)
    return step.found;
  if (look.number == 0) {
    std::lock_guard writing(x.writing);
    if (step.end <= x.oldest) {
      look.done = true;
      return step.found;
    }
    look.number = ++x.looks;
    // From here on commits note what this look may not see.
    x.oldest_since = impl::none_waits;
  }
  {
    auto lock = x.reading();
    if (!lock)
      return tl::unexpected(std::move(lock.error()));
    look.done = true;
    database::range range;
    range.begin = look.user.str();
    range.keep_in_cache = false;
    auto done = x.db->scan(family::heads, range,
      [&](std::string_view key, std::string_view value) -> result<bool> {
        auto user = user_address::from_prepared(std::string(key));
        if (step.seen >= step.max) {
          look.user = std::move(user);
          look.order = {};
          return look.done = false;
        }
        ++step.seen;
        auto goes_on = x.find_expired(user, value, step, look);
        look.done = goes_on && *goes_on;
        return goes_on;
      });
    if (!done) {
      look = {};
      return tl::unexpected(std::move(done.error()));
    }
  }
  if (look.done) {
    std::lock_guard writing(x.writing);
    // Another look since then has taken what commits had noted for this one.
    if (look.number == x.looks)
      x.oldest = std::min(look.oldest, x.oldest_since);
  }
  return std::move(step.found);
}

// -- retry ids ----------------------------------------------------------------

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
  auto place =
    db->get(family::ims, keys::im(parsed->key.recipient, record->order));
  if (!place)
    return place;
  auto im = *place ? records::decode_im(**place) : std::nullopt;
  if (im && im->id == parsed->key.id && im->from.user == parsed->key.sender)
    return std::nullopt;
  return std::optional(std::move(id));
}

result<store::forgotten> store::forget_ids(wall_time before) {
  auto& x = *x_impl;
  std::lock_guard lock(x.writing);
  if (auto done = x.recover(); !done)
    return tl::unexpected(std::move(done.error()));
  std::vector<std::string> found;
  database::range range;
  range.begin = x.forget_from;
  range.end = keys::forgettable_begin(before);
  auto done = x.db->scan(family::ids, range,
    [&](std::string_view key, std::string_view) -> result<bool> {
      found.emplace_back(key);
      return found.size() < defaults::forget_max;
    });
  if (!done)
    return tl::unexpected(std::move(done.error()));
  forgotten out;
  out.more = found.size() == defaults::forget_max;
  if (found.empty())
    return out;

  rocksdb::WriteBatch batch;
  rocksdb::Status status;
  auto* ids = x.db->handle(family::ids);
  for (auto& key : found) {
    auto may = x.may_forget(key);
    if (!may && may.error().code != errc::store_corrupt)
      return tl::unexpected(std::move(may.error()));
    if (!may) {
      // Stays, and is looked at again after the next start.
      x.pass_over(family::ids, key, may.error());
      continue;
    }
    if (status.ok())
      status = batch.Delete(ids, key);
    if (!may->has_value())
      continue;
    if (status.ok())
      status = batch.Delete(ids, **may);
    ++out.ids;
  }
  if (!status.ok())
    return tl::unexpected(failure_of(status, errc::store_failed));
  if (auto written = x.write(batch); !written)
    return tl::unexpected(std::move(written.error()));
  x.forget_from = found.back() + '\0';
  return out;
}

// -- what removed accounts have left ------------------------------------------

result<bool> store::remove_left() {
  auto& x = *x_impl;
  std::lock_guard lock(x.writing);
  if (auto done = x.recover(); !done)
    return tl::unexpected(std::move(done.error()));
  std::optional<std::pair<user_address, im_order>> left;
  database::range range;
  range.begin = keys::left_begin;
  range.end = keys::left_end;
  auto done = x.db->scan(family::meta, range,
    [&](std::string_view key, std::string_view value) -> result<bool> {
      // Of one that cannot be read nothing is taken out: it lies below the
      // floor, and only takes room.
      auto upto = records::decode_number(value);
      left = {keys::parse_left(key), im_order{upto.value_or(0)}};
      return false;
    });
  if (!done)
    return tl::unexpected(std::move(done.error()));
  if (!left)
    return false;
  commit_plan plan(*x.db, x.next_audit);
  if (auto more =
        plan.remove_left(left->first, left->second, defaults::forget_max);
      !more)
    return more;
  if (auto written = x.write(plan); !written)
    return tl::unexpected(std::move(written.error()));
  return true;
}

result<std::string> store::each_id(const std::string& from, size_t max,
  const std::function<void(uint64_t hash, wall_time stored_at)>& each) {
  auto& x = *x_impl;
  auto lock = x.reading();
  if (!lock)
    return tl::unexpected(std::move(lock.error()));
  database::range range;
  range.begin = from.empty() ? keys::id_kind() : from;
  range.end = keys::id_kind_end();
  range.keep_in_cache = false;
  std::string next;
  size_t n = 0;
  auto done = x.db->scan(family::ids, range,
    [&](std::string_view key, std::string_view value) -> result<bool> {
      if (n++ == max) {
        next = key;
        return false;
      }
      auto id = keys::parse_id(key);
      auto record = records::decode_id(value);
      if (!id || !record)
        x.pass_over(family::ids, key, undecodable("a remembered id"));
      // Who asks for one that is damaged has to hear of it.
      if (id)
        each(retry_hash(*id), record ? record->stored_at : wall_time{});
      return true;
    });
  return done.map([&next] { return std::move(next); });
}

uint64_t store::accounts_put() const noexcept {
  return x_impl->accounts_put;
}

uint64_t store::ids_put() const noexcept {
  return x_impl->ids_put;
}

} // namespace parley
